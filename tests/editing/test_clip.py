"""Clip in, clip out, with untrained models: the way there and back, not the looks."""

import csv
import json
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mien.controls import Controls
from mien.editing import clip
from mien.editing.clip import CORRECTED, Changer, TemporalFilter, change_clip, fit_to_clip
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.faces.morph import Maps
from mien.faces.one_euro import one_euro
from mien.labels import CLASSES
from mien.media.provenance import read_stamp, stamp_in
from mien.media.video.reader import ClipReader
from mien.media.video.xmp_box import read_packet
from mien.models.io import save_model
from mien.models.registry import create
from mien.recognition.clips import clip_rows
from tests.cli.test_cli import run
from tests.helpers.clips import pair, read_frames, scene, sound_of, studio_face, texture, write_clip
from tests.helpers.tiny import TINY


def fear(_):
    return Controls("fear")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = create("ter_gan", image_size=32, width=2, subjects=2)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, 0, 0.6)  # changes that are seen
    model.class_codes.total.normal_()
    model.class_codes.count.fill_(1)
    return model


@pytest.fixture
def aligned(model):
    return Editor(model, aligned=True)


@pytest.fixture
def crops(tmp_path):
    """A clip of aligned crops that change, with sound."""
    frames = [np.roll(texture((96, 96)), 3 * k, 1) for k in range(8)]
    return write_clip(tmp_path / "crops.mp4", frames, pix="yuv444p")


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """A studio face that walks, and is away in one of eight frames."""
    face = studio_face()
    frames = [scene(None if k == 4 else face, 90 + 2 * k, 56 + k) for k in range(8)]
    return write_clip(tmp_path_factory.mktemp("walk") / "walk.mp4", frames)


@pytest.mark.slow
def test_faces_are_changed_and_frames_without_one_are_not(model, walk, tmp_path):
    made = tmp_path / "made.mp4"
    told = []
    show = lambda done, total: told.append((done, total))  # noqa: E731
    report = change_clip(Editor(model), walk, made, fear, tell=show, lossless=True)
    before, after = read_frames(walk), read_frames(made)
    assert len(after) == report.frames == 8 and report.missed == 1 and told == [(k, 8) for k in range(1, 9)]
    assert sound_of(made) == sound_of(walk)
    for k, (x, y) in enumerate(zip(before, after, strict=True)):
        changed = np.argwhere((x != y).any(-1))
        if k == 4:
            assert not len(changed)
            continue
        assert len(changed) > 100
        left, top = 90 + 2 * k, 56 + k  # of the face's picture, 128 pixels wide
        assert np.all(changed.min(0) >= (top - 16, left - 16)) and np.all(changed.max(0) <= (top + 144, left + 144))
    measured = report.flicker
    assert measured.original.count == 3 + 2 and measured.found.count == 2 + 1 and "1 without that person" in str(report)


def test_the_first_frame_is_what_the_editor_makes_of_it(aligned, crops, tmp_path):
    change_clip(aligned, crops, tmp_path / "made.mp4", fear, lossless=True)
    expected = aligned.edit(read_frames(crops)[0], "fear").rgb
    error = np.abs(read_frames(tmp_path / "made.mp4")[0].astype(int) - expected)
    assert error.mean() < 1 and np.abs(expected.astype(int) - read_frames(crops)[0]).mean() > 4 * error.mean()


def test_a_clip_drives_a_photograph(aligned, crops, tmp_path):
    photo = texture((100, 100), 7) // 2 + 64
    Image.fromarray(photo).save(tmp_path / "me.png")
    made = tmp_path / "made.mp4"
    ask = lambda crop: Controls(like=crop)  # noqa: E731
    change_clip(aligned, tmp_path / "me.png", made, ask, like=crops, transfers=True, lossless=True)
    frames = read_frames(made)
    assert len(frames) == 8 and sound_of(made) == sound_of(crops)
    first = aligned.transfer(photo, read_frames(crops)[0]).rgb
    last = aligned.transfer(photo, read_frames(crops)[7]).rgb
    # luma by BT.709, for the clip has half the colours' resolution; the last frame lags behind, as smoothing does
    grey = lambda rgb: rgb @ np.array([0.2126, 0.7152, 0.0722])  # noqa: E731
    assert np.abs(grey(frames[0]) - grey(first)).mean() < 1 < np.abs(grey(photo) - grey(first)).mean()
    assert np.abs(grey(frames[7]) - grey(last)).mean() < np.abs(grey(frames[0]) - grey(last)).mean()


