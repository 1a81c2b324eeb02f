"""Files of arrays: whole or refused, whatever happens to them."""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from silian.errors import StoreError
from silian.tables.array_file import ALIGN, open_arrays, write_arrays

ARRAYS = {
    "codes": np.arange(100, dtype=np.int64),
    "rows": np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4),
    "none": np.zeros((0, 5), np.float64),
    "one": np.asarray(7, dtype=np.int32),
    "is_new": np.asarray([True, False]),
}
KINDS = [np.bool_, np.int8, np.uint8, np.int16, np.uint32, np.int64, np.float16, np.float32, np.float64]


def write(path, arrays=ARRAYS, *, kind="things", version=3, header=None):
    write_arrays(path, arrays, kind=kind, version=version, header=header or {"made": "2026"})


def read(path, *, kind="things", version=3, verify=True):
    return open_arrays(path, kind=kind, version=version, verify=verify)


@pytest.fixture
def kept(tmp_path):
    write(tmp_path / "kept.arrays")
    return tmp_path / "kept.arrays"


def rewritten(path, change):
    """The file with a changed header whose checksums fit, as a hostile writer would make it."""
    content = path.read_bytes()
    length = struct.unpack_from("<Q", content, 8)[0]
    told = json.loads(content[24 : 24 + length])
    change(told)
    text = json.dumps(told).encode()
    text += b" " * (-(24 + len(text)) % ALIGN)
    frame = struct.pack("<8sQI", b"SILIANAR", len(text), zlib.crc32(text))
    path.write_bytes(frame + struct.pack("<I", zlib.crc32(frame)) + text + content[24 + length :])
    return path


# ── what is written is read ──


def test_open_arrays_gives_what_was_written(kept):
    file = read(kept)

    assert file.header == {"made": "2026"}
    assert list(file.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert file.arrays[name].dtype == array.dtype
        assert file.arrays[name].shape == array.shape
        assert file.arrays[name].tobytes() == array.tobytes()


ANY_ARRAY = st.sampled_from(KINDS).flatmap(
    lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
)


@settings(max_examples=30, deadline=None)
@given(arrays=st.dictionaries(st.text(max_size=5), ANY_ARRAY, max_size=4))
def test_any_arrays_come_back_bit_by_bit(arrays, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "a"
    write(path, arrays)

    found = read(path).arrays

    assert [(n, a.dtype, a.shape, a.tobytes()) for n, a in found.items()] == [
        (n, a.dtype, a.shape, a.tobytes()) for n, a in arrays.items()
    ]


def test_arrays_in_other_order_of_bytes_or_axes_come_back_equal(tmp_path):
    given = {
        "big": np.arange(5, dtype=">i4"),
        "turned": np.arange(6.0).reshape(2, 3).T,
        "every_other": np.arange(9)[::2],
    }
    write(tmp_path / "a", given)

    found = read(tmp_path / "a").arrays

    assert all(np.array_equal(found[name], array) for name, array in given.items())
    assert all(array.flags.c_contiguous for array in found.values())


def test_arrays_of_a_file_cannot_be_changed_and_are_aligned(kept):
    for array in read(kept).arrays.values():
        assert not array.flags.writeable
        assert array.size == 0 or array.ctypes.data % ALIGN == 0


def test_same_arrays_make_the_same_bytes(kept, tmp_path):
    write(tmp_path / "again")

    assert (tmp_path / "again").read_bytes() == kept.read_bytes()


def test_write_arrays_makes_the_folder(tmp_path):
    write(tmp_path / "new" / "folder" / "a")

    assert [p.name for p in (tmp_path / "new" / "folder").iterdir()] == ["a"]


# ── broken files ──


def test_every_single_broken_byte_is_found(kept):
    whole = kept.read_bytes()

    for at in range(len(whole)):
        kept.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(StoreError) as caught:
            read(kept)
        assert caught.value.code in {"store.broken", "store.header", "store.foreign"}


def test_broken_byte_names_its_array(kept):
    whole = bytearray(kept.read_bytes())
    at = bytes(whole).index(ARRAYS["rows"].tobytes())
    whole[at + 5] ^= 1
    kept.write_bytes(bytes(whole))

    with pytest.raises(StoreError, match=r"store\.broken.*broken byte in rows: checksum [0-9a-f]{8}, wanted"):
        read(kept)

    assert read(kept, verify=False).arrays["codes"].sum() == 4950


@pytest.mark.parametrize("part", ["frame", "header"])
def test_broken_header_is_found_without_verifying(kept, part):
    whole = bytearray(kept.read_bytes())
    whole[9 if part == "frame" else 40] ^= 1
    kept.write_bytes(bytes(whole))

    with pytest.raises(StoreError, match=r"store\.header"):
        read(kept, verify=False)


def test_every_truncation_is_found_without_verifying(kept):
    whole = kept.read_bytes()

    for length in range(len(whole)):
        kept.write_bytes(whole[:length])
        with pytest.raises(StoreError) as caught:
            read(kept, verify=False)
        assert caught.value.code == ("store.foreign" if length < 24 else "store.length")


def test_bytes_behind_the_end_are_refused(kept):
    kept.write_bytes(kept.read_bytes() + b"\0" * 64)

    with pytest.raises(StoreError, match=r"store\.length.*something was written behind it"):
        read(kept)


# ── other files ──


def test_missing_file_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"store\.missing.*nowhere"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"x" * 1000, b"\x93NUMPY" + b"\0" * 100])
def test_foreign_file_is_refused(tmp_path, content):
    (tmp_path / "other").write_bytes(content)

    with pytest.raises(StoreError, match=r"store\.foreign.*other"):
        read(tmp_path / "other")


