"""Importers of posed corpora on trees laid out as they are, filled with the studio's faces.

What is expected is written out by hand from the corpora's own descriptions and the papers' protocols.
"""

from collections import Counter

import cv2
import numpy as np
import pytest

from mien.data.importers.support.sample import Options, Sample
from mien.data.importers.tables import with_units
from mien.data.importing import gather
from mien.data.manifest import read_manifest
from mien.errors import InputError
from mien.labels import AUS
from tests.helpers.corpora import LEFT, NOFACE, SIDE, TOP, Corpus, rows, studio_faces


@pytest.fixture
def corpus(tmp_path):
    return Corpus(tmp_path)


def test_ck_plus(corpus):
    for k, word in enumerate(["neutral", "neutral", "happiness", "happiness", "happiness"], 1):
        path = corpus.put(f"cohn-kanade-images/S005/001/S005_001_{k:08d}.png", word)
        points = "\n".join(f"   {x:.7e}   {y:.7e}" for x, y in studio_faces()[1, word][1])
        corpus.note(f"Landmarks/S005/001/{path.stem}_landmarks.txt", points)
    corpus.put("cohn-kanade-images/S010/002/S010_002_00000001.png", "neutral", 4)
    corpus.note("cohn-kanade-images/S010/002/.DS_Store", "")
    corpus.put("cohn-kanade-images/S011/001/S011_001_00000001.png", "neutral", 4)
    corpus.note("Emotion/S005/001/S005_001_00000005_emotion.txt", "   5.0000000e+00\n")
    corpus.note("Emotion/S011/001/S011_001_00000001_emotion.txt", "five")
    facs = "   6.0000000e+00   3.0000000e+00\n   1.2000000e+01   0.0000000e+00\n   2.5000000e+01   5.0000000e+00\n"
    corpus.note("FACS/S005/001/S005_001_00000005_facs.txt", facs)

    m, summary = corpus.take_in("ck+", size=SIDE)
    assert rows(m, "subject", "expression", "intensity", "sequence", "frame") == [
        ("S005", "neutral", 0, "S005_001", 1),
        ("S005", "happiness", 1, "S005_001", 3),
        ("S005", "happiness", 1, "S005_001", 4),
        ("S005", "happiness", 1, "S005_001", 5),
    ]
    assert summary.skipped == {"sequence without an emotion label": 1, "label file cannot be read": 1}
    peak = dict(zip(AUS, m.aus[3], strict=True))
    assert peak[6] == 3 and peak[25] == 5 and peak[4] == 0 and np.isnan(peak[12])  # 12 is there, how much is not coded
    assert np.isnan(m.aus[:3]).all()  # the codes are the last frame's
    # The landmarks say where the eyes are, so the studio's own frame comes back.
    frame = studio_faces()[1, "happiness"][0][TOP : TOP + SIDE, LEFT : LEFT + SIDE].astype(int)
    assert abs(cv2.imread(str(m.path(3)))[..., ::-1] - frame)[8:-8, 8:-8].mean() < 1

    m, _ = corpus.take_in("ck+", out="no_neutral", neutral=False)
    assert rows(m, "frame") == [(3,), (4,), (5,)]
    m, _ = corpus.take_in("ck+", out="all", all_frames=True)
    assert rows(m, "subject", "expression", "intensity")[:5] == [
        ("S005", "neutral", 0), ("S005", "happiness", 0.25), ("S005", "happiness", 0.5),
        ("S005", "happiness", 0.75), ("S005", "happiness", 1),
    ]  # fmt: skip
    assert rows(m, "subject", "expression")[5:] == [("S010", "neutral")]


