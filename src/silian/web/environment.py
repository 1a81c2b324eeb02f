"""Settings of the site: each one a variable of the environment, read once, checked when the site starts."""

from __future__ import annotations

import re
import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from platformdirs import user_data_path

from silian.errors import WebError

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
Mode = Literal["demo", "production"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the environment."""

    name: str
    default: str  # as people read it
    meaning: str
    meaning_zh: str


VARIABLES: Final = (
    Variable(
        "SILIAN_MODE", "demo",
        "demo: a made-up region, accounts whose passwords are shown, this machine only. production: nothing unsafe.",
        "demo：虚构区域、公开口令的演示账户、仅限本机；production：拒绝一切不安全的设置。",
    ),
    Variable(
        "SILIAN_HOME", "the user's data folder / silian",
        "Folder for the SQLite database, the search index, attachments and runs.",
        "存放 SQLite 数据库、检索索引、附件与运行结果的文件夹。",
    ),
    Variable(
        "DATABASE_URL", "sqlite in SILIAN_HOME",
        "postgres://user:password@host:5432/name (?host=/run/postgresql for a socket), or sqlite:///path.",
        "postgres://用户:口令@主机:5432/库名（套接字写 ?host=/run/postgresql），或 sqlite:///路径。",
    ),
    Variable(
        "SILIAN_SECRET_KEY", "made and kept in SILIAN_HOME in demo mode",
        "At least 50 random characters; sessions and signed links hang on it.",
        "至少 50 个随机字符；会话与签名链接依赖于它。",
    ),
    Variable(
        "SILIAN_HOSTS", "localhost,127.0.0.1",
        "Names under which the site is reached, separated by commas.",
        "网站的访问域名，逗号分隔。",
    ),
    Variable(
        "SILIAN_ADDRESS", "https:// and the first of SILIAN_HOSTS; in demo mode where the site listens",
        "Address of the site in letters, where its port or scheme is another.",
        "信件中使用的网站地址；端口或协议不同时填写。",
    ),
    Variable(
        "SILIAN_MAIL", "shown in the log in demo mode",
        "smtp://user:password@host:587?from=address for letters: invitations, resets, digests. smtp asks for STARTTLS, "
        "smtps speaks TLS from the start; a relay on this machine that does neither: smtp://localhost:25?tls=no.",
        "发信服务器 smtp://用户:口令@主机:587?from=发件地址，用于邀请、重置与摘要。smtp 用 STARTTLS，smtps 全程 TLS；"
        "本机不加密的转发写 smtp://localhost:25?tls=no。",
    ),
    Variable(
        "SILIAN_OIDC", "none",
        "Sign-in of the government or a university: https://issuer|client id|client secret|name shown.",
        "政务或高校统一登录：https://签发方|客户端编号|客户端密钥|显示名称。",
    ),
    Variable(
        "SILIAN_PROXIES", "0",
        "How many web servers stand in front and add to X-Forwarded-For and X-Forwarded-Proto; 0: neither is believed.",
        "前面有几层会写 X-Forwarded-For 与 X-Forwarded-Proto 的网页服务器；0 表示不采信这两项。",
    ),
    Variable(
        "SILIAN_SCAN", "none: attachments are clean after the site's own checks of their type",
        "Command that scans an attachment; the path of the file is put behind it. It ends with 0 (clean), 1 (found) "
        "or another number (could not scan: tried again), for example: clamdscan --no-summary --fdpass.",
        "扫描附件的命令，文件路径附在末尾；返回 0 为安全，1 为发现问题，其他为未能扫描（稍后重试）。"
        "例如：clamdscan --no-summary --fdpass。不设置时，附件通过网站自身的类型检查后即可下载。",
    ),
    Variable(
        "SILIAN_METRICS_TOKEN", "none: this machine alone",
        "At least 32 random characters; whoever brings them (Authorization: Bearer …) reads /metrics and the details "
        "of /health/ready from elsewhere.",
        "至少 32 个随机字符；请求带上 Authorization: Bearer … 者可从其他机器读取 /metrics 与 /health/ready 的详情。",
    ),
    Variable(
        "SILIAN_LOG", "INFO; WARNING in demo mode",
        "How much the site writes: DEBUG, INFO (a line for each request and task), WARNING or ERROR.",
        "日志级别：DEBUG、INFO（每次请求、每个任务一行）、WARNING 或 ERROR。",
    ),
    Variable(
        "SILIAN_PUBLISHER", "四链|Silian, the sender of letters, the address of the site",
        "Who answers for the open data: name|name in English|e-mail|homepage.",
        "开放数据的发布单位：名称|英文名称|邮箱|主页。",
    ),
    Variable(
        "SILIAN_LICENCE", "none: the open data say that no licence was chosen",
        "Address of the licence of the open data, for example https://creativecommons.org/licenses/by/4.0/.",
        "开放数据所用许可的网址，例如 https://creativecommons.org/licenses/by/4.0/；不设置时注明未选定许可。",
    ),
    Variable(
        "SILIAN_REPOSITORY", "the host of SILIAN_ADDRESS",
        "Name under which the identifiers of harvested records stand. It must never change once harvested.",
        "供采集的记录标识符中的域名；一经采集不得更改。",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mail:
    """The server that sends letters."""

    host: str
    port: int
    user: str
    password: str
    encryption: Literal["starttls", "tls", "none"]
    sender: str  # empty: the user, or silian at the first host


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings of a site that starts."""

    mode: Mode
    home: Path
    database: str  # a URL
    secret_key: str
    hosts: tuple[str, ...]
    address: str  # of the site, without a path
    mail: Mail | None
    oidc: tuple[str, str, str, str] | None  # issuer, client id, client secret, name
    proxies: int = 0  # web servers in front that are believed
    scan: str = ""  # a command; empty: no scanner
    metrics_token: str = ""  # empty: this machine alone
    log_level: str = "INFO"
    publisher: str = ""  # name|name in English|e-mail|homepage
    licence: str = ""  # an address
    repository: str = ""  # a name with a dot

    @property
    def is_demo(self) -> bool:
        """Whether the site shows a made-up region to whoever sits at this machine."""
        return self.mode == "demo"

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Environment:
        """The settings that the environment states; what is silent gets the default of its mode.

        Raises
        ------
        WebError : web.setting if a value cannot be read; web.unsafe, with every unsafe setting, in production mode
        """
        mode = given.get("SILIAN_MODE", "demo")
        if mode not in ("demo", "production"):
            raise WebError("web.setting", name="SILIAN_MODE", found=mode, wanted="demo / production")
        home = Path(given.get("SILIAN_HOME") or user_data_path("silian", appauthor=False)).expanduser().resolve()
        made = cls(
            mode=mode,  # type: ignore[arg-type]
            home=home,
            database=given.get("DATABASE_URL") or f"sqlite:///{home / 'silian.sqlite3'}",
            secret_key=given.get("SILIAN_SECRET_KEY") or (_kept_key(home) if mode == "demo" else ""),
            hosts=tuple(h.strip() for h in given.get("SILIAN_HOSTS", "localhost,127.0.0.1").split(",") if h.strip()),
            address=_address(given),
            mail=_mail(given.get("SILIAN_MAIL", "")),
            oidc=_oidc(given.get("SILIAN_OIDC", "")),
            proxies=_proxies(given.get("SILIAN_PROXIES", "") or "0"),
            scan=_scan(given.get("SILIAN_SCAN", "")),
            metrics_token=_metrics_token(given.get("SILIAN_METRICS_TOKEN", "")),
            log_level=_log_level(given.get("SILIAN_LOG") or ("WARNING" if mode == "demo" else "INFO")),
            publisher=given.get("SILIAN_PUBLISHER", ""),
            licence=_licence(given.get("SILIAN_LICENCE", "")),
            repository=_repository(given.get("SILIAN_REPOSITORY", "")),
        )
        if unsafe := made.unsafe():
            raise WebError("web.unsafe", found="; ".join(unsafe))
        return made

    def unsafe(self) -> list[str]:
        """What must not be in production: one text for each setting, in the order of VARIABLES."""
        if self.is_demo:
            return []
        found = []
        if len(set(self.secret_key)) < 10 or len(self.secret_key) < 50:
            found.append("SILIAN_SECRET_KEY: fewer than 50 random characters")
        if not self.hosts or "*" in self.hosts:
            found.append("SILIAN_HOSTS: any name would be answered")
        if not self.mail:
            found.append("SILIAN_MAIL: invitations and resets would reach nobody")
        elif self.mail.encryption == "none" and self.mail.host not in ("localhost", "127.0.0.1"):
            found.append("SILIAN_MAIL: signed links would travel in the clear")
        return found

    def keep_key(self) -> None:
        """Write the key where there is none, readable by its owner alone, so that sessions outlast a start."""
        place = self.home / "secret-key"
        if self.is_demo and not place.exists():
            place.touch(mode=0o600)
            place.write_text(self.secret_key, encoding="utf-8")

    def databases(self) -> dict[str, object]:
        """The database as Django wants it.

        Raises
        ------
        WebError : web.setting if DATABASE_URL names no database that silian knows
        """
        url = urlsplit(self.database)
        if url.scheme == "sqlite":
            # IMMEDIATE: a writer waits for its turn at the start and never finds the data changed under it
            pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
            return {
                "ENGINE": "django.db.backends.sqlite3", "NAME": self.database.removeprefix("sqlite:///"),
                "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": pragmas},
            }  # fmt: skip
        asked = parse_qs(url.query)  # ?host=/run/postgresql names the folder of a socket
        if url.scheme in ("postgres", "postgresql") and url.path.strip("/"):
            return {
                "ENGINE": "django.db.backends.postgresql", "NAME": unquote(url.path.strip("/")),
                "USER": unquote(url.username or ""), "PASSWORD": unquote(url.password or ""),
                "HOST": url.hostname or asked.get("host", [""])[0], "PORT": str(url.port or ""),
                "OPTIONS": {"pool": True}, "CONN_HEALTH_CHECKS": True,
            }  # fmt: skip
        wanted = "postgres://user:password@host:5432/name / sqlite:///path"
        raise WebError("web.setting", name="DATABASE_URL", found=f"{url.scheme}://…", wanted=wanted)


