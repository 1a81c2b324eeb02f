"""The reliability diagram: what it shows, and what it refuses."""

import polars as pl
import pytest

from silian.errors import ArgumentError, TableError
from silian.report.quality import reliability
from silian.report.render import render

TABLE = pl.DataFrame(
    {"predicted": [0.05, 0.8], "observed": [0.04, 0.75], "low": [0.01, 0.6], "high": [0.1, 0.9], "pairs": [400, 30]}
)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_reliability_puts_each_bin_at_what_was_predicted_and_what_came(language):
    drawn = reliability(TABLE, language=language)

    assert drawn["datasets"]["rows"] == TABLE.to_dicts()
    line, span, dots = drawn["layer"]
    assert line["data"]["values"] == [{"predicted": 0, "observed": 0}, {"predicted": 1, "observed": 1}]
    assert (span["encoding"]["y"]["field"], span["encoding"]["y2"]["field"]) == ("low", "high")
    assert (dots["encoding"]["x"]["field"], dots["encoding"]["y"]["field"]) == ("predicted", "observed")
    assert render(drawn).startswith(b"<svg")


def test_reliability_names_missing_columns():
    with pytest.raises(TableError, match=r"table\.columns.*reliability lacks.*pairs"):
        reliability(TABLE.drop("pairs"))


def test_reliability_refuses_another_language():
    with pytest.raises(ArgumentError, match=r"argument\.value.*language"):
        reliability(TABLE, language="fr")