def test_ck48(corpus):
    tiny = np.random.default_rng(0).integers(0, 255, (48, 48, 3), np.uint8)
    for word, frames in (("anger", (15, 16, 17)), ("happy", (8, 9, 10))):
        for k in frames:
            corpus.put(f"CK+48/{word}/S010_00{len(word)}_{k:08d}.png", image=tiny)
    corpus.put("CK+48/happy/mine.png", image=tiny)
    m, summary = corpus.take_in("ck48", size=48)
    assert rows(m, "subject", "expression", "sequence", "frame", "intensity") == [
        *(("S010", "anger", "S010_005", k, 1) for k in (15, 16, 17)),
        *(("S010", "happiness", "S010_005", k, 1) for k in (8, 9, 10)),
    ]
    assert (cv2.imread(str(m.path(0)))[..., ::-1] == tiny).all()  # taken as they are
    assert summary.skipped == {"file name without subject and sequence": 1}


@pytest.mark.parametrize("above", ["VIS", "VL", "OriginalImg/VL"])
def test_oulu_casia(corpus, above):
    for k, word in enumerate(["neutral", "neutral", "surprise", "surprise", "surprise"]):
        corpus.put(f"{above}/Strong/P001/Surprise/{k:03d}.jpeg", word)
        corpus.put(f"{above}/Weak/P001/Surprise/{k:03d}.jpeg", word)
        corpus.put(f"{above.replace('VIS', 'NI').replace('VL', 'NI')}/Strong/P001/Surprise/{k:03d}.jpeg", word)
    m, summary = corpus.take_in("oulu-casia", align="auto" if above == "VIS" else "never")
    assert rows(m, "subject", "expression", "intensity", "sequence", "frame") == [
        ("P001", "neutral", 0, "P001_Surprise", 0),
        *(("P001", "surprise", 1, "P001_Surprise", k) for k in (2, 3, 4)),
    ]
    assert summary.skipped == {}


def test_mmi(corpus):
    def session(number, emotion, view="0", broken=False):
        corpus.note(f"Sessions/{number}/S001-100.xml", f'<Video><Metatag Name="Emotion" Value="{emotion}"/></Video>')
        text = "<session" if broken else f'<session><subject id="9"/><track view="{view}"/></session>'
        corpus.note(f"Sessions/{number}/session.xml", text)
        corpus.note(f"Sessions/{number}/S001-100-oao_aucs.xml", "<not read")

    for k in range(9):
        corpus.put(
            f"Sessions/1767/frame{k:03d}.png", "happiness" if 2 < k < 6 else "neutral", turn=1
        )  # lies on its side
    for number, emotion, view in ((1767, 4, "0"), (8, 4, "1"), (9, 7, "0"), (20, 3, "0")):
        session(number, emotion, view)
    session(10, 1, broken=True)
    corpus.film("Sessions/20/S001-100.avi", [(4, "surprise" if k in (2, 3, 4) else "neutral") for k in range(7)])
    m, summary = corpus.take_in("mmi")
    assert rows(m, "subject", "expression", "intensity", "sequence", "frame") == [
        ("S001", "neutral", 0, "20", 0), *(("S001", "fear", 1, "20", k) for k in (2, 3, 4)),
        ("S001", "neutral", 0, "1767", 0), *(("S001", "happiness", 1, "1767", k) for k in (3, 4, 5)),
    ]  # fmt: skip
    assert summary.skipped == {
        "session not seen from the front": 1,
        "session without one of the six emotions": 1,
        "label file cannot be read": 1,
    }
    truth = cv2.resize(studio_faces()[1, "neutral"][0][TOP : TOP + SIDE, LEFT : LEFT + SIDE], (64, 64)).astype(int)
    apart = [abs(np.rot90(cv2.imread(str(m.path(4)))[..., ::-1], k).astype(int) - truth).mean() for k in range(4)]
    assert apart[0] < 0.6 * min(apart[1:])  # it was set upright


