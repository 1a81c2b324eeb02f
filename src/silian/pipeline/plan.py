"""The plan of a run: every setting of the main job, declared once with its range and meaning."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from silian.errors import Language, PlanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


def setting(
    meaning: str,
    meaning_zh: str,
    *,
    default: Any,
    low: float | None = None,
    high: float | None = None,
    of: tuple[str, ...] = (),
) -> Any:
    """A field of the plan with its range (or its allowed values) and its meaning in both languages."""
    notes = {"low": low, "high": high, "of": of, "meaning": meaning, "meaning_zh": meaning_zh}
    return field(default=default, metadata=notes)


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """What happens with rows that the check finds wrong."""

    drop: bool = setting(
        "Leave out rows whose keys or references are broken, and go on; false stops the run instead",
        "略去主键或引用有误的行并继续；设为 false 则中止运行",
        default=True,
    )


@dataclass(frozen=True, slots=True)
class MatchPlan:
    """How needs are matched with achievements and experts."""

    top_k: int = setting("Achievements kept for each need", "每项需求保留的成果数", low=1, high=1000, default=10)
    experts: int = setting(
        "Experts kept for each need; the assignment chooses among them",
        "每项需求保留的专家数，供指派选择",
        low=1,
        high=1000,
        default=20,
    )
    min_score: float = setting(
        "A need counts as matched by achievements of this score or more; lower pairs are left out",
        "成果得分达到该值才算匹配，低于该值的配对不保留",
        low=0,
        high=1,
        default=0.15,
    )
    min_expert_score: float = setting(
        "Experts of this score or more may be assigned; lower pairs are left out",
        "专家得分达到该值才可指派，低于该值的配对不保留",
        low=0,
        high=1,
        default=0.12,
    )
    encoder: str = setting(
        "How texts become vectors (see the encoders page)", "文本向量化方式（见编码器说明）", default="default"
    )
    max_trl_gap: int = setting(
        "An achievement may lie this many readiness levels below what the need wants; 9 means any",
        "成果成熟度最多可低于期望的级数；9 为不限",
        low=0,
        high=9,
        default=9,
    )
    same_district: bool = setting("Keep only pairs of one district", "只保留同一区县的配对", default=False)
    within_budget: bool = setting(
        "Leave out achievements whose asking price is above the need's budget",
        "略去意向价格高于需求预算的成果",
        default=False,
    )
    max_km: float = setting(
        "Leave out what is known to be farther away than so many kilometres; 0 means any distance",
        "略去已知距离超过该公里数者；0 为不限",
        low=0,
        high=20_100,
        default=0.0,
    )
    qualified: bool = setting(
        "Leave out what states its qualifications and lacks one that the need wants",
        "略去已注明资质而缺少所需资质者",
        default=False,
    )
    not_wanted: bool = setting(
        "Leave out achievements that say all words of something that the need does not want",
        "略去文中含有需求所不接受内容的成果",
        default=False,
    )
    per_organisation: int = setting(
        "Answers of one organisation in the list of a need at most; 0 means any number",
        "每项需求的名单中同一机构最多几个；0 为不限",
        low=0,
        high=1000,
        default=0,
    )
    explain: int = setting(
        "Best pairs of each need that are explained: places of shared terms, nearest sentences, facts",
        "每项需求给出依据的最佳配对数：共有词语位置、最接近的句子、事实",
        low=0,
        high=1000,
        default=3,
    )
    block_rows: int = setting(
        "Needs matched at a time; changes memory and progress, never the result",
        "每批匹配的需求数；只影响内存与进度，不影响结果",
        low=1,
        high=1_000_000,
        default=250,
    )


@dataclass(frozen=True, slots=True)
class AllocatePlan:
    """How the experts are shared out."""

    wanted: int = setting(
        "Experts for a need that does not say how many it wants",
        "未注明时每项需求所需专家数",
        low=0,
        high=20,
        default=2,
    )
    free: int = setting(
        "Needs for an expert who does not say how many they can take",
        "未注明时每位专家可承接需求数",
        low=0,
        high=50,
        default=3,
    )
    goal: str = setting(
        "What is sought: total (the best total) or fair (first the largest floor under every need's score)",
        "求解目标：total 为总得分最高；fair 为先使每项需求的最低得分尽量高",
        of=("total", "fair"),
        default="total",
    )
    per_organisation: int = setting(
        "Experts of one organisation for a need at most; 0 means any number",
        "每项需求中同一单位的专家最多几位；0 为不限",
        low=0,
        high=1000,
        default=0,
    )
    contacts: int = setting(
        "Experts for all needs of one enterprise together at most (contact budget); 0 means any number",
        "每家企业全部需求合计最多派几人次专家（入企总量）；0 为不限",
        low=0,
        high=1000,
        default=0,
    )
    seconds: float = setting(
        "Longest search for the best assignment where rules need one, in seconds; 0 means to the end",
        "规则需要搜索时的最长用时（秒），到时给出已找到的最好方案；0 为不限",
        low=0,
        high=86_400,
        default=0.0,
    )
    beside: tuple[str, ...] = setting(
        "Run folders of other programmes, relative to the plan file: the places that their assignments take are gone, "
        "and their experts count in the contact budget",
        "其他项目的运行结果文件夹（相对于方案文件）：其指派占用专家名额，并计入企业的入企总量",
        default=(),
    )
    curve: int = setting(
        "Floors under every need's score whose price is told (price of fairness); 0 leaves the curve out",
        "计算多少档得分下限的代价（公平的代价曲线）；0 为不计算",
        low=0,
        high=50,
        default=4,
    )
    conflict_years: int = setting(
        "Relations that ended longer ago than this are no conflict of interest",
        "结束超过该年数的关系不再视为利益冲突",
        low=0,
        high=50,
        default=3,
    )


@dataclass(frozen=True, slots=True)
class TeamPlan:
    """How teams for joint challenges are formed, and what counts as cost."""

    candidates: int = setting(
        "Experts considered for each skill: those that match it best",
        "每项技能最多考虑的专家数（匹配得分最高者）",
        low=1,
        high=1000,
        default=100,
    )
    min_score: float = setting(
        "Experts who match a skill with this score or more count as holding it",
        "与技能的匹配得分达到该值的专家视为具备该技能",
        low=0,
        high=1,
        default=0.22,
    )
    days: float = setting(
        "Days that each member works on a challenge; times the fee per day",
        "每名成员的工作天数，乘以日费用",
        low=0,
        high=3660,
        default=10.0,
    )
    km_cny: float = setting(
        "What a kilometre between a member and the challenge's place costs (CNY), all journeys together",
        "成员与任务所在地每公里的成本（元），含全部往返",
        low=0,
        high=1_000_000,
        default=10.0,
    )
    stranger_cny: float = setting(
        "What two members who never worked together cost (CNY): the days until they do",
        "两名从未合作的成员的磨合成本（元）",
        low=0,
        high=1_000_000_000,
        default=5000.0,
    )
    far: int = setting(
        "Steps of joint work apart at which two people count as strangers: 2, whoever shares no work; "
        "3, a common partner halves the cost",
        "相隔几步合作视为陌生：2 为凡无共同业绩者；3 则有共同合作者的成本减半",
        low=2,
        high=10,
        default=3,
    )
    per_organisation: int = setting(
        "Members of one organisation at most; 0 means any number",
        "同一单位的成员最多几人；0 为不限",
        low=0,
        high=1000,
        default=0,
    )


@dataclass(frozen=True, slots=True)
class ChainPlan:
    """How the gaps of the industrial chains are found."""

    fillers: int = setting(
        "Candidates of each kind listed for a gap", "每个缺口列出的每类候选数", low=1, high=100, default=5
    )
    match: bool = setting(
        "Match achievements and experts with every gap by its name too, not only with the needs that name it; takes "
        "about as long as matching the needs",
        "除点名缺口的需求外，还按产品名称为每个缺口匹配成果与专家；用时与匹配需求相当",
        default=False,
    )


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """How the results are shown."""

    title: str = setting(
        "Title of the page; empty takes the name of the region's folder", "报告标题；空则用区域文件夹名", default=""
    )
    language: Language = setting(
        "Language of the sheets and charts; the page has both",
        "表格与图表的语言；网页含中英文",
        of=("zh", "en"),
        default="zh",
    )
    charts: bool = setting("Draw every chart as SVG and PNG too", "另存每张图为 SVG 与 PNG", default=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """Every setting of the main job. The default plan is a good first run.

    Examples
    --------
    >>> Plan().match.top_k
    10
    >>> Plan.of({"match": {"top_k": 3}}).match.top_k
    3
    """

    seed: int = setting(
        "Seed of what is drawn at random: the encoder corpus",
        "随机过程（corpus 编码器）的种子",
        low=0,
        high=2**32 - 1,
        default=7,
    )
    on: str = setting(
        "Reference day, e.g. 2026-09-01; empty takes the latest day on which a need was posted",
        "基准日，如 2026-09-01；空则取最近的需求发布日期",
        default="",
    )
    check: CheckPlan = field(default_factory=CheckPlan)
    match: MatchPlan = field(default_factory=MatchPlan)
    allocate: AllocatePlan = field(default_factory=AllocatePlan)
    team: TeamPlan = field(default_factory=TeamPlan)
    chain: ChainPlan = field(default_factory=ChainPlan)
    report: ReportPlan = field(default_factory=ReportPlan)

    @classmethod
    def of(cls, given: Mapping[str, Any], *, where: str = "plan") -> Plan:
        """A plan from nested values as TOML gives them.

        Raises
        ------
        PlanError : plan.unknown, plan.type, plan.value, plan.day.
        """
        plan: Plan = _filled(cls, given, where=where, prefix="")
        _ = plan.day  # a wrong day is found now, not in the middle of a run
        return plan

    @classmethod
    def read(cls, path: Path) -> Plan:
        """A plan from a TOML file.

        Raises
        ------
        PlanError : plan.missing, plan.syntax, and those of `of`.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
            return cls.of(tomllib.loads(text), where=path.name).moved(lambda beside: str(path.parent / beside))
        except FileNotFoundError:
            raise PlanError("plan.missing", path=str(path)) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, IsADirectoryError) as error:
            raise PlanError("plan.syntax", path=str(path), found=str(error)) from None

    @property
    def day(self) -> date | None:
        """The reference day, where the plan states one."""
        if not self.on:
            return None
        try:
            return date.fromisoformat(self.on)
        except ValueError:
            raise PlanError("plan.day", found=self.on) from None

    def moved(self, place: Callable[[str], str]) -> Plan:
        """The plan with the paths in it as `place` gives them."""
        beside = tuple(place(path) for path in self.allocate.beside)
        return dataclasses.replace(self, allocate=dataclasses.replace(self.allocate, beside=beside))

    def to_toml(self) -> str:
        """The plan as a TOML file with every setting, its meaning beside it."""
        lines = [f"# {f.metadata['meaning']}\n{f.name} = {_toml(value)}" for f, value in _settings(self)]
        for f in dataclasses.fields(self):
            section = getattr(self, f.name)
            if dataclasses.is_dataclass(section):
                lines.append(f"\n[{f.name}]")
                lines += [f"# {g.metadata['meaning']}\n{g.name} = {_toml(value)}" for g, value in _settings(section)]
        return "\n".join(lines) + "\n"

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain nested values, as JSON has them."""
        plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return plain


def settings() -> Iterator[tuple[str, dataclasses.Field[Any], Any]]:
    """Every setting: dotted name, field with its notes, default; in the order of the plan.

    Examples
    --------
    >>> [name for name, _, _ in settings()][:3]
    ['seed', 'on', 'check.drop']
    """
    plan = Plan()
    for f in dataclasses.fields(plan):
        value = getattr(plan, f.name)
        if dataclasses.is_dataclass(value):
            yield from ((f"{f.name}.{g.name}", g, default) for g, default in _settings(value))
        else:
            yield f.name, f, value


def _settings(part: Any) -> list[tuple[dataclasses.Field[Any], Any]]:
    pairs = [(f, getattr(part, f.name)) for f in dataclasses.fields(part)]
    return [(f, value) for f, value in pairs if not dataclasses.is_dataclass(value)]


def _filled(kind: type[Any], given: Mapping[str, Any], *, where: str, prefix: str) -> Any:
    known = {f.name: f for f in dataclasses.fields(kind)}
    blank = kind()
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = near[0] if near else ", ".join(known)
            raise PlanError("plan.unknown", where=where, name=prefix + name, hint=hint)
        default = getattr(blank, name)
        if dataclasses.is_dataclass(default):
            if not isinstance(value, dict):
                raise PlanError("plan.type", where=where, name=prefix + name, found=repr(value), wanted="a section")
            values[name] = _filled(type(default), value, where=where, prefix=f"{prefix}{name}.")
        else:
            values[name] = _checked(known[name], value, type(default), where=where, name=prefix + name)
    return kind(**values)


def _checked(f: dataclasses.Field[Any], value: Any, kind: type, *, where: str, name: str) -> Any:
    if isinstance(value, date) and name == "on":
        value = value.isoformat()
    if kind is float and type(value) is int:
        value = float(value)
    if kind is tuple and isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = tuple(value)
    if type(value) is not kind:
        raise PlanError("plan.type", where=where, name=name, found=repr(value), wanted=_NAMES.get(kind, kind.__name__))
    low, high, of = f.metadata["low"], f.metadata["high"], f.metadata["of"]
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        raise PlanError("plan.value", where=where, name=name, found=repr(value), wanted=f"{low} … {high}")
    if of and value not in of:
        raise PlanError("plan.value", where=where, name=name, found=repr(value), wanted=", ".join(of))
    return value


_NAMES: Final[dict[type, str]] = {tuple: "a list of texts"}


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # a JSON string is a TOML basic string but for one character, which TOML wants escaped
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
