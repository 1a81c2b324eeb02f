"""Every text for people is there in Chinese and in English."""

from __future__ import annotations

import ast
import gettext
import re
import sys
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from string import Formatter

import pytest
from django.http import QueryDict

from silian.tables import schema
from silian.web.base.models import Place
from silian.web.catalog.records.queries import terms
from silian.web.catalog.search.asking import question
from silian.web.tests.browser.pages import PAGES

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[4]


def _script():
    spec = spec_from_file_location("silian_messages", ROOT / "scripts" / "messages.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


messages = _script()
ENGLISH = messages.read("en")
CHINESE = messages.read("zh_Hans")
TEXTS = messages.texts()
HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+")
WORD = re.compile(r"[A-Za-z]{2,}")
SENTENCE = re.compile(r"[A-Za-z]{2,}[,;]? [a-z]{2,}[,;]? [a-z]{2,}")
CHINESE_SIGNS = re.compile(r"[，。：；、（）？！]")
PLACEHOLDER = re.compile(r"%\((\w+)\)[#0+ -]*[\d.]*[a-z]|%[ds]")
# ids without a Chinese character: signs that stand between other texts
SIGNS = {"、", "；", "：", "（%(count)s）", "（%(org)s）", "（%(level)s）", "（%(unit)s）", "%(sentence)s。",
         "%(name)s（%(code)s）", "（0–12）", "（12–18）", "（18–24）", "Excel（.xlsx）",
         "。", "“%(record)s”：%(state)s。"}  # fmt: skip
# what stands in templates untranslated: names of formats and languages, and examples of how to search
AS_THEY_ARE = {"中文", "English", "ORCID", "Excel", "CSV", "Parquet", "电池", "battery", "dianchi", "dc",
               "width=device-width, initial-scale=1",
               "SVG", "PNG", "plan.toml", "receipt.json", "problems.csv", "OpenAPI 3.1", "四链",
               "企业需求 Needs of enterprises"}  # fmt: skip
SAID = ("placeholder", "aria-label", "title", "alt", "data-label", "aria-description", "label")
TAGS = re.compile(
    r"<code>curl .*?</code>|\{% comment %\}.*?\{% endcomment %\}|\{% block page %\}.*?\{% endblock %\}"
    r"|\{% blocktranslate\b.*?\{% endblocktranslate %\}|\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}",
    re.DOTALL,
)
NAMES = {"ORCID", "DOI", "四链"}  # the same in both languages
# Chinese in modules that is no text of a page: (file, what it starts with): why
NO_TEXTS = {
    ("base/invitations.py", "已被"): "half of an error's two wordings",
    ("base/invitations.py", "已过期"): "half of an error's two wordings",
    ("base/invitations.py", "当前有效"): "half of an error's two wordings",
    ("base/models.py", "全域"): "a record, which has an English name beside it",
    ("catalog/duplicates/blocking.py", "(?:"): "endings of names of companies",
    ("catalog/duplicates/likeness.py", "\\d"): "numbers in names",
    ("catalog/management/commands/reindex.py", " 条记录"): "printed in both languages",
    ("runs/management/commands/serve.py", "演示账户"): "printed in both languages",
    ("runs/management/commands/serve.py", "正在写入"): "printed in both languages",
    ("settings.py", "Silian 四链"): "a name",
    ("api/site.py", "Silian 四链"): "a name",
    ("api/shapes.py", ""): "examples of values",
    **{
        (f"api/{name}.py", ""): "headings of the document in both languages"
        for name in ("about", "document", "figures", "files", "reading", "results", "talking")
    },
    **{
        (f"base/{name}.py", ""): "printed in both languages"
        for name in ("management/commands/backup", "management/commands/restore", "management/telling")
    },
    ("base/operation/checklist.py", ""): "a table in both languages",
    ("base/operation/exporting.py", ""): "the Chinese side of a file in the reader's language",
    ("runs/dashboards/wording.py", " "): "units of large sums in Chinese",
    ("runs/forms.py", "中文"): "the name of a language",
    ("standards/catalogue.py", ""): "titles in both languages",
    ("standards/identity.py", "四链"): "a name",
    ("standards/linked.py", ""): "names of identifiers and measures in both languages",
    ("standards/oai/cerif.py", ""): "family names of two characters, a name",
    ("standards/oai/protocol.py", " · 四链"): "a name",
}


class Reading(HTMLParser):
    """What a page says: (where, text)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said, self.unread = [], 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.unread += tag in ("script", "style")
        self.said += [(name, text.strip()) for name, text in attrs if name in SAID and text and text.strip()]

    def handle_endtag(self, tag):
        self.unread -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.unread and data.strip():
            self.said.append(("text", data.strip()))


def every(catalog):
    return [message for message in catalog if message.id]


def forms(said) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)


# ── the catalogues ──


def test_every_text_of_the_code_has_an_entry_and_every_entry_a_text():
    of_catalogue = {(*forms(m.id), *[""] * (2 - len(forms(m.id))), m.context or "") for m in every(ENGLISH)}

    assert of_catalogue == set(TEXTS), "run `make messages`"


def test_every_text_has_english():
    assert messages.untranslated(ENGLISH) == []


def test_every_hand_written_chinese_text_is_filled_in():
    assert messages.untranslated(CHINESE) == []


@pytest.mark.parametrize("catalog", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_no_translation_is_a_guess(catalog):
    assert [m.id for m in every(catalog) if m.fuzzy] == []
    assert [m.id for m in catalog.obsolete.values()] == []


@pytest.mark.parametrize("catalog", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_translations_keep_the_placeholders(catalog):
    def asked(text: str) -> list[str]:
        braces = [name for _, name, _, _ in Formatter().parse(re.sub(r"\{(?!\w*\})|(?<!\w)\}", "", text)) if name]
        return sorted([found[0] for found in PLACEHOLDER.finditer(text)] + braces)

    differ = [m.id for m in every(catalog) for text in forms(m.string) if asked(text) != asked(forms(m.id)[0])]

    assert differ == []


def test_ids_are_chinese():
    assert {t.id for t in TEXTS if not HAN.search(t.id)} == SIGNS


def test_english_holds_no_chinese():
    texts = [text for m in every(ENGLISH) for text in forms(m.string)]

    assert [t for t in texts if HAN.search(t) or CHINESE_SIGNS.search(t)] == []


def test_chinese_is_chinese():
    assert [m.id for m in every(CHINESE) if not all(HAN.search(text) for text in forms(m.string))] == []


@pytest.mark.parametrize("language", ["en", "zh_Hans"])
def test_what_is_loaded_is_what_is_written(language):
    folder = messages.LOCALE / language / "LC_MESSAGES"
    with (folder / "django.mo").open("rb") as file:
        loaded = gettext.GNUTranslations(file)

    for m in every(messages.read(language)):
        ids, texts = forms(m.id), forms(m.string)
        if len(ids) == 1:
            found = (loaded.pgettext(m.context, m.id) if m.context else loaded.gettext(m.id),)
        else:
            found = tuple(loaded.ngettext(*ids, number) for number in (1, 2)[: len(texts)])
        assert found == texts, "run `make messages`"


@pytest.mark.parametrize("table", schema.tables().values(), ids=str)
def test_schema_has_both_languages(table):
    for named in (table, *table.columns):
        assert HAN.search(named.label("zh")) or named.label("zh") in NAMES
        assert named.label("en")
        assert not HAN.search(named.label("en"))
        assert named.meaning_zh
        assert not HAN.search(named.meaning)


# ── the code ──


@pytest.mark.parametrize("path", messages.templates(), ids=lambda path: path.name)
def test_templates_say_nothing_outside_translation_tags(path):
    bare = TAGS.sub(" ", path.read_text(encoding="utf-8"))
    said = Reading(bare).said if path.suffix == ".html" and "elements" not in path.parts else []

    loose = [text for _, text in said if HAN.search(text) or WORD.search(text) or CHINESE_SIGNS.search(text)]

    assert [text for text in loose if text not in AS_THEY_ARE and not text.startswith("{")] == []


def test_modules_say_nothing_outside_gettext():
    loose = {
        (path.relative_to(messages.WEB).as_posix(), text)
        for path in messages.python_sources()
        if "migrations" not in path.parts and path.name != "environment.py"  # printed by `serve --settings`
        for text in _loose(ast.parse(path.read_text(encoding="utf-8")))
    }

    known = {(file, text) for file, text in loose for at, start in NO_TEXTS if file == at and text.startswith(start)}
    assert loose - known == set()
    assert {k for k in NO_TEXTS if not any(f == k[0] and t.startswith(k[1]) for f, t in loose)} == set()


def _loose(module: ast.Module) -> set[str]:
    """Chinese strings of a module that are neither translated, nor documentation, nor beside their English."""
    fine: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Expr):  # documentation
            fine |= {id(part) for part in ast.walk(node) if isinstance(node.value, ast.Constant)}
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in messages.CALLS:
            fine |= {id(part) for given in node.args for part in ast.walk(given)}
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
            fine |= _beside(*node.elts)
        elif isinstance(node, ast.IfExp):
            fine |= _beside(node.body, node.orelse)
    strings = [n for n in ast.walk(module) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return {n.value for n in strings if HAN.search(n.value) and id(n) not in fine}


def _beside(one: ast.expr, other: ast.expr) -> set[int]:
    """Two strings, Chinese and English."""
    texts = [getattr(part, "value", None) for part in (one, other)]
    two = all(isinstance(text, str) for text in texts) and sum(bool(HAN.search(text)) for text in texts) == 1
    return {id(one), id(other)} if two else set()


# ── the pages ──


@pytest.fixture(scope="module")
def values(django_db_setup, django_db_blocker, small_region) -> str:
    """Everything that the made-up region holds, and the names of places: what pages show in the language it has."""
    cells = [v for table in small_region.tables.values() for row in table.iter_rows() for v in row if v is not None]
    with django_db_blocker.unblock():
        cells += [*Place.objects.values_list("name", flat=True)]
    return "\n".join(map(str, cells))


def said_by(people, page, language) -> list[tuple[str, str]]:
    client = people[page.role].client
    client.cookies["language"] = language
    # in a fresh database the first account is number 1; here numbers go on from test to test
    address = page.address.replace("people/1/", f"people/{people['broker'].user.pk}/")
    answer = client.get(f"/{address}", follow=True)
    assert answer.status_code == page.status
    return Reading(answer.content.decode()).said


# the others need a browser to come to their state, or the run with which a demo begins
READY = [p for p in PAGES if "{" not in p.address and p.view != "dashboard_list" and "like=" not in p.address]
EACH = pytest.mark.parametrize("page", READY, ids=[page.name for page in READY])


@EACH
def test_page_is_english_but_for_values_of_records(people, values, page):
    said = said_by(people, page, "en")

    accounts = {person.user.name for person in people.values() if person.user}
    values += page.address + "".join(accounts)
    for asked in question(QueryDict(page.address.partition("?")[2]).get("q", ""), terms=terms()).units:
        values += "\n".join(("", *asked.others))  # the page says what else it searched for
    chinese = [text for _, text in said if any(run not in values for run in HAN.findall(text))]
    assert [text for text in chinese if text not in AS_THEY_ARE] == []
    ours = {text.id for text in TEXTS} | {
        named.label("zh") for t in schema.tables().values() for named in (t, *t.columns)
    }
    assert [text for _, text in said if text in ours - SIGNS - NAMES - accounts] == []


@EACH
def test_page_is_chinese_but_for_values_of_records(people, values, page):
    said = [text for _, text in said_by(people, page, "zh-hans")]

    loose = [
        text for text in said if SENTENCE.search(text.replace("systemctl restart silian", "")) and text not in values
    ]
    assert [text for text in loose if text not in AS_THEY_ARE] == []
