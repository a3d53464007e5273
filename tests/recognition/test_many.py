"""Very many files, in parts: on a cluster as without, and by address."""

import os
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import fsspec
import pandas as pd
import pytest
import torch
from PIL import Image

from mien.editing.editor import Editor
from mien.errors import InputError
from mien.media.remote import address_of, listed
from mien.models.io import save_model
from mien.models.registry import create
from mien.recognition.many import ReadOrder, all_marks, rows_of
from mien.recognition.read import find_rows
from mien.recognition.table import whole_frame
from mien.runtime.many import Actor, done_in, parts_of
from tests.helpers.clips import texture
from tests.helpers.tiny import TINY


@pytest.fixture
def album(tmp_path):
    """Seven crops, and a file that is none; they are read by an untrained model."""
    torch.manual_seed(0)
    save_model(create("evaluator", **TINY["evaluator"]), tmp_path / "tiny.safetensors")
    (tmp_path / "album").mkdir()
    for k in range(7):
        Image.fromarray(texture((48, 48), k)).save(tmp_path / "album" / f"{k}.png")
    (tmp_path / "album" / "4.jpg").write_bytes(b"no picture")
    return tmp_path / "album"


def order_of(album):
    return ReadOrder(partial(Editor, str(album.parent / "tiny.safetensors"), aligned=True))


def expected(album):
    return whole_frame(find_rows(order_of(album).open_editor(), [album]))


def table(folder):
    return pd.read_parquet(folder).sort_values("path", ignore_index=True)


def test_parts_are_rows_and_change_with_what_they_are_of(album, tmp_path):
    order, folder = order_of(album), tmp_path / "faces"
    parts = parts_of(all_marks([album]), order.made_by(), 3)
    assert [len(part.files) for part in parts] == [3, 3, 2] and done_in(folder, parts) == set()
    actor = Actor(order, str(folder))
    for part in parts:
        files = str(list(part.files)).replace("'", '"')
        found = actor({"name": [part.name], "files": [files]})
        assert found["name"] == [part.name] and found["failed"] == [int("4.jpg" in files)]
    pd.testing.assert_frame_equal(table(folder), expected(album).sort_values("path", ignore_index=True))
    assert len(done_in(folder, parts)) == 3
    (folder / "notes.parquet").write_bytes(b"")
    Image.fromarray(texture((48, 48), 9)).save(album / "6.png")  # of the last part
    later = parts_of(all_marks([album]), order.made_by(), 3)
    assert len(done_in(folder, later)) == 2 and len(list(folder.glob("part-*"))) == 2
    assert done_in(folder, parts_of(all_marks([album]), {"model": "other"}, 3)) == set()
    assert [path.name for path in folder.iterdir()] == ["notes.parquet"]


@dataclass(frozen=True)
class Fragile:
    """An order whose actor is killed at the fifth picture, the first time."""

    order: ReadOrder
    mark: Path

    def open(self):
        work = self.order.open()

        def fragile(file):
            if file.endswith("5.png") and not self.mark.exists():
                self.mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return work(file)

        return fragile

    def frame(self, rows):
        return self.order.frame(rows)


@pytest.mark.slow
def test_a_cluster_gives_the_same_rows_though_a_worker_is_killed(album, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray", reason="Ray is missing: pip install 'mien[ray]'")
    from mien.runtime.many import do_parts

    order, folder = order_of(album), tmp_path / "faces"
    parts = parts_of(all_marks([album]), order.made_by(), 2)
    root = Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([f"{root / 'src'}", f"{root}", os.environ.get("PYTHONPATH", "")]))
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        found = list(do_parts(parts, Fragile(order, tmp_path / "killed"), folder, 2))
        assert (tmp_path / "killed").exists() and sum(failed for _, failed in found) == 1
        pd.testing.assert_frame_equal(table(folder), expected(album).sort_values("path", ignore_index=True))
        (folder / parts[1].name).unlink()
        assert len(list(do_parts(parts, order, folder, 2))) == 1  # what is left
        pd.testing.assert_frame_equal(table(folder), expected(album).sort_values("path", ignore_index=True))
    finally:
        ray.shutdown()


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_addresses_are_read_as_files_are(album, tmp_path, scheme):
    root = f"file://{album}" if scheme == "file" else "memory://photos/album"
    if scheme == "memory":
        for path in album.iterdir():
            fsspec.filesystem("memory").pipe(f"/photos/album/{path.name}", path.read_bytes())
    editor, order = order_of(album).open_editor(), order_of(album)
    marks = all_marks([Path(root)])  # as the shell gives it: a stroke is lost
    assert len(marks) == 8 and all(one.startswith(f"{scheme}://") for one in marks)
    found = whole_frame([row for file in marks for row in rows_of(editor, file, "all", order.how())])
    same = expected(album)
    pd.testing.assert_frame_equal(found.drop(columns=["path", "error"]), same.drop(columns=["path", "error"]))
    assert [Path(p).name for p in found["path"]] == [Path(p).name for p in same["path"]]
    (error,) = found["error"].dropna()
    assert error.startswith(f"{list(listed(root))[4]}: not an image") and "mien-" not in error


def test_addresses_that_are_none():
    assert address_of("photos/a.jpg") is None and address_of("C:/a.jpg") is None
    assert address_of(Path("s3://bucket/a.jpg")) == "s3://bucket/a.jpg"
    with pytest.raises(InputError, match="nothere://x: cannot be read"):
        listed("nothere://x")
    with pytest.raises(InputError, match="memory://empty"):
        all_marks(["memory://empty"])
