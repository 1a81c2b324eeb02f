"""What GB/T 22239-2019 asks of a system of level 2, held against this site as it is set and runs now.

For the operator's own look; it takes the place of no assessment. Clauses are those of the standard's general technical
requirements of level 2 (7.1.x) and, marked as further, level 3 (8.1.x); their words are ours, short.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import connection
from django.utils import timezone

from silian import __version__
from silian.web.base.languages import page_language
from silian.web.base.middleware import GUARDED
from silian.web.base.models import ChainCheck, ChainHead, LogEntry, Post, User
from silian.web.base.operation import parts
from silian.web.base.operation.kept import TOO_OLD, kept
from silian.web.settings import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable

Mark = Literal["met", "not met", "operator"]
MARKS: Final = {"met": ("符合", "met"), "not met": ("不符合", "not met"), "operator": ("需自查", "operator's own")}
UNITS: Final = {"s": ("秒", "s"), "m": ("分钟", "min"), "h": ("小时", "h"), "d": ("天", "d")}
HALF_A_YEAR: Final = timedelta(days=183)
NOT_ASSESSED: Final = (
    "供自查，不代替等级保护测评。条款指 GB/T 22239-2019；第三级条款标为“进一步”。",
    "For your own look; it takes the place of no assessment. Clauses are of GB/T 22239-2019; those of level 3 are "
    "marked as further.",
)
GROUPS: Final = {
    "network": ("通信传输", "Communication"), "identity": ("身份鉴别", "Identification"),
    "access": ("访问控制", "Access control"), "audit": ("安全审计", "Audit"),
    "intrusion": ("入侵防范", "Intrusion"), "malware": ("恶意代码防范", "Malicious code"),
    "trust": ("可信验证", "Trusted verification"), "integrity": ("数据完整性", "Integrity of data"),
    "secrecy": ("数据保密性", "Confidentiality of data"), "backup": ("数据备份恢复", "Backup and recovery"),
    "remains": ("剩余信息保护", "Residual information"), "personal": ("个人信息保护", "Personal information"),
    "centre": ("安全管理中心", "Management centre"),
}  # fmt: skip


class Said(NamedTuple):
    """A text in both languages."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.en if page_language() == "en" else self.zh


class Answer(NamedTuple):
    """How the site stands to one point, and what to do."""

    mark: Mark
    found: Said
    todo: Said = Said("", "")


class Check(NamedTuple):
    """One point of the list."""

    code: str
    group: str
    clause: str
    wanted: Said
    look: Callable[[], Answer]

    @property
    def is_further(self) -> bool:
        """Whether it is asked of level 3 alone."""
        return self.clause.startswith("8.")


class Line(NamedTuple):
    """A point with its answer, as it is shown."""

    code: str
    group: Said
    clause: str
    wanted: Said
    answer: Answer
    is_further: bool

    @property
    def mark(self) -> Said:
        """The mark in words."""
        return Said(*MARKS[self.answer.mark])


def lines() -> list[Line]:
    """The whole list, looked at now. Cost: about fifteen small queries."""
    return [Line(c.code, Said(*GROUPS[c.group]), c.clause, c.wanted, c.look(), c.is_further) for c in CHECKS]


def _held(is_met: bool, found: Said, todo: Said) -> Answer:  # noqa: FBT001 - the answer of a question
    return Answer("met" if is_met else "not met", found, Said("", "") if is_met else todo)


def _own(zh: str, en: str) -> Callable[[], Answer]:
    """A point that the site cannot see: a matter of the machine, the network or the house."""
    return lambda: Answer("operator", Said("网站无法判断", "the site cannot tell"), Said(zh, en))


PRODUCTION: Final = Said("设置 SILIAN_MODE=production。", "Set SILIAN_MODE=production.")


