"""What experts work on, as the worker has told it from their public texts, and whose topics are to be told again."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.utils import timezone

from silian.web.catalog.fields import ID_LENGTH


class Topic(models.Model):
    """A topic of an expert; those that were struck out (`Expert.topics_struck`) are kept and not shown."""

    objects: ClassVar[models.Manager[Self]]

    expert_id = models.CharField(max_length=ID_LENGTH)
    term = models.CharField(max_length=100)
    weight = models.FloatField()  # share of the expert's weightiest
    texts = models.PositiveIntegerField()  # of the expert's that hold it
    since = models.DateField()  # it has been a topic of the expert without a break

    class Meta:
        constraints = (models.UniqueConstraint(fields=["expert_id", "term"], name="one_topic"),)


class SimilarExpert(models.Model):
    """An expert whose topics are near those of another."""

    objects: ClassVar[models.Manager[Self]]

    expert_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    other_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    likeness = models.FloatField()  # cosine of the weights, 0 to 1


class TopicsDue(models.Model):
    """An expert whose texts have changed since the topics were told; without an id: all."""

    objects: ClassVar[models.Manager[Self]]

    expert_id = models.CharField(max_length=ID_LENGTH, blank=True)


class TopicCorpus(models.Model):
    """One row: how many texts of the region hold each phrase, as counted when all topics were told."""

    ONLY: ClassVar[int] = 1
    objects: ClassVar[models.Manager[Self]]

    texts = models.PositiveIntegerField()
    counts = models.JSONField()  # phrase → texts
    at = models.DateTimeField(default=timezone.now)
