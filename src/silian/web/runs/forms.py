"""The form that starts a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from silian.errors import SilianError
from silian.pipeline import STEPS as JOB_STEPS
from silian.pipeline import Plan, settings
from silian.web.base.languages import page_language
from silian.web.runs.plans import LONGEST, joined, read_plan, to_text
from silian.web.runs.queries import places_of
from silian.web.runs.wording import STEPS

if TYPE_CHECKING:
    from silian.web.base.actors import Actor

# Settings that people change, with the label of each; its meaning and range are the plan's.
MAIN: Final = {
    "match.top_k": gettext_lazy("每项需求的成果数"), "match.experts": gettext_lazy("每项需求的专家数"),
    "allocate.goal": gettext_lazy("指派目标"), "allocate.per_organisation": gettext_lazy("同一单位专家上限"),
    "allocate.contacts": gettext_lazy("每家企业人次上限"), "allocate.seconds": gettext_lazy("指派搜索时限（秒）"),
    "report.language": gettext_lazy("表格与图表的语言"),
}  # fmt: skip
FIRST: Final = ("place", "name", "adopts")
GOALS: Final = {"total": gettext_lazy("总得分最高"), "fair": gettext_lazy("先保公平，再求总分")}
LANGUAGES: Final = {"zh": "中文", "en": "English"}


class RunForm(forms.Form):
    """For which place, what, with which settings."""

    name = forms.CharField(label=gettext_lazy("名称"), max_length=100, required=False)
    adopts = forms.BooleanField(
        label=gettext_lazy("完成后采用"), required=False,
        help_text=gettext_lazy("匹配、指派、缺口与地图页面随即显示这次的结果；以前的结果仍保留，可随时改回。"),
    )  # fmt: skip

    def __init__(self, actor: Actor, *given: Any, plan: Plan | None = None, **more: Any) -> None:
        super().__init__(*given, **more)
        self.fields["place"] = forms.ModelChoiceField(
            places_of(actor),
            label=_("区域"),
            empty_label=None,
            help_text=_("为这个区域的需求，在全域的成果与专家中匹配。"),
        )
        steps = [(step.name, STEPS[step.name]) for step in JOB_STEPS]
        self.fields["steps"] = forms.MultipleChoiceField(
            label=_("步骤"), choices=steps, required=False, widget=forms.CheckboxSelectMultiple,
            help_text=_("一个也不选，即做全部步骤并生成报告；选中的步骤会连同所依赖的步骤一起做。"),
        )  # fmt: skip
        for name, field, default in settings():
            if name in MAIN:
                self.fields[name] = _setting(name, field, _initial(plan, name, default))
        rest = to_text(plan, leaving=MAIN) if plan else ""
        self.fields["more"] = forms.CharField(
            label=_("其他设置（TOML）"), required=False, max_length=LONGEST, initial=rest, strip=False,
            widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "code"}),
            help_text=_("只写与默认值不同的设置，例如 [chain] 一行，下一行 fillers = 8。全部设置见文档《修改方案》。"),
        )  # fmt: skip
        self.order_fields([*FIRST, "steps", *MAIN, "more"])
        self.is_like = plan is not None

    @property
    def first(self) -> list[forms.BoundField]:
        """What everybody fills in."""
        return [self[name] for name in FIRST]

    @property
    def rest(self) -> list[forms.BoundField]:
        """What has a good default."""
        return [field for field in self if field.name not in FIRST]

    @property
    def is_opened(self) -> bool:
        """Whether that is seen at once: a plan that was taken over, or something wrong in it."""
        return self.is_like or any(name not in FIRST for name in self.errors)

    def clean(self) -> dict[str, Any]:
        """The plan as a whole, read as the run will read it."""
        found = self.cleaned_data
        if self.errors:
            return found
        try:
            read_plan(found["more"])
            found["plan"] = joined(found["more"], {name: found[name] for name in MAIN})
            read_plan(found["plan"])
        except SilianError as error:
            self.add_error("more", f"{error.message(page_language())} [{error.code}]")
        return found


def _initial(plan: Plan | None, name: str, default: Any) -> Any:
    found: Any = plan
    if plan is None:
        return default
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _setting(name: str, field: Any, initial: Any) -> forms.Field:
    notes = field.metadata
    told = {
        "label": MAIN[name],
        "initial": initial,
        "help_text": notes["meaning" if page_language() == "en" else "meaning_zh"],
    }
    if notes["of"]:
        labels = GOALS if name.endswith("goal") else LANGUAGES
        return forms.ChoiceField(choices=[(code, labels[code]) for code in notes["of"]], **told)
    kind = forms.FloatField if isinstance(initial, float) else forms.IntegerField
    return kind(min_value=notes["low"], max_value=notes["high"], **told)
