"""Importers of corpora from the web, of films, and of any folder or table, on trees laid out as they are."""

import csv
import shutil
from collections import Counter

import cv2
import numpy as np
import pytest

from mien.data.checks.report import describe
from mien.data.importers.disfa import FOLD_OF
from mien.data.importers.support.facs import read_pairs
from mien.data.sets import Sets, training_data
from mien.errors import InputError
from mien.labels import AUS, expression_word
from tests.helpers.corpora import LEFT, SIDE, TOP, Corpus, rows, studio_faces


@pytest.fixture
def corpus(tmp_path):
    return Corpus(tmp_path)


OPENFACE = " AU01_r, AU12_r, AU45_r, pose_Rx, pose_Ry, pose_Rz, gaze_angle_x, gaze_angle_y"


@pytest.mark.parametrize("kind", ["video", "frames from 0", "frames from 1"])
def test_disfa(corpus, kind):
    for person in ("SN001", "SN003", "SN029"):
        for au, levels in ((12, (0, 3, 5, 0)), (4, (1, 0, 0, 2))):
            text = "".join(f"{k},{level}\n" for k, level in enumerate(levels, 1))
            corpus.note(f"ActionUnit_Labels/{person}/{person}_au{au}.txt", text)
    words = ("neutral", "happiness", "surprise", "neutral")
    for person, face in (("SN001", 1), ("SN003", 4)):
        if kind == "video":
            corpus.film(f"Videos_LeftCamera/LeftVideo{person}_comp.avi", [(face, word) for word in words])
        else:
            for k, word in enumerate(words, int(kind[-1])):
                corpus.put(f"frames/{person}/{k:05d}.png", word, face)
    m, summary = corpus.take_in("disfa", align="always" if kind == "video" else "never")
    assert rows(m, "subject", "frame", "sequence", "fold", "test", "expression") == [
        *(("SN001", k, "SN001", 2, False, "") for k in (1, 2, 3, 4)),
        *(("SN003", k, "SN003", 0, True, "") for k in (1, 2, 3, 4)),
    ]
    assert m.aus[:4, AUS.index(12)].tolist() == [0, 3, 5, 0] and m.aus[4:, AUS.index(4)].tolist() == [1, 0, 0, 2]
    assert np.isnan(m.aus[:, AUS.index(1)]).all()  # not coded here
    assert summary.skipped == {"person without a video or frames": 1}
    # Label 2 belongs to the second frame: smiling, unlike its neighbours
    smile, still, wide = (cv2.imread(str(m.path(k))).astype(int) for k in (1, 0, 2))
    truth = cv2.imread(str(m.path(3))).astype(int)
    assert 2 * abs(still - truth).mean() < min(abs(smile - still).mean(), abs(wide - smile).mean())
    m, _ = corpus.take_in("disfa", out="thin", align="never", every=2)
    assert rows(m, "frame") == [(1,), (3,)] * 2


def test_disfa_has_eets_counts():
    """EET IV-A: 27 people, 9 of them, with 4,845 frames each, make 43,605 to test on."""
    assert len(FOLD_OF) == 27 and Counter(FOLD_OF.values()) == {0: 9, 1: 9, 2: 9}


def test_raf_db(corpus):
    lines = []
    for name, code, word in (
        ("train_00001", 4, "happiness"),
        ("train_00002", 1, "surprise"),
        ("test_0001", 7, "neutral"),
    ):
        lines.append(f"{name}.jpg {code}")
        corpus.put(f"Image/aligned/{name}_aligned.jpg", word, image=np.full((100, 100, 3), 99, np.uint8))
        corpus.put(f"Image/original/{name}.jpg", word)
        points = studio_faces()[1, word][1]
        eyes = [points[[36, 39]].mean(0), points[[42, 45]].mean(0), *points[[30, 48, 54]]]
        text = "\n".join(f"{x:.3f}\t{y:.3f}" for x, y in eyes) + "\n1\n2\n2\n"
        corpus.note(f"Annotation/manual/{name}_manu_attri.txt", text)
    corpus.note("EmoLabel/list_patition_label.txt", "\n".join([*lines, "train_00003.jpg 4", "odd.jpg 9"]) + "\n")
    m, summary = corpus.take_in("raf-db")
    assert rows(m, "subject", "expression", "split", "test", "gender", "ethnicity") == [
        ("train_00001", "happiness", "train", False, "female", "Asian"),
        ("train_00002", "surprise", "train", False, "female", "Asian"),
        ("test_0001", "neutral", "test", True, "female", "Asian"),
    ]
    assert summary.skipped == {"listed picture is not there": 1, "no label": 1}
    assert (cv2.imread(str(m.path(0))) == 99).all()
    assert "leaks" in describe(m) and len(training_data(Sets((m.folder,)), 64).manifest) == 2  # JESRL can train on it
    m, _ = corpus.take_in("raf-db", out="whole", size=SIDE, align="always")  # the originals, by their five points
    frame = studio_faces()[1, "happiness"][0][TOP : TOP + SIDE, LEFT : LEFT + SIDE].astype(int)
    assert abs(cv2.imread(str(m.path(0)))[..., ::-1] - frame)[8:-8, 8:-8].mean() < 4  # it was a JPEG
    m, _ = corpus.take_in("raf-db", out="unknown", strangers=False)
    assert m.subjects == []


