"""The table in other tools' words: their names, by their readers, and their signs by rotations of our own making."""

import csv
import io

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mien.data.importers import tables as their_tables
from mien.errors import InputError
from mien.evaluate.evaluators import tables as their_evaluators
from mien.labels import AUS, CLASSES, au_columns, au_name
from mien.recognition.table import PRESENT, csv_text
from mien.recognition.vocabularies import arkit, check_vocabulary, openface, pyfeat, spoken
from mien.recognition.vocabularies.pose import euler, gaze_ray, head_matrix

# The header of FeatureExtraction 2.x, without what is left out; from a table of the RAVDESS landmarks' description.
OPENFACE = """frame,face_id,timestamp,confidence,success,gaze_0_x,gaze_0_y,gaze_0_z,gaze_1_x,gaze_1_y,gaze_1_z,
gaze_angle_x,gaze_angle_y,pose_Tx,pose_Ty,pose_Tz,pose_Rx,pose_Ry,pose_Rz"""
OPENFACE_UNITS = """AU01_r,AU02_r,AU04_r,AU05_r,AU06_r,AU07_r,AU09_r,AU10_r,AU12_r,AU14_r,AU15_r,AU17_r,AU20_r,AU23_r,
AU25_r,AU26_r,AU45_r,AU01_c,AU02_c,AU04_c,AU05_c,AU06_c,AU07_c,AU09_c,AU10_c,AU12_c,AU14_c,AU15_c,AU17_c,AU20_c,AU23_c,
AU25_c,AU26_c,AU28_c,AU45_c"""


def names(text):
    return text.replace("\n", "").split(",")


@pytest.fixture
def row():
    rng = np.random.default_rng(0)
    found = {"path": "clip.mp4", "frame": 3, "time": 0.12, "number": 2, "x": 1.0, "y": 2.0, "width": 30.0}
    found |= {"height": 40.0, "eyes": "landmarks", "expression": "fear", "score": 0.97}
    found |= dict(zip(CLASSES, rng.dirichlet(np.ones(8)).tolist(), strict=True))
    found |= {"yaw": 10.0, "pitch": -6.0, "roll": 4.0, "turned": 0, "gaze_x": 8.0, "gaze_y": 3.0}
    for side in ("", "L", "R"):
        found |= dict(zip(au_columns(side), rng.uniform(0, 5, len(AUS)).tolist(), strict=True))
    found |= {name: int(found[name[:4]] >= 1) for name in PRESENT}
    return found | {"points": rng.uniform(0, 99, 136).tolist()}


def written(rows, name, folder):
    told, columns = spoken(rows, name)
    (folder / "clip.csv").write_text(csv_text(told, columns))
    return list(csv.DictReader(io.StringIO((folder / "clip.csv").read_text()))), folder / "clip.csv"


def test_openfaces_names(row):
    points = [f"{axis}_{k}" for axis in "xy" for k in range(68)]
    assert list(openface.COLUMNS) == [*names(OPENFACE), *points, *names(OPENFACE_UNITS), "input"]
    found = openface.cells(row)
    assert (found["frame"], found["face_id"], found["timestamp"], found["success"]) == (4, 1, 0.12, 1)
    assert (found["AU45_r"], found["AU12_r"]) == (row["AU43"], row["AU12"]) and found["AU12_c"] == row["AU12_present"]
    assert (found["x_5"], found["y_5"]) == (row["points"][10], row["points"][11])
    assert not {"pose_Tx", "AU28_c"} & found.keys() and found.keys() <= {*openface.COLUMNS}


def test_our_readers_of_openface_and_pyfeat_read_it_back(row, tmp_path):
    _, path = written([row], "openface", tmp_path)
    (back,) = their_tables._rows(path)
    assert their_tables._tool(back) == "OpenFace" and their_tables._frame(back) == 4
    assert float(their_tables._aus(back)["AU12"]) == pytest.approx(row["AU12"], abs=1e-4)
    reading = their_evaluators.reading([dict(back)], their_evaluators.TOOLS["openface"])
    known = [AUS.index(au) for au in (1, 2, 4, 12, 25, 43)]
    np.testing.assert_allclose(reading.aus[0, known], [row[au_name(AUS[k])] for k in known], atol=1e-4)
    (told,), path = written([row], "pyfeat", tmp_path)
    assert their_tables._tool(their_tables._rows(path)[0]) == "py-feat"
    reading = their_evaluators.reading([told], their_evaluators.TOOLS["pyfeat"])
    np.testing.assert_allclose(reading.aus[0, known], [row[au_name(AUS[k])] for k in known], atol=1e-3)
    assert CLASSES[reading.classes[0]] == max((w for w in CLASSES if w != "contempt"), key=lambda w: row[w])


