"""A run that has read, and quotes, what the leak tests hide: pairs of hidden records, sentences of closed columns."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from silian.web.runs.results.preparing import prepare
from silian.web.runs.results.tests.made import adopted, finished

if TYPE_CHECKING:
    from silian.web.runs.models import Run

NEEDS = ("N-secret", "N-far", "N-closed", "N-open")
TEXTS = ("草稿正文甲", "机密远方乙", "暗标正文丁", "公开题目申")


@cache
def leaking() -> Path:
    """The folder of such a run."""
    folder = Path(tempfile.mkdtemp(prefix="silian-leak-"))
    shutil.copytree(finished(), folder, dirs_exist_ok=True)
    _more(folder / "region" / "needs.csv", [
        {"need_id": need, "title": text, "text": text, "kind": "technology", "field": "food", "district_id": "D01",
         "not_wanted": "暗标不接受戊", "budget_cny": "98765433", "experts_wanted": "2"}
        for need, text in zip(NEEDS, TEXTS, strict=True)
    ])  # fmt: skip
    _more(folder / "region" / "experts.csv", [{"expert_id": "E-secret", "name": "机密专家辛", "profile": "机密简介壬"}])
    for noun, target, text in (("achievement", "A01", "公开"), ("expert", "E-secret", "机密简介壬")):
        kind = {"achievement": "achievements", "expert": "experts"}[noun]
        found = {
            f"{noun}_pairs": [
                {"need_id": n, "target_id": target, "rank": 1, "score": 0.99, "why": []} for n in NEEDS
            ],
            f"{noun}_facts": [
                {"need_id": n, "target_id": target, "fact": fact, "place": 1, "need_says": says, "target_says": text,
                 "value": 0.9, "in_table": kind, "in_id": target}
                for n, own in zip(NEEDS, TEXTS, strict=True)
                for fact, says in (("sentence", own), ("not_wanted", "暗标不接受戊"), ("nice_to_have", own))
            ],
            f"{noun}_terms": [
                {"need_id": n, "target_id": target, "term": term, "part": 0.5, "in_table": table, "in_id": i,
                 "in_column": column, "item": 0, "start": 0, "end": 4}
                for n, own in zip(NEEDS, TEXTS, strict=True)
                for term in (own, text, *(("暗标不接受戊",) if n != "N-open" else ()))  # its text is public
                for table, i, column in (("needs", n, "text"), (kind, target, "text" if noun[0] == "a" else "profile"))
            ],
        }  # fmt: skip
        for name, rows in found.items():
            _rows(folder, name, rows)
    _rows(folder, "assigned", [{"need_id": n, "expert_id": "E-secret", "score": 0.9} for n in NEEDS])
    _rows(folder, "loads", [{"expert_id": "E-secret", "assigned": 4, "free": 4, "elsewhere": 0}])
    _rows(folder, "unmet", [{"need_id": n, "missing": 1, "reason": "capacity"} for n in NEEDS])
    _rows(folder, "unmet_reasons", [{"need_id": n, "reason": "capacity", "experts": 1} for n in NEEDS])
    _rows(folder, "served", [
        {"need_id": n, "wanted": 2, "assigned": 1, "score": 0.1, "reachable": 0.9, "reached_share": 0.1} for n in NEEDS
    ])  # fmt: skip
    gap = pl.read_parquet(folder / "out" / "gaps.parquet")["product_id"][0]
    _rows(folder, "gap_evidence", [{"product_id": gap, "side": "need", "other_id": n} for n in NEEDS])
    _rows(folder, "gap_fillers", [
        {"product_id": gap, "noun": "expert", "filler_id": "E-secret", "rank": 1, "score": 0.9,
         "reason": "answers_need", "evidence": "N-secret"}
    ])  # fmt: skip
    prepare(folder)
    return folder


def leaking_run() -> Run:
    """Such a run in force for the whole region."""
    run = adopted()
    shutil.rmtree(run.folder)
    shutil.copytree(leaking(), run.folder)
    return run


def _more(path: Path, rows: list[dict[str, str]]) -> None:
    """Rows at the end of a CSV file."""
    table = pl.read_csv(path, infer_schema=False)
    pl.concat([table, pl.DataFrame(rows)], how="diagonal").write_csv(path)


def _rows(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    """Rows in front of a result table."""
    path = folder / "out" / f"{name}.parquet"
    table = pl.read_parquet(path)
    new = pl.DataFrame(rows, schema_overrides={c: k for c, k in table.schema.items() if c in rows[0]})
    pl.concat([new, table], how="diagonal").select(table.columns).write_parquet(path)
