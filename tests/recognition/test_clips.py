"""Clips and pictures read into one table, by the verbs, with an untrained reader."""

import csv
import json
import socket
from io import StringIO

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from mien.editing.editor import Editor
from mien.labels import AUS, CLASSES, au_columns
from mien.models.io import save_model
from mien.models.registry import create
from mien.recognition import read
from mien.recognition.clips import clip_rows
from mien.recognition.face import How
from mien.recognition.read import find_rows
from mien.runtime import blendshape_reader
from mien.runtime.engine import Readings
from tests.cli.test_cli import run
from tests.helpers.clips import pair, studio_face, texture, write_clip
from tests.helpers.tiny import TINY


class Fake:
    """A reader that finds half of every unit and the head turned, trembling from face to face."""

    name, size = "fake", 256

    def __init__(self, noise=0.4):
        self.rng, self.noise = np.random.default_rng(0), noise

    def readings(self, crops):
        assert crops.shape[1:] == (256, 256, 3)
        whole = np.ones(len(crops)) + self.noise * self.rng.uniform(-1, 1, len(crops))
        sides = 2.5 * np.ones((2, 1, len(AUS))) * whole[:, None]
        return Readings(sides[0], sides[1], 40 * whole, whole, np.outer(whole, (9.0, 0.0)))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return create("reader", **TINY["reader"])


@pytest.fixture
def album(tmp_path):
    """A folder with a clip of aligned crops and a picture, and a clip that is none."""
    folder = tmp_path / "album"
    folder.mkdir()
    frames = [np.roll(texture((96, 96)), 3 * k, 1) for k in range(8)]
    write_clip(folder / "b.mp4", frames, pix="yuv444p")
    Image.fromarray(texture((96, 96), 5)).save(folder / "a.png")
    (folder / "c.mp4").write_text("no clip")
    return folder


@pytest.fixture
def words(model, tmp_path):
    save_model(model, tmp_path / "reader.safetensors")
    return "--aligned", "--model", tmp_path / "reader.safetensors"


def test_pictures_and_clips_are_one_table(album, words, capsys, tmp_path):
    path = tmp_path / "faces.csv"
    code, out, err = run(capsys, "recognize", album, "-o", path, *words)
    assert code == 2 and "9 faces in" in out and "1 file failed" in out and err.count("mien:") == 1, err
    table = pd.read_csv(path)
    assert list(table.columns)[:9] == ["path", "frame", "time", "number", "x", "y", "width", "height", "eyes"]
    assert table.path.str[-5:].tolist() == ["a.png", *["b.mp4"] * 8, "c.mp4"]
    assert table.frame.tolist()[1:9] == list(range(8)) and table.time[8] == 7 / 25 and np.isnan(table.frame[0])
    good = table[table.error.isna()]
    further = ["yaw", "pitch", "roll", "turned", "gaze_x", "gaze_y", "AU12", "AU12_L", "AU12_R", "AU12_present"]
    assert good[[*further, *CLASSES]].notna().all(axis=None) and (good.eyes == "given").all()
    assert not {"unsure", "score", "eye_left"} & set(table.columns)  # not asked; crops that are aligned have none
    assert (good["AU12"] == good[["AU12_L", "AU12_R"]].max(axis=1)).all()
    # aus writes the same table, in any form
    code, out, _ = run(capsys, "aus", album, "-o", tmp_path / "faces.parquet", *words)
    again = pd.read_parquet(tmp_path / "faces.parquet")
    assert code == 2 and list(again.columns) == list(table.columns)
    numbers = [*further, *CLASSES, "frame", "number"]
    np.testing.assert_allclose(again[numbers].astype(float), table[numbers].astype(float), atol=1e-6)


def test_what_is_printed_of_both(album, words, capsys):
    code, out, err = run(capsys, "recognize", album, "--csv", *words)
    rows = list(csv.DictReader(StringIO(out)))
    assert code == 2 and "c.mp4" in err and len(rows) == 9
    assert list(rows[0]) == ["file", "frame", "time", "expression", *sorted(CLASSES)]
    assert [row["frame"] for row in rows] == ["", *map(str, range(8))]
    code, out, _ = run(capsys, "aus", album / "a.png", "--csv", *words)
    (row,) = csv.DictReader(StringIO(out))
    assert code == 0 and list(row) == ["file", *au_columns()]
    _, out, _ = run(capsys, "aus", album / "a.png", "--json", *words)
    assert list(json.loads(out)[0]) == ["file", *au_columns()]
    _, out, _ = run(capsys, "aus", album / "b.mp4", "--json", *words)
    assert [row["time"] for row in json.loads(out)] == [k / 25 for k in range(8)]
    _, out, _ = run(capsys, "aus", album / "b.mp4", *words)
    assert out.count("\n") == 1 and "that person in 8 of 8 frames" in out
    _, out, _ = run(capsys, "recognize", album / "b.mp4", "--all", "--min-confidence", "1", *words)
    assert "b.mp4 person 1: " in out
    _, out, _ = run(capsys, "recognize", album / "a.png", "--all", "--min-confidence", "1", "--csv", *words)
    (row,) = csv.DictReader(StringIO(out))
    assert (row["expression"], row["unsure"]) == ("unsure", "1")