def test_bu_3dfe(corpus):
    for code in ("NE00", "HA01", "HA02", "HA03", "HA04"):
        corpus.put(f"F0001/F0001_{code}WH_F2D.bmp", "neutral" if code == "NE00" else "happiness")
    corpus.put("M0044/M0044_AN04AE_F2D.bmp", "surprise", 4)
    corpus.put("M0044/M0044_AN04AE_F3D.bmp", "surprise", 4)  # not the frontal texture
    m, summary = corpus.take_in("bu-3dfe")
    assert rows(m, "subject", "expression", "intensity", "gender", "ethnicity") == [
        ("F0001", "happiness", 0.75, "female", "White"),
        ("F0001", "happiness", 1, "female", "White"),
        ("F0001", "neutral", 0, "female", "White"),
        ("M0044", "anger", 1, "male", "East Asian"),
    ]
    assert summary.skipped == {"intensity below the two highest": 2}
    m, _ = corpus.take_in("bu-3dfe", out="all", align="never", all_frames=True)
    assert Counter(m.intensity.tolist()) == {0.25: 1, 0.5: 1, 0.75: 1, 1.0: 2, 0.0: 1}


def test_bu_4dfe(corpus):
    for k in range(20):
        corpus.put(f"F001/Angry/{k:03d}.jpg", "surprise" if 5 < k < 15 else "neutral")
    m, _ = corpus.take_in("bu-4dfe")
    assert rows(m, "subject", "expression", "intensity", "frame", "gender") == [
        ("F001", "neutral", 0, 0, "female"),
        *(("F001", "anger", 1, k, "female") for k in (8, 9, 10, 11)),
    ]


def test_multi_pie(corpus):
    for session, recording, camera in (
        ("01", "01", "05_1"), ("01", "02", "05_1"), ("02", "03", "13_0"), ("04", "03", "04_1"), ("04", "03", "24_0"),
    ):  # fmt: skip
        for light in ("07", "00"):
            name = f"001_{session}_{recording}_{camera.replace('_', '')}_{light}.png"
            corpus.put(f"session{session}/multiview/001/{recording}/{camera}/{name}", "happiness")
    m, summary = corpus.take_in("multi-pie")
    assert rows(m, "subject", "expression", "expr_id", "yaw") == [
        ("001", "neutral", "", 0), ("001", "happiness", "", 0), ("001", "other", "squint", -30),
        ("001", "other", "scream", 30),
    ]  # fmt: skip
    assert all(name.endswith("_07.png") for name in m.files)
    assert summary.skipped == {"camera without a picture in this light": 16}
    m, _ = corpus.take_in("multi-pie", out="all", align="never", all_frames=True, stand_ins=True, light=0)
    assert rows(m, "expression", "yaw") == [
        ("neutral", 0), ("happiness", 0), ("anger", -30), ("fear", 30), ("fear", 90)
    ]  # fmt: skip


def test_rafd(corpus):
    corpus.put("Rafd090_01_Caucasian_female_happy_frontal.jpg")
    corpus.put("Rafd045_01_Caucasian_female_happy_left.jpg")
    corpus.put("Rafd135_61_Moroccan_male_neutral_right.jpg", "neutral", 4)
    corpus.put("Rafd180_61_Moroccan_male_contemptuous_right.jpg", "neutral", 4)
    m, summary = corpus.take_in("rafd")
    assert rows(m, "subject", "expression", "yaw", "gaze_x", "ethnicity", "gender") == [
        ("01", "happiness", -45, -30, "Caucasian", "female"),
        ("01", "happiness", 0, 0, "Caucasian", "female"),
        ("61", "neutral", 45, 30, "Moroccan", "male"),
    ]
    assert summary.skipped == {"camera in profile": 1}
    m, _ = corpus.take_in("rafd", out="all", align="never", all_frames=True)
    assert ("61", "contempt", 90) in rows(m, "subject", "expression", "yaw")


