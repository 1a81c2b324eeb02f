"""The topics of experts, told in the background from what everybody may read. See docs/methods/topics.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from silian import text
from silian.text.topics import count_phrases, find_phrases, weigh
from silian.web.catalog.inserting import insert
from silian.web.catalog.models import (
    Achievement,
    Expert,
    Record,
    SimilarExpert,
    Topic,
    TopicCorpus,
    TopicsDue,
    Work,
)
from silian.web.catalog.records.queries import terms
from silian.web.catalog.rules import default_tiers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from silian.text import Bags

MOST: Final = 10  # topics of an expert that are shown
SPARE: Final = 20  # that are weighed, so that others come in the place of those struck out
LEAST: Final = 0.25  # of the weightiest: what weighs less is by the way
LIKE: Final = 24  # similar experts that are kept; a page shows those of them that its reader may see
LEAST_LIKE: Final = 0.05
BATCH: Final = 500  # experts a transaction
MANY: Final = 2000  # experts from which all are told anew


class Told(NamedTuple):
    """A public text and whom it tells of."""

    expert_id: str
    title: str
    body: str


def tell_due() -> int:
    """Tell the topics of those whose texts have changed; of how many experts."""
    due = list(TopicsDue.objects.values_list("pk", "expert_id"))
    ids = {expert_id for _, expert_id in due}
    corpus = TopicCorpus.objects.filter(pk=TopicCorpus.ONLY).first()
    if not due:
        return 0
    if corpus is None or "" in ids or len(ids) > MANY:
        return tell_all()
    _tell(sorted(ids), corpus)
    _forget([pk for pk, _ in due])
    return len(ids)


def tell_all() -> int:
    """Count the phrases of the region anew and tell the topics of all experts; of how many."""
    seen = list(TopicsDue.objects.values_list("pk", flat=True))  # all that is committed now is read below
    told = list(public_texts(None))
    bags = _cut([f"{one.title}。{one.body}" for one in told])
    titles = find_phrases(_cut([one.title for one in told]))
    counts = count_phrases(find_phrases(bags), len(told), titles=titles)
    values = {"texts": len(told), "counts": counts, "at": timezone.now()}
    corpus, _made = TopicCorpus.objects.update_or_create(pk=TopicCorpus.ONLY, defaults=values)
    ids = sorted(Expert.objects.values_list("pk", flat=True))
    _write(ids, _weighed(told, bags, corpus))
    gone = set(Topic.objects.values_list("expert_id", flat=True).distinct()) - set(ids)
    forget(gone)
    _write_similar(ids)
    _forget(seen)
    return len(ids)


def forget(expert_ids: Collection[str]) -> int:
    """Take away what was told of some experts; how many rows."""
    if not expert_ids:
        return 0
    ids = list(expert_ids)
    rows = Topic.objects.filter(expert_id__in=ids).delete()[0]
    return rows + SimilarExpert.objects.filter(Q(expert_id__in=ids) | Q(other_id__in=ids)).delete()[0]


def public_texts(ids: Collection[str] | None) -> Iterator[Told]:
    """The texts of published records, as far as everybody may read them, of some experts or all.

    A work tells of its expert. An achievement tells of the experts that it names, unless its owner keeps them back.
    Nothing is told of an expert who is not published.
    """
    experts = Expert.objects.filter(state=Record.State.PUBLISHED)
    experts = experts if ids is None else experts.filter(pk__in=ids)
    known = set()
    for pk, profile, tiers in experts.order_by("pk").values_list("pk", "profile", "tiers").iterator():
        known.add(pk)
        if profile and _is_public("experts", "profile", tiers):
            yield Told(pk, "", profile)
    works = Work.objects.filter(state=Record.State.PUBLISHED)
    works = works if ids is None else works.filter(expert_id__in=known)
    for expert_id, title, body, tiers in works.order_by("pk").values_list("expert_id", "title", "text", "tiers"):
        if expert_id in known:
            yield Told(expert_id, title, body if _is_public("works", "text", tiers) else "")
    made = Achievement.objects.filter(state=Record.State.PUBLISHED).order_by("pk")
    for named, title, body, tiers in made.values_list("expert_ids", "title", "text", "tiers").iterator():
        if known.isdisjoint(named) or not _is_public("achievements", "expert_ids", tiers):
            continue
        shown = body if _is_public("achievements", "text", tiers) else ""
        yield from (Told(expert_id, title, shown) for expert_id in dict.fromkeys(named) if expert_id in known)


def _is_public(noun: str, column: str, tiers: Mapping[str, str]) -> bool:
    return (tiers.get(column) or default_tiers(noun).get(column, "public")) == "public"


def _cut(texts: Sequence[str]) -> Bags:
    return text.segment(texts, terms=terms())


def _tell(ids: Sequence[str], corpus: TopicCorpus) -> None:
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        told = list(public_texts(some))
        _write(some, _weighed(told, _cut([f"{one.title}。{one.body}" for one in told]), corpus))
    _write_similar(ids)


def _weighed(told: Sequence[Told], bags: Bags, corpus: TopicCorpus) -> dict[str, list[tuple[str, float, int]]]:
    """The topics of each expert, struck out or not."""
    ids = sorted({one.expert_id for one in told})
    place = {expert_id: i for i, expert_id in enumerate(ids)}
    found = weigh(
        find_phrases(bags), [place[one.expert_id] for one in told], corpus.counts, max(1, corpus.texts), most=SPARE
    )
    return {ids[i]: rows for i, rows in found.items()}


def _write(ids: Sequence[str], found: Mapping[str, list[tuple[str, float, int]]]) -> None:
    """Put topics in the place of those of some experts; what was a topic before keeps its day."""
    today = timezone.localdate()
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        with transaction.atomic():
            struck = dict(Expert.objects.filter(pk__in=some).values_list("pk", "topics_struck"))
            old = Topic.objects.filter(expert_id__in=some)
            since = {(who, term): day for who, term, day in old.values_list("expert_id", "term", "since")}
            rows = [
                (who, term, weight, texts, since.get((who, term), today))
                for who in some
                for term, weight, texts in _kept(found.get(who, ()), struck.get(who, ()))
            ]
            old.delete()
            insert(Topic, ("expert_id", "term", "weight", "texts", "since"), rows)


def _kept(rows: Iterable[tuple[str, float, int]], struck: Collection[str]) -> list[tuple[str, float, int]]:
    """The first topics that are not struck out, and those that are, so that they can be put back at once."""
    out, left = set(struck), MOST
    kept = []
    for row in rows:
        if row[0] in out:
            kept.append(row)
        elif left and row[1] >= LEAST:
            kept.append(row)
            left -= 1
    return kept


def _write_similar(ids: Sequence[str]) -> None:
    """Put the experts whose topics are nearest in the place of those kept before, for some experts."""
    import scipy.sparse as sp

    struck = {pk: set(out) for pk, out in Expert.objects.values_list("pk", "topics_struck") if out}
    rows = Topic.objects.order_by("expert_id", "term").values_list("expert_id", "term", "weight")
    told = [row for row in rows.iterator(10_000) if row[1] not in struck.get(row[0], ())]
    people = {who: i for i, who in enumerate(sorted({row[0] for row in told}))}
    words = {term: i for i, term in enumerate(sorted({row[1] for row in told}))}
    at = ([people[row[0]] for row in told], [words[row[1]] for row in told])
    whole = sp.csr_array((np.array([row[2] for row in told], np.float32), at), shape=(len(people), len(words)))
    whole = text.unit_rows(whole)
    names = list(people)
    for start in range(0, len(ids), BATCH):
        some = [who for who in ids[start : start + BATCH] if who in people]
        near = sp.csr_array(whole[[people[who] for who in some]] @ whole.T) if some else None
        with transaction.atomic():
            SimilarExpert.objects.filter(expert_id__in=ids[start : start + BATCH]).delete()
            if near is not None:
                insert(SimilarExpert, ("expert_id", "other_id", "likeness"), _nearest(near, some, names))


def _nearest(near: Any, some: Sequence[str], names: Sequence[str]) -> Iterator[tuple[str, str, float]]:
    for i, who in enumerate(some):
        columns = near.indices[near.indptr[i] : near.indptr[i + 1]]
        values = near.data[near.indptr[i] : near.indptr[i + 1]]
        for k in np.lexsort((columns, -values))[: LIKE + 1].tolist():
            if names[columns[k]] != who and values[k] >= LEAST_LIKE:
                yield who, names[columns[k]], float(min(values[k], 1.0))


def _forget(numbers: Sequence[int]) -> None:
    for start in range(0, len(numbers), BATCH):
        TopicsDue.objects.filter(pk__in=numbers[start : start + BATCH]).delete()
