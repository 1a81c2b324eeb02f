"""A reader of one moment and a writer beside it, on the database that the tests run on."""

import subprocess
import sys

PROGRAM = """
import django; django.setup()
import threading
from django.db import connection, transaction
from silian.web.base.models import Place
from silian.web.base.moments import one_moment

def write(name):
    with transaction.atomic():
        Place.objects.create(place_id=name, level="park", name=name, parent=Place.root())

def beside():
    write("beside")
    connection.close()

with one_moment():
    before = Place.objects.count()
    other = threading.Thread(target=beside)
    other.start()
    other.join(20)
    assert not other.is_alive(), "the writer waits for the reader"
    assert Place.objects.count() == before, "the reader sees what came later"
assert Place.objects.count() == before + 1
write("after")
assert Place.objects.count() == before + 2
"""


def test_a_reader_sees_one_moment_and_no_writer_waits_for_it(own_database):
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=own_database, capture_output=True, text=True, check=False
    )

    assert told.returncode == 0, told.stderr
