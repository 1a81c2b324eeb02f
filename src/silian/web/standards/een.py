"""A need or an achievement as a partnering profile of the Enterprise Europe Network, in English, field by field.

The network publishes no schema of its database that we could find: `een.xsd` is our own, made from the fields of its
drafting guidelines. What the record does not say in English stands empty in the form; nothing is made up.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from lxml import etree

from silian.web.base.languages import page_language
from silian.web.standards import identity, public

if TYPE_CHECKING:
    from datetime import date

    from silian.web.standards.public import Facts

NAMESPACE: Final = "urn:silian:een-profile:1"
TYPES: Final = {  # kind of need → type of profile; a search for people is none
    "technology": "TR", "achievement": "TR", "equipment": "BR", "digital": "BR", "funding": "BR", "cooperation": "RDR",
}  # fmt: skip
STAGES: Final = (  # last TRL of each stage
    (3, "concept"), (4, "lab_tested"), (6, "prototype"), (8, "field_tested"), (9, "market"),
)  # fmt: skip
IPR: Final = {"granted": "granted", "pending": "applied", "secret": "secret", "software": "copyright", "none": "none"}
COOPERATION: Final = {
    "licence": "licence", "transfer": "acquisition", "joint_development": "technical", "shares": "joint_venture",
    "consulting": "services", "service": "services",
}  # fmt: skip
NACE: Final = dict(
    zip("ABCDEFGHIJKLMNOPQRST", "ABCDFGHIJKLNMESPQROU", strict=True)
)  # section of GB/T 4754 → NACE Rev. 2
_HAN: Final = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+")


@cache
def _choices(name: str) -> tuple[tuple[str, str, str], ...]:
    text = files("silian.web.standards").joinpath("een.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple((row["code"], row["label_zh"], row["label_en"]) for row in rows if row["list"] == name)


def choices(name: str) -> list[tuple[str, str]]:
    """The choices of a list in the language of the page."""
    return [(code, english if page_language() == "en" else chinese) for code, chinese, english in _choices(name)]


def english_of(name: str, code: str) -> str:
    """The network's word for a choice."""
    return next(english for own, _zh, english in _choices(name) if own == code)


class English(forms.CharField):
    """A text in English."""

    def clean(self, value: Any) -> Any:
        """The text without outer spaces; what holds Chinese signs is refused."""
        text = super().clean(public.fit(value or ""))  # what XML cannot hold does not count
        if text and _HAN.search(text):
            raise forms.ValidationError(_("这里要填英文，请不要写中文或全角标点。"), code="english")
        if text and not re.search("[A-Za-z]", text):
            raise forms.ValidationError(_("这里要填英文。"), code="english")
        return text


def _long(least: int, most: int) -> Any:
    return {"min_length": least or None, "max_length": most, "widget": forms.Textarea(attrs={"rows": 5})}