def _address(given: Mapping[str, str]) -> str:
    """The address of the site, as scheme://host:port."""
    stated = given.get("SILIAN_ADDRESS", "").rstrip("/")
    if not stated:
        host = given.get("SILIAN_HOSTS", "").split(",")[0].strip() or "localhost"
        return f"http{'' if given.get('SILIAN_MODE', 'demo') == 'demo' else 's'}://{host}"
    if not re.fullmatch(r"https?://[^/?#@\s]+", stated):
        raise WebError("web.setting", name="SILIAN_ADDRESS", found=stated, wanted="https://host:port")
    return stated


def _mail(given: str) -> Mail | None:
    if not given:
        return None
    url, wanted = urlsplit(given), "smtp://user:password@host:587?from=address / smtps://…"
    asked = parse_qs(url.query)
    try:
        port = url.port or (465 if url.scheme == "smtps" else 587)
    except ValueError:
        port = 0
    if url.scheme not in ("smtp", "smtps") or not url.hostname or not port:
        raise WebError("web.setting", name="SILIAN_MAIL", found=f"{url.scheme}://…", wanted=wanted)
    starttls: Literal["starttls", "none"] = "none" if asked.get("tls") == ["no"] else "starttls"
    return Mail(
        host=url.hostname,
        port=port,
        user=unquote(url.username or ""),
        password=unquote(url.password or ""),
        encryption="tls" if url.scheme == "smtps" else starttls,
        sender=asked.get("from", [""])[0],
    )


