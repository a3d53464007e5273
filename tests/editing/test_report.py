"""Receipts: every figure against its own recomputation, and nothing written below the wanted similarity."""

import hashlib
import json

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

import mien
from mien.editing.achieved import Achieved, in_words
from mien.editing.editor import Editor
from mien.editing.report import edit_report
from mien.faces.align import align, rescaled, similarity
from mien.faces.crop import as_photo
from mien.faces.detect import find_faces
from mien.labels import AUS
from mien.models.io import fingerprint
from mien.runtime.landmarker import find_landmarker
from tests.cli.test_cli import run


@pytest.fixture(scope="module")
def judge():
    return mien.load("judge")


def seen_by(judge, rgb, eyes):
    """Return the judge's person code and action units of a face in a picture."""
    crop = align(rgb, similarity(eyes, judge.config.image_size), judge.config.image_size)
    image = torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.inference_mode():
        return judge.embed(image).identity[0].numpy(), judge.estimate_aus(image)[0].numpy()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with a photograph."""
    folder = tmp_path_factory.mktemp("receipt")
    Image.fromarray(astronaut()).save(folder / "in.png")
    return folder


def test_the_receipt_of_an_edit(judge, written, capsys):
    words = ("edit", written / "in.png", "--expression", "surprise", "--intensity", "0.5", "--model", "jesrl")
    code, _, err = run(capsys, *words, "-o", written / "out.png", "--receipt")
    assert code == 0 and "identity 0." in err
    note = json.loads((written / "out.json").read_text())
    before, after = (np.asarray(Image.open(written / name)) for name in ("in.png", "out.png"))
    (face,) = find_faces(before, find_landmarker("net"))
    (who, was), (now_who, now) = (seen_by(judge, rgb, face.eyes) for rgb in (before, after))
    cosine = who @ now_who / np.linalg.norm(who) / np.linalg.norm(now_who)
    assert note["identity"] == note["faces"][0]["identity"] == pytest.approx(cosine, abs=2e-3)
    assert note["faces"][0]["eyes"] == "landmarks" == face.source
    assert note["faces"][0]["box"] == pytest.approx(face.box, abs=0.05)
    for au, a, b in zip(AUS, was, now, strict=True):
        told = note["faces"][0]["aus"][f"AU{au:02d}"]
        assert (told["before"], told["after"]) == pytest.approx((a, b), abs=0.02)
        assert told["change"] == pytest.approx(told["after"] - told["before"], abs=2e-3)
    changed = int((before != after).any(-1).sum())
    assert note["pixels"] == {
        "all": 512 * 512, "changed": changed, "share": pytest.approx(changed / 512**2, abs=1e-6), "outside": 0,
    }  # fmt: skip
    assert note["picture"] == {
        "file": "out.png",
        "sha256": hashlib.sha256((written / "out.png").read_bytes()).hexdigest(),
    }
    assert note["source"]["sha256"] == hashlib.sha256((written / "in.png").read_bytes()).hexdigest()
    assert note["controls"] == {"expression": "surprise", "intensity": 0.5}
    assert note["model"] == {"name": "jesrl", "fingerprint": fingerprint(mien.load("jesrl"))}
    assert note["evaluator"] == {"name": "evaluator", "fingerprint": fingerprint(judge)}
    assert note["versions"]["torch"] == torch.__version__ and note["versions"]["mien"] == mien.__version__


def test_below_the_wanted_similarity_nothing_is_written(written, capsys, tmp_path):
    words = ("edit", written / "in.png", "--expression", "surprise", "--model", "jesrl", "-o", tmp_path / "o.png")
    code, _, err = run(capsys, *words, "--min-identity", "0.9999", "--receipt")
    assert code == 2 and err.count("\n") == 1 and "below --min-identity 0.9999; nothing was written" in err
    assert not list(tmp_path.iterdir())
    code, _, err = run(capsys, *words, "--min-identity", "0.1")
    assert code == 0 and [p.name for p in tmp_path.iterdir()] == ["o.png"], err


def test_a_swap_writes_both_or_none(written, capsys, tmp_path):
    other = written / "other.png"
    Image.fromarray(np.ascontiguousarray(astronaut()[:, ::-1])).save(other)
    made = ("-o", tmp_path / "a.png", "--swap", tmp_path / "b.png", "--model", "jesrl", "--receipt")
    code, _, err = run(capsys, "transfer", written / "in.png", "--like", other, *made, "--min-identity", "1")
    assert code == 2 and "below --min-identity 1" in err and not list(tmp_path.iterdir())
    code, _, err = run(capsys, "transfer", written / "in.png", "--like", other, *made)
    assert code == 0 and {p.name for p in tmp_path.iterdir()} == {"a.png", "b.png", "a.json", "b.json"}, err
    assert json.loads((tmp_path / "b.json").read_text())["controls"] == {"like": "in.png", "intensity": 1.0}
    made = ("-o", tmp_path / "c.png", "--swap", tmp_path / "c.jpg", "--model", "jesrl", "--receipt")
    code, _, err = run(capsys, "transfer", written / "in.png", "--like", other, *made)
    assert code == 2 and "the report of --swap" in err and "would be lost" in err and not list(tmp_path.glob("c.*"))


def test_a_face_is_looked_for_once(written, capsys, tmp_path, monkeypatch):
    looked = []
    monkeypatch.setattr("mien.editing.editor.find_faces", lambda rgb, by: looked.append(rgb) or find_faces(rgb, by))
    words = ("edit", written / "in.png", "--expression", "surprise", "-o", tmp_path / "o.png", "--receipt")
    code, out, err = run(capsys, *words)
    assert code == 0 and len(looked) == 1, err
    asked, off = out.splitlines()  # she smiles
    assert asked.startswith("asked → reached: AU1 5.0 → ") and off.startswith("taken off, before → left: AU6 ")
    reported = json.loads((tmp_path / "o.json").read_text())["faces"][0]["asked"]
    assert reported["1"]["asked"] == 5 and f"AU1 5.0 → {reported['1']['after']:.1f}," in asked
    assert reported["12"]["asked"] == 0 and reported["12"]["after"] < 1 < reported["12"]["before"]
    for words in (("edit", written / "in.png", "--expression", "neutral"), ("neutralize", written / "in.png")):
        code, out, _ = run(capsys, *words, "-o", tmp_path / "n.png")
        assert code == 0 and out.startswith("taken off, before → left: AU6 ") and out.count("\n") == 1
    code, out, _ = run(capsys, "neutralize", tmp_path / "n.png", "--aligned", "-o", tmp_path / "m.png")
    assert code == 0 and out.count("\n") <= 1


def test_what_was_achieved_is_said_by_side(written, capsys, tmp_path):
    words = ("edit", written / "in.png", "--au", "43L=5", "--au", "1=3", "-o", tmp_path / "o.png")
    code, out, err = run(capsys, *words)
    assert code == 0 and "AU43L 5.0 → " in out and "AU1 3.0 → " in out and "AU43R" not in out, err


def test_what_was_achieved_in_words():
    units = [Achieved("12", 4.0, 0.0, 0.3), Achieved("43L", 0.0, 5.0, 4.4), Achieved("6", 0.2, 0.0, 0.1)]
    assert in_words(units) == ["asked → reached: AU43L 5.0 → 4.4", "taken off, before → left: AU12 4.0 → 0.3"]
    assert in_words(units[2:]) == [] and "nothing to take off" in in_words(units[2:], neutral=True)[0]


def test_no_change_is_the_same_person_and_another_face_is_not(judge):
    editor = Editor("jesrl")
    photo = astronaut()
    same = edit_report(editor, judge, photo, as_photo(photo))
    assert same["identity"] == pytest.approx(1, abs=1e-4) and same["pixels"]["changed"] == 0
    assert all(au["change"] == 0 for au in same["faces"][0]["aus"].values())
    # Upside down she is not even a face.
    other = photo.copy()
    left, top, width, height = (round(v) for v in find_faces(photo)[0].box)
    other[top : top + height, left : left + width] = other[top : top + height, left : left + width][::-1]
    other[400:410, 400:420] = 255 - other[400:410, 400:420]
    figures = edit_report(editor, judge, photo, as_photo(other))
    assert figures["identity"] < 0.9
    assert figures["pixels"]["outside"] == 200  # what was changed far from the face


def test_all_faces_count_and_the_least_alike_decides(judge):
    editor = Editor("jesrl")
    two = np.concatenate([astronaut(), astronaut()[:, ::-1]], 1)
    made = editor.edit(two, "surprise", number=2)
    figures = edit_report(editor, judge, two, made, "all")
    first, second = figures["faces"]
    assert (first["number"], second["number"]) == (1, 2)
    assert first["identity"] == pytest.approx(1, abs=1e-4) and second["identity"] < 0.999
    assert figures["identity"] == second["identity"] and figures["pixels"]["outside"] == 0


def test_a_bare_crop_has_a_receipt_too(judge):
    editor = Editor("jesrl", crop_only=True)
    made = editor.edit(astronaut(), "surprise")
    figures = edit_report(editor, judge, astronaut(), made)
    assert figures["pixels"]["all"] == 64 * 64
    assert (
        figures["identity"]
        < edit_report(editor, judge, astronaut(), editor.transfer(astronaut(), astronaut()))["identity"]
    )


def test_a_crops_other_size_shows_the_same_place():
    eyes = np.array([[100.0, 120.0], [160.0, 130.0]])
    assert np.allclose(rescaled(similarity(eyes, 64), 112 / 64), similarity(eyes, 112))
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    half = align(image, rescaled(np.eye(2, 3), 0.5), 32)
    assert np.abs(half.astype(int) - cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA)).mean() < 25