def test_rafd_has_openfaces_units_beside_its_own_gaze(corpus):
    """EET IV-A: RaFD's expressions, poses and gazes are its own, its action units are what OpenFace measured."""
    corpus.put("Rafd090_01_Caucasian_female_happy_left.jpg")
    corpus.put("Rafd090_61_Moroccan_male_neutral_frontal.jpg", "neutral", 4)
    table = corpus.folder / "openface" / "measured.csv"
    table.parent.mkdir()
    table.write_text(
        "input, success, AU01_r, AU12_r, AU45_r, gaze_angle_x\n"
        "elsewhere/Rafd090_01_Caucasian_female_happy_left.jpg, 1, 0.5, 3.25, 2, 0.9\n"
    )
    out = corpus.folder / "out"
    summary = gather("rafd", corpus.root, out, 64, options=Options(aus=str(table.parent)))
    m = read_manifest(out)
    assert summary.measured == 1 and "1 images have action units by --aus" in "\n".join(summary.lines())
    assert rows(m, "subject", "expression", "gaze_x", "source") == [
        ("01", "happiness", -30, "rafd+OpenFace"), ("61", "neutral", 0, "rafd"),
    ]  # fmt: skip
    units = dict(zip(AUS, m.aus[0].tolist(), strict=True))
    assert (units[1], units[12], units[43]) == (0.5, 3.25, 2) and np.isnan(units[4]) and np.isnan(m.aus[1]).all()
    assert gather("rafd", corpus.root, out, 64, options=Options(aus=str(table.parent))) == summary
    with pytest.raises(InputError, match="holds another import"):
        gather("rafd", corpus.root, out, 64)
    table.write_text("input,AU01_r\nnobody.jpg,1\n")
    with pytest.raises(InputError, match="no row fits a picture of the corpus"):
        gather("rafd", corpus.root, corpus.folder / "other", 64, options=Options(aus=str(table)))


def test_frames_of_clips_find_their_rows(tmp_path):
    """OpenFace counts a clip's frames from 1 and names the table after it; MMI's frames count from 0."""
    (tmp_path / "1767.csv").write_text("frame,success,AU01_r,AU12_r\n1,1,0,0\n8,1,0,4\n")
    listed = [Sample(f"1767/{k:05d}", tmp_path, {"sequence": "1767", "frame": k, "source": "mmi"}) for k in (0, 7, 9)]
    found, measured = with_units(listed, tmp_path)
    assert [s.labels.get("AU12") for s in found[:2]] == [0, 4] and measured == 2
    assert "AU12" not in found[2].labels and found[2].labels["source"] == "mmi"


def test_cfd(corpus):
    for code in ("N", "HC", "HO", "A", "F"):
        corpus.put(f"Images/CFD/WM-001/CFD-WM-001-0{len(code)}-{code}.jpg", "neutral" if code == "N" else "happiness")
    corpus.put("Images/CFD-MR/CFD-MF-300-002-N.jpg", image=NOFACE)
    corpus.put("Images/CFD/WM-001/CFD-WM-001-0-X.jpg")
    m, summary = corpus.take_in("cfd")
    assert sorted(rows(m, "subject", "expression", "expr_id", "ethnicity", "gender")) == [
        ("WM-001", "anger", "", "White", "male"),
        ("WM-001", "fear", "", "White", "male"),
        ("WM-001", "happiness", "happiness_closed", "White", "male"),
        ("WM-001", "happiness", "happiness_open", "White", "male"),
        ("WM-001", "neutral", "", "White", "male"),
    ]
    assert summary.skipped == {"file name with no known expression": 1, "no face found": 1}


def test_jaffe(corpus):
    corpus.put("KA.HA1.29.tiff")
    corpus.put("KA.NE1.26.tiff", "neutral")
    corpus.put("YM.SU3.60.tiff", "surprise", 4)
    corpus.put("README.tiff")
    m, summary = corpus.take_in("jaffe")
    assert rows(m, "subject", "expression", "gender") == [
        ("KA", "happiness", "female"), ("KA", "neutral", "female"), ("YM", "surprise", "female")
    ]  # fmt: skip
    assert summary.skipped == {"file name with no known expression": 1}