def test_a_short_driver_holds_its_last_face(model, crops, tmp_path):
    editor = Editor(model, aligned=True)
    short = write_clip(tmp_path / "short.mp4", [texture((64, 64), k) for k in range(3)], None)
    seen = []

    def ask(crop):
        seen.append(crop)
        return Controls(like=crop)

    change_clip(editor, crops, tmp_path / "made.mp4", ask, like=short)
    expected = [editor.see(rgb).crop for rgb in read_frames(short)]
    for crop, k in zip(seen, [0, 1, 2, 2, 2, 2, 2, 2], strict=True):
        torch.testing.assert_close(crop, expected[k])


def test_what_moves_a_face_is_smoothed_in_all_its_parts():
    rng = np.random.default_rng(0)
    shapes = [(8, 8, 2), (16, 16), (16, 16), (16, 16, 3)]
    frames = [[rng.normal(size=s).astype(np.float32) for s in shapes] for _ in range(4)]
    steady, states = TemporalFilter(), [None] * 4
    for k, parts in enumerate(frames):
        made = steady(Maps(*parts), 0.04, k == 2)
        states = [None] * 4 if k == 2 else states
        states = [
            one_euro(s, p, 0.04, clip.APPLIED, u) for s, p, u in zip(states, parts, (0.1, 1, 1, 255), strict=True)
        ]
        for value, state in zip((made.flow, made.shade, made.alpha, made.paint), states, strict=True):
            np.testing.assert_array_equal(value, state.value)


def test_a_model_that_moves_pixels_edits_a_clip(crops, tmp_path):
    torch.manual_seed(0)
    model = create("fields", **TINY["fields"])
    for weight in model.parameters():
        torch.nn.init.normal_(weight, 0, 0.2)
    report = change_clip(Editor(model, aligned=True), crops, tmp_path / "made.mp4", fear)
    change = np.abs(np.array(read_frames(tmp_path / "made.mp4"), int) - np.array(read_frames(crops)))
    assert report.missed == 0 and change.mean() > 1


@pytest.mark.slow
def test_memory_does_not_grow_with_length(aligned, tmp_path):
    def peak(count):
        frames = (np.roll(texture((320, 240)), k, 1) for k in range(count))
        source = write_clip(tmp_path / f"{count}.mp4", frames)
        pages = []
        show = lambda done, total: pages.append(int(Path("/proc/self/statm").read_text().split()[1]))  # noqa: E731
        change_clip(aligned, source, tmp_path / "made.mp4", fear, tell=show)
        return max(pages) * 4096 / 2**20

    if not Path("/proc/self/statm").exists():
        pytest.skip("memory is read from /proc, which Linux has")
    peak(60)  # what is taken once
    assert peak(120) - peak(20) < 8  # MiB; 100 frames of RGB would be 22