def test_folders_and_pipes_are_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(StoreError, match=r"store\.foreign.*no regular file"):
            read(path)


def test_unreadable_file_says_why(tmp_path):
    (tmp_path / "round").symlink_to(tmp_path / "round")

    with pytest.raises(StoreError, match=r"store\.unreadable.*round"):
        read(tmp_path / "round")


def test_another_kind_is_refused_by_name(kept):
    with pytest.raises(StoreError, match=r"store\.kind.*things, wanted grader"):
        read(kept, kind="grader")


def test_another_version_says_which_and_what_to_do(kept):
    with pytest.raises(StoreError, match=r"store\.version.*things of version 3; this silian reads version 4.*Build it"):
        read(kept, version=4)


def test_objects_are_not_written(tmp_path):
    with pytest.raises(StoreError, match=r"store\.type.*names is an array of object"):
        write(tmp_path / "a", {"names": np.asarray(["a", None], dtype=object)})

    assert list(tmp_path.iterdir()) == []


# ── hostile headers: checksums fit, places do not ──

HOSTILE = {
    "far": lambda t: t["arrays"]["rows"].update(offset=1 << 40),
    "behind": lambda t: t["arrays"]["rows"].update(offset=t["bytes"]),
    "before": lambda t: t["arrays"]["rows"].update(offset=-64),
    "between": lambda t: t["arrays"]["rows"].update(offset=8),
    "long": lambda t: t["arrays"]["rows"].update(shape=[1 << 62, 1 << 62]),
    "wraps": lambda t: t["arrays"]["rows"].update(shape=[1 << 32, 1 << 32]),
    "none of many": lambda t: t["arrays"]["rows"].update(shape=[0, 1 << 62]),
    "negative": lambda t: t["arrays"]["rows"].update(shape=[-3, -4]),
    "fraction": lambda t: t["arrays"]["rows"].update(shape=[3.0, 4]),
    "truth": lambda t: t["arrays"]["rows"].update(shape=[True]),
    "axes": lambda t: t["arrays"]["rows"].update(shape=[1] * 100),
    "object": lambda t: t["arrays"]["rows"].update(type="|O"),
    "text": lambda t: t["arrays"]["rows"].update(type="<U9999999"),
    "record": lambda t: t["arrays"]["rows"].update(type=[["a", "<f4"]]),
    "no type": lambda t: t["arrays"]["rows"].pop("type"),
    "no sum": lambda t: t["arrays"]["rows"].update(crc32=None),
    "list": lambda t: t.update(arrays=[]),
    "no list": lambda t: t["arrays"].update(rows=5),
    "no header": lambda t: t.pop("header"),
    "version": lambda t: t.update(version="3"),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_header_that_points_elsewhere_is_refused(kept, change):
    with pytest.raises(StoreError, match=r"store\.header"):
        read(rewritten(kept, change), verify=False)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"{}", b"null", b"\xff\xfe", b'{"kind": ' + b"9" * 10_000 + b"}"])
