"""The site as its operator runs it, in processes of its own, and ways to kill them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

import psutil

from live.people import LostError, Person

if TYPE_CHECKING:
    import random

PATIENCE: Final = 300.0  # seconds for the site to come back


class GoneError(Exception):
    """The site does not come back."""


@dataclass
class House:
    """A site in a folder of its own, on the database that DATABASE_URL names or on SQLite in the folder."""

    home: Path
    port: int = 0
    size: str = "tiny"
    workers: int = 2
    environment: dict[str, str] = field(default_factory=dict)
    supervisor: subprocess.Popen[bytes] | None = None
    starts: int = 0  # of the supervisor
    parts: set[str] = field(default_factory=set)  # kinds of processes that were seen: each must come back

    def __post_init__(self) -> None:
        self.port = self.port or free_port()
        for name in ("static", "uploads"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        self.environment = os.environ | {
            "SILIAN_HOME": str(self.home), "SILIAN_MODE": "demo", "DJANGO_SETTINGS_MODULE": "silian.web.settings",
            "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1",
        } | self.environment  # fmt: skip

    @property
    def log(self) -> Path:
        return self.home / "site.log"

    def start(self) -> None:
        """Start the supervisor in a session of its own, whose processes are found again whoever their parent is."""
        command = [sys.executable, "-m", "silian.web", "serve", "--bind", f"127.0.0.1:{self.port}"]
        command += ["--size", self.size, "--workers", str(self.workers)]
        self.starts += 1
        with self.log.open("ab") as log:
            self.supervisor = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def note(self, words: str) -> None:
        """Write a line between those of the site."""
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"── {time.strftime('%H:%M:%S')} {words}\n")

    def accounts(self) -> dict[str, tuple[str, str]]:
        """Role → address and password, as the first start has shown them."""
        lines = re.findall(r"^  (\w+) +(\S+@demo\.invalid) +(\S+)$", self.log.read_text(encoding="utf-8"), re.M)
        return {role: (email, password) for role, email, password in lines}

    def person(self, role: str, *, timeout: float = 30.0) -> Person:
        """Somebody with the account of a role, signed in; the visitor has none."""
        if role == "visitor":
            return Person("127.0.0.1", self.port, role, timeout=timeout)
        email, password = self.accounts()[role]
        person = Person("127.0.0.1", self.port, role, email, password, timeout=timeout)
        person.sign_in()
        return person

    # ── its processes ──

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Every process of the site that lives, by what it is."""
        found: dict[str, list[psutil.Process]] = {}
        session = self.supervisor.pid if self.supervisor else -1
        for process in psutil.process_iter():
            with suppress(psutil.Error, ProcessLookupError):
                if os.getsid(process.pid) != session or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                found.setdefault(self._kind(process), []).append(process)
        return found

    def _kind(self, process: psutil.Process) -> str:
        line = " ".join(process.cmdline())
        if self.supervisor and process.pid == self.supervisor.pid:
            return "supervisor"
        if "gunicorn" in line:
            is_master = self.supervisor is not None and process.ppid() == self.supervisor.pid
            return "server master" if is_master else "server worker"
        if "silian.web keep_index" in line:
            return "keeper of the index"
        if "silian.web work" in line:
            return "worker of runs" if "--queue runs" in line else "task worker"
        return "pipeline of a run"

    def wait(self) -> float:
        """Start the supervisor where it has gone, as the system's manager of services does; wait until all is there.

        Returns
        -------
        Seconds until the site answers and every process is there again.
        """
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            if self.supervisor is None or self.supervisor.poll() is not None:
                self.end_all()
                self.start()
            if self._is_there() and self._answers():
                return time.monotonic() - began
            time.sleep(0.05)
        there = {kind: [(one.pid, one.ppid()) for one in those] for kind, those in self.processes().items()}
        told = f"the site is not back after {PATIENCE:.0f} s; there are {there} (own number, parent's)"
        raise GoneError(told)

    def tend(self) -> None:
        """Start all again where the supervisor has given up, as the system's manager of services does."""
        if self.supervisor is not None and self.supervisor.poll() is not None:
            self.wait()

    def _is_there(self) -> bool:
        """Whether every process is there, and none whose parent was killed still does what it had begun."""
        found = self.processes()
        self.parts |= found.keys() - {"pipeline of a run"}
        if not {"server master", "server worker", "task worker", "keeper of the index"} | self.parts <= found.keys():
            return False
        known = {one.pid for those in found.values() for one in those}
        with suppress(psutil.Error):
            return all(one.ppid() in known for kind, those in found.items() for one in those if kind != "supervisor")
        return False

    def _answers(self) -> bool:
        visitor = Person("127.0.0.1", self.port, timeout=10.0)
        try:
            return visitor.get("/account/login/").status == 200
        except LostError:
            return False
        finally:
            visitor.leave()

    def end_all(self) -> None:
        """Kill whatever is left of the site."""
        for _ in range(200):
            found = [process for those in self.processes().values() for process in those]
            if not found:
                break
            for process in found:
                with suppress(psutil.Error):
                    process.kill()
            time.sleep(0.02)
        if self.supervisor is not None:
            self.supervisor.kill()
            self.supervisor.wait()

    # ── kills ──

    def kill(self, target: str, dice: random.Random) -> bool:
        """Kill a process of a kind, or several; whether there was one."""
        if target == "everything":
            self.end_all()
            return True
        if target == "supervisor":  # alone; what it leaves behind is ended by the manager of services
            assert self.supervisor is not None
            self.supervisor.kill()
            self.supervisor.wait()
            time.sleep(dice.uniform(0, 0.3))
            return True
        found = self.processes().get(target, [])
        if not found:
            return False
        with suppress(psutil.Error):
            dice.choice(sorted(found, key=lambda process: process.pid)).send_signal(signal.SIGKILL)
            return True
        return False