@pytest.mark.parametrize("inner", ["Train/Train_Aligned_Faces", "Train_Aligned_Faces"])
def test_sfew(corpus, inner):
    tall = np.random.default_rng(0).integers(0, 255, (181, 143, 3), np.uint8)
    corpus.put(f"{inner}/Angry/Airheads_000519240_00000005.png", image=tall)
    corpus.put(f"{inner.replace('Train', 'Val')}/Neutral/Hangover_010142720_00000044.png", image=tall)
    corpus.put(f"{inner.replace('Train', 'Test')}/Hangover_010142720_00000045.png", image=tall)
    m, summary = corpus.take_in("sfew", size=143)
    assert rows(m, "expression", "split", "test", "sequence") == [
        ("anger", "train", False, "Airheads"),
        ("neutral", "val", True, "Hangover"),
    ]
    assert (cv2.imread(str(m.path(0)))[..., ::-1] == tall[19:162]).all()  # the middle square, as it is
    assert summary.skipped == {"no label": 1}


@pytest.mark.parametrize("header", ["emotion,pixels,Usage", "emotion, Usage, pixels"])
def test_fer2013(corpus, header):
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (4, 48, 48))
    lines = []
    for k, (code, usage) in enumerate(((0, "Training"), (3, "PublicTest"), (6, "PrivateTest"), (2, "Training"))):
        cells = {"emotion": str(code), "Usage": usage, "pixels": " ".join(map(str, grey[k].ravel()))}
        if k == 3:
            cells["pixels"] = "1 2 3"
        lines.append(",".join(cells[name.strip()] for name in header.split(",")))
    name = "fer2013.csv" if header.startswith("emotion,p") else "icml_face_data.csv"
    corpus.note(name, "\n".join([header, *lines, "9" + lines[0][1:]]))
    m, summary = corpus.take_in("fer2013", size=48)
    assert rows(m, "expression", "split", "test") == [
        ("anger", "train", False), ("happiness", "val", False), ("neutral", "test", True)
    ]  # fmt: skip
    assert (cv2.imread(str(m.path(2))) == grey[2][..., None]).all()
    assert summary.skipped == {"no label": 1, "picture cannot be read": 1}
    skipped = list(csv.DictReader((corpus.folder / "out/skipped.csv").open()))
    assert "row 4" in skipped[1]["what"]


def test_affectnet_tables(corpus):
    columns = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
    points = ";".join(f"{v:.2f}" for v in studio_faces()[1, "happiness"][1].ravel())
    corpus.put("Manually_Annotated_Images/103/a.jpg")
    corpus.put("Manually_Annotated_Images/9/b.jpg", "surprise", 4)
    rows_in = [
        f"103/a.jpg,0,0,9,9,{points},1,0.5,0.1",
        f"103/gone.jpg,0,0,9,9,{points},1,0,0",
        "103/a.jpg,0,0,9,9,,8,0,0",
    ]
    corpus.note("training.csv", "\n".join([columns, *rows_in]))
    corpus.note("validation.csv", "9/b.jpg,0,0,9,9,,3,0.5,0.1\n")  # this one came without a header
    m, summary = corpus.take_in("affectnet", size=SIDE)
    assert rows(m, "expression", "split", "test") == [("happiness", "train", False), ("surprise", "val", True)]
    assert summary.skipped == {"listed picture is not there": 1, "none, uncertain or no face": 1}
    frame = studio_faces()[1, "happiness"][0][TOP : TOP + SIDE, LEFT : LEFT + SIDE].astype(int)
    assert abs(cv2.imread(str(m.path(0)))[..., ::-1] - frame)[8:-8, 8:-8].mean() < 4


