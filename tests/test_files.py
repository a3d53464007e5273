"""Where a file may be written, and that it is written whole: whatever the place, the disk or the others do."""

import contextlib
import errno
import multiprocessing
import os
import socket
import stat
import subprocess
import sys
import time

import pytest

from mien.errors import InputError
from mien.files import (
    alone,
    check_folder,
    check_place,
    hidden,
    make_folder,
    path_text,
    place_of,
    remove_empty,
    remove_parts,
    whole,
    write_whole,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def make_pipe(path):
    os.mkfifo(path)


def make_socket(path):
    with contextlib.chdir(path.parent) if sys.version_info >= (3, 11) else contextlib.nullcontext():
        made = socket.socket(socket.AF_UNIX)
        made.bind(path.name if sys.version_info >= (3, 11) else str(path))
        made.close()


NO_FILES = {
    "pipe": (make_pipe, "is a named pipe"),
    "socket": (make_socket, "is a socket"),
    "link to a device": (lambda path: path.symlink_to("/dev/null"), "is a device"),
    "link to itself": (lambda path: path.symlink_to(path.name), "no file can be written there"),
    "folder": (lambda path: path.mkdir(), "a folder stands in the place"),
    "link to a folder": (lambda path: path.symlink_to("."), "a folder stands in the place"),
}


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_never_replaced(tmp_path, kind):
    make, says = NO_FILES[kind]
    path = tmp_path / "out.png"
    make(path)
    before = path.lstat()
    for write in (check_place, lambda path: write_whole(path, b"new")):
        with pytest.raises(InputError, match=says) as caught:
            write(path)
        assert str(path) in str(caught.value)
    after = path.lstat()
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)
    assert names(tmp_path) == ["out.png"]


@pytest.mark.parametrize(
    ("name", "says"),
    [("x" * 256, "File name too long"), ("file/out.png", "there is no folder"), ("no/out.png", "there is no folder"),
     ("a\0b", "embedded null")],
)  # fmt: skip
def test_places_where_no_file_can_be(tmp_path, name, says):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=says):
        check_place(tmp_path / name)


def test_a_link_stays_a_link_and_a_private_file_private(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link.txt").symlink_to("real/file.txt")
    write_whole(tmp_path / "link.txt", "one")  # the link leads nowhere yet
    (tmp_path / "real" / "file.txt").chmod(0o600)
    write_whole(tmp_path / "link.txt", "two")
    assert (tmp_path / "link.txt").is_symlink() and (tmp_path / "real" / "file.txt").read_text() == "two"
    assert stat.S_IMODE((tmp_path / "real" / "file.txt").stat().st_mode) == 0o600
    assert names(tmp_path / "real") == ["file.txt"]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("x"), KeyboardInterrupt]
)
def test_after_any_error_all_is_as_before(tmp_path, error):
    path = tmp_path / "out.bin"
    path.write_bytes(b"old")
    expected = InputError if isinstance(error, OSError) else error if isinstance(error, type) else type(error)
    with pytest.raises(expected) as caught, whole(path) as beside:
        beside.write_bytes(b"half")
        raise error
    if expected is InputError:
        assert str(path) in str(caught.value) and "No space left" in str(caught.value)
    assert names(tmp_path) == ["out.bin"] and path.read_bytes() == b"old"


def test_two_writers_of_one_place_do_not_meet(tmp_path):
    path = tmp_path / "out.bin"
    with whole(path) as first:
        first.write_bytes(b"first, be")
        with whole(path) as second:
            assert first != second
            second.write_bytes(b"second")
        assert path.read_bytes() == b"second"
        with first.open("ab") as file:
            file.write(b"gun")
    assert path.read_bytes() == b"first, begun" and names(tmp_path) == ["out.bin"]


@pytest.mark.parametrize("length", [1, 199, 200, 201, 251, 255])
def test_names_of_any_length(tmp_path, length):
    name = ("é" * 127 + "x")[: length // 2] + "y" * (length - 2 * (length // 2)) if length > 1 else "y"
    assert len(os.fsencode(name)) == length
    write_whole(tmp_path / name, b"whole")
    assert names(tmp_path) == [name]
    assert len(os.fsencode(hidden(tmp_path / name, "part").name)) <= 255


def test_long_names_have_hidden_files_of_their_own(tmp_path):
    one, other = (hidden(tmp_path / ("x" * 250 + end), "part") for end in "ab")
    assert one != other and hidden(tmp_path / "faces.csv", "part").name == ".faces.csv.part"


def test_parts_of_dead_processes_go_and_those_of_living_ones_stay(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with whole(tmp_path / "out.mp4") as living:
        living.write_bytes(b"half")
        left = living.with_name(living.name.replace(f"-{os.getpid()}-", f"-{dead.pid}-"))
        other = left.with_name(left.name.replace("out.mp4", "other.mp4"))
        for path in (left, other, tmp_path / ".out.mp4.mine"):
            path.write_bytes(b"half")
        remove_parts(tmp_path / "out.mp4")
        assert living.exists() and other.exists() and not left.exists()
    assert names(tmp_path) == sorted(["out.mp4", other.name, ".out.mp4.mine"])


def hold(path, ready):
    with alone(path):
        ready.set()
        time.sleep(60)


def test_one_process_at_a_time(tmp_path):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    other = context.Process(target=hold, args=(tmp_path, ready))
    other.start()
    try:
        assert ready.wait(20)
        with pytest.raises(InputError, match="another mien is at work there"), alone(tmp_path):
            pass
    finally:
        other.kill()
        other.join()
    with alone(tmp_path):  # free again, though nobody gave it back
        pass


@pytest.mark.parametrize("name", ["file", "file/below", "loop/below", "nowhere", "nowhere/below", "x" * 256])
def test_folders_that_cannot_be_made(tmp_path, name):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("gone")
    with pytest.raises(InputError) as caught:
        check_folder(tmp_path / name)
    assert name in str(caught.value)
    check_folder(tmp_path / "new" / "and" / "below")
    check_folder(tmp_path)


def test_paths_are_text_that_any_encoding_takes():
    assert path_text(os.fsdecode(b"caf\xe9.jpg")) == "caf\\xe9.jpg"
    assert path_text("łódź→.jpg") == "łódź→.jpg"
    path_text("\ud800\udfff").encode()


def test_place_of_is_where_links_lead(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("c")
    assert place_of(tmp_path / "a") == (tmp_path / "c").resolve()


def test_folders_into_which_nothing_came_go(tmp_path):
    (tmp_path / "before").mkdir()
    for name in ("before", "empty/inner", "full"):
        make_folder(tmp_path / name)
    write_whole(tmp_path / "full" / "a", "a")
    with pytest.raises(RuntimeError), whole(tmp_path / "new" / "b"):
        raise RuntimeError
    remove_empty()
    assert names(tmp_path) == ["before", "full"]