@pytest.mark.parametrize("name", ["yaw", "pitch", "roll"])
@pytest.mark.parametrize("angle", [-25.0, 25.0])
def test_one_turn_comes_back_through_our_importer(row, name, angle, tmp_path):
    straight = row | {"yaw": 0.0, "pitch": 0.0, "roll": 0.0, "gaze_x": 0.0, "gaze_y": 0.0}
    (told,), _ = written([straight | {name: angle}], "openface", tmp_path)
    found = their_tables._pose(told)
    expected = {"yaw": 0.0, "pitch": 0.0, "roll": 0.0} | {name: angle}
    assert {n: found[n] for n in expected} == pytest.approx(expected, abs=0.01)
    if name != "roll":  # a turned head turns its gaze
        axis = {"yaw": "gaze_x", "pitch": "gaze_y"}[name]
        assert found[axis] == pytest.approx(angle if name == "yaw" else -angle, abs=0.01)


def test_turns_together_are_openfaces_product(row):
    """SciPy takes R = Rx Ry Rz apart; the head nods, then turns, then tilts."""
    head = head_matrix(row)
    nose = head @ (0, 0, -1.0)
    assert nose[0] > 0 and nose[1] < 0  # to the image's right (yaw 10), up (pitch -6)
    made = Rotation.from_euler("xyz", [row["pitch"], -row["yaw"], row["roll"]], degrees=True).as_matrix()
    np.testing.assert_allclose(head, made, atol=1e-12)
    np.testing.assert_allclose(euler(head), Rotation.from_matrix(head).as_euler("XYZ"), atol=1e-12)
    cells = openface.cells(row)
    np.testing.assert_allclose([cells[f"pose_R{axis}"] for axis in "xyz"], euler(head), atol=1e-4)
    ray = gaze_ray(row)
    assert np.linalg.norm(ray) == pytest.approx(1)
    flat = gaze_ray({"yaw": 0.0, "pitch": 0.0, "roll": 0.0, "gaze_x": 20.0, "gaze_y": 0.0})
    np.testing.assert_allclose(flat, [np.sin(np.radians(20)), 0, -np.cos(np.radians(20))], atol=1e-12)
    tilted = gaze_ray({"yaw": 0.0, "pitch": 0.0, "roll": 90.0, "gaze_x": 20.0, "gaze_y": 0.0})
    assert tilted[1] == pytest.approx(np.sin(np.radians(20)))  # what is right in the head is down in the image


def test_pyfeats_names(row):
    boxes = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"]
    units = "AU01 AU02 AU04 AU05 AU06 AU07 AU09 AU10 AU11 AU12 AU14 AU15 AU17 AU20 AU23 AU24 AU25 AU26 AU28 AU43"
    words = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    points = [f"{axis}_{k}" for axis in "xy" for k in range(68)]
    assert list(pyfeat.COLUMNS) == ["frame", *boxes, *points, "Pitch", "Roll", "Yaw", *units.split(), *words, "input"]
    found = pyfeat.cells(row)
    assert [found[name] for name in boxes] == [1.0, 2.0, 30.0, 40.0, 0.97] and found["frame"] == 3
    assert found["AU12"] == pytest.approx(row["AU12"] / 5, abs=1e-4) and not {"AU11", "AU28", "contempt"} & found.keys()
    theirs = openface.cells(row)
    angles = ("Pitch", "Yaw", "Roll")
    assert [found[name] for name in angles] == [theirs[name] for name in ("pose_Rx", "pose_Ry", "pose_Rz")]


def test_arkits_shapes(row):
    found = arkit.cells(row)
    assert list(found) == list(arkit.COLUMNS) and len(arkit.COLUMNS) == 4 + 52 + 3
    assert found["mouthSmileLeft"] == pytest.approx(row["AU12_L"] / 5, abs=1e-4)
    assert found["eyeBlinkRight"] == pytest.approx(row["AU43_R"] / 5, abs=1e-4) and found["headYaw"] == 10.0
    whole = {name: value for name, value in row.items() if name[-2:] not in ("_L", "_R")}
    assert arkit.cells(whole)["mouthSmileRight"] == pytest.approx(row["AU12"] / 5, abs=1e-4)


def test_rows_without_a_face(tmp_path):
    rows = [{"path": "clip.mp4", "frame": 0, "time": 0.0}, {"path": "cut.png", "error": "cut short"}]
    told, _ = written(rows, "openface", tmp_path)
    assert [(r["success"], r["confidence"], r["AU12_r"], r["input"]) for r in told] == [
        ("0", "0.0", "", "clip.mp4"), ("0", "0.0", "", "cut.png"),
    ]  # fmt: skip
    told, _ = written(rows, "pyfeat", tmp_path)
    assert [(r["FaceScore"], r["happiness"], r["input"]) for r in told] == [("", "", "clip.mp4"), ("", "", "cut.png")]
    told, _ = written(rows, "arkit", tmp_path)
    assert [(r["path"], r["time"], r["jawOpen"]) for r in told] == [("clip.mp4", "0.0", ""), ("cut.png", "", "")]
    with pytest.raises(InputError, match="--columns affdex: choose from mien, pyfeat, openface, arkit"):
        check_vocabulary("affdex")