def test_affectnet_arrays(corpus):
    for k, code in enumerate("07"):
        corpus.put(f"train_set/images/{k}.jpg")
        (corpus.root / "train_set/annotations").mkdir(exist_ok=True)
        np.save(corpus.root / f"train_set/annotations/{k}_exp.npy", np.array(code))
        np.save(corpus.root / f"train_set/annotations/{k}_lnd.npy", studio_faces()[1, "happiness"][1].ravel())
    corpus.put("train_set/images/2.jpg")
    m, summary = corpus.take_in("affectnet")
    assert rows(m, "expression", "split", "test") == [("neutral", "train", False), ("contempt", "train", False)]
    assert summary.skipped == {"no label": 1}


def test_folder(corpus):
    tiny = np.zeros((40, 30, 3), np.uint8)
    for name in (
        "Happiness/S1_a.jpg",
        "Happiness/S1_a.png",
        "joy/deep/S2_b.png",
        "sad/._S3.png",
        "misc/S4.png",
        "fear/x.png",
    ):
        corpus.put(name, image=tiny)
    m, summary = corpus.take_in("folder", align="never", subject=r"(S\d)_")
    assert sorted(rows(m, "file", "subject", "expression", "split")) == [
        ("Happiness/S1_a.jpg.png", "S1", "happiness", ""),
        ("Happiness/S1_a.png.png", "S1", "happiness", ""),  # two files of one stem stay two
        ("fear/x.png", "", "fear", ""),
        ("joy/deep/S2_b.png", "S2", "happiness", ""),
    ]
    assert summary.skipped == {"folder 'misc' is named after no expression": 1}


def test_folder_with_splits(corpus):
    for name in ("training/happy/S1.png", "valid/Anger/S2.png", "Test/Neutral/S3.png", "sad/S4.png"):
        corpus.put(name, image=np.zeros((40, 30, 3), np.uint8))
    m, summary = corpus.take_in("folder", align="never")
    assert summary.skipped == {"folder beside train, val and test": 1}
    assert sorted(rows(m, "expression", "split", "test")) == [
        ("anger", "val", False), ("happiness", "train", False), ("neutral", "test", True)
    ]  # fmt: skip
    assert len(m.subjects) == 3
    corpus.put("training/happy/S3.png", image=np.zeros((40, 30, 3), np.uint8))
    with pytest.raises(InputError, match=r"subject S3 stands in training .* and in test"):
        corpus.take_in("folder", out="leaky", align="never", subject=r"S\d")


def test_openface_tables(corpus):
    for k, word in enumerate(["neutral", "happiness", "surprise"], 1):
        corpus.put(f"clip/frame_{k:04d}.png", word)
    tracked = ["1, 0.98, 1, 0.5, 3.25, 1, 0.1745329, 0.1745329, 0, 0.0872665, 0.0872665", "2, 0.2, 0" + ", 0" * 8]
    tracked += ["3, 0.98, 1, 5" + ", 0" * 7, "4, 0.98, 1" + ", 0" * 8]
    corpus.note("clip.csv", "\n".join([f"frame, confidence, success,{OPENFACE}", *tracked]))
    corpus.put("one.jpg", "happiness", 4)
    corpus.note(
        "one.csv", f"face, confidence,{OPENFACE}\n0, 0.3, 5, 5, 5, 0, 0, 0, 0, 0\n1, 0.9, 1, 2, 0, 0, 0, 0, 0, 0\n"
    )
    corpus.note("notes.csv", "a,b\n1,2\n")
    m, summary = corpus.take_in("csv")
    assert rows(m, "file", "subject", "sequence", "source") == [
        ("clip/frame_0001.png", "clip", "clip", "OpenFace"), ("clip/frame_0003.png", "clip", "clip", "OpenFace"),
        ("one.png", "one", "", "OpenFace"),
    ]  # fmt: skip
    assert summary.skipped == {"no face tracked": 1, "row whose picture is not there": 1}
    first = dict(zip(AUS, m.aus[0], strict=True))
    assert (first[1], first[12], first[43]) == (0.5, 3.25, 1) and np.isnan(first[4])
    # Nose down and, a turn towards the person's right, to the image's left; the eyes look down to the image's right.
    pose = [float(column[0]) for column in (m.pitch, m.yaw, m.roll, m.gaze_x, m.gaze_y)]
    assert pose == pytest.approx([10, -10, 0, 5, -5], abs=0.01)
    assert m.aus[2, AUS.index(12)] == 2  # the surer of two faces