def test_a_stopped_run_leaves_nothing(aligned, crops, tmp_path):
    def stop(done, total):
        if done == 4:
            raise KeyboardInterrupt

    before = set(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        change_clip(aligned, crops, tmp_path / "made.mp4", fear, tell=stop)
    assert set(tmp_path.iterdir()) == before


def test_a_clip_without_any_face_is_told(model, tmp_path):
    source = write_clip(tmp_path / "sea.mp4", [np.full((64, 64, 3), 99, np.uint8)] * 2)
    with pytest.raises(InputError, match="no face in any of 2 frames"):
        change_clip(Editor(model), source, tmp_path / "made.mp4", fear)
    assert [p.name for p in tmp_path.iterdir()] == ["sea.mp4"]


def test_recognize_gives_a_row_a_frame(model, walk):
    rows = list(clip_rows(Editor(model), walk))
    assert [row["time"] for row in rows] == [k / 25 for k in range(8)]
    assert [k for k, row in enumerate(rows) if "number" not in row] == [4]
    assert all(sum(row[word] for word in CLASSES) == pytest.approx(1, abs=1e-5) for row in rows if "number" in row)


def test_photographs_are_brought_to_a_clips_size():
    assert fit_to_clip(np.zeros((1000, 4001, 3), np.uint8)).shape == (480, 1920, 3)
    picture = texture((101, 67))
    np.testing.assert_array_equal(fit_to_clip(picture), picture[:66, :100])


@pytest.fixture
def weights(model, tmp_path):
    save_model(model, tmp_path / "model.safetensors")
    return "--aligned", "--model", tmp_path / "model.safetensors"


def test_the_verbs_take_clips(weights, crops, tmp_path, capsys):
    Image.fromarray(texture((64, 64), 3)).save(tmp_path / "me.png")
    moving = [Image.fromarray(texture((64, 64), k)) for k in range(8)]
    moving[0].save(tmp_path / "moving.gif", save_all=True, append_images=moving[1:], duration=40)
    for words in (
        ("edit", crops, "--expression", "anger", "--intensity", "0.5"),
        ("edit", crops, "--like", tmp_path / "me.png"),
        ("transfer", tmp_path / "me.png", "--like", crops),
        ("transfer", crops, "--like", tmp_path / "me.png"),
        ("transfer", crops, "--like", crops),
        ("neutralize", crops),
        ("neutralize", crops, "--keep-format"),
        ("neutralize", tmp_path / "moving.gif"),
        ("transfer", tmp_path / "me.png", "--like", tmp_path / "moving.gif"),
    ):
        made = tmp_path / "made.mp4"
        code, out, err = run(capsys, *words, *weights, "-o", made)
        assert code == 0, err
        assert "8 frames, 0 without that person" in out and "flicker" in out
        assert len(read_frames(made)) == 8
        made.unlink()


def test_a_clip_takes_all_that_can_be_asked_for_together(crops, tmp_path, capsys):
    torch.manual_seed(0)
    moves = create("fields", **TINY["fields"], rounds=0)
    for layer in (*moves.mover.flow, moves.mover.shade):
        torch.nn.init.normal_(layer.weight, 0, 0.03)
    save_model(moves, tmp_path / "moves.safetensors")
    ask = ("--expression", "happiness", "--say", "a", "--only", "mouth", "--au", "43L=5", "--gaze", "5", "0")
    ask += ("--turn", "5", "-2", "--roll", "6", "--save-expression", tmp_path / "asked.json")
    how = ("--aligned", "--model", tmp_path / "moves.safetensors")
    code, out, err = run(capsys, "edit", crops, *ask, *how, "-o", tmp_path / "made.mp4")
    assert code == 0 and "8 frames, 0 without that person" in out, err
    asked = "edit: happiness+say-a 43L=5 gaze 5 0 turn 5 -2 roll 6 only mouth 1.00"
    assert stamp_in(read_packet(tmp_path / "made.mp4")).operation == asked
    assert json.loads((tmp_path / "asked.json").read_text())["units"]["26L"] == 5
    words = ("edit", crops, "--expression", tmp_path / "asked.json", *how)
    assert run(capsys, *words, "-o", tmp_path / "again.mp4")[0] == 0
    still = ("transfer", crops, "--like", crops, "--intensity", "0.5", "--only", "eyes", *how)
    assert run(capsys, *still, "-o", tmp_path / "half.mp4")[0] == 0
    code, _, err = run(capsys, *still, "--save-expression", tmp_path / "no.json", "-o", tmp_path / "no.mp4")
    assert code == 2 and "moves; give a picture as --like" in err and not (tmp_path / "no.json").exists()


def test_a_clips_comment_says_what_was_done(weights, crops, tmp_path, capsys):
    code, _, err = run(capsys, "neutralize", crops, *weights, "-o", tmp_path / "made.mp4")
    assert code == 0, err
    stamp = stamp_in(read_packet(tmp_path / "made.mp4"))
    assert (stamp.operation, stamp.source, stamp.model) == ("neutralize", "crops.mp4", "ter_gan")
    with ClipReader(tmp_path / "made.mp4") as reader:
        assert reader.metadata["comment"].startswith("Clip crops.mp4, changed by mien")
    code, out, _ = run(capsys, "info", tmp_path / "made.mp4")
    assert code == 0 and out.startswith("Clip crops.mp4, changed by mien") and "signed  no" in out
    code, out, _ = run(capsys, "info", crops)
    assert code == 0 and "no note of mien's" in out
    code, _, err = run(capsys, "info", tmp_path / "made.mkv")
    assert code == 2 and "has its note as a comment" in err


def test_recognize_prints_frames(weights, crops, capsys):
    code, out, err = run(capsys, "recognize", crops, crops, *weights, "--csv")
    rows = list(csv.DictReader(StringIO(out)))
    assert code == 0 and len(rows) == 16, err
    assert [float(row["time"]) for row in rows[:8]] == [k / 25 for k in range(8)]
    assert rows[9]["frame"] == "1" and rows[0]["file"] == str(crops)
    words = list(rows[0])[4:]
    assert all(row["expression"] == max(words, key=lambda w: float(row[w])) for row in rows)
    _, out, _ = run(capsys, "recognize", crops, *weights, "--json")
    assert [row["frame"] for row in json.loads(out)] == list(range(8))
    _, out, _ = run(capsys, "recognize", crops, *weights)
    assert "that person in 8 of 8 frames" in out


def test_bad_input_is_one_line(weights, crops, tmp_path, capsys, monkeypatch):
    Image.fromarray(texture()).save(tmp_path / "me.png")
    (tmp_path / "bad.mp4").write_text("not a clip")
    made = tmp_path / "made.mp4"
    for told, words in {
        "written as .mp4 or .mkv": ("neutralize", crops, "-o", tmp_path / "made.png"),
        "a photograph stays one": ("neutralize", tmp_path / "me.png", "-o", made),
        "swaps pictures, not clips": ("transfer", crops, "--like", crops, "--swap", tmp_path / "b.mp4", "-o", made),
        "not a clip that mien can read": ("neutralize", tmp_path / "bad.mp4", "-o", made),
        "intensity 3 is out of range": ("edit", crops, "--expression", "fear", "--intensity", "3", "-o", made),
        "takes one of": ("edit", crops, "--expression", "fear", "--like", crops, "-o", made),
        "is of one clip": ("recognize", crops, tmp_path / "me.png", "--plot", tmp_path / "plot.png"),
        "no -o: name the clip": ("neutralize", crops),
        "--crop: there is none for clips": ("neutralize", crops, "--crop", "-o", made),
        "--min-identity: there is none": ("edit", crops, "--expression", "fear", "--min-identity", "0", "-o", made),
        "no such file": ("recognize", tmp_path / "no.mp4"),
        "--keep-format: is for clips": ("neutralize", tmp_path / "me.png", "--keep-format", "-o", tmp_path / "b.png"),
    }.items():
        code, _, err = run(capsys, *words, *weights)
        assert code == 2 and told in " ".join(err.split()), err
        assert err.count("mien:") == 1 and "Traceback" not in err
    monkeypatch.setitem(sys.modules, "av", None)
    code, _, err = run(capsys, "neutralize", crops, *weights, "-o", made)
    assert code == 2 and "pip install 'mien[video]'" in err
    assert not made.exists()


def test_several_faces_need_a_number(model, tmp_path):
    face = studio_face()
    both = np.concatenate([scene(face), scene(face)], 1)
    source = write_clip(tmp_path / "two.mp4", [both, both])
    with pytest.raises(InputError, match="--face N"):
        change_clip(Editor(model), source, tmp_path / "made.mp4", fear)
    change_clip(Editor(model), source, tmp_path / "made.mp4", fear, number=2, lossless=True)
    changed = np.argwhere((read_frames(source)[1] != read_frames(tmp_path / "made.mp4")[1]).any(-1))
    assert len(changed) and changed[:, 1].min() > 320


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two people, of whom the left one is away from the third frame to the fourteenth."""
    left, right = studio_face(), studio_face("happiness", 0.5, 501)
    frames = [pair(None if 3 <= k < 15 else left, right) for k in range(17)]
    return write_clip(tmp_path_factory.mktemp("two") / "two.mp4", frames)


def test_nobody_is_changed_in_place_of_who_is_away(model, two, tmp_path):
    report = change_clip(Editor(model), two, tmp_path / "made.mp4", fear, number=1, lossless=True)
    assert "17 frames, 12 without that person left as they were" in str(report)
    for k, (x, y) in enumerate(zip(read_frames(two), read_frames(tmp_path / "made.mp4"), strict=True)):
        changed = np.argwhere((x != y).any(-1))
        assert len(changed) == 0 if 3 <= k < 15 else len(changed) > 100 and changed[:, 1].max() < 168


def test_a_driving_face_is_held_while_it_is_away(model, two, crops, tmp_path):
    Image.fromarray(studio_face()).save(tmp_path / "me.png")
    seen = []

    def ask(crop):
        seen.append(crop)
        return Controls(like=crop)

    change_clip(Editor(model), tmp_path / "me.png", tmp_path / "made.mp4", ask, like=two, like_number=1)
    assert len(seen) == 17
    for k in range(3, 15):
        np.testing.assert_array_equal(seen[k], seen[2])
    assert (seen[15] != seen[2]).any() and np.abs(seen[15].astype(int) - seen[2]).mean() < 5


def test_a_face_that_is_never_there_is_told(model, two, tmp_path):
    with pytest.raises(InputError, match="no face 3 in any of 17 frames, 2 at most"):
        change_clip(Editor(model), two, tmp_path / "made.mp4", fear, number=3)


def test_stills_of_a_clip_carry_their_stamp(aligned, crops, tmp_path):
    with ClipReader(crops) as reader:
        photo = aligned.edit(next(reader.frames()).rgb, "fear")
    aligned.save(photo, tmp_path / "still.png", "edit: fear", crops.name)
    assert read_stamp(tmp_path / "still.png").source == "crops.mp4"


def test_what_a_request_lacks_is_looked_for_now_and_then(monkeypatch):
    torch.manual_seed(0)
    model = create("fields", **TINY["fields"])
    for weight in model.parameters():
        torch.nn.init.normal_(weight, 0, 0.2)
    editor = Editor(model, aligned=True)
    cut, happy, sad = editor.crop(texture((96, 96))), Controls("happiness", 0.8), Controls("sadness", 0.8)
    sitters, begun = [], type(editor.engine.sit(cut.crop))
    for name in ("corrected", "again"):
        done = getattr(begun, name)
        monkeypatch.setattr(begun, name, lambda *a, name=name, done=done: sitters.append(name) or done(*a))
    make = Changer(editor)
    first = make(cut, happy, True)
    for _ in range(CORRECTED):
        change = make(cut, happy, False)
        for part in ("flow", "shade", "alpha", "paint"):  # of one frame, the same again
            np.testing.assert_allclose(getattr(change, part), getattr(first, part), atol=1e-3)
    assert sitters == ["corrected", *["again"] * (CORRECTED - 1), "corrected"]
    sitters.clear()
    make(cut, sad, False), make(cut, sad, True), make(cut, sad, False)  # another request; another face; that one again
    assert sitters == ["corrected", "corrected", "again"]
