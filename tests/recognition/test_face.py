"""What is read of a face, with an engine whose answers are known."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from mien.errors import InputError
from mien.faces.align import roll_of, similarity
from mien.faces.crop import FaceCrop
from mien.faces.landmarks import eye_aspects
from mien.labels import AUS, CLASSES
from mien.media.photo import Photo
from mien.recognition.face import TURNED, How, read_faces
from mien.recognition.table import columns_of, csv_text
from mien.runtime.engine import Readings

SIZE = 32


class Knows:
    """An engine that reads the same in every face."""

    name, size = "knows", SIZE

    def __init__(self, *abilities, yaw=12.0, best=0.6):
        self.abilities, self.yaw, self.best = frozenset(abilities), yaw, best
        self.seen = []

    def probabilities(self, crops):
        rest = (1 - self.best) / 7
        return np.array([[self.best if word == "fear" else rest for word in CLASSES]] * len(crops), np.float32)

    def units_of(self, crops):
        known = [1.5 if au == 4 else np.nan if au == 23 else 0.25 for au in AUS]
        return np.array([known] * len(crops), np.float32)

    def readings(self, crops):
        self.seen.append(crops)
        left, right = np.full((2, len(crops), len(AUS)), 0.25, np.float32)
        left[:, AUS.index(12)], right[:, AUS.index(12)], right[:, AUS.index(43)] = 3.0, 1.0, np.nan
        whole = np.ones(len(crops), np.float32)
        return Readings(left, right, self.yaw * whole, -5 * whole, np.outer(whole, (7.0, -2.0)))


def cut(angle=0.0, points=None, **more):
    """Return a face whose eyes lie on a line at an angle, clockwise, in its photo."""
    along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    matrix = similarity(np.array([50 - 15 * along, 50 + 15 * along]), SIZE)
    photo = Photo.of(np.zeros((100, 100, 3), np.uint8))
    crop = np.zeros((SIZE, SIZE, 3), np.uint8)
    return FaceCrop(photo, matrix, crop, 1, (1.0, 2.0, 30.0, 40.0), points, source="landmarks", **more)


def landmarks(opening_left=0.3, opening_right=0.1, size=SIZE):
    """Return (68, 2) crop pixels whose eyes stand on the template, each six points of a hexagon four units wide."""
    points = np.zeros((68, 2))
    for first, x, opening in ((36, 0.35, opening_right), (42, 0.65, opening_left)):
        hexagon = np.array([(-2, 0), (-1, -2), (1, -2), (2, 0), (1, 2), (-1, 2)]) * (1, opening)
        points[first : first + 6] = hexagon + np.array([x, 0.4]) * size - 0.5
    return points


def test_a_face_that_is_read_by_side():
    (row,) = read_faces(Knows("recognize", "estimate_aus", "read"), [cut(20.0, landmarks(), score=2.0)], How())
    assert row["expression"] == "fear" and row["fear"] == pytest.approx(0.6) and "unsure" not in row
    assert (row["AU12"], row["AU12_L"], row["AU12_R"], row["AU12_present"]) == (3.0, 3.0, 1.0, 1)
    assert row["AU43"] == row["AU43_L"] == 0.25 and "AU43_R" not in row and row["AU43_present"] == 0
    assert (row["yaw"], row["pitch"], row["gaze_x"], row["gaze_y"], row["turned"]) == (12.0, -5.0, 7.0, -2.0, 0)
    assert row["roll"] == 20.0 and row["score"] == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-4)
    assert (row["eye_left"], row["eye_right"]) == (0.3, 0.1)  # (4 + 4) · opening / (2 · 4)
    assert "points" not in row


def test_what_a_model_cannot_read_has_no_column():
    (row,) = read_faces(Knows("recognize", "estimate_aus"), [cut()], How())
    assert row["AU04_present"] == 1 and "AU23" not in row and not {"yaw", "turned", "AU12_L", "eye_left"} & row.keys()
    columns = columns_of([{"path": "a.png", **row}])
    assert columns[:6] == ["path", "number", "x", "y", "width", "height"] and columns[-1] == "error"
    assert "AU23" not in columns and "time" not in columns and "score" not in columns
    (row,) = read_faces(Knows("estimate_aus"), [cut()], How(needs="estimate_aus"))
    assert "expression" not in columns_of([{"path": "a.png", **row}])
    assert "happiness" in columns_of([{"path": "a.png", "error": "cut short"}])


def test_unsure_and_turned_are_said():
    engine = Knows("recognize", "read", yaw=-TURNED - 1)
    (row,) = read_faces(engine, [cut()], How(least=0.61))
    assert (row["expression"], row["unsure"], row["turned"]) == ("unsure", 1, 1)
    (row,) = read_faces(engine, [cut()], How(least=0.6 - 1e-6))
    assert (row["expression"], row["unsure"]) == ("fear", 0)
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match="min-confidence"):
            How(least=wrong)


def test_another_reader_sees_its_own_crops():
    reader = Knows("read")
    reader.size = 2 * SIZE
    (row,) = read_faces(Knows("recognize", "estimate_aus"), [cut()], How(reader=reader))
    assert reader.seen[0].shape == (1, 2 * SIZE, 2 * SIZE, 3) and row["AU12_L"] == 3.0 and row["fear"] > 0.5
    How(reader=reader, needs="estimate_aus").require(SimpleNamespace())  # the model is not asked


@pytest.mark.parametrize("angle", [-170.0, -90.0, -20.0, 0.0, 45.0, 179.0])
def test_roll_is_the_line_of_the_eyes(angle):
    face = cut(angle)
    assert roll_of(face.matrix) == pytest.approx(angle)
    tilted = np.array([[10.0, 12.0], [20.0, 12.0 + 10 * np.tan(np.radians(3))]])  # the eyes are known better
    assert roll_of(face.matrix, tilted) == pytest.approx((angle + 3 + 180) % 360 - 180)


def test_aspect_of_published_points():
    """An eye as wide as 10 whose lids are 3 apart has 0.3, whatever its place, size and turn."""
    eye = np.array([(0, 0), (3, -1.5), (7, -1.5), (10, 0), (7, 1.5), (3, 1.5)])
    points = np.zeros((68, 2))
    points[36:42] = eye * (1, 0)  # shut: the image's left eye is the person's right
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    points[42:48] = 5 * eye @ turn + (100, 40)
    assert eye_aspects(points) == pytest.approx((0.3, 0.0))


def test_landmarks_are_kept_in_the_photos_pixels():
    face = cut(30.0, landmarks())
    (row,) = read_faces(Knows("recognize"), [face], How(points=True))
    points = np.array(row["points"]).reshape(68, 2)
    eyes = [points[36:42].mean(0), points[42:48].mean(0)]
    along = 15 * np.array([np.cos(np.radians(30)), np.sin(np.radians(30))])
    np.testing.assert_allclose(eyes, [50 - along, 50 + along], atol=0.01)
    assert "points" not in csv_text([{"path": "a.png", **row}]).splitlines()[0]


def test_aligned_crops_have_no_score():
    face = dataclasses.replace(cut(), source="given", score=0.0)
    (row,) = read_faces(Knows("recognize"), [face], How())
    assert "score" not in row and row["roll"] == 0.0