class Profile(forms.Form):
    """A profile before it is taken out."""

    type = forms.ChoiceField(label=gettext_lazy("简介类型"))
    title = English(label=gettext_lazy("英文标题"), max_length=250)
    summary = English(
        label=gettext_lazy("英文摘要"), help_text=gettext_lazy("两三句话，最多 500 个字符"), **_long(0, 500)
    )
    description = English(
        label=gettext_lazy("英文说明"), help_text=gettext_lazy("100 至 4,000 个字符"), **_long(100, 4000)
    )  # fmt: skip
    advantages = English(
        label=gettext_lazy("优势与创新点（英文）"), required=False, help_text=gettext_lazy("供给类必填"),
        **_long(0, 2000)
    )  # fmt: skip
    stage = forms.ChoiceField(label=gettext_lazy("研发阶段"), required=False)
    ipr = forms.ChoiceField(label=gettext_lazy("知识产权"), required=False)
    partner = English(
        label=gettext_lazy("期望的合作方（英文）"),
        help_text=gettext_lazy("类型、领域与承担的工作"), **_long(0, 2000)
    )  # fmt: skip
    cooperation = forms.MultipleChoiceField(label=gettext_lazy("合作方式"), widget=forms.CheckboxSelectMultiple)
    keywords = English(
        label=gettext_lazy("技术关键词（英文）"), required=False, max_length=500,
        help_text=gettext_lazy("最多 5 个，分号分隔"),
    )  # fmt: skip
    dissemination = English(
        label=gettext_lazy("传播国家（英文）"), max_length=500, initial="All countries of the network"
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for name in ("type", "stage", "ipr", "cooperation"):
            own = choices(name)
            self.fields[name].choices = own if name in ("type", "cooperation") else [("", "—"), *own]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """What offers need besides."""
        given = super().clean() or {}
        if given.get("type") in ("TO", "BO") and not given.get("advantages") and "advantages" not in self.errors:
            self.add_error("advantages", _("供给类简介要写明优势与创新点。"))
        if given.get("type") in ("TO",) and not given.get("stage"):
            self.add_error("stage", _("技术供给要选研发阶段。"))
        if len(_parts(given.get("keywords", ""))) > 5:
            self.add_error("keywords", _("最多 5 个关键词。"))
        return given


def _parts(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split("[;,]", text or "") if part.strip()]


def initial(facts: Facts) -> dict[str, Any]:
    """What a record already says of its profile: its public columns alone, its texts only in English."""
    text = _english(facts, "text")
    trl = facts.get("trl") or facts.get("trl_wanted")
    cooperation = COOPERATION.get(facts.get("offer_kind") or "")
    if facts.noun == "needs":
        cooperation = {"cooperation": "research", "funding": "financial"}.get(facts.get("kind") or "", "technical")
    fields = [english for _zh, english in public.labels_of(facts.noun, "field", facts.get("field"))]
    return {
        "type": type_of(facts) or "TR", "title": _english(facts, "title"), "description": text, "summary": _first(text),
        "stage": next((stage for last, stage in STAGES if trl <= last), "") if trl else "",
        "ipr": IPR.get(facts.get("ip_status") or "", ""), "partner": _english(facts, "partners_wanted"),
        "cooperation": [cooperation] if cooperation else [], "keywords": "; ".join(fields),
    }  # fmt: skip


def type_of(facts: Facts) -> str:
    """The type of profile that fits a record; empty: it is none for the network."""
    return "TO" if facts.noun == "achievements" else TYPES.get(facts.get("kind") or "", "")


def lacking(form: Profile) -> list[str]:
    """The names of fields that must be filled in and are not, before anything was sent."""
    needed = [name for name, field in form.fields.items() if field.required]
    needed += ["advantages", "stage"] if form.initial.get("type") == "TO" else []
    return [str(form.fields[name].label) for name in needed if not form.get_initial_for_field(form.fields[name], name)]


def _english(facts: Facts, column: str) -> str:
    own = facts.get(column) or ""
    return facts.english.get(column) or (own if own and not _HAN.search(own) else "")


def _first(text: str) -> str:
    """The first sentences of a text that fit a summary."""
    made = ""
    for sentence in _SENTENCE.split(text):
        if len(made) + len(sentence) + 1 > 500:
            break
        made = f"{made} {sentence}".strip()
    return made


def profile(facts: Facts, given: dict[str, Any], *, organisation: Facts | None, until: date) -> bytes:
    """The profile as XML, in the order of `een.xsd`."""
    root = etree.Element(_tag("profile"), nsmap={None: NAMESPACE}, version="1")
    _add(root, "reference", f"{given['type']}CN-{facts.key}"[:500])
    for name in ("type", "title", "summary", "description", "advantages"):
        _add(root, name, given.get(name))
    if given.get("stage"):
        stage = _add(root, "stage", english_of("stage", given["stage"]))
        if trl := facts.get("trl") or facts.get("trl_wanted"):
            stage.set("trl", str(trl))
    _add(root, "ipr", english_of("ipr", given["ipr"]) if given.get("ipr") else "")
    _add(root, "partner", given["partner"])
    for code in given["cooperation"]:
        _add(root, "cooperation", english_of("cooperation", code))
    for word in _parts(given.get("keywords", "")):
        _add(root, "technologyKeyword", word)
    section = (organisation.get("industry") or "")[:1] if organisation else ""
    if section in NACE:
        _add(root, "marketKeyword", NACE[section]).set("scheme", "NACE Rev. 2 section")
    client = etree.SubElement(root, _tag("client"))
    _add(client, "country", "CN")
    if organisation is not None:
        kinds = public.labels_of("organisations", "kind", organisation.get("kind"))
        _add(client, "kind", kinds[0][1] if kinds else "")
        founded = organisation.get("founded_on")
        _add(client, "yearEstablished", f"{founded:%Y}" if founded else "")
    _add(root, "dissemination", " ".join(given["dissemination"].split()))
    _add(root, "validUntil", until.isoformat())
    _add(root, "source", identity.page_of(facts.noun, facts.key))
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return written


@cache
def schema_of_profiles() -> etree.XMLSchema:
    """The schema that every profile is held to before it goes out."""
    return etree.XMLSchema(etree.fromstring(files("silian.web.standards").joinpath("een.xsd").read_bytes()))


def _add(root: etree._Element, name: str, text: str | None) -> etree._Element:
    element = etree.Element(_tag(name))
    if text:
        element.text = text
        root.append(element)
    return element


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
