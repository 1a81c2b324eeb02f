"""No format tells a secret, whoever asks: what the site plants as secrets is asked for under each address."""

from __future__ import annotations

import pytest

from silian.web.conftest import ROLES
from silian.web.tests.leaks.addresses import READ
from silian.web.tests.leaks.conftest import planted  # noqa: F401 – a fixture
from silian.web.tests.leaks.planted import body

pytestmark = pytest.mark.once

FORMATS = ("oai", "dcat", "open_csv", "open_documentation", "record_jsonld", "standards")


@pytest.mark.parametrize("role", [ROLES[0], "administrator"])
def test_no_format_tells_what_a_visitor_may_not_see(people, planted, role):  # noqa: F811
    secret = [text for one in planted.secrets if not one.seen_by(people["visitor"].actor) for text in one.texts]
    found = []
    for name in FORMATS:
        for address in READ[name](planted):
            answer = people[role].client.get(address)
            text = body(answer) if answer.status_code == 200 else ""
            found += [(address, one) for one in secret if one in text]

    assert len(secret) > 20
    assert found == []
