"""The parts of the base, as `health` looks at them."""

from __future__ import annotations

import shutil
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.cache import cache as kept_cache
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Case, Count, F, Min, Q, When
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from silian.web.base.models import ChainCheck, LogEntry
from silian.web.base.operation import beats
from silian.web.base.operation.kept import TOO_OLD, kept
from silian.web.base.operation.signs import Found, Part

if TYPE_CHECKING:
    from django.db.models import QuerySet

LITTLE_ROOM: Final = 0.10  # share of the disk that is free
NO_ROOM: Final = 200 * 1024**2  # bytes below which nothing can be taken any more
LONG_WAIT: Final = 900.0  # seconds that a task waits after its time
UNSEALED: Final = timedelta(minutes=15)
UNCHECKED: Final = timedelta(days=2)
KINDS: Final = {  # of processes that beat
    "worker": gettext_lazy("日常任务"), "runs": gettext_lazy("计算任务"), "keeper": gettext_lazy("检索索引维护"),
}  # fmt: skip


def hours(seconds: float) -> str:
    """A time as people read it.

    Examples
    --------
    >>> from django.utils.translation import override
    >>> with override("zh-hans"):
    ...     hours(30), hours(7200), hours(300_000)
    ('30 秒', '2 小时', '3 天')
    """
    if seconds >= 2 * 86_400:
        return ngettext("%(count)s 天", "%(count)s 天", days := round(seconds / 86_400)) % {"count": days}
    if seconds >= 3600:
        return ngettext("%(count)s 小时", "%(count)s 小时", whole := round(seconds / 3600)) % {"count": whole}
    if seconds >= 60:
        return ngettext("%(count)s 分钟", "%(count)s 分钟", minutes := round(seconds / 60)) % {"count": minutes}
    return ngettext("%(count)s 秒", "%(count)s 秒", few := round(seconds)) % {"count": few}


def size(count: float) -> str:
    """Bytes as people read them.

    Examples
    --------
    >>> size(800), size(5_000_000), size(61 * 1024**3)
    ('800 B', '4.8 MiB', '61.0 GiB')
    """
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def database() -> Found:
    """Whether the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Found("ok", _("数据库可用。"), {"engine": connection.vendor})


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """The migrations that this version brings."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations or ())


def migrations() -> Found:
    """Whether the database is as this version wants it; one that is ahead belongs to a newer version."""
    applied = set(MigrationRecorder(connection).applied_migrations())
    missing = {each for each in known_migrations() - applied if not _is_replaced(each, applied)}
    ahead = {each for each in applied - known_migrations() if each[0] in {app for app, _name in known_migrations()}}
    told = {"missing": len(missing), "ahead": len(ahead)}
    if missing:
        return Found("bad", _("数据库结构还没有升级到当前版本。"), told)
    if ahead:
        return Found("late", _("数据库结构比当前版本新。"), told)
    return Found("ok", _("数据库结构与当前版本一致。"), told)


def _is_replaced(migration: tuple[str, str], applied: set[tuple[str, str]]) -> bool:
    """Whether those that a squashed migration replaces are all applied."""
    replaces = _replacing().get(migration, ())
    return bool(replaces) and set(replaces) <= applied


@cache
def _replacing() -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
    disk = MigrationLoader(None, ignore_no_migrations=True).disk_migrations or {}
    return {key: tuple(m.replaces) for key, m in disk.items() if m.replaces}


def cache_table() -> Found:
    """Whether the table of the cache answers: who is locked out stands there."""
    kept_cache.get("health")
    return Found("ok", _("缓存表可用。"))


def kind_of(name: str) -> str:
    """What a process is for, from the name that it beats by; the name where it is of no known kind."""
    return str(KINDS.get(name.partition("-")[0], name))


def processes() -> Found:
    """Whether a worker and the keeper of the index are alive."""
    found = beats.beats()
    alive = [beat.name for beat in found if beat.is_alive]
    dead = [beat.name for beat in found if not beat.is_alive]
    missing = [kind for kind in KINDS if not any(name.startswith(kind) for name in alive)]
    told = {"alive": len(alive), "dead": len(dead), "missing": missing}
    if missing:
        names = _("、").join(str(KINDS[kind]) for kind in missing)
        return Found("late", _("没有在运行的后台进程：%(names)s。") % {"names": names}, told)
    if dead:
        return Found("late", _("%(count)s 个后台进程没有响应。") % {"count": len(dead)}, told)
    return Found("ok", _("%(count)s 个后台进程正常。") % {"count": len(alive)}, told)


