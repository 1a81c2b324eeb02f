"""Blocks on a Ray cluster, of this machine or of many; what every block needs lies once in the memory of each machine.

A worker is one process with one thread. A block whose worker dies is given to another one. Ray itself is imported when
a cluster is opened, not before.
"""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import shutil
import signal
import socket
import tempfile
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.compute.local import cut
from silian.errors import ComputeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

RETRIES: Final = 3  # of a block whose worker died; a fourth death is taken as the block's own fault
AHEAD: Final = 2  # blocks under way for each worker: one is worked on, one waits beside it
PATIENCE: Final = 10.0  # seconds until a machine that does not answer counts as out of reach
THREADS: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS",
     "RAYON_NUM_THREADS"),
    "1",
)  # fmt: skip
# Of a cluster that is started here. Ray asks for a password unless it is told not to.
SETTINGS: Final = {
    "RAY_AUTH_MODE": None,
    "RAY_AUTH_TOKEN_PATH": None,
    "RAY_task_oom_retries": str(RETRIES),  # for ever, if not told
    "RAY_worker_niceness": "0",  # as this process; Ray's workers give way to all others, if not told
}
# Ray listens on the loopback address alone where this is off (its name tells only of the systems it was made for).
LOOPBACK: Final = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
SAME: Final = ("ray", "silian", "numpy", "polars")  # packages whose versions must be those of this machine


@dataclass(frozen=True, slots=True)
class Cluster:
    """An open Ray cluster."""

    name: str
    machines: int
    workers: int

    def map_blocks(
        self,
        verb: Callable[..., pl.DataFrame],
        table: pl.DataFrame,
        *,
        rows: int,
        shared: Mapping[str, Any] | None = None,
        on_block: Callable[[int], None] | None = None,
    ) -> pl.DataFrame:
        """As `Runner.map_blocks`.

        Notes
        -----
        Blocks travel as Arrow IPC. The verb and what is shared are put once; arrays in it are read where they lie, in
        memory that all workers of a machine share, and cannot be written to. At most two blocks a worker are under way.
        After an error these go on to their end, unseen: Ray 2.60 can end this process when a block finishes in the
        moment in which it is cancelled ("Tried to complete task that was not pending").
        """
        import ray

        work = ray.remote(num_cpus=1, max_retries=RETRIES)(_work)
        blocks = enumerate(cut(table, rows))
        job = [ray.put((verb, dict(shared or {})))]  # in a list, so that a worker takes it out once and not every time
        waiting: dict[Any, tuple[int, int]] = {}
        done: dict[int, pl.DataFrame] = {}
        for number, block in blocks:
            waiting[work.remote(job, block)] = number, block.height
            if len(waiting) >= AHEAD * self.workers:
                self._collect(waiting, done, on_block)
        while waiting:
            self._collect(waiting, done, on_block)
        return pl.concat([done[number] for number in range(len(done))])

    def _collect(
        self, waiting: dict[Any, tuple[int, int]], done: dict[int, pl.DataFrame], on_block: Callable[[int], None] | None
    ) -> None:
        """Wait until a block is finished; move it from waiting to done."""
        import ray
        from ray.exceptions import RayError, RayTaskError

        try:
            ready = ray.wait(list(waiting), num_returns=1)[0][0]
            number, height = waiting.pop(ready)
            done[number] = ray.get(ready)
        except RayTaskError as error:
            if isinstance(error.cause, Exception):
                raise error.cause from error  # where it happened stands in Ray's error
            raise
        except RayError as error:
            raise ComputeError("compute.worker", number=number + 1, tries=RETRIES + 1, found=_first(error)) from error
        except ConnectionError as error:
            raise ComputeError("compute.lost", name=self.name, found=_first(error)) from error
        if on_block is not None:
            on_block(height)


