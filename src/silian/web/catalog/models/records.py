"""The nouns of a region as rows that people edit."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.base import ModelBase
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from silian.tables import schema
from silian.web.base.models import Place
from silian.web.catalog.fields import ID_LENGTH, fields_of


class Noun(ModelBase):
    """Makes a model with the columns of a noun's schema: `class Need(Record, noun="needs")`."""

    def __new__(mcs, name: str, bases: tuple[type, ...], attrs: dict[str, Any], *, noun: str = "", **more: Any) -> Any:
        """Put the fields of the noun's columns into the class."""
        if not noun:
            return super().__new__(mcs, name, bases, attrs, **more)
        table = schema.tables()[noun]
        meta = {"db_table": noun, "app_label": "catalog"}
        own = {"Meta": type("Meta", (), meta), "noun": noun, "table": table}
        made: Any = super().__new__(mcs, name, bases, {**fields_of(noun), **attrs, **own}, **more)
        MODELS[noun] = made
        return made

    def __init__(self, name: str, bases: tuple[type, ...], attrs: dict[str, Any], **more: Any) -> None:
        more.pop("noun", None)
        super().__init__(name, bases, attrs, **more)


MODELS: dict[str, type[Record]] = {}  # every noun of the schema by its name


class Record(models.Model, metaclass=Noun):
    """What every record of the registry carries beside its columns."""

    class State(models.TextChoices):
        DRAFT = "draft", _("草稿")
        PUBLISHED = "published", _("已发布")
        EXPIRED = "expired", _("已过期")
        WITHDRAWN = "withdrawn", _("已撤回")

    noun: ClassVar[str]
    objects: ClassVar[models.Manager[Self]]
    table: ClassVar[schema.Table]

    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.PUBLISHED)
    owner_id = models.CharField(max_length=ID_LENGTH, blank=True, db_index=True)  # the organisation that keeps it
    place = models.ForeignKey(Place, models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)  # grows with every change: two writers notice each other
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now, db_index=True)
    confirmed_on = models.DateField(null=True)  # its owner last said that it is still so
    sources = models.JSONField(default=dict)  # column → {source, on, verified_by, verified_on}
    tiers = models.JSONField(default=dict)  # column → tier, where it is not the default of the noun
    translations = models.JSONField(default=dict)  # column → {"en": text}, of long texts without a column of their own
    reason = models.TextField(blank=True)  # why a steward has withdrawn it; empty: none did

    class Meta:
        abstract = True

    @property
    def record_id(self) -> str:
        """The id of the record in every language of the site: see `fields.record_id`."""
        return str(self.pk)

    def __str__(self) -> str:
        # the name first: the title of an expert is a code
        return str(getattr(self, "name", "") or getattr(self, "title", "") or self.record_id)


class District(Record, noun="districts"):
    """A county, city district or park."""


class Organisation(Record, noun="organisations"):
    """An enterprise, university, institute, hospital, society or public body."""


class Expert(Record, noun="experts"):
    """A person who can serve a need."""


class Work(Record, noun="works"):
    """What an expert did."""


class Product(Record, noun="products"):
    """A node of the product graph."""


class Need(Record, noun="needs"):
    """What an enterprise asks for."""


class ChallengeSkill(Record, noun="challenge_skills"):
    """A skill that a joint challenge needs."""


class Achievement(Record, noun="achievements"):
    """A research result on offer."""


class Facility(Record, noun="facilities"):
    """A laboratory, instrument or pilot line."""


class Make(Record, noun="makes"):
    """An organisation makes a product."""


class ProductLink(Record, noun="product_links"):
    """What is made of what."""


class Fund(Record, noun="funds"):
    """Money that can be applied for."""


class Policy(Record, noun="policies"):
    """A policy document."""


class Project(Record, noun="projects"):
    """Cooperation that grew from an introduction."""


class Outcome(Record, noun="outcomes"):
    """What a project achieved."""


class Relation(Record, noun="relations"):
    """What binds two people or organisations."""


class Indicator(Record, noun="indicators"):
    """A yearly figure of a district."""


class Label(Record, noun="labels"):
    """How well a pair fits, as people have graded it."""


class Term(Record, noun="terms"):
    """Names of one thing."""


class AssignmentRule(Record, noun="assignment_rules"):
    """A rule of the assignment of experts."""