def tls() -> Answer:
    """Whether browsers are led to TLS and kept there."""
    days = settings.SECURE_HSTS_SECONDS // 86_400
    on = settings.SECURE_SSL_REDIRECT and settings.SESSION_COOKIE_SECURE and days >= 180
    return _held(
        on,
        Said(
            f"跳转 HTTPS：{_yes(settings.SECURE_SSL_REDIRECT)[0]}；HSTS {days} 天；会话仅经 TLS："
            f"{_yes(settings.SESSION_COOKIE_SECURE)[0]}",
            f"redirect to HTTPS: {_yes(settings.SECURE_SSL_REDIRECT)[1]}; HSTS {days} days; cookies over TLS alone: "
            f"{_yes(settings.SESSION_COOKIE_SECURE)[1]}",
        ),
        PRODUCTION,
    )


def mail() -> Answer:
    """Whether letters travel encrypted."""
    sent = ENVIRONMENT.mail
    if sent is None:
        return Answer("not met", Said("没有设置发信", "no mail is set"), Said("设置 SILIAN_MAIL。", "Set SILIAN_MAIL."))
    on = sent.encryption != "none" or sent.host in ("localhost", "127.0.0.1")
    return _held(
        on,
        Said(f"发信加密：{sent.encryption}", f"encryption of mail: {sent.encryption}"),
        Said("改用 smtps:// 或 STARTTLS。", "Use smtps:// or STARTTLS."),
    )


