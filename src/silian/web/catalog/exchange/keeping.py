"""How long the files of imports are kept: what they changed stays in the history, and is put back without them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from django.db import transaction

from silian.web.catalog.models import Import

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

KEPT: Final = timedelta(days=30)
UNDER_WAY: Final = (Import.State.READING, Import.State.APPLYING, Import.State.UNDOING)


def drop_files(brought: QuerySet[Import]) -> int:
    """Delete the files of some imports; what they changed stays, and can still be undone. The number of imports."""
    having = list(brought.exclude(state__in=UNDER_WAY).exclude(file="", faulty=""))
    for one in having:
        for file in (one.file, one.faulty):
            if file.name:
                transaction.on_commit(partial(file.storage.delete, file.name))
        Import.objects.filter(pk=one.pk).update(file="", faulty="")
    return len(having)


def drop_old_files(now: datetime) -> int:
    """Delete the files of imports that were brought longer than KEPT ago; how many imports these were."""
    with transaction.atomic():
        return drop_files(Import.objects.filter(at__lt=now - KEPT))
