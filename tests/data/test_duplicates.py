"""Copies planted across sides are found; people, and one person's expressions, are told apart."""

import csv
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from mien import cli
from mien.data.checks.balance import balance, balance_lines, draw_balance
from mien.data.checks.duplicates import copies_among, describe_copies, duplicates, read_grey
from mien.data.checks.face_alignment import SMALL, Poses, Straightener, warped
from mien.data.checks.registration import fit
from mien.data.manifest import read_manifest
from mien.data.sampling.augment import Augmentation, Warp, apply
from mien.errors import InputError
from tests.conftest import write_rows

PEOPLE, SIZE = 10, 96
LOOKS = {"neutral": (0, 0), "happiness": (3, 0), "surprise": (0, 4), "anger": (-3, 0)}  # mouth's bend and opening


def draw(person, bend, opening):
    """Return a face (96, 96, 3) whose build and skin follow from the person's number."""
    rng = np.random.default_rng(100 + person)
    width, height, brow, nose, mouth, hair = rng.uniform(-1, 1, 6)
    image = np.full((SIZE, SIZE, 3), rng.integers(40, 200, 3), np.uint8)
    cv2.ellipse(
        image, (48, 44), (round(34 + 4 * hair), round(42 + 3 * hair)), 0, 0, 360, rng.integers(10, 90, 3).tolist(), -1
    )
    skin = rng.integers(120, 220, 3)
    cv2.ellipse(image, (48, 52), (round(29 + 4 * width), round(38 + 4 * height)), 0, 0, 360, skin.tolist(), -1)
    for side in (-1, 1):
        x = 48 + side * 14
        cv2.ellipse(image, (x, 38), (round(6 + mouth), round(3 + nose)), 0, 0, 360, (235, 235, 235), -1)
        cv2.circle(image, (x, 38), 3, rng.integers(10, 90, 3).tolist(), -1)
        tilt = round(3 * brow - bend / 2 * side * 0)
        cv2.line(image, (x - 8, 29 + side * tilt - (bend < 0) * 2 * side), (x + 8, 29 - side * tilt), (40, 30, 25), 3)
    cv2.line(image, (48, 42), (round(46 + 3 * nose), 56), (skin * 0.7).astype(int).tolist(), 2)
    half = round(11 + 3 * mouth)
    curve = np.array([(48 + t * half, 70 + bend * (1 - 2 * t * t)) for t in np.linspace(-1, 1, 9)])
    line = (
        np.concatenate([curve - np.array([0, opening]), curve[::-1] + np.array([0, opening])]).round().astype(np.int32)
    )
    cv2.fillPoly(image, [line], (150, 40, 50))
    cv2.polylines(image, [line], True, (130, 40, 50), 2)
    spots = cv2.GaussianBlur(rng.normal(0, 60, (SIZE, SIZE, 1)), (0, 0), 2.5)[..., None]
    return np.clip(image + spots, 0, 255).astype(np.uint8)


def jpeg(image, quality):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


COPIES = {  # how a copy was made of a picture
    "file": lambda x: x,
    "jpeg": lambda x: jpeg(x, 50),
    "mirror": lambda x: x[:, ::-1],
    "small": lambda x: cv2.resize(x, (72, 72), interpolation=cv2.INTER_AREA),
    "shift": lambda x: apply(x, Warp(shift=(0.05, -0.04)), SIZE),
    "left": lambda x: apply(x, Warp(angle=6), SIZE),
    "right": lambda x: apply(x, Warp(angle=-6, flip=True, shift=(-0.05, 0.05)), SIZE),
    "bright": lambda x: apply(x, Warp(brightness=0.12, contrast=0.85), SIZE),
    "tint": lambda x: jpeg(apply(x, Warp(angle=3, gain=(1.15, 0.95, 0.9), scale=1.04), SIZE), 75),
}


@pytest.fixture
def folder(tmp_path):
    """People in every look, in folds by person."""
    rows = []
    for person in range(PEOPLE):
        for word, look in LOOKS.items():
            name = f"p{person:02d}_{word}.png"
            Image.fromarray(draw(person, *look)).save(tmp_path / name)
            rows.append({"file_name": name, "subject": f"p{person:02d}", "expression": word, "fold": str(person % 3)})
    write_rows(tmp_path, rows)
    return tmp_path


