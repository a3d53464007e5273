"""Importing itself: alignment, resuming, the verb; what is wrong is one line and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.data.importers import IMPORTERS
from mien.data.importers.support.crop import align_face
from mien.data.importers.support.sample import Options
from mien.data.importers.support.video_frames import Player
from mien.data.importing import gather
from mien.errors import InputError
from tests.cli.test_cli import run
from tests.helpers.corpora import LEFT, NOFACE, SIDE, TOP, Corpus, studio_faces


@pytest.fixture
def corpus(tmp_path):
    return Corpus(tmp_path)


def test_alignment_brings_the_eyes_to_the_template(corpus):
    """With the detector alone; where the eyes lie is measured by registering the studio's own frame onto the result."""
    corpus.put("happy/a.png")
    corpus.put("happy/b.png", person=4)
    m, _ = corpus.take_in("folder", size=SIDE, align="always")
    eyes = np.array([[0.35, 0.4], [0.65, 0.4]]) * SIDE - 0.5
    for k, person in enumerate((1, 4)):
        frame = studio_faces()[person, "happiness"][0][TOP : TOP + SIDE, LEFT : LEFT + SIDE]
        grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (frame, cv2.imread(str(m.path(k)))[..., ::-1])]
        _, matrix = cv2.findTransformECC(*grey, np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE)
        assert np.linalg.norm(eyes @ matrix[:, :2].T + matrix[:, 2] - eyes, axis=1).max() < 0.03 * SIDE


@pytest.mark.parametrize("name", IMPORTERS)
def test_a_wrong_root_is_one_line(name, tmp_path):
    root, out = tmp_path / "elsewhere", tmp_path / "out"
    for make in (lambda: None, root.mkdir, (root / "holiday").mkdir, (root / "holiday/beach.jpg").touch):
        make()
        with pytest.raises(InputError) as told:
            gather(name, root, out)
        text = str(told.value)
        assert text.startswith(f"{root}: ") and "; expected " in text and "\n" not in text
        assert text.endswith(IMPORTERS[name].expects) and not out.exists()


def test_a_file_as_root_is_one_line(tmp_path):
    path = tmp_path / "ck.zip"
    path.write_bytes(b"PK")
    with pytest.raises(InputError, match="is a file; expected the CK"):
        gather("ck+", path, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "changes", "line"),
    [
        ("rafdb", {}, r"rafdb: no such corpus \(did you mean raf-db\?\); choose ck\+, "),
        ("folder", {"size": 4}, "--size 4: expected a number from 16 to 1024"),
        ("folder", {"align": "perhaps"}, "--align perhaps: choose auto, always, never"),
        ("folder", {"options": Options(every=0)}, "--every 0: expected 1 or more"),
        ("folder", {"options": Options(subject="(")}, "is no regular expression"),
        (
            "folder",
            {"options": Options(subject="(S[0-9]+)_")},
            r"--subject \(S\[0-9\]\+\)_ is found in no picture's path",
        ),
        (
            "folder",
            {"options": Options(all_frames=True)},
            "--all-frames: means nothing to folder; .* --subject, --no-str",
        ),
        ("multi-pie", {"options": Options(light=20)}, "--light 20: expected a number from 0 to 19"),
        ("folder", {"out": "corpus/out"}, "lies in the corpus' own folder"),
    ],
)
def test_bad_requests(corpus, tmp_path, name, changes, line):
    corpus.put("happy/a.png", image=NOFACE)
    out = tmp_path / changes.pop("out", "out")
    with pytest.raises(InputError, match=line):
        gather(name, tmp_path / "corpus", out, **changes)
    assert not out.exists()


def test_eyes_outside_the_picture_are_not_believed(corpus):
    picture = studio_faces()[1, "neutral"][0]
    found = align_face(picture, 64, None)
    for eyes in ([[1e7, 0], [0, 1e7]], [[-90, 5], [20, 5]], [[np.nan, 1], [9, 9]]):
        assert np.array_equal(align_face(picture, 64, np.array(eyes, float)), found)