def database_line() -> Answer:
    """Whether the line to the database leaves the machine in the clear."""
    if connection.vendor != "postgresql":
        return Answer("met", Said("SQLite：数据库在本机文件中", "SQLite: a file of this machine"))
    if not (host := str(connection.settings_dict["HOST"])) or host.startswith("/"):
        return Answer("met", Said("经本机套接字", "by a socket of this machine"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)")
        on = bool(cursor.fetchone()[0])
    return _held(
        on,
        Said(f"到数据库的连接加密：{_yes(on)[0]}", f"line to the database encrypted: {_yes(on)[1]}"),
        Said("在 PostgreSQL 启用 ssl，或改用套接字。", "Switch ssl on in PostgreSQL, or use a socket."),
    )


def passwords() -> Answer:
    """How long passwords are, how they are kept."""
    validators: Any = settings.AUTH_PASSWORD_VALIDATORS
    rules = {v["NAME"].rpartition(".")[2]: v.get("OPTIONS", {}) for v in validators}
    least = rules.get("MinimumLengthValidator", {}).get("min_length", 0)
    argon = "Argon2" in settings.PASSWORD_HASHERS[0]
    return _held(
        least >= 12 and argon and "CommonPasswordValidator" in rules,
        Said(
            f"口令至少 {least} 位，禁用常见口令，{'Argon2' if argon else '非 Argon2'} 散列；邮箱唯一标识账户",
            f"at least {least} characters, no common ones, kept by {'Argon2' if argon else 'another hash'}; "
            "an address is one account",
        ),
        Said("恢复默认口令规则。", "Put the default rules back."),
    )


def lock_out() -> Answer:
    """What wrong passwords lead to, and how long a session lasts."""
    limit = settings.ACCOUNT_RATE_LIMITS.get("login_failed", "")
    idle, longest = settings.SESSION_COOKIE_AGE / 3600, settings.SESSION_LONGEST / 3600
    return _held(
        bool(limit) and idle <= 2 and longest <= 24,
        Said(
            f"{_locked(limit).zh}；无操作 {idle:g} 小时、最长 {longest:g} 小时退出",
            f"{_locked(limit).en}; sessions end after {idle:g} h idle, {longest:g} h at most",
        ),
        Said("恢复默认限制。", "Put the default limits back."),
    )


def _locked(limit: str) -> Said:
    """The limit on wrong passwords of one account in words: of `20/m/ip,5/15m/key` five in fifteen minutes."""
    of_account = next((part.split("/") for part in limit.split(",") if part.endswith("/key")), None)
    if of_account is None:
        return Said("登录失败不锁定", "wrong passwords shut no account")
    times, period = of_account[0], of_account[1]
    length, unit = period[:-1] or "1", UNITS[period[-1]]
    return Said(
        f"{length} {unit[0]}内输错 {times} 次即锁定",
        f"{times} wrong passwords within {length} {unit[1]} shut an account",
    )


def residue() -> Answer:
    """What is left of what signs people in."""
    argon, idle = "Argon2" in settings.PASSWORD_HASHERS[0], settings.SESSION_COOKIE_AGE / 3600
    return _held(
        argon and idle <= 2,
        Said(
            f"口令只存{'加盐的 Argon2' if argon else '非 Argon2 '}散列；退出时删除会话，无操作 {idle:g} 小时后失效",
            f"passwords are kept as {'salted Argon2' if argon else 'other'} hashes alone; a session is deleted at "
            f"sign-out and ends after {idle:g} h idle",
        ),
        Said("恢复默认限制。", "Put the default limits back."),
    )


def second_factor() -> Answer:
    """Whether those who administer need a second factor, and have one."""
    held = Post.objects.filter(role__in=GUARDED, user__is_active=True).values("user_id").distinct()
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    with_one = Authenticator.objects.filter(type__in=kinds, user_id__in=held).values("user_id").distinct().count()
    asked = settings.SECOND_FACTOR_REQUIRED
    return _held(
        asked,
        Said(
            f"管理、主管、审计岗位强制两步验证：{_yes(asked)[0]}；已启用 {with_one}/{held.count()} 人",
            f"asked of administrators, officers and auditors: {_yes(asked)[1]}; {with_one} of {held.count()} have one",
        ),
        PRODUCTION,
    )


def separation() -> Answer:
    """Whether who administers and who audits are different people."""
    roles = (Post.Role.ADMINISTRATOR, Post.Role.AUDITOR)
    people = [
        set(Post.objects.filter(role=role, user__is_active=True).values_list("user_id", flat=True)) for role in roles
    ]
    both, auditors = len(people[0] & people[1]), len(people[1])
    return _held(
        auditors > 0 and not both,
        Said(
            f"系统管理员 {len(people[0])} 人，审计员 {auditors} 人，兼任 {both} 人",
            f"{len(people[0])} administrators, {auditors} auditors, {both} are both",
        ),
        Said("在“人员与岗位”任命不兼任管理员的审计员。", "Appoint an auditor who is no administrator."),
    )


def old_accounts() -> Answer:
    """Whether accounts stand open that nobody uses."""
    since = timezone.now() - HALF_A_YEAR
    used = LogEntry.objects.filter(at__gte=since).exclude(who="").values("who")
    idle = User.objects.filter(is_active=True, joined_at__lt=since).exclude(pseudonym__in=used).count()
    shut = User.objects.filter(is_active=False).count()
    return _held(
        not idle,
        Said(
            f"半年未使用的账户 {idle} 个；已停用 {shut} 个", f"{idle} accounts unused for half a year; {shut} are shut"
        ),
        Said("在“人员与岗位”停用不再使用的账户。", "Shut the accounts that are no longer used."),
    )


def defaults() -> Answer:
    """Whether there are accounts that everybody knows."""
    on = not ENVIRONMENT.is_demo
    demo = User.objects.filter(email__endswith="@example.org").count() if ENVIRONMENT.is_demo else 0
    return _held(
        on,
        Said(f"模式：{ENVIRONMENT.mode}；演示账户 {demo} 个", f"mode: {ENVIRONMENT.mode}; {demo} demo accounts"),
        PRODUCTION,
    )


def sealed() -> Answer:
    """Whether the log is sealed, and was found right."""
    head, check = ChainHead.objects.first(), ChainCheck.objects.order_by("-pk").first()
    found, state = parts.seal(), f"{check.at:%Y-%m-%d}" if check else "—"
    number = head.number if head else 0
    return _held(
        found.state == "ok",
        Said(f"已封存 {number} 条；最近核验 {state}", f"{number} entries sealed; verified on {state}"),
        Said("在审计页“立即核验”；确认后台任务在运行。", "Verify on the page of the audit; see that a worker runs."),
    )


def retention() -> Answer:
    """How far back the log reaches: the site deletes nothing of it."""
    first = LogEntry.objects.order_by("at", "pk").values_list("at", flat=True).first()
    days = (timezone.now() - first).days if first else 0
    found = Said(
        f"网站从不删除操作日志，现有 {days} 天；请求日志由 journald 保存，须设为 6 个月以上",
        f"the log of actions is never deleted and reaches back {days} days; lines of requests lie in journald",
    )
    todo = Said(
        "journald.conf：MaxRetentionSec=7month，并留足空间；《网络安全法》要求网络日志留存不少于六个月。",
        "journald.conf: MaxRetentionSec=7month and room for it; the Cybersecurity Law asks for six months.",
    )
    return Answer("operator", found, todo)


def hosts() -> Answer:
    """Whether the site answers under its own names alone, and shows no inside."""
    names = ", ".join(settings.ALLOWED_HOSTS)
    return _held(
        not settings.DEBUG and "*" not in settings.ALLOWED_HOSTS and bool(names),
        Said(
            f"只应答：{names}；调试模式：{_yes(settings.DEBUG)[0]}",
            f"answers to: {names}; debugging: {_yes(settings.DEBUG)[1]}",
        ),
        PRODUCTION,
    )


def versions() -> Answer:
    """What runs here; whether it is current the site cannot know without a network."""
    import platform

    import django

    own, language, web = __version__, platform.python_version(), django.__version__
    told = f"Silian {own}, Python {language}, Django {web}, {connection.display_name}"
    return Answer(
        "operator",
        Said(told, told),
        Said("按月核对 Debian 安全更新与本软件新版本。", "Look for updates of Debian and of silian each month."),
    )


def scanner() -> Answer:
    """Whether attachments are scanned."""
    on = bool(settings.SILIAN_SCAN)
    return _held(
        on,
        Said(
            f"附件扫描：{settings.SILIAN_SCAN.split()[0] if on else '未设置'}",
            f"scanner: {settings.SILIAN_SCAN.split()[0] if on else 'none'}",
        ),
        Said("安装 ClamAV，设置 SILIAN_SCAN。", "Install ClamAV and set SILIAN_SCAN."),
    )


def backups() -> Answer:
    """Whether a backup was made within a day."""
    last = next(iter(kept()), None)
    at = f"{timezone.localtime(last.made_at):%Y-%m-%d %H:%M}" if last else ""
    found = Said(f"最近一次：{at}", f"last: {at}") if last else Said("没有备份", "none")
    return _held(
        last is not None and last.age <= TOO_OLD,
        found,
        Said("启用 silian-backup.timer。", "Enable silian-backup.timer."),
    )


def personal_tiers() -> Answer:
    """Who sees personal data, and how a person gets at theirs."""
    return Answer(
        "met",
        Said(
            "字段分公开、双方同意、不公开三级；本人可查看、导出、撤回同意、注销；读取有日志",
            "three tiers a column; everybody sees, exports and erases the own data; reads are logged",
        ),
    )


def _yes(value: object) -> tuple[str, str]:
    return ("是", "yes") if value else ("否", "no")


CHECKS: Final = (
    Check("tls", "network", "7.1.2.2", Said("通信过程中保证数据完整", "Data are whole on their way"), tls),
    Check(
        "database",
        "network",
        "7.1.2.2",
        Said("网站与数据库之间的通信受保护", "The line to the database is guarded"),
        database_line,
    ),
    Check("mail", "network", "7.1.2.2", Said("发出的邮件加密传输", "Letters travel encrypted"), mail),
    Check(
        "passwords",
        "identity",
        "7.1.4.1 a)",
        Said("身份唯一，鉴别信息有复杂度要求", "One identity each; strong passwords"),
        passwords,
    ),
    Check(
        "lock",
        "identity",
        "7.1.4.1 b)",
        Said("登录失败处理、超时退出", "Wrong sign-ins and idle sessions are ended"),
        lock_out,
    ),
    Check("remote", "identity", "7.1.4.1 c)", Said("远程管理防窃听", "Administration cannot be overheard"), tls),
    Check(
        "factor",
        "identity",
        "8.1.4.1 d)",
        Said("管理员采用两种以上鉴别技术", "Two factors for who administers"),
        second_factor,
    ),
    Check(
        "defaults", "access", "7.1.4.2 b)", Said("没有默认账户、默认口令", "No default accounts or passwords"), defaults
    ),
    Check("unused", "access", "7.1.4.2 c)", Said("及时停用多余、过期账户", "Unused accounts are shut"), old_accounts),
    Check(
        "separate",
        "access",
        "7.1.4.2 d)",
        Said("最小权限，管理与审计分离", "Least rights; administration and audit apart"),
        separation,
    ),
    Check(
        "sealed",
        "audit",
        "7.1.4.3 a)–c)",
        Said("审计覆盖每个用户，记录受保护", "Everybody is audited; the log is guarded"),
        sealed,
    ),
    Check("retention", "audit", "7.1.4.3 c)", Said("日志留存不少于六个月", "Logs are kept for six months"), retention),
    Check(
        "hosts",
        "intrusion",
        "7.1.4.4 b)",
        Said("关闭不需要的服务、调试与域名", "Nothing open that is not needed"),
        hosts,
    ),
    Check(
        "ports",
        "intrusion",
        "7.1.4.4 b)",
        Said("关闭不需要的系统服务和端口", "Ports of the machine are shut"),
        _own(
            "ss -tlnp 只应看到 443、80 与 SSH；数据库与 8000 端口只监听本机。",
            "ss -tlnp should show 443, 80 and SSH alone; the database and port 8000 listen on this machine.",
        ),
    ),
    Check(
        "terminals",
        "intrusion",
        "7.1.4.4 c)",
        Said("限制管理终端的接入地址", "Administration from stated addresses"),
        _own(
            "在防火墙与 sshd 限制来源地址；网站管理可用 nginx 的 allow/deny。",
            "Limit sources in the firewall and sshd; for the site with allow/deny of nginx.",
        ),
    ),
    Check("versions", "intrusion", "7.1.4.4 e)", Said("发现并及时修补漏洞", "Known weaknesses are mended"), versions),
    Check("scanner", "malware", "7.1.4.5", Said("防恶意代码，及时更新特征库", "Malicious code is looked for"), scanner),
    Check(
        "boot",
        "trust",
        "7.1.4.6",
        Said("系统引导与程序可信验证", "Boot and programs are verified"),
        _own(
            "启用安全启动；安装包按散列核对（requirements/*.txt）。",
            "Switch secure boot on; packages are verified by hash (requirements/*.txt).",
        ),
    ),
    Check("whole", "integrity", "7.1.4.7", Said("重要数据传输完整性校验", "Important data are verified"), tls),
    Check("stored", "integrity", "8.1.4.7 b)", Said("重要数据存储完整性校验", "Stored data are verified"), sealed),
    Check(
        "secret",
        "secrecy",
        "8.1.4.8",
        Said("重要数据传输与存储加密", "Important data are encrypted"),
        _own(
            "传输由 TLS 保护；存储加密用磁盘加密（LUKS），备份文件另行加密保管。",
            "TLS guards the way; encrypt the disk (LUKS) and keep backups encrypted.",
        ),
    ),
    Check("local", "backup", "7.1.4.8 a)", Said("重要数据本地备份与恢复", "Local backup and recovery"), backups),
    Check(
        "away",
        "backup",
        "7.1.4.8 b)",
        Said("异地备份", "A backup elsewhere"),
        _own(
            "每夜将备份文件复制到另一地点的机器；每季度做一次恢复演练。",
            "Copy the backup to another place each night; try a restore each quarter.",
        ),
    ),
    Check(
        "sessions",
        "remains",
        "7.1.4.9",
        Said("鉴别信息所在空间释放前清除", "What signs people in leaves no trace"),
        residue,
    ),
    Check(
        "personal",
        "personal",
        "7.1.4.10",
        Said("只采集必需的个人信息，禁止未授权访问", "Only needed personal data; nobody unentitled"),
        personal_tiers,
    ),
    Check(
        "centre",
        "centre",
        "7.1.5.1",
        Said("系统管理员经身份鉴别并被审计", "Administrators are known and audited"),
        separation,
    ),
)
