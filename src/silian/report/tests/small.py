"""A region small enough to check by hand, with the results that a run of it would leave; shared by tests of the report.

Four needs in two districts and three experts; n4 has no match, e2 serves both n1 and n3, n2 is short of one expert.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from silian.tables.region import Region
from silian.tables.schema import results as result_tables

HOSTILE = '</script><script>window.hurt=1</script><img src=x onerror="window.hurt=1">"\'&\u202eevil\u2028🧪'


def square(x: float, y: float) -> dict:
    ring = [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def geojson() -> dict:
    features = [
        {"type": "Feature", "properties": {"district_id": "d1"}, "geometry": square(110, 30)},
        {"type": "Feature", "properties": {"district_id": "d2"}, "geometry": square(111, 30)},
        {"type": "Feature", "properties": {"district_id": "elsewhere"}, "geometry": square(112, 30)},
        {"type": "Feature", "properties": None, "geometry": None},
    ]
    return {"type": "FeatureCollection", "features": features}


def table(columns: str, *rows: tuple) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=columns.split(), orient="row")


def region(*, title: str = "激光焊缝气孔在线检测", with_map: bool = True) -> Region:
    tables = {
        "districts": table("district_id name name_en", ("d1", "东湖区", "Donghu"), ("d2", "西山县", "Xishan")),
        "organisations": table(
            "org_id name kind district_id",
            ("o1", "华泰激光有限公司", "enterprise", "d1"),
            ("o2", "西山大学", "university", "d2"),
            ("o3", "华泰激光有限公司", "enterprise", "d1"),
        ),
        "experts": table(
            "expert_id name org_id title field profile district_id free",
            ("e1", "王伟", "o2", "professor", "laser", "激光焊接过程监测", "d2", 2),
            ("e2", "李敏", "o2", "researcher", "sensor", "传感器与视觉检测", "d2", 2),
            ("e3", "张强", "o1", None, "battery", None, "d1", 1),
        ),
        "works": table(
            "expert_id work_id kind title year",
            ("e1", "w1", "paper", "激光焊缝气孔的形成机理", 2021),
            ("e1", "w2", "patent", "一种焊接夹具", 2023),
            ("e2", "w3", "paper", "机器视觉在线检测", 2020),
        ),
        "needs": pl.DataFrame(
            {
                "need_id": ["n1", "n2", "n3", "n4"],
                "org_id": ["o1", "o1", "o3", None],
                "title": [title, "电池涂布厚度检测", "传感器标定", "食品保鲜"],
                "text": ["焊缝气孔率高，需要在线检测，精度０．１ｍｍ。", "涂布厚度不均。", None, "延长货架期"],
                "kind": ["technology", "technology", "equipment", "achievement"],
                "field": ["laser", "battery", "sensor", None],
                "must_have": [["检测精度 0.1 mm", "在线"], None, None, None],
                "trl_wanted": [7, None, 6, None],
                "budget_cny": [500_000.0, None, 12_000.0, 2.5e8],
                "deadline_on": [date(2026, 12, 31), None, None, None],
                "district_id": ["d1", "d1", "d2", None],
                "product_id": [None, "p2", None, None],
                "experts_wanted": [1, 2, 1, 1],
            }
        ),
        "achievements": table(
            "achievement_id org_id title text field trl ip_status price_cny district_id",
            ("a1", "o2", "焊缝气孔视觉检测装置", "在线检测焊缝气孔", "laser", 7, "granted", 300_000.0, "d2"),
            ("a2", "o2", "涂布厚度激光测量", None, "battery", 5, "pending", None, "d2"),
            ("a3", None, "无人关心的成果", "不应带入页面的简介", None, None, None, None, None),
        ),
        "products": table(
            "product_id name chain segment",
            ("p1", "铜箔", "动力电池", "材料"),
            ("p2", "极片", "动力电池", "部件"),
            ("p3", "电芯", "动力电池", "整件"),
            ("p4", "圆柱电芯", "动力电池", "整件"),
            ("p5", "隔膜", None, None),
        ),
        "product_links": table(
            "upstream_id downstream_id kind",
            ("p1", "p2", "material"),
            ("p2", "p3", "component"),
            ("p4", "p3", "kind_of"),
        ),
        "makes": table("org_id product_id", ("o1", "p1"), ("o3", "p1"), ("o1", "p4")),
    }
    return Region.of(tables, geojson=geojson() if with_map else None)


def why(*parts: tuple[str, str, float]) -> list[dict]:
    return [{"kind": kind, "term": term, "part": part} for kind, term, part in parts]


PARTS = (("buyers", 0.1), ("downstream", 0.2), ("flow", 0.1), ("needs", 0.15), ("upstream", 0.2))  # of the gap p2: 0.75


def results() -> dict[str, pl.DataFrame]:
    rows: dict[str, list[tuple]] = {
        "achievement_pairs": [
            ("n1", "a1", 1, 0.8, why(("word", "气孔", 0.4), ("meaning", "", 0.3), ("word", "…", 0.1))),
            ("n1", "a2", 2, 0.2, why(("word", "检测", 0.2))),
            ("n2", "a2", 1, 0.55, why(("word", "涂布", 0.35), ("meaning", "", 0.2))),
            ("n3", "a1", 1, 0.15, why(("meaning", "", 0.15))),
        ],
        "grades": [
            ("n1", "a1", 0.05, 0.1, 0.25, 0.6, 4),
            ("n1", "a2", 0.6, 0.3, 0.08, 0.02, 1),
        ],
        "expert_pairs": [
            ("n1", "e1", 1, 0.7, why(("word", "焊缝", 0.5), ("meaning", "", 0.2))),
            ("n1", "e2", 2, 0.6, why(("word", "检测", 0.6))),
            ("n2", "e3", 1, 0.3, why(("meaning", "", 0.3))),
            ("n3", "e2", 1, 0.65, why(("word", "传感器", 0.65))),
        ],
        "achievement_terms": [
            ("n1", "a1", "气孔", 0.4, "needs", "n1", "title", 0, 4, 6),
            ("n1", "a1", "气孔", 0.4, "achievements", "a1", "title", 0, 2, 4),
            ("n1", "a1", "气孔", 0.4, "achievements", "a1", "text", 0, 6, 8),
        ],
        "achievement_facts": [
            ("n1", "a1", "sentence", 1, "焊缝<气孔>", "气孔检测" * 60, None, 0.62, "achievements", "a1"),
            ("n1", "a1", "trl", 1, "7", "6", None, -1.0, None, None),
            ("n1", "a1", "past_target", 1, "o1", "o2", "outcome", 2.0, None, None),
        ],
        "expert_terms": [("n1", "e2", "检测", 0.6, "works", "w1", "title", 0, 0, 2)],
        "expert_facts": [("n1", "e2", "distance", 1, "organisations", "districts", None, 12.5, None, None)],
        "exposure": [
            ("achievement", "target", "a2", 1, 2, 1, 1.63),
            ("achievement", "target", "a1", 1, 2, 2, 2.0),
            ("achievement", "target", "a3", 1, 0, 0, 0.0),
            ("expert", "organisation", "o2", 3, 4, 3, 3.63),
        ],
        "exposure_summary": [
            ("achievement", "target", 3, 1, 1 / 3, 1 / 3, 0.34, 0.5, 0.5),
            ("expert", "organisation", 1, 0, 0.0, 0.0, 0.0, 1.0, 1.0),
        ],
        "exposure_curve": [
            *(("achievement", "target", a, b) for a, b in ((0.0, 0.0), (1 / 3, 0.0), (2 / 3, 0.5), (1.0, 1.0))),
            *(("expert", "organisation", a, b) for a, b in ((0.0, 0.0), (1.0, 1.0))),
        ],
        "conflicts": [("n2", "e1", "employment", "o1 任职")],
        "assigned": [("n1", "e2", 0.6), ("n2", "e3", 0.3), ("n3", "e2", 0.65)],
        "unmet": [("n2", 1, "conflict"), ("n4", 1, "no_candidate")],
        "unmet_reasons": [
            ("n2", "conflict", None, None, None, None, 1),
            ("n4", "no_candidate", None, None, None, None, 0),
        ],
        "prices": [("expert", "e2", 0.1), ("expert", "e1", 0.0), ("need", "n1", 0.05)],
        "proof": [(1.55, 1.55, 0.0, True, 3, 5, 0.0, "total", None, None, None)],
        "served": [
            ("n1", 1, 1, 0.6, 0.7, 0.6 / 0.7),
            ("n2", 2, 1, 0.3, 0.4, 0.75),
            ("n3", 1, 1, 0.65, 0.65, 1.0),
            ("n4", 1, 0, 0.0, 0.0, None),
        ],
        "fairness_curve": [
            (0.0, 0.0, 1.55, 1.55, 0.0, 0.0),
            (0.3, 0.0, 1.55, 1.55, 0.0, 0.0),
            (0.4, 0.0, 1.5, 1.52, 0.05, 0.05 / 1.55),
        ],
        "gap_parts": [("p2", part, value) for part, value in PARTS],
        "loads": [("e1", 0, 2, 0), ("e2", 2, 2, 0), ("e3", 1, 1, 0)],
        "contacts": [("o1", 1, 0), ("o2", 1, 0), ("o3", 1, 0)],
        "gaps": [("p2", "break", "动力电池", "部件", 1, 0.75, 1, 1, 1, 1, 2, 1, 0, None, None, 0.5)],
        "gap_evidence": [
            ("p2", "downstream", "p3", None, 1),
            ("p2", "need", "n2", None, 0),
            ("p2", "upstream", "p1", 0.5, 2),
        ],
        "gap_fillers": [
            ("p2", "organisation", "o1", 1, 0.5, "makes_related", "p1", None, None),
            ("p2", "achievement", "a2", 1, 0.55, "answers_need", "n2", None, None),
            ("p2", "expert", "e3", 1, 0.3, "answers_need", "n2", None, None),
        ],
        "same": [("o1", "o1", "none", None), ("o2", "o2", "none", None), ("o3", "o1", "name", "华泰激光有限公司")],
        "same_people": [(e, e, "none", None, {"e3": "e1"}.get(e), e != "e3") for e in ("e1", "e2", "e3")],
        "district_balance": [
            ("d1", 2, 0, 1, 2, 2, 3, 2, 2 / 3),
            ("d2", 0, 2, 2, 1, 1, 1, 1, 1.0),
        ],
        "problems": [
            ("needs", "needs.csv", 5, "district_id", "check.empty", "", "Fill it in.", "请填写。", False),
            ("needs", "needs.csv", 3, "budget_cny", "check.range", "=1+1", "Correct it.", "请更正。", False),
            ("experts", "experts.csv", 9, "title", "check.range", "-3", "Correct it.", "请更正。", False),
            ("needs", "needs.csv", None, None, "check.grave", None, "Repair it.", "请修复。", True),
        ],
        "summary": [
            *(("needs", 4.0), ("needs_matched", 3.0), ("achievements", 3.0), ("experts", 3.0), ("products", 5.0)),
            *(("experts_wanted", 5.0), ("experts_assigned", 3.0), ("needs_unmet", 2.0), ("score_total", 1.55)),
            *(("breaks", 1.0), ("blanks", 0.0), ("conflicts", 1.0), ("problems", 4.0), ("problems_grave", 1.0)),
        ],
    }
    schema = result_tables()
    return {name: pl.DataFrame(rows[name], schema=schema[name].polars, orient="row") for name in schema}


def ruled() -> dict[str, pl.DataFrame]:
    """What a fair run under rules of every kind leaves instead: n2 is kept short by all of them."""
    schema = result_tables()
    reasons = [
        ("n2", "capacity", None, None, None, None, 3),
        ("n2", "at_most", "contacts", "o1", None, 1.0, 2),
        ("n2", "at_most", "<b>每区</b>", "d1", "laser", 2.5, 1),
        ("n2", "apart", None, "n2", "e3", None, 1),
        ("n2", "veto", None, None, None, None, 1),
        ("n2", "conflict", None, None, None, None, 1),
        ("n4", "no_candidate", None, None, None, None, 0),
    ]
    proof = [(1.55, 1.56, 0.01, False, 3, 5, 0.0, "fair", 0.3, 0.35, 3)]
    found = {"unmet_reasons": reasons, "proof": proof}
    return {name: pl.DataFrame(rows, schema=schema[name].polars, orient="row") for name, rows in found.items()}


def even() -> dict[str, pl.DataFrame]:
    """What a run leaves instead in which every need got the best that it could, and no curve was asked for."""
    served = results()["served"].with_columns(score=pl.col("reachable"), reached_share=pl.lit(1.0))
    return {"served": served, "fairness_curve": result_tables()["fairness_curve"].empty()}


def nothing() -> dict[str, pl.DataFrame]:
    return {name: noun.empty() for name, noun in result_tables().items()}


def receipt(seconds: float = 1.0) -> dict:
    return {
        "silian": "0.1.0",
        "code": "0123456789abcdef",
        "region": "示例市",
        "on": date(2026, 6, 30),
        "seed": 7,
        "plan": {"match": {"top_k": 10}, "day": date(2026, 6, 30)},
        "inputs": {"needs.csv": "ab" * 32},
        "steps": [{"name": "load", "rows": {"needs": 4}, "seconds": seconds, "started_at": "2026-06-30T08:00:00"}],
    }