def test_py_feat_tables_and_video(corpus):
    corpus.put("a.png")
    corpus.put("b.png", "surprise")
    corpus.note(
        "fex.csv", "input,FaceScore,AU01,AU12,Pitch\na.png,0.9,0.2,1.0,3\nb.png,0.9,0,0,3\ngone.png,0.9,0,0,3\n"
    )
    corpus.film("v.avi", [(4, "neutral"), (4, "happiness")])
    corpus.note("v.csv", "frame,AU01,AU12\n0,0,0\n1,0,0.5\n")
    m, summary = corpus.take_in("csv", align="never")
    assert rows(m, "file", "subject", "source", "frame") == [
        ("a.png", "a", "py-feat", -1), ("b.png", "b", "py-feat", -1),
        ("v/000000.png", "v", "py-feat", 0), ("v/000001.png", "v", "py-feat", 1),
    ]  # fmt: skip
    assert m.aus[0, AUS.index(1)] == 1 and m.aus[0, AUS.index(12)] == 5 and m.aus[3, AUS.index(12)] == 2.5
    assert np.isnan(m.pitch).all() and summary.skipped == {"row whose picture is not there": 1}


def test_facs_letters_and_words():
    assert read_pairs("1 A\nR12 C\nL12 E\n4 0\n") == {1: 1, 12: 5, 4: None}
    with pytest.raises(ValueError):
        read_pairs("12 9")
    for text, word in (("Happy", "happiness"), ("ANGRY", "anger"), ("Contemptuous", "contempt"), ("0", None)):
        assert expression_word(text) == word


# Corpora that somebody made to do harm, or that broke on the way


@pytest.mark.parametrize("link", ["../secret.jpg", "absolute", "x" * 5000], ids=["above", "absolute", "long"])
def test_a_table_cannot_fetch_from_outside(corpus, link):
    corpus.put("inside.jpg")
    secret = corpus.root.parent / "secret.jpg"
    shutil.copy(corpus.root / "inside.jpg", secret)
    named = str(secret) if link == "absolute" else link
    corpus.note("t.csv", f"file_name,AU01_r,AU12_r\ninside.jpg,1,2\n{named},1,2\n")
    m, summary = corpus.take_in("csv", align="never")
    assert m.files == ["images/inside.png"] and sum(summary.skipped.values()) == 1


def test_sessions_that_cannot_be_understood_are_skipped(corpus):
    good = '<session><subject id="{}"/><Metatag Name="Emotion" Value="4"/></session>'
    bomb = "<!DOCTYPE a [<!ENTITY b 'x'>]>" + good.format(2)
    broken = (good.format("one"), good.format("9" * 5000), bomb, "<a>")
    for k, text in enumerate((good.format(1), *broken)):
        corpus.put(f"Sessions/{k}/1.jpg")
        corpus.note(f"Sessions/{k}/session.xml", text)
    corpus.put("Sessions/9/1.jpg")
    (corpus.root / "Sessions/9/session.xml").symlink_to("/dev/zero")
    m, summary = corpus.take_in("mmi", align="never")
    assert len(m) == 1 and summary.skipped == {"label file cannot be read": len(broken) + 1}


def test_arrays_that_are_no_labels_are_skipped(corpus):
    notes = corpus.root / "train_set/annotations"
    codes = np.array("1"), np.array("¹"), np.array(["1"] * 3), np.array({"a": 1}, object), np.array(9)
    for k in range(len(codes) + 1):
        corpus.put(f"train_set/images/{k}.jpg")
    notes.mkdir()
    for k, value in enumerate(codes):
        np.save(notes / f"{k}_exp.npy", value, allow_pickle=True)
        np.save(notes / f"{k}_lnd.npy", np.array(["a"] * 136))
    with (notes / f"{len(codes)}_exp.npy").open("wb") as file:
        np.savez(file, np.array("1"))
    m, summary = corpus.take_in("affectnet", align="never")
    assert len(m) == 1 and sum(summary.skipped.values()) == len(codes)


def test_a_cell_of_any_length_is_only_a_bad_row(corpus):
    good = " ".join(["7"] * 48 * 48)
    corpus.note("fer2013.csv", f'emotion,pixels,Usage\n3,"{"12 " * 80_000}",Training\n4,{good},Training\n')
    m, summary = corpus.take_in("fer2013")
    assert len(m) == 1 and sum(summary.skipped.values()) == 1


def test_clips_in_a_folder_of_pictures_are_named(corpus):
    corpus.put("happy/a.jpg")
    (corpus.root / "happy" / "b.mp4").touch()
    m, summary = corpus.take_in("folder", align="never")
    assert len(m) == 1 and summary.skipped == {"clip, not a picture: extract its frames": 1}
