"""MediaPipe's blendshapes as readings, with a landmarker that says what it is told."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mien.errors import InputError
from mien.labels import AUS
from mien.runtime.blendshape_reader import BlendshapeReader, find_reader, head_of


def said(shapes, matrix=None):
    categories = [SimpleNamespace(category_name=name, score=score) for name, score in shapes.items()]
    return SimpleNamespace(
        face_blendshapes=[categories], facial_transformation_matrixes=[matrix] * (matrix is not None)
    )


def test_units_head_and_gaze():
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("y", 20, degrees=True).as_matrix()  # y is up: the nose to the image's right
    answers = [
        said({"mouthSmileLeft": 0.8, "mouthSmileRight": 0.2, "jawOpen": 0.6, "eyeLookOutLeft": 0.5,
              "eyeLookInRight": 0.5}, matrix),
        SimpleNamespace(face_blendshapes=[], facial_transformation_matrixes=[]),
        said({"eyeBlinkRight": 1.0}),
    ]  # fmt: skip
    reader = BlendshapeReader(SimpleNamespace(detect=lambda image: answers.pop(0)), lambda picture: picture)
    found = reader.readings(np.zeros((3, 8, 8, 3), np.uint8))
    smile, jaw, lips, blink = (AUS.index(au) for au in (12, 26, 25, 43))
    assert (found.left[0, smile], found.right[0, smile]) == pytest.approx((4.0, 1.0))
    assert found.left[0, [jaw, lips]] == pytest.approx([3.0, 3.0])
    assert found.yaw[0] == pytest.approx(20) and found.pitch[0] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(found.gaze[0], [15.0, 0.0])
    assert np.isnan(found.left[1]).all() and np.isnan(found.yaw[1:]).all() and np.isnan(found.gaze[1]).all()
    assert found.right[2, blink] == 5 and np.isnan(found.left[2, blink])


def test_a_nose_that_points_down_has_a_positive_pitch():
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("x", 15, degrees=True).as_matrix()  # x right, z to the camera: z turns down
    assert head_of(matrix) == pytest.approx((0, 15))


@pytest.mark.parametrize("name", ["net", "mediapipe", "mediapipe:", "onnx:a.onnx"])
def test_other_readers_are_not_known(name):
    with pytest.raises(InputError, match=f"--reader {name}: expected mediapipe:FILE.task"):
        find_reader(name)


def test_a_missing_file_or_package_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"no.task: there is no such file"):
        find_reader(f"mediapipe:{tmp_path / 'no.task'}")
    monkeypatch.setitem(__import__("sys").modules, "mediapipe", None)
    (tmp_path / "a.task").touch()
    with pytest.raises(InputError, match="needs the package mediapipe"):
        find_reader(f"mediapipe:{tmp_path / 'a.task'}")