@dataclass(frozen=True, slots=True)
class Postgres:
    """The server that `scripts/with-postgres` started for this campaign alone."""

    folder: Path  # of its socket, its data and its log

    @classmethod
    def of(cls, url: str) -> Postgres:
        """The server of a database.

        Raises
        ------
        SystemExit : if it is not one of `scripts/with-postgres`: no other may be killed
        """
        folder = Path(parse_qs(urlsplit(url).query).get("host", [""])[0])
        if not (folder / "data" / "postmaster.pid").exists():
            sys.exit("the PostgreSQL of a campaign is killed: start it with scripts/with-postgres")
        return cls(folder)

    def kill(self, target: str, dice: random.Random) -> bool:
        """Kill one backend of the site, at which the server starts all anew; or the whole server at once."""
        if target == "PostgreSQL":
            self._control("-m", "immediate", "stop")
            self._control("-l", str(self.folder / "log"), "-o", self._options(), "start")
            return True
        master = int((self.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        own = []
        for process in psutil.Process(master).children():
            with suppress(psutil.Error):
                if " silian " in " ".join(process.cmdline()) and "torture" not in " ".join(process.cmdline()):
                    own.append(process)
        if not own:
            return False
        with suppress(psutil.Error):
            dice.choice(sorted(own, key=lambda process: process.pid)).send_signal(signal.SIGKILL)
            return True
        return False

    def _options(self) -> str:
        own = f"-c listen_addresses= -c unix_socket_directories={self.folder}"
        return f"{own} -c fsync=off -c max_connections=200"  # as scripts/with-postgres has it

    def _control(self, *arguments: str) -> None:
        program = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=_version)[-1]
        command = [str(program), "-D", str(self.folder / "data"), "-w", *arguments]
        if os.getuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=PATIENCE)


def _version(program: Path) -> int:
    return int(program.parts[-3])


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])
