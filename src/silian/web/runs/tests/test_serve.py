"""The site keeps its processes running, ends them together, and says why it cannot start."""

import io
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django_tasks_db.models import DBTaskResult

from silian.errors import WebError
from silian.web.base.operation.tests.sites import Site
from silian.web.catalog.models import Attachment, Export, Import
from silian.web.catalog.tasks import TRIES, export_task, sweep
from silian.web.runs.management.commands import serve, work


def test_serve_says_that_the_address_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(CommandError, match=r"web\.port.*127\.0\.0\.1"):
            call_command("serve", bind=f"127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.parametrize("bind", ["127.0.0.1:99999", "127.0.0.1:http//", "no.such.host.invalid:80"])
def test_serve_says_that_the_address_is_none(bind):
    with pytest.raises(CommandError, match=r"web\.port"):
        call_command("serve", bind=bind)


def test_serve_says_that_its_folder_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(WebError, match=r"web\.folder"):
        serve._make_home(tmp_path / "file" / "home")


def test_a_server_has_loaded_every_page_before_the_first_request(tmp_path):
    told = Site(tmp_path, "").script("import sys, silian.web.wsgi; print('silian.web.urls' in sys.modules)")
    assert told == "True\n"


def test_server_workers_and_keeper_load_no_compiler(tmp_path):
    for name in ("runs.management.commands.work", "catalog.management.commands.keep_index", "wsgi"):
        told = Site(tmp_path, "").script(
            f"import sys, silian.web.{name}; print(sys.modules.keys() & {{'numba', 'scipy'}})"
        )
        assert told == "set()\n"


def test_nothing_is_wrong_with_the_configuration(tmp_path):
    Site(tmp_path, "").do("check", "--fail-level", "WARNING")


def test_serve_takes_half_written_uploads_away(tmp_path):
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "half.upload.xlsx").write_bytes(b"half")

    serve._make_home(tmp_path)

    assert list((tmp_path / "uploads").iterdir()) == []


def test_serve_hands_its_address_to_the_server_and_to_nobody_else(monkeypatch):
    seen = {}

    def keep(commands, *, handed):
        number = handed["server"][0]
        with socket.socket(fileno=os.dup(number)) as own:
            seen.update(handed=handed, number=number, at=own.getsockname(), server=commands["server"])

    monkeypatch.setattr(serve, "_keep", keep)
    monkeypatch.setattr(serve, "_make_home", lambda _: None)
    monkeypatch.setattr(serve.starting, "put_in_order", lambda _: None)
    monkeypatch.setattr(serve.Command, "_prepare", lambda *_: None)
    monkeypatch.setenv("SILIAN_ADDRESS", "")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    call_command("serve", bind=f"127.0.0.1:{address[1]}", stdout=io.StringIO())

    assert (seen["at"], [*seen["handed"]]) == (address, ["server"])
    assert seen["server"][seen["server"].index("--bind") + 1] == f"fd://{seen['number']}"


def test_a_worker_does_again_what_the_database_left_in_the_middle(people, monkeypatch):
    def gone(*_):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("silian.web.catalog.exchange.exports.sweep", gone)
    export_task.enqueue(1)
    worker = work._Worker(
        queue_names=["*"], excluded_queue_names=[], worker_id="here", backend_name="default",
        interval=0, batch=True, startup_delay=False, max_tasks=None,
    )  # fmt: skip
    told = []
    for _ in range(TRIES):
        task = DBTaskResult.objects.ready().get(task_path=export_task.module_path)
        task.claim(worker.worker_id)
        worker.run_task(task)
        told.append(DBTaskResult.objects.get(pk=task.pk).status)

    assert told == ["READY", "READY", "FAILED"]


def test_serve_gives_up_a_process_that_ends_again_and_again(monkeypatch):
    monkeypatch.setattr(serve, "LOOK", 0.02)
    before = signal.getsignal(signal.SIGTERM)

    try:
        with pytest.raises(WebError, match=r"web\.dies.*faulty"):
            serve._keep({"faulty": ["false"], "other": ["sleep", "100"]})
    finally:
        signal.signal(signal.SIGTERM, before)


def test_serve_starts_a_killed_process_again_and_ends_all_of_them(tmp_path):
    note = tmp_path / "started"
    child = f"import os, time; open({str(note)!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(100)"
    script = (
        "from silian.web.runs.management.commands import serve; serve.LOOK = .02; "
        f"serve._keep({{'child': [{sys.executable!r}, '-c', {child!r}]}})"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "silian.web.settings", "SILIAN_HOME": str(tmp_path)}
    command = [sys.executable, "-c", f"import django; django.setup(); {script}"]
    with subprocess.Popen(command, env=environment) as keeper:
        first = started(note, 1)[0]
        os.kill(first, signal.SIGKILL)
        second = started(note, 2)[1]
        keeper.terminate()
        assert keeper.wait(60) == 0

    assert first != second
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


def test_who_asks_while_the_server_is_started_again_waits_for_the_next(tmp_path):
    note = tmp_path / "started"
    child = f"""import os, socket, sys
with socket.socket(fileno=int(sys.argv[1])) as listening:
    listening.listen()
    open({str(note)!r}, 'a').write(f'{{os.getpid()}} ')
    while True:
        asking, _ = listening.accept()
        asking.sendall(str(os.getpid()).encode())
        asking.close()
"""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    script = f"""import django; django.setup()
from silian.web.runs.management.commands import serve
listening = serve._listening("{address[0]}:{address[1]}")
number = listening.fileno()
serve._keep({{"server": [{sys.executable!r}, "-c", {child!r}, str(number)]}}, handed={{"server": (number,)}})
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "silian.web.settings", "SILIAN_HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as keeper:
        try:
            first = psutil.Process(started(note, 1)[0])
            first.kill()
            while first.is_running() and first.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.02)
            with socket.create_connection(address, timeout=120) as asking:
                answered = int(asking.recv(20))
        finally:
            keeper.terminate()

    assert answered == started(note, 2)[1] != first.pid


def started(note, count):
    over = time.monotonic() + 120
    while time.monotonic() < over:
        found = [int(number) for number in note.read_text().split()] if note.exists() else []
        if len(found) >= count:
            return found
        time.sleep(0.02)
    raise AssertionError(count)


def test_sweep_takes_away_files_that_no_row_names(people, monkeypatch, tmp_path, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    monkeypatch.setattr("silian.web.catalog.tasks.ORPHAN", -1)
    for name in ("kept", "orphan"):
        (tmp_path / "imports" / name).mkdir(parents=True)
        (tmp_path / "imports" / name / "file.csv").touch()
        (tmp_path / "exports" / name).mkdir(parents=True)
        (tmp_path / "attachments").mkdir(exist_ok=True)
        (tmp_path / "attachments" / name).touch()
    user = people["broker"].user
    Import.objects.create(by=user, name="a", file="imports/kept/file.csv")
    Export.objects.create(by=user, noun="needs", file="exports/kept/file.csv")
    Attachment.objects.create(noun="needs", record_id="N1", file="attachments/kept", name="a.txt", size=0)

    sweep()

    for folder in ("imports", "exports", "attachments"):
        assert [each.name for each in (tmp_path / folder).iterdir()] == ["kept"]