def due() -> QuerySet[DBTaskResult[Any, Any]]:
    """Tasks whose time has come and that nobody has begun; `since`: when it came."""
    # one that was asked for without a time has the last day of all as its time
    since = Case(When(run_after__lte=timezone.now(), then=F("run_after")), default=F("enqueued_at"))
    return DBTaskResult.objects.ready().annotate(since=since)


def tasks() -> Found:
    """How long tasks wait, and how many failed within a day."""
    since = timezone.now() - timedelta(days=1)
    failed = Q(status=TaskResultStatus.FAILED, finished_at__gte=since)
    told = DBTaskResult.objects.aggregate(failed=Count("pk", filter=failed))
    waiting = due().order_by().aggregate(count=Count("pk"), oldest=Min("since"))
    seconds = (timezone.now() - waiting["oldest"]).total_seconds() if waiting["oldest"] else 0.0
    found = {"waiting": waiting["count"], "seconds": round(seconds), "failed": told["failed"]}
    words = _("%(waiting)s 个任务等待中，最久 %(time)s；24 小时内失败 %(failed)s 个。")
    if not waiting["count"]:
        words = _("没有任务在等待；24 小时内失败 %(failed)s 个。")
    words %= {"waiting": waiting["count"], "time": hours(seconds), "failed": told["failed"]}
    return Found("late" if seconds > LONG_WAIT or told["failed"] else "ok", words, found)


def disk() -> Found:
    """How much room is left where the site writes."""
    usage = shutil.disk_usage(settings.HOME_FOLDER)
    share = usage.free / usage.total if usage.total else 0.0
    state = "bad" if usage.free < NO_ROOM else "late" if share < LITTLE_ROOM else "ok"
    words = _("剩余 %(free)s（%(share).0f%%）。") % {"free": size(usage.free), "share": share * 100}
    return Found(state, words, {"free_bytes": usage.free, "total_bytes": usage.total})  # type: ignore[arg-type]


def backup() -> Found:
    """How old the last backup is."""
    last = next(iter(kept()), None)
    if last is None:
        return Found("late", _("还没有备份。"), {"seconds": None})
    words = _("最近一次备份在%(time)s前。") % {"time": hours(last.age)}
    return Found("late" if last.age > TOO_OLD else "ok", words, {"seconds": round(last.age), "bytes": last.bytes})


def seal() -> Found:
    """Whether the log is sealed and was found right lately."""
    oldest = LogEntry.objects.filter(number=None).order_by("pk").values_list("at", flat=True).first()
    check, now = ChainCheck.objects.order_by("-pk").first(), timezone.now()
    waits = round((now - oldest).total_seconds()) if oldest else 0
    told = {"unsealed_seconds": waits, "finding": check.finding if check else "", "checked": bool(check)}
    if check and check.finding:
        return Found("bad", _("核验发现日志被改动，见审计页。"), told)
    if waits > UNSEALED.total_seconds():
        return Found("late", _("最早的未封存日志已等待 %(time)s。") % {"time": hours(waits)}, told)
    if check is None or check.at < now - UNCHECKED:
        return Found("late", _("两天之内没有核验过日志。"), told)
    return Found("ok", _("日志已封存，最近核验无误。"), told)


PARTS: Final = (
    Part("database", gettext_lazy("数据库"), database, is_needed=True),
    Part("migrations", gettext_lazy("数据库结构"), migrations, is_needed=True),
    Part("cache", gettext_lazy("缓存"), cache_table, is_needed=True),
    Part("disk", gettext_lazy("磁盘"), disk, is_needed=True),
    Part("processes", gettext_lazy("后台进程"), processes, is_needed=False),
    Part("tasks", gettext_lazy("任务队列"), tasks, is_needed=False),
    Part("backup", gettext_lazy("备份"), backup, is_needed=False),
    Part("log", gettext_lazy("操作日志"), seal, is_needed=False),
)
FAULTS: Final = (DatabaseError, OSError, ValueError, KeyError)  # by which a look can fail