@contextmanager
def started(name: str, *, workers: int | None = None) -> Iterator[Cluster]:
    """A cluster of this machine alone, for this process alone: it ends with the `with` block, or with the process.

    It listens on the loopback address only, behind a password made for it, and shows no page and reports to nobody.

    Raises
    ------
    ComputeError : compute.package, compute.connected, compute.start.
    """
    ray = _ray(name)
    folder = tempfile.mkdtemp(prefix="silian-")
    with _handler_kept():
        try:
            try:
                with _environment({**THREADS, **LOOPBACK, **SETTINGS, **_password()}):
                    ray.init(
                        "local", num_cpus=workers, num_gpus=0, include_dashboard=False, logging_level="ERROR",
                        log_to_driver=False, _node_ip_address="127.0.0.1", _temp_dir=folder,
                    )  # fmt: skip
            except (OSError, RuntimeError, ValueError) as error:  # what Ray raises where a process does not come up
                raise ComputeError("compute.start", name=name, found=_first(error)) from error
            yield Cluster(name, 1, int(ray.cluster_resources()["CPU"]))
        finally:
            ray.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def connected(name: str, *, host: str, port: int) -> Iterator[Cluster]:
    """A running cluster, reached by its client server; the connection ends with the `with` block.

    Raises
    ------
    ComputeError : compute.package, compute.connected, compute.unreachable, compute.version.
    """
    _knock(name, host, port)
    ray = _ray(name)
    with _handler_kept():
        try:
            try:
                _dial(ray, name)
            except (ConnectionError, RuntimeError, TimeoutError) as error:  # what Ray's client raises
                if "ersion mismatch" in str(error):
                    raise ComputeError("compute.version", name=name, found=" ".join(str(error).split())) from error
                raise ComputeError("compute.unreachable", name=name, found=_first(error)) from error
            machines = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
            if not machines:
                raise ComputeError("compute.unreachable", name=name, found="it has no worker")
            _refuse_other_versions(name, [node["NodeID"] for node in machines])
            yield Cluster(name, len(machines), sum(int(node["Resources"]["CPU"]) for node in machines))
        finally:
            ray.shutdown()


# ── in a worker ─────────────────────────────────────────────────────────────────────────────────────────────

_KEPT: dict[str, tuple[Callable[..., pl.DataFrame], dict[str, Any]]] = {}  # the job this worker is at, by its id


def _work(job: list[Any], block: pl.DataFrame) -> pl.DataFrame:
    """One block, in a worker; the verb and what it shares are taken out of the machine's memory the first time."""
    import ray

    key = job[0].hex()
    if key not in _KEPT:
        _KEPT.clear()
        _KEPT[key] = ray.get(job[0])
    verb, shared = _KEPT[key]
    return verb(block, **shared)


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────


def _ray(name: str) -> Any:
    try:
        with _environment(LOOPBACK):  # read when Ray is imported
            ray = import_module("ray")
            import_module("grpc")  # the client needs it
    except ImportError as error:
        raise ComputeError("compute.package", name=name, package=error.name) from error
    if ray.is_initialized():
        raise ComputeError("compute.connected", name=name)
    return ray


def _knock(name: str, host: str, port: int) -> None:
    """Find at once what Ray's client would find after half a minute."""
    try:
        socket.create_connection((host, port), timeout=PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise ComputeError("compute.unreachable", name=name, found=_first(error)) from error


def _dial(ray: Any, name: str) -> None:
    """Connect; once more where the cluster was too busy to start the process that serves this caller."""
    how = {"logging_level": "ERROR", "log_to_driver": False, "runtime_env": {"env_vars": THREADS}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a connection that takes long: it becomes an error in the end
        try:
            ray.init(name, **how)
        except ConnectionAbortedError:
            ray.init(name, **how)


def _refuse_other_versions(name: str, machines: list[str]) -> None:
    """Ask every machine for its versions; results are only the same where these are."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    asked = ray.remote(num_cpus=0, max_retries=RETRIES)(_asking(SAME))
    told = ray.get([
        asked.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote()
        for node in machines
    ])  # fmt: skip
    here = _asking(SAME)()
    for there in told:
        other = [f"{what} {there[what]} instead of {here[what]}" for what in here if there[what] != here[what]]
        if other:
            raise ComputeError("compute.version", name=name, found=", ".join(other))


def _asking(packages: tuple[str, ...]) -> Callable[[], dict[str, str]]:
    """A function that tells the versions where it is called; sent whole, since silian may be absent there."""

    def versions() -> dict[str, str]:
        found = {"Python": ".".join(platform.python_version_tuple()[:2])}
        for package in packages:
            try:
                found[package] = import_module(package).__version__
            except ImportError:
                found[package] = "(absent)"
        if found["silian"] != "(absent)":  # two copies of one version may differ while silian is worked on
            root = Path(str(import_module("silian").__file__)).parent
            sources = [path.read_bytes() for path in sorted(root.rglob("*.py")) if "tests" not in path.parts]
            found["silian"] += f" (code {hashlib.sha256(b''.join(sources)).hexdigest()[:8]})"
        return found

    return versions


@cache
def _password() -> dict[str, str]:
    """One for all clusters of this process, since Ray reads it once."""
    return {"RAY_AUTH_TOKEN": secrets.token_hex(32)}


@contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Environment of the processes that are started meanwhile; None leaves a variable out."""
    before = os.environ.copy()
    os.environ.update({name: value for name, value in values.items() if value is not None})
    for name in values.keys() - {name for name in values if values[name] is not None}:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _handler_kept() -> Iterator[None]:
    """While a cluster is open, Ray's handler of SIGTERM lets the process close it; then the old one is back."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _first(error: Exception) -> str:
    """What an error says first, and last where that only announces something: Ray puts pages of advice between."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return f"{lines[0]} {lines[-1]}" if lines[0].endswith(":") else lines[0]