def test_header_that_is_no_description_is_refused(tmp_path, text):
    frame = struct.pack("<8sQI", b"SILIANAR", len(text), zlib.crc32(text))
    (tmp_path / "a").write_bytes(frame + struct.pack("<I", zlib.crc32(frame)) + text)

    with pytest.raises(StoreError, match=r"store\.header"):
        read(tmp_path / "a")


# ── writing while others read, and writers that die ──


def test_reader_keeps_the_file_that_it_mapped(kept):
    before = read(kept).arrays["codes"]
    write(kept, {"codes": np.zeros(100, np.int64)})

    assert before.sum() == 4950
    assert read(kept).arrays["codes"].sum() == 0


def test_closed_place_says_so_and_leaves_what_was(tmp_path):
    (tmp_path / "file").write_text("mine")

    with pytest.raises(StoreError, match=r"store\.unwritable"):
        write(tmp_path / "file" / "a")

    assert (tmp_path / "file").read_text() == "mine"


def test_folder_in_the_place_of_the_file_is_not_replaced(tmp_path):
    (tmp_path / "a").mkdir()

    with pytest.raises(StoreError, match=r"store\.unwritable"):
        write(tmp_path / "a")

    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def in_process(code, *arguments):
    """Python in a process of its own, begun."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_full_disk_leaves_what_was(kept):
    before = kept.read_bytes()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    code = """if True:
        import sys, numpy as np
        from pathlib import Path
        from silian.errors import StoreError
        from silian.tables.array_file import write_arrays
        try:
            write_arrays(Path(sys.argv[1]), {"a": np.zeros(100_000)}, kind="things", version=3, header={})
        except StoreError as error:
            print(error.code)
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(kept)], env=environment, capture_output=True, text=True, preexec_fn=limit, check=True  # noqa: E501
    )  # fmt: skip

    assert done.stdout.strip() == "store.unwritable"
    assert kept.read_bytes() == before
    assert [p.name for p in kept.parent.iterdir()] == [kept.name]


KILLED = """if True:
    import sys, time, numpy as np
    from pathlib import Path
    from silian.tables import array_file
    def stop(file):
        print("written", flush=True)
        time.sleep(600)
    array_file.os.fsync = stop
    array_file.write_arrays(Path(sys.argv[1]), {"a": np.ones(1000)}, kind="things", version=3, header={})
"""


def test_killed_writer_leaves_the_old_file_and_the_next_one_tidies(kept):
    before = kept.read_bytes()
    process = in_process(KILLED, kept)
    assert process.stdout.readline() == "written\n"
    assert len(list(kept.parent.iterdir())) == 2

    write(kept.parent / "other")  # no file of its own
    write(kept)  # the writer lives: its file stays
    assert len(list(kept.parent.iterdir())) == 3
    process.kill()
    process.communicate()
    assert kept.read_bytes() == before

    write(kept)
    assert sorted(p.name for p in kept.parent.iterdir()) == [kept.name, "other"]


WRITER = """if True:
    import sys, numpy as np
    from pathlib import Path
    from silian.tables.array_file import write_arrays
    who = int(sys.argv[2])
    for i in range(60):
        write_arrays(Path(sys.argv[1]), {"a": np.full(20_000, who)}, kind="things", version=3, header={"who": who})
"""


def test_two_writers_at_once_leave_one_whole_file_and_readers_see_only_whole_ones(kept):
    processes = [in_process(WRITER, kept, who) for who in (1, 2)]

    seen = set()
    while any(p.poll() is None for p in processes):
        file = read(kept)
        if "who" in file.header:
            seen.add(file.header["who"])
            assert (file.arrays["a"] == file.header["who"]).all()

    assert [p.wait() for p in processes] == [0, 0]
    for p in processes:
        p.stdout.close()
    assert seen <= {1, 2}
    assert read(kept).header["who"] in {1, 2}
    assert [p.name for p in kept.parent.iterdir()] == [kept.name]