def test_nothing_found_leaves_nothing(corpus, tmp_path):
    corpus.put("happy/a.png", image=NOFACE)
    (tmp_path / "corpus/happy/cut.png").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match=r"nothing to import \(1 no face found, 1 picture cannot be read\)"):
        gather("folder", tmp_path / "corpus", tmp_path / "out", align="always")
    assert not (tmp_path / "out").exists()


def test_another_import_in_the_folder_is_refused(corpus, tmp_path):
    corpus.put("happy/a.png", image=NOFACE)
    corpus.take_in("folder", align="never")
    before = (tmp_path / "out/metadata.csv").read_bytes()
    with pytest.raises(InputError, match="holds another import"):
        gather("folder", tmp_path / "corpus", tmp_path / "out", 32, "never")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").touch()
    with pytest.raises(InputError, match="not empty and no import"):
        gather("folder", tmp_path / "corpus", tmp_path / "full", align="never")
    assert (tmp_path / "out/metadata.csv").read_bytes() == before and len(list((tmp_path / "full").iterdir())) == 1


def test_a_killed_import_goes_on(corpus, tmp_path):
    """SIGKILL in the middle: no metadata.csv, whole images; the same command keeps them and ends as if never killed."""
    path = corpus.put("happy/0000.png", image=np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    for k in range(1, 900):
        os.link(path, path.with_name(f"{k:04d}.png"))
    out = tmp_path / "out"
    words = ["data", "import", "folder", str(tmp_path / "corpus"), str(out), "--align", "never", "--size", "32"]
    process = subprocess.Popen([sys.executable, "-m", "mien", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while len(list(out.glob("images/happy/[0-9]*.png"))) < 20 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    written = {p: p.stat().st_mtime_ns for p in out.glob("images/happy/[0-9]*.png")}
    assert 20 <= len(written) < 900 and not (out / "metadata.csv").exists()
    gather("folder", tmp_path / "corpus", out, 32, "never")
    gather("folder", tmp_path / "corpus", tmp_path / "whole", 32, "never")
    assert {p: p.stat().st_mtime_ns for p in written} == written
    same = [p.relative_to(out) for p in sorted(out.rglob("*")) if p.is_file()]
    assert len(same) == 903 and not [p for p in same if p.name.startswith(".")]
    assert all((out / p).read_bytes() == (tmp_path / "whole" / p).read_bytes() for p in same)


def test_the_verb(corpus, tmp_path, capsys):
    corpus.put("happy/a.png")
    corpus.put("sad/b.png", image=NOFACE)
    words = ("data", "import", "folder", tmp_path / "corpus", tmp_path / "out", "--size", 32)
    for _ in range(2):  # the second finds it done
        code, out, err = run(capsys, *words)
        assert code == 0, err
        assert "1 images of 1 people: happiness 1" in out and "skipped 1: 1 no face found" in out
    code, out, err = run(capsys, "data", "import", "folder", tmp_path / "nowhere", tmp_path / "no")
    assert code == 2 and len(err.strip().splitlines()) == 1 and "there is no such folder" in err
    code, out, _ = run(capsys, "data", "import", "--help")
    text = " ".join(out.split())
    assert code == 0 and "Example: mien data import" in text
    assert all(f"{name}" in text for name in IMPORTERS)


def test_the_page_names_every_corpus():
    page = (Path(__file__).parents[2] / "docs" / "importing.md").read_text()
    for name, importer in IMPORTERS.items():
        assert f"| `{name}` |" in page and importer.ask.split(" (")[0].split(",")[0].split(";")[0] in page


def test_a_video_cut_short_is_told(tmp_path):
    path = tmp_path / "v.avi"
    path.write_bytes(b"RIFF")
    with pytest.raises(InputError, match="frame 3 cannot be decoded"):
        Player().read(path, 3)
