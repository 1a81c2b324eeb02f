"""Organisations: enterprises by what they make, and every other kind of body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from silian.tables import uscc
from silian.tables.synth import _texts as texts
from silian.tables.synth._dice import Dice, generator
from silian.tables.synth._frames import frame
from silian.tables.synth._vocabulary import Vocabulary, rows

if TYPE_CHECKING:
    from silian.tables.synth._places import Places
    from silian.tables.synth._sizes import Size
    from silian.tables.synth._subjects import Demand

STEM: Final = "栖川"
STEM_EN: Final = "Qichuan"
SIZES: Final = ("large", "medium", "small", "micro")
SIZE_SHARES: Final = (0.04, 0.16, 0.52, 0.28)
EMPLOYEES: Final = {"large": (1000, 6000), "medium": (300, 999), "small": (20, 299), "micro": (3, 19)}
UNIVERSITIES: Final = {  # how the name goes on after the stem, and the field where there is one
    "大学": "",
    "理工大学": "",
    "农业大学": "agriculture",
    "医科大学": "biomedicine",
    "工业大学": "",
    "交通大学": "rail_transport",
    "科技学院": "",
    "师范学院": "",
    "职业技术学院": "",
    "工程学院": "",
}
INSTITUTES: Final = (
    "{stem}市{x}研究院",
    "{stem}{x}工程技术研究中心",
    "{stem}产业技术研究院{x}研究所",
    "{stem}{x}重点实验室",
    "{stem}{x}联合创新中心",
    "{district}{x}产业研究院",
    "{district}{x}技术研究所",
    "{district}{x}中试基地",
    "{x}研究中心（{stem}）",
    "{stem}{x}科学研究所",
    "{district}{x}检验检测研究院",
)
DUPLICATE_SHARE: Final = 0.012
_BODY: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True, slots=True)
class Organisations:
    """The table, and by row what other tables need."""

    table: pl.DataFrame
    same: pl.DataFrame  # org_id, canonical_id of every row
    ids: tuple[str, ...]
    kind: np.ndarray
    thing: np.ndarray  # main object, -1 where none
    thing_name: tuple[str, ...]  # its name, "" where none
    field: np.ndarray  # field name, "" where any
    district: np.ndarray  # number of the district
    is_copy: np.ndarray  # rows that stand for another row

    def rows_of(self, *kinds: str) -> np.ndarray:
        """Row numbers of these kinds, copies left out."""
        return np.flatnonzero(np.isin(self.kind, kinds) & ~self.is_copy)


def organisations(
    size: Size, seed: int, vocabulary: Vocabulary, places: Places, demand: Demand, *, absent: frozenset[str]
) -> Organisations:
    """All organisations of a region, with some rows that stand for another row.

    `absent` names the products that nobody here makes.
    """
    made = [
        *_enterprises(size, seed, vocabulary, places, demand, absent),
        *_others(size, seed, vocabulary, places, demand.things),
    ]
    rng = generator(seed, "organisation places")
    district = np.array([r.pop("district") for r in made])
    longitude, latitude = places.inside(rng, district)
    codes = _codes(seed, [r["kind"] for r in made], [places.codes[d] for d in district])
    for i, r in enumerate(made):
        r |= {
            "uscc": codes[i],
            "region": places.codes[district[i]],
            "district_id": places.ids[district[i]],
            "longitude": float(longitude[i]),
            "latitude": float(latitude[i]),
        }
    thing = [r.pop("thing") for r in made]
    field = [r.pop("field") for r in made]
    copies, of = _copies(Dice(seed, "organisation copies"), made)
    whole = [*made, *copies]
    width = len(str(len(whole)))
    ids = tuple(f"O{i + 1:0{width}d}" for i in range(len(whole)))
    parents = [ids[p] if (p := r.pop("parent", None)) is not None else None for r in whole]
    source = [*range(len(made)), *of]
    table = frame("organisations", whole).with_columns(
        pl.Series("org_id", ids), pl.Series("parent_org_id", parents, dtype=pl.String)
    )
    return Organisations(
        table=table,
        same=pl.DataFrame({"org_id": ids, "canonical_id": [ids[i] for i in source]}),
        ids=ids,
        kind=np.array([r["kind"] for r in whole]),
        thing=np.array([thing[i] for i in source]),
        thing_name=tuple(vocabulary.things[thing[i]].name if thing[i] >= 0 else "" for i in source),
        field=np.array([field[i] for i in source]),
        district=np.array([district[i] for i in source]),
        is_copy=np.arange(len(whole)) >= len(made),
    )


def _enterprises(
    size: Size, seed: int, vocabulary: Vocabulary, places: Places, demand: Demand, absent: frozenset[str]
) -> list[dict[str, Any]]:
    dice, rng = Dice(seed, "enterprises"), generator(seed, "enterprise subjects")
    fields = {r["field"]: r for r in rows("fields")}
    brands = [r for r in rows("people") if r["part"] == "brand"]
    here, asking = (
        np.array([t for t in things.tolist() if vocabulary.things[t].name not in absent])
        for things in (demand.things, rng.permutation(demand.asked))
    )
    thing, district = _spread(rng, size.enterprises, vocabulary, places, here)
    if size.is_tiny:  # one maker for each object that is asked about, the others in the chain that is drawn
        main = np.array([t for t in here.tolist() if vocabulary.field(t) == size.fields[0]])
        thing = rng.choice(main, size=size.enterprises)
    count = min(len(asking), size.enterprises if size.is_tiny else size.enterprises * 3 // 4)
    thing[:count] = asking[:count]
    taken: set[str] = set()
    made = []
    for i in range(size.enterprises):
        t, d = int(thing[i]), int(district[i])
        field = vocabulary.field(t)
        name, name_en = _firm_name(dice, fields[field], brands, places.names[d], taken)
        row: dict[str, Any] = {"name": name, "name_en": name_en if dice.chance(0.25) else None, "kind": "enterprise"}
        row |= {"thing": t, "field": field, "district": d} | _figures(dice, name)
        row |= {"industry": vocabulary.things[t].industry, "industry_edition": "2017"}
        row["business"] = _business(dice, vocabulary, t, absent)
        row["former_names"] = _former(dice, name, taken) if dice.chance(0.05) else None
        made.append(row)
    return made


def _spread(
    rng: np.random.Generator, n: int, vocabulary: Vocabulary, places: Places, things: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """An object and a district for each of n; districts have fields that they are strong in."""
    field = np.array([vocabulary.field(t) for t in things])
    names = np.unique(field)
    strength = rng.gamma(1.2, size=(len(places.ids), len(names))) + 0.15
    district = rng.choice(len(places.ids), size=n, p=places.weight)
    weight = strength[district][:, np.searchsorted(names, field)]
    weight *= rng.gamma(2.0, size=len(things))
    total = weight.cumsum(axis=1)
    mark = rng.random(n) * total[:, -1]
    return things[(total < mark[:, None]).sum(axis=1)], district


def _firm_name(
    dice: Dice, field: dict[str, str], brands: list[dict[str, str]], district: str, taken: set[str]
) -> tuple[str, str]:
    short = district.rstrip("区县").removesuffix("新").removesuffix("高新")
    while True:
        first, second = dice.sample(brands, 2)
        brand = first["zh"] + second["zh"]
        word = dice.pick(field["words"].split(";"))
        form = dice.weighted(("有限公司", "股份有限公司", "集团有限公司"), (0.86, 0.11, 0.03))
        shape = dice.random()
        if shape < 0.55:
            name = f"{STEM}{brand}{word}{form}"
        elif shape < 0.8:
            name = f"{STEM}市{short}{brand}{word}{form}"
        elif shape < 0.93:
            name = f"{brand}{word}（{STEM}）{form}"
        else:
            name = f"{short}{brand}{word}{form}"
        if name not in taken:
            break
    taken.add(name)
    name_en = f"{STEM_EN} {first['pinyin']}{second['pinyin'].lower()} {field['word_en']} Co., Ltd."
    return name, name_en


def _former(dice: Dice, name: str, taken: set[str]) -> list[str] | None:
    former = name.replace("股份有限公司", "有限公司").replace("集团有限公司", "有限公司")
    if former == name:
        former = name.replace("有限公司", dice.pick(("厂", "有限责任公司", "实业有限公司")))
    if former in taken:
        return None
    taken.add(former)
    return [former]


def _figures(dice: Dice, name: str) -> dict[str, Any]:
    size = dice.weighted(SIZES, SIZE_SHARES)
    if "集团" in name:
        size = "large"
    low, high = EMPLOYEES[size]
    employees = int(low * (high / low) ** dice.random())
    revenue = round(employees * 10 ** (5.6 + 0.7 * dice.random()), -4)
    rd_share = 0.01 + 0.09 * dice.random() ** 2
    does_rd = dice.chance({"large": 0.97, "medium": 0.9, "small": 0.7, "micro": 0.4}[size])
    founded = np.datetime64("1996-01-01") + int(10_800 * dice.random() ** 0.7)
    return {
        "size": size,
        "employees": None if dice.chance(0.02) else employees,
        "revenue_cny": None if dice.chance(0.03) else float(revenue),
        "rd_spend_cny": float(round(revenue * rd_share, -3)) if does_rd else (0.0 if dice.chance(0.5) else None),
        "rd_staff": max(1, int(employees * (0.04 + 0.2 * dice.random()))) if does_rd else 0,
        "is_high_tech": does_rd and dice.chance({"large": 0.8, "medium": 0.65, "small": 0.35, "micro": 0.12}[size]),
        "founded_on": founded.astype(object),
    }


def _business(dice: Dice, vocabulary: Vocabulary, t: int, absent: frozenset[str]) -> str | None:
    if dice.chance(0.06):
        return None
    thing = vocabulary.things[t]
    here = [name for k in thing.kinds if (name := vocabulary.kinds[k].name) not in absent]
    kinds = "、".join(dice.sample(here, dice.between(1, 2)))
    nature = vocabulary.family(t).nature
    verb, extra = (texts.phrase(dice, vocabulary, part, nature) for part in ("firm", "firm.extra"))
    return f"{thing.name}{f'（{kinds}）' if kinds else ''}的{verb}{extra}"


def _others(size: Size, seed: int, vocabulary: Vocabulary, places: Places, things: np.ndarray) -> list[dict[str, Any]]:
    """Every organisation that is not an enterprise."""
    dice = Dice(seed, "other organisations")
    known = {r["field"]: r for r in rows("fields")}
    fields = list(dict.fromkeys(vocabulary.field(int(t)) for t in things))
    names = {
        "university": _university_names(places),
        "institute": _institute_names(places, fields, known),
        "hospital": _hospital_names(places),
        "society": _society_names(places, fields, known),
        "platform": _platform_names(places, fields, known),
        "investor": _investor_names(places),
    }
    wanted = {
        "university": size.universities,
        "institute": size.institutes,
        "hospital": size.hospitals,
        "society": size.societies,
        "platform": size.platforms,
        "investor": size.investors,
    }
    made = []
    for kind, count in wanted.items():
        for name, field, d in names[kind][:count]:
            made.append(_other(dice, kind, name, field, d))
    bank = next((i for i, r in enumerate(made) if "银行" in r["name"]), None)
    if bank is not None:
        d = dice.between(0, len(places.ids) - 1)
        branch = _other(dice, "branch", f"{made[bank]['name']}{places.names[d]}科技支行", "", d)
        made.append(branch | {"parent": size.enterprises + bank, "industry": "J6621"})
    return made


def _other(dice: Dice, kind: str, name: str, field: str, district: int) -> dict[str, Any]:
    staff = {
        "university": (600, 2600),
        "institute": (40, 400),
        "hospital": (300, 3000),
        "society": (3, 30),
        "platform": (8, 60),
        "investor": (10, 300),
        "branch": (10, 40),
    }[kind]
    industry = {
        "university": "P8341",
        "institute": "M7320",
        "hospital": "Q8411",
        "society": "S9521",
        "platform": "M7590",
        "investor": "J6620" if "银行" in name else "J6732",
        "branch": "J6621",
    }[kind]
    employees = dice.between(*staff)
    research = kind in ("university", "institute", "hospital")
    founded = np.datetime64("1956-01-01") + int(25_000 * dice.random() ** 0.6)
    return {
        "name": name,
        "kind": kind,
        "thing": -1,
        "field": field,
        "district": district,
        "employees": employees,
        "rd_staff": int(employees * (0.2 + 0.3 * dice.random())) if research else None,
        "rd_spend_cny": float(round(employees * 2e5 * (0.3 + dice.random()), -4)) if research else None,
        "industry": industry,
        "industry_edition": "2017",
        "founded_on": founded.astype(object),
    }


Named = list[tuple[str, str, int]]  # name, field or "", number of the district


def _university_names(places: Places) -> Named:
    n = len(places.ids)
    found = [(STEM + head, field, i % min(3, n)) for i, (head, field) in enumerate(UNIVERSITIES.items())]
    for i, name in enumerate(places.names):
        short = name.removesuffix("高新区").removesuffix("新区").rstrip("区县")
        found += [(f"{short}学院", "", i), (f"{short}职业技术学院", "", i)]
    return found


def _institute_names(places: Places, fields: list[str], known: dict[str, dict[str, str]]) -> Named:
    n = len(places.ids)
    return [
        (shape.format(stem=STEM, x=known[field]["institute"], district=places.names[(i + j) % n]), field, (i + j) % n)
        for j, shape in enumerate(INSTITUTES)
        for i, field in enumerate(fields)
    ]


def _hospital_names(places: Places) -> Named:
    field = "medical_device"
    found = [(f"{STEM}市第{x}人民医院", field, i % len(places.ids)) for i, x in enumerate("一二三四五六")]
    found += [(f"{STEM}市{x}", field, 0) for x in ("中医院", "妇幼保健院", "肿瘤医院", "口腔医院", "康复医院")]
    for i, name in enumerate(places.names):
        found += [(f"{name}人民医院", field, i), (f"{name}中医院", field, i), (f"{name}妇幼保健院", field, i)]
    return found


def _society_names(places: Places, fields: list[str], known: dict[str, dict[str, str]]) -> Named:
    found: Named = [(f"{STEM}市科学技术协会", "", 0)]
    found += [(f"{name}科学技术协会", "", i) for i, name in enumerate(places.names)]
    found += [(f"{STEM}市{known[f]['institute']}学会", f, 0) for f in fields]
    found += [(f"{STEM}市{known[f]['institute']}行业协会", f, 0) for f in fields]
    found += [(f"{name}{known[f]['institute']}协会", f, i) for f in fields for i, name in enumerate(places.names)]
    return found


def _platform_names(places: Places, fields: list[str], known: dict[str, dict[str, str]]) -> Named:
    found: Named = [(f"{STEM}技术转移中心", "", 0), (f"{STEM}科技大市场", "", 0), (f"{STEM}知识产权保护中心", "", 0)]
    found += [(f"{name}科技企业孵化器", "", i) for i, name in enumerate(places.names)]
    found += [(f"{STEM}{known[f]['institute']}公共服务平台", f, i % len(places.ids)) for i, f in enumerate(fields)]
    found += [(f"{name}众创空间", "", i) for i, name in enumerate(places.names)]
    found += [(f"{name}生产力促进中心", "", i) for i, name in enumerate(places.names)]
    found += [(f"{name}{known[f]['institute']}孵化基地", f, i) for f in fields for i, name in enumerate(places.names)]
    return found


def _investor_names(places: Places) -> Named:
    found: Named = [
        (f"{STEM}科创投资基金管理有限公司", "", 0),
        (f"{STEM}银行股份有限公司", "", 0),
        (f"{STEM}产业引导基金有限公司", "", 0),
        (f"{STEM}科技融资担保有限公司", "", 0),
    ]
    found += [(f"{name}产业投资有限公司", "", i) for i, name in enumerate(places.names)]
    found += [(f"{name}创业投资合伙企业（有限合伙）", "", i) for i, name in enumerate(places.names)]
    found += [(f"{name}村镇银行股份有限公司", "", i) for i, name in enumerate(places.names)]
    found += [(f"{name}科技小额贷款有限公司", "", i) for i, name in enumerate(places.names)]
    found += [(f"{name}天使投资基金（有限合伙）", "", i) for i, name in enumerate(places.names)]
    return found


def _codes(seed: int, kinds: list[str], regions: list[str]) -> list[str]:
    """A valid code for each body, all different."""
    dice = Dice(seed, "uscc")
    office = {"university": "12", "institute": "12", "hospital": "12", "society": "51", "platform": "52"}
    taken: set[str] = set()
    codes = []
    for kind, region in zip(kinds, regions, strict=True):
        while True:
            body = "MA" + "".join(dice.pick(_BODY) for _ in range(6))
            if dice.chance(0.3):
                body = "".join(dice.pick("0123456789") for _ in range(8))
            if body not in taken:
                break
        taken.add(body)
        first = office.get(kind, "91") + region + body + uscc.inner_check_character(body)
        codes.append(first + uscc.check_character(first))
    return codes


def _copies(dice: Dice, made: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[int]]:
    """Rows that stand for an enterprise again, as they come from merged lists, and the rows that they stand for."""
    count = max(2, int(DUPLICATE_SHARE * len(made)))
    firms = [i for i, r in enumerate(made) if r["kind"] == "enterprise"]
    bracketed = [i for i in firms if "（" in made[i]["name"]]
    renamed = [i for i in firms if made[i].get("former_names")]
    copies, of = [], []
    for source in dice.sample(firms, count - count // 3 - count // 4):
        row = _copy(made[source]) | {"uscc": made[source]["uscc"]}
        row["name"] = dice.pick((_half_width, _spaced, _without_form))(row["name"])
        copies.append(row)
        of.append(source)
    for source in dice.sample(bracketed, count // 3):
        copies.append(_copy(made[source]) | {"name": _half_width(made[source]["name"])})
        of.append(source)
    for source in dice.sample(renamed, count // 4):
        copies.append(_copy(made[source]) | {"name": made[source]["former_names"][0]})
        of.append(source)
    return copies, of


def _copy(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("name", "kind", "size", "industry", "industry_edition", "region", "district_id", "business")
    return {name: row.get(name) for name in kept}


def _half_width(name: str) -> str:
    return name.replace("（", "(").replace("）", ")")


def _spaced(name: str) -> str:
    return f"{name[:4]} {name[4:]}"


def _without_form(name: str) -> str:
    return name.replace("有限公司", "公司")
