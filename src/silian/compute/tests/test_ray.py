"""Clusters and callers as processes of their own: what is reached, what is refused, and what is left behind.

The tests of the cluster that is reached over the network build on each other, from top to bottom.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

import silian

pytestmark = pytest.mark.cluster

RAY = Path(sys.executable).with_name("ray")
CALLER = [sys.executable, "-m", "silian.compute.tests.caller"]
ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(Path(silian.__file__).parent.parent),
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "open sesame " * 4,
    "RAY_CLIENT_RECONNECT_GRACE_PERIOD": "1",
}


def called(*arguments, **environment) -> subprocess.Popen:
    """A program that opens a runner."""
    command = [*CALLER, *map(str, arguments)]
    return subprocess.Popen(
        command, env=ENVIRONMENT | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def answer(process) -> list:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out)


def last_word(process) -> str:
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1, err
    return err


def wait_until(is_so, *, seconds=60.0):
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


# ── a cluster of this machine alone ──


@pytest.fixture
def short_folder():
    """A folder whose name is short enough for sockets in it: theirs may have 107 bytes."""
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield folder


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_runner_leaves_no_process_behind_when_its_program_is_stopped(tmp_path, short_folder, sign):
    process = called("ray:local:1", tmp_path, TMPDIR=short_folder)
    wait_until(lambda: any(tmp_path.iterdir()) or process.poll() is not None)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) > 2

    process.send_signal(sign)
    process.communicate(timeout=60)

    wait_until(lambda: not any(is_at_work(child) for child in children))


def is_at_work(process) -> bool:
    """Whether a process of a cluster runs. Two helpers of Ray that find nobody to talk to take a minute to end."""
    try:
        is_helper = process.cmdline()[:1] in (["ray::DashboardAgent"], ["ray::RuntimeEnvAgent"])
        return process.status() != psutil.STATUS_ZOMBIE and not is_helper
    except psutil.NoSuchProcess:
        return False


def test_runner_leaves_no_file_behind(short_folder):
    assert answer(called("ray:local:1", TMPDIR=short_folder)) == [1, 1, True]
    assert list(Path(short_folder).iterdir()) == []


def test_runner_says_when_a_cluster_does_not_start(tmp_path):
    deep = tmp_path / ("deep" * 25)
    deep.mkdir()

    assert "[compute.start]" in last_word(called("ray:local:1", TMPDIR=str(deep)))


# ── a cluster that is reached over the network ──


class Network:
    """Machines of a cluster, each of them processes on this one."""

    def __init__(self, folder):
        self.folder, self.machines = folder, []
        self.port, self.client_port = free_ports(2)
        self.name = f"ray://127.0.0.1:{self.client_port}"

    def start(self, *options, **environment):
        """One more machine; the first one is the head, which does no work."""
        command = [RAY, "start", "--block", "--disable-usage-stats", *options]
        said = (self.folder / f"{len(self.machines)}.txt").open("w")
        with said:
            process = subprocess.Popen(
                command, env=ENVIRONMENT | environment, stdout=said, stderr=said, start_new_session=True
            )
        self.machines.append(process)
        wait_until(lambda: "Ray runtime started" in Path(said.name).read_text(), seconds=120)

    def start_head(self):
        self.start("--head", "--num-cpus=0", f"--port={self.port}", f"--ray-client-server-port={self.client_port}",
                   "--include-dashboard=false", f"--temp-dir={self.folder}")  # fmt: skip
        wait_until(self.answers)

    def start_worker(self, **environment):
        self.start(f"--address=127.0.0.1:{self.port}", "--num-cpus=1", **environment)

    def answers(self) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.client_port)) == 0

    def stop(self):
        """End every process of every machine."""
        machines = [psutil.Process(machine.pid) for machine in self.machines if machine.poll() is None]
        for process in [*(child for machine in machines for child in machine.children(recursive=True)), *machines]:
            process.kill()
        for machine in self.machines:
            machine.wait()


def free_ports(count: int) -> list[int]:
    """Ports below those that Ray gives to its workers."""
    found = []
    for port in range(9000, 10000):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)):
                found.append(port)
        if len(found) == count:
            return found
    raise OSError(found)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    made = Network(tmp_path_factory.mktemp("ray"))
    try:
        made.start_head()
        yield made
    finally:
        made.stop()


def test_runner_refuses_a_cluster_without_workers(network):
    assert "it has no worker" in last_word(called(network.name))


def test_runner_refuses_a_wrong_password(network):
    said = last_word(called(network.name, RAY_AUTH_TOKEN="open barley " * 4))

    assert "[compute.unreachable]" in said
    assert "the password" in said
    assert "Warning" not in said


def test_runner_refuses_a_cluster_of_another_ray(network):
    said = last_word(called(network.name, "", "2.0.0"))

    assert "[compute.version]" in said
    assert "Ray: 2.0.0" in said


def test_runner_gives_the_same_on_two_machines(network):
    network.start_worker()
    network.start_worker()

    assert answer(called(network.name)) == [2, 2, True]


def test_runner_refuses_a_cluster_with_another_silian(network, tmp_path):
    (tmp_path / "silian").mkdir()
    (tmp_path / "silian" / "__init__.py").write_text('__version__ = "0.0.1"\n')
    network.start_worker(PYTHONPATH=str(tmp_path))

    said = last_word(called(network.name))

    assert "[compute.version]" in said
    assert "silian 0.0.1 (code" in said
    assert f"instead of {silian.__version__} (code" in said
    network.machines[-1].terminate()
    network.machines[-1].wait()


def test_map_blocks_says_when_the_cluster_goes_away(network, tmp_path):
    process = called(network.name, tmp_path)
    wait_until(lambda: any(tmp_path.iterdir()) or process.poll() is not None)

    network.stop()

    assert "[compute.lost]" in last_word(process)