def plant(folder, copies, **labels):
    """Add copies {new name: (picture, subject, fold)} to a data set."""
    with (folder / "metadata.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for name, (picture, subject, fold) in copies.items():
        Image.fromarray(np.ascontiguousarray(picture)).save(folder / name)
        rows.append({"file_name": name, "subject": subject, "expression": "neutral", "fold": fold, **labels})
    write_rows(folder, rows)
    return read_manifest(folder)


def pairs(manifest, copies):
    return {tuple(sorted((manifest.files[c.first], manifest.files[c.second]))) for c in copies}


def test_nobody_is_taken_for_a_copy(folder):
    assert duplicates(read_manifest(folder)) == []


def test_every_planted_copy_is_found_and_nothing_else(folder):
    planted, expected = {}, set()
    for k, (how, make) in enumerate(COPIES.items()):
        original = f"p{k:02d}_surprise.png"
        planted[f"z_{how}.png"] = (make(draw(k, *LOOKS["surprise"])), f"z{how}", str((k + 1) % 3))
        expected.add((original, f"z_{how}.png"))
    manifest = plant(folder, planted)
    found = duplicates(manifest)
    assert pairs(manifest, found) == expected
    mirrored = {manifest.files[c.second] for c in found if c.mirrored}
    assert mirrored == {"z_mirror.png", "z_right.png"}
    lines = describe_copies(manifest, found, most=2)
    assert len(lines) == 3 and lines[-1] == f"… and {len(COPIES) - 2} more"
    assert any(
        "mirrored copies (fold=2 and fold=0, p02 and zmirror)" in line for line in describe_copies(manifest, found)
    )


def test_both_augmented_before_the_split(folder):
    rng, how = np.random.default_rng(0), Augmentation(flip=False, colour=0.1)
    planted = {}
    for k in range(10):
        for fold in ("0", "1"):
            planted[f"z{k}_{fold}.png"] = (apply(draw(50 + k, 3, 0), how.draw(rng), SIZE), f"z{k}_{fold}", fold)
    manifest = plant(folder, planted)
    expected = {(f"z{k}_0.png", f"z{k}_1.png") for k in range(10)}
    found = pairs(manifest, duplicates(manifest))
    assert found <= expected and len(found) >= 9


def test_copies_on_one_side_do_no_harm(folder):
    manifest = plant(folder, {"again.png": (jpeg(draw(1, 3, 0), 50), "p01", "1")})
    assert duplicates(manifest) == []
    other = replace(manifest, split=np.where(np.array(manifest.files) == "again.png", "val", "train"))
    assert pairs(other, duplicates(other)) == {("again.png", "p01_happiness.png")}
    nobody = replace(other, subject=np.full(len(other), -1))  # faces from the web: no names, only a split
    assert pairs(nobody, duplicates(nobody)) == {("again.png", "p01_happiness.png")}
    kin = replace(manifest, parents=np.where(manifest.subject == 2, "p01", ""))
    kin_copy = replace(kin, subject=np.where(np.array(kin.files) == "again.png", 2, kin.subject), fold=kin.fold * 0)
    assert duplicates(kin_copy) == []  # relatives are never parted


def test_tiny_and_empty_sets(folder):
    manifest = read_manifest(folder)
    assert duplicates(manifest.select(np.array([0]))) == [] == duplicates(manifest.select(np.array([], int)))
    two = manifest.select(np.array([0, 0]))
    two = replace(two, subjects=["a", "b"], subject=np.array([0, 1]))
    assert len(duplicates(two)) == 1
    blank = np.full((3, 64, 64), 128, np.uint8)
    three = replace(manifest.select(np.arange(3)), subjects=["a", "b", "c"], subject=np.arange(3))
    assert copies_among(blank, three) == []  # nothing is seen, so nothing is said


def test_a_straightener_undoes_a_known_warp(folder):
    small = np.stack(
        [cv2.resize(g, (SMALL, SMALL), interpolation=cv2.INTER_AREA) for g in read_grey(read_manifest(folder))]
    )
    straightener = Straightener(small)
    rng = np.random.default_rng(3)
    known = Poses(np.exp(1j * rng.uniform(-0.1, 0.1, len(small))), rng.uniform(-0.06, 0.06, len(small)) * (1 + 0.5j))
    before, after = straightener.poses(small), straightener.poses(warped(small, known))
    difference = known.after(after).after(before.inverse())  # what straightening both leaves between them
    assert np.abs(np.angle(difference.turn)).max() < 0.04 and np.abs(difference.shift).max() < 0.02


def test_fit_finds_a_shift_and_ignores_light():
    a = cv2.cvtColor(cv2.resize(draw(3, 3, 0), (64, 64), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    shifted = cv2.warpAffine(a, np.array([[1, 0, 1.5], [0, 1, -1.0]]), (64, 64), borderMode=cv2.BORDER_REFLECT_101)
    darker = np.clip(0.8 * shifted.astype(float) + 12, 0, 255).astype(np.uint8)
    still = np.array([[1.0, 0, 0], [0, 1, 0]])
    assert fit(a, a, still).likeness == pytest.approx(1)
    assert fit(a, darker, still).likeness > 0.99 and fit(a, darker, still).worst < 0.2
    inner = (slice(12, -12), slice(12, -12))
    assert np.corrcoef(a[inner].ravel(), darker[inner].ravel())[0, 1] < 0.95  # before they lay over each other


def test_photographs(photofaces):
    """Among photographs: 50 planted copies of all kinds; and what is left over is nobody."""
    rng = np.random.default_rng(0)
    manifest = read_manifest(photofaces)
    manifest = manifest.select(np.sort(rng.choice(len(manifest), 450, replace=False)))
    grey, how = read_grey(manifest), Augmentation(colour=0.15, scale=0.04)
    rows = np.arange(0, 450, 9)
    extra = [apply(cv2.cvtColor(jpeg(grey[i], 50), cv2.COLOR_BGR2RGB), how.draw(rng), 64)[..., 1] for i in rows]
    both = manifest.select(np.concatenate([np.arange(450), rows]))
    thief = np.where(np.arange(500) < 450, both.subject, len(both.subjects))
    parents = np.where(np.arange(500) < 450, both.parents, "")
    both = replace(both, subject=thief, subjects=[*both.subjects, "thief"], parents=parents)
    both = replace(both, fold=np.full(500, -1), test=np.zeros(500, bool))
    found = {(c.first, c.second) for c in copies_among(np.concatenate([grey, extra]), both)}
    true = {(int(row), 450 + k) for k, row in enumerate(rows)}
    assert len(found & true) >= 48
    of = np.append(manifest.subject, manifest.subject[rows])
    strangers = [(i, j) for i, j in found - true if of[i] != of[j] and not (manifest.parents[[i]] != "").any()]
    assert len(strangers) <= 1  # a morph copied and another morph of its parents may look the same


def test_balance_counts_every_image_once(folder, tmp_path):
    manifest = plant(folder, {"odd.png": (draw(0, 0, 0), "p00", "0")}, expression="")
    words, columns, counts = balance(manifest)
    assert words == ["neutral", "happiness", "surprise", "anger", "unknown"]
    assert columns == ["all", "fold=0", "fold=1", "fold=2"]
    assert counts[:, 0].tolist() == [PEOPLE] * 4 + [1] and (counts[:, 1:].sum(1) == counts[:, 0]).all()
    assert balance_lines(manifest)[-1].split() == ["all", "41", "17", "12", "12"]
    draw_balance(manifest, tmp_path / "new" / "balance.png")
    with Image.open(tmp_path / "new" / "balance.png") as picture:
        assert picture.width > 500 and len(picture.getcolors(1 << 20)) > 20
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["balance.png"]


def test_data_check_tells_it_all(folder, tmp_path, capsys, monkeypatch):
    plant(folder, {"stolen.png": (draw(4, 0, 0)[:, ::-1], "zoe", "2")})
    monkeypatch.setattr(sys, "argv", ["mien", "data", "check", str(folder), "--picture", str(tmp_path / "b.png")])
    with pytest.raises(SystemExit) as leave:
        cli.main()
    out = capsys.readouterr().out
    assert leave.value.code == 0 and (tmp_path / "b.png").is_file()
    assert "1 to 4, median 4" in out and "copies across sides, 1 pairs" in out
    assert "p04_neutral.png and stolen.png: mirrored copies (fold=1 and fold=2, p04 and zoe)" in out
    monkeypatch.setattr(sys, "argv", ["mien", "data", "check", str(folder), "--picture", "b.gif"])
    with pytest.raises(SystemExit) as leave:
        cli.main()
    assert leave.value.code == 2 and "b.gif: expected a name ending in .png" in capsys.readouterr().err


def test_an_image_that_is_broken_is_named(folder):
    (folder / "p03_anger.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"p03_anger\.png"):
        duplicates(read_manifest(folder))