def test_a_killed_table_goes_on_after_a_clip(album, model, tmp_path, monkeypatch):
    editor = Editor(model, aligned=True)
    journal = tmp_path / ".faces.csv.part"
    before = find_rows(editor, [album], journal=journal)
    text = journal.read_text()
    journal.write_text(text[: text.index("c.mp4") - 40])  # killed while the last file was read
    asked = []
    monkeypatch.setattr(read, "clip_rows", lambda editor, path, *more: asked.append(path.name) or iter(()))
    assert find_rows(editor, [album], journal=journal) == before[:-1] and asked == ["c.mp4"]
    asked.clear()
    find_rows(editor, [album], journal=journal, how=How(smooth=True))  # other rows: from the beginning
    assert asked == ["b.mp4", "c.mp4"]


def test_units_are_smoothed_on_request(album, model):
    editor = Editor(model, aligned=True)
    raw, smooth = (list(clip_rows(editor, album / "b.mp4", how=How(Fake(), smooth=s))) for s in (False, True))
    for name in ("AU12", "AU12_L", "yaw", "gaze_x"):
        steps = [np.abs(np.diff([row[name] for row in rows])).sum() for rows in (raw, smooth)]
        assert raw[0][name] == smooth[0][name] and 0 < steps[1] < steps[0]
    assert all(row["turned"] == (abs(row["yaw"]) > 30) for row in smooth)


def test_other_tools_words_on_the_screen(album, words, capsys):
    code, out, err = run(capsys, "recognize", album / "b.mp4", "--columns", "openface", *words)
    rows = list(csv.DictReader(StringIO(out)))
    assert code == 0 and [row["frame"] for row in rows] == [str(k) for k in range(1, 9)], err
    assert all(row["success"] == "1" and row["AU12_r"] and row["pose_Ry"] for row in rows)
    code, out, _ = run(capsys, "aus", album / "b.mp4", "--columns", "arkit", "--json", *words)
    assert len(json.loads(out)) == 8 and 0 <= json.loads(out)[3]["mouthSmileLeft"] <= 1


def test_live_plot_and_elan(album, words, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        live = ("--osc", f"127.0.0.1:{listener.getsockname()[1]}")
        drawn = ("--plot", tmp_path / "plot.png", "--elan", tmp_path / "elan.csv")
        code, _, err = run(capsys, "recognize", album / "b.mp4", *live, *drawn, *words)
        assert code == 0, err
        assert all(listener.recv(65_536).startswith(b"#bundle\0") for _ in range(8))
    assert Image.open(tmp_path / "plot.png").size[0] > 1000
    assert (tmp_path / "elan.csv").read_text().startswith("tier,begin,end,value\nexpression,00:00:00.000,")


def test_mediapipe_reads_in_place_of_the_model(album, words, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(blendshape_reader, "find_reader", lambda name: Fake(0))
    code, out, err = run(capsys, "aus", album / "a.png", "--all", "--csv", "--reader", "mediapipe:a.task", *words)
    (row,) = csv.DictReader(StringIO(out))
    assert code == 0 and (row["AU12_L"], row["turned"], row["yaw"]) == ("2.5", "1", "40.0"), err
    assert float(row["happiness"]) > 0  # words stay the model's


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--columns", "facet"), "--columns facet: choose from"),
        (("--osc", "nowhere"), "--osc nowhere: expected HOST:PORT"),
        (("--reader", "net"), "--reader net: expected mediapipe:FILE.task"),
        (("--plot", "plot.gif"), "plot.gif: unknown suffix"),
        (("--plot", "b.mp4/plot.png"), "there is no folder"),
        (("--elan", "no/such/elan.csv"), "there is no folder"),
        (("-o", "t.csv", "--elan", "t.csv"), "--elan t.csv: is -o"),
        (("--elan", "b.mp4"), "is the picture"),
    ],
)
def test_bad_options_are_one_line(album, words, capsys, monkeypatch, options, told):
    monkeypatch.chdir(album)
    before = sorted(album.iterdir())
    code, out, err = run(capsys, "recognize", "b.mp4", *options, *words)
    assert code == 2 and told in " ".join(err.split()) and err.count("mien:") == 1 and not out, err
    assert sorted(album.iterdir()) == before


def test_everybody_in_a_clip(model, tmp_path):
    """Two rendered people side by side, of whom the left one is away for a while."""
    left, right = studio_face(), studio_face("happiness", 0.5, 501)
    path = write_clip(tmp_path / "two.mp4", [pair(None if 5 <= k < 14 else left, right) for k in range(18)])
    rows = list(clip_rows(Editor(model), path, "all"))
    seen = [[row["number"] for row in rows if row["frame"] == k and "number" in row] for k in range(18)]
    assert seen == [[2] if 5 <= k < 14 else [1, 2] for k in range(18)]
    assert all((row["x"] < 160) == (row["number"] == 1) and 0 < row["eye_left"] < 1 for row in rows)
    empty = write_clip(tmp_path / "sea.mp4", [np.full((64, 64, 3), 99, np.uint8)] * 2)
    assert [row.keys() for row in clip_rows(Editor(model), empty, "all")] == [{"path", "frame", "time"}] * 2
