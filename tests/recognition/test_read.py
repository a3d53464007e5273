"""Expressions of many photographs, read back by pandas; what fails is a row; what was done is not done again."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

import mien
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.faces.detect import find_faces
from mien.labels import CLASSES
from mien.media.sources import files_in, pictures
from mien.models.registry import create
from mien.recognition.read import each_row, find_rows, recognize_all
from tests.cli.test_cli import run
from tests.helpers.tiny import TINY


@pytest.fixture(scope="module")
def editor():
    torch.manual_seed(0)
    return Editor(create("judge", **TINY["judge"]))  # knows words and action units


@pytest.fixture
def album(tmp_path):
    """A folder with one face, two faces in a folder of their own, and three files that cannot be used."""
    folder = tmp_path / "album"
    (folder / "more").mkdir(parents=True)
    Image.fromarray(astronaut()).save(folder / "one.png")
    Image.fromarray(np.concatenate([astronaut(), astronaut()[:, ::-1]], 1)).save(folder / "more" / "two.png")
    (folder / "words.jpg").write_text("hello")
    (folder / "empty.webp").touch()
    Image.fromarray(np.full((99, 99, 3), 128, np.uint8)).save(folder / "wall.png")
    (folder / "notes.txt").write_text("no picture, and not asked for")
    return folder


def test_a_row_a_face_and_a_row_a_failure(editor, album):
    told = []
    table = recognize_all(editor, [album, album / "gone.jpg"], tell=lambda *progress: told.append(progress))
    assert told == [(k, 6) for k in range(1, 7)]
    good, bad = table[table.error.isna()], table[table.error.notna()]
    names = [(Path(path).name, number) for path, number in zip(good.path, good.number, strict=True)]
    assert names == [("two.png", 1), ("two.png", 2), ("one.png", 1)]
    assert [Path(path).name for path in bad.path] == ["empty.webp", "wall.png", "words.jpg", "gone.jpg"]
    assert "no face found" in bad.error.iloc[1] and "no such file" in bad.error.iloc[3]
    assert bad[["number", "x", "expression", *CLASSES, "AU12"]].isna().all(axis=None)
    asked = [np.asarray(Image.open(album / "more" / "two.png")), astronaut()]
    faces = [face for rgb in asked for face in find_faces(rgb, editor.landmarker)]
    for row, face in zip(good.itertuples(), faces, strict=True):
        assert row.eyes == "landmarks" == face.source
        assert (row.x, row.y, row.width, row.height) == pytest.approx(face.box, abs=0.05)
    # The figures are those of the single calls.
    assert good.iloc[2][list(CLASSES)].to_dict() == pytest.approx(editor.recognize(astronaut()), abs=1e-6)
    aus = editor.estimate_aus(astronaut())
    assert [good.iloc[2][f"AU{k:02d}"] for k in aus] == pytest.approx(list(aus.values()), abs=1e-4)
    assert (good.expression == good[list(CLASSES)].astype(float).idxmax(axis=1)).all()
    for path in (album / "one.png", str(album / "one.png")):  # alone, or in a list
        assert editor.recognize_all(path).path.tolist() == editor.recognize_all([path]).path.tolist() == [str(path)]


def test_one_face_by_number(editor, album):
    table = recognize_all(editor, [album / "more", album / "one.png"], number=2)
    assert table.number.tolist()[0] == 2 and "no face 2" in table.error[1]
    table = recognize_all(editor, [album / "more"], number=None)
    assert "2 faces found" in table.error[0]


def test_no_good_row_is_still_a_table(editor, album):
    table = recognize_all(editor, [album / "words.jpg"])
    assert len(table) == 1 and list(table.columns)[-1] == "error" and "happiness" in table
    (album / "bare").mkdir()
    with pytest.raises(InputError, match="holds no picture"):
        recognize_all(editor, [album / "bare"])
    with pytest.raises(InputError, match="eet cannot recognize"):
        recognize_all(Editor(create("eet", **TINY["eet"])), [album])


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_the_shell_writes_tables_that_pandas_reads(album, capsys, tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="parquet needs pyarrow: pip install 'mien[tables]'")
    path = tmp_path / f"faces{suffix}"
    code, out, _ = run(capsys, "recognize", album, "-o", path, "--model", "judge")
    assert code == 2 and "3 faces in" in out and "3 files failed" in out
    table = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}[suffix](path)
    expected = recognize_all(mien.Editor("judge"), [album])
    assert list(table.columns) == list(expected.columns)
    assert table.path.tolist() == expected.path.tolist() and table.error.isna().sum() == 3
    for name in ("number", "width", "happiness", "AU12"):
        assert np.allclose(table[name].astype(float), expected[name].astype(float), atol=1e-6, equal_nan=True)
    assert {p.name for p in tmp_path.iterdir()} == {"album", path.name}  # nothing beside it


def test_stdout_gives_every_face_on_request(album, capsys):
    words = ("recognize", album / "more", "--all", "--model", "judge")
    code, out, _ = run(capsys, *words, "--json")
    rows = json.loads(out)
    assert code == 0 and [r["number"] for r in rows] == [1, 2] and rows[0]["error"] is None and "AU12" in rows[0]
    code, out, _ = run(capsys, *words, "--csv")
    assert (
        out.splitlines()[0].startswith("path,number,x,y,width,height,eyes,expression,neutral") and out.count("\n") == 3
    )
    code, out, _ = run(capsys, *words)
    assert out.count("face 1: ") == out.count("face 2: ") == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [("faces.txt", "unknown suffix '.txt'; name the table .csv"), ("no/faces.csv", "there is no folder")],
)
def test_tables_that_cannot_be_are_told_before_the_work(album, capsys, tmp_path, name, says):
    code, _, err = run(capsys, "recognize", album, "-o", tmp_path / name)
    assert code == 2 and says in err and err.count("\n") == 1


class Counts(Editor):
    """An editor that remembers which pictures it was asked for, and is stopped at one of them."""

    def __init__(self, model, stop=math.inf):
        super().__init__(model)
        self.asked, self.stop = [], stop

    def crops(self, picture, number="all"):
        if len(self.asked) == self.stop:
            raise KeyboardInterrupt
        self.asked.append(Path(picture).name)
        return super().crops(picture, number)


def test_a_stopped_run_goes_on(editor, album, tmp_path):
    journal = tmp_path / ".faces.csv.part"
    stopped = Counts(editor.model, stop=3)
    with pytest.raises(KeyboardInterrupt):
        find_rows(stopped, [album], journal=journal)
    journal.write_text(journal.read_text() + '["half a li')  # as a kill leaves it
    again = Counts(editor.model)
    rows = find_rows(again, [album], journal=journal)
    assert rows == find_rows(editor, [album])
    assert len(stopped.asked) == 3 and len(again.asked) == 2 and not {*stopped.asked} & {*again.asked}
    # A picture that was changed since is looked at again; another question begins anew.
    Image.fromarray(astronaut()[:, ::-1]).save(album / "one.png")
    changed, other = Counts(editor.model), Counts(editor.model)
    find_rows(changed, [album], journal=journal)
    assert changed.asked == ["one.png"]
    find_rows(other, [album], number=1, journal=journal)
    assert len(other.asked) == 5


def test_a_full_disk_is_told_by_the_tables_name_and_leaves_nothing(editor, album, tmp_path):
    resource = pytest.importorskip("resource", reason="no such limits here")
    table, journal = tmp_path / "faces.csv", tmp_path / ".faces.csv.part"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(InputError, match=r"/faces\.csv: cannot be written"):
            list(each_row(editor, [album], journal=journal, table=table))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not journal.exists()
    assert len(find_rows(editor, [album], journal=journal)) == len(find_rows(editor, [album]))


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '[1]\n[1, 2, 3]\n7\nnull\n["a", {}]\n["a", [1]]', '["a", [{"path": 3}]]'],
    ids=["nested", "odd", "no row"],
)  # fmt: skip
def test_a_journal_that_somebody_wrote_into_is_no_end_to_it(editor, album, tmp_path, line):
    journal = tmp_path / ".faces.csv.part"
    before = find_rows(editor, [album], journal=journal)
    first = journal.read_text().splitlines()[0]
    journal.write_text(f"{first}\n{line}\n")
    again = Counts(editor.model)
    assert find_rows(again, [album], journal=journal) == before and len(again.asked) == 5


def test_clips_in_folders_are_read_with_pictures(album, caplog):
    (album / "party.mp4").touch()
    assert len(files_in([album])) == 6 and len(pictures([album])) == 5
    assert "party.mp4: a clip among pictures is passed over" in caplog.text
    only = album / "clips"
    only.mkdir()
    (album / "party.mp4").replace(only / "party.mp4")
    assert files_in([only]) == [only / "party.mp4"]
    with pytest.raises(InputError, match="holds no picture but 1 clips"):
        pictures([only])
    (only / "party.mp4").unlink()
    with pytest.raises(InputError, match="holds no picture and no clip"):
        files_in([only])


def test_pictures_of_telephones_are_found(tmp_path):
    for name in ("a.HEIC", "b.avif", "c.jp2", "d.gif", "e.ppm", "f.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in pictures([tmp_path])] == ["a.HEIC", "b.avif", "c.jp2", "d.gif", "e.ppm"]