def _proxies(given: str) -> int:
    if not given.isdecimal() or int(given) > 9:
        raise WebError("web.setting", name="SILIAN_PROXIES", found=given, wanted="0 … 9")
    return int(given)


def _oidc(given: str) -> tuple[str, str, str, str] | None:
    if not given:
        return None
    parts = [part.strip() for part in given.split("|")]
    if len(parts) != 4 or not parts[0].startswith("https://") or not all(parts):
        raise WebError("web.setting", name="SILIAN_OIDC", found=parts[0], wanted="https://issuer|id|secret|name")
    return parts[0], parts[1], parts[2], parts[3]


def _scan(given: str) -> str:
    try:
        shlex.split(given)
    except ValueError as error:
        raise WebError("web.setting", name="SILIAN_SCAN", found=given, wanted="clamdscan --no-summary") from error
    return given


def _metrics_token(given: str) -> str:
    if given and (len(given) < 32 or len(set(given)) < 10):
        raise WebError("web.setting", name="SILIAN_METRICS_TOKEN", found="…", wanted="32 random characters or more")
    return given


def _log_level(given: str) -> str:
    if given.upper() not in LOG_LEVELS:
        raise WebError("web.setting", name="SILIAN_LOG", found=given, wanted=" / ".join(LOG_LEVELS))
    return given.upper()


def _licence(given: str) -> str:
    if given and not re.fullmatch(r"https?://[^\s<>\"]+", given):
        raise WebError("web.setting", name="SILIAN_LICENCE", found=given, wanted="https://…")
    return given


def _repository(given: str) -> str:
    if given and not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]*(\.[a-zA-Z][a-zA-Z0-9-]*)+", given):
        raise WebError("web.setting", name="SILIAN_REPOSITORY", found=given, wanted="data.example.org")
    return given


def _kept_key(home: Path) -> str:
    """The key that `keep_key` wrote; until then one that lasts as long as this process."""
    place = home / "secret-key"
    return place.read_text(encoding="utf-8") if place.exists() else secrets.token_urlsafe(64)
