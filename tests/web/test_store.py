"""Where photographs and results lie: bounded, each its browser's, and gone with the process."""

import os
import signal
import subprocess
import sys
import tempfile

import pytest

from mien.errors import InputError
from mien.web.door import store as store_module
from mien.web.door.folder import clear, living_folder
from mien.web.door.store import KEPT, MADE, Store

HOLDER = """
import sys, time
from mien.web.door.folder import living_folder
with living_folder("mien-test-") as folder:
    (folder / "photograph.png").write_bytes(b"x")
    print(folder, flush=True)
    time.sleep(60)
"""


def thing(store, owner, kind="made", size=10):
    new = store.new(owner, kind)
    path = new.folder / "a.png"
    path.write_bytes(bytes(size))
    assert store.find(owner, new.name) is None  # not whole yet
    assert store.add(new, path) == path.parent.name
    return path


def name(path):
    return path.parent.name


def test_older_things_go_and_each_browser_has_its_own(tmp_path, monkeypatch):
    monkeypatch.setitem(KEPT, MADE, 3)
    store = Store(tmp_path)
    other, sent = thing(store, "bob"), thing(store, "ann", "sent")
    made = [thing(store, "ann") for _ in range(5)]
    assert [path.exists() for path in made] == [False, False, True, True, True] and other.exists() and sent.exists()
    assert store.find("ann", name(made[-1])) == made[-1] and store.find("ann", name(made[0])) is None
    assert store.find("bob", name(made[-1])) is None and store.find("ann", name(other)) is None
    assert store.sent("ann", name(sent)) == sent
    for path in (made[-1], other):  # a result is no file that was sent
        with pytest.raises(InputError, match="did not send"):
            store.sent("ann", name(path))
    assert len(list(tmp_path.iterdir())) == 5


def test_what_is_worked_on_stays_however_much_comes(tmp_path, monkeypatch):
    monkeypatch.setitem(KEPT, MADE, 3)
    store = Store(tmp_path)
    mine = thing(store, "ann")
    store.work_on("ann", name(mine))
    for _ in range(9):
        store.new("ann", MADE)
    assert mine.exists() and len(list(tmp_path.iterdir())) == 4


def test_all_browsers_together_have_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "ROOM", 100)
    store = Store(tmp_path)
    paths = [thing(store, f"browser {k}", size=40) for k in range(6)]
    assert [path.exists() for path in paths] == [False, False, False, False, True, True]


def test_a_browser_has_its_share_and_takes_nothing_of_others(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "SHARE", 100)
    store = Store(tmp_path)
    other, opened = thing(store, "bob", size=90), thing(store, "ann", "sent", 30)
    store.work_on("ann", name(opened))
    paths = [thing(store, "ann", kind, 40) for kind in ("sent", "many", "made")]
    assert [path.exists() for path in (other, opened, *paths)] == [True, True, False, False, True]


def test_names_cannot_be_guessed(tmp_path):
    store = Store(tmp_path)
    names = {store.new(f"ann {k}", "made").name for k in range(100)}
    assert len(names) == 100 and all(len(name) == 24 for name in names)


def test_one_browsers_things_go_and_nobody_elses(tmp_path):
    store = Store(tmp_path)
    gone, stays = thing(store, "ann"), thing(store, "bob")
    store.forget("ann")
    assert not gone.parent.exists() and store.find("bob", name(stays)) == stays


def test_all_goes_at_once(tmp_path):
    store = Store(tmp_path)
    path = thing(store, "ann")
    store.clear()
    assert not list(tmp_path.iterdir()) and store.find("ann", name(path)) is None


def test_a_killed_process_leaves_nothing_for_long_and_a_living_one_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    held = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": str(tmp_path)},
        )
        for _ in range(2)
    ]
    try:
        folders = [tmp_path / process.stdout.readline().strip() for process in held]
        held[0].send_signal(signal.SIGKILL)
        held[0].wait(30)
        (tmp_path / "mien-test-link").symlink_to(folders[1])
        (tmp_path / "mien-test-new").mkdir()  # begun, and not locked yet
        clear("mien-test-")
        assert [folder.exists() for folder in folders] == [False, True] and (folders[1] / "photograph.png").exists()
        assert (tmp_path / "mien-test-link").is_symlink() and (tmp_path / "mien-test-new").is_dir()
    finally:
        for process in held:
            process.kill()
            process.wait(30)
    with living_folder("mien-test-") as folder:
        assert not folders[1].exists() and folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
