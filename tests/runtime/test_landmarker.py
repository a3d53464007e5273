"""Landmarks in a photograph: the way from its pixels to the crop and back, and whom to ask."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mien.errors import InputError
from mien.faces.align import template
from mien.faces.landmarks import eye_aspects, eyes_of
from mien.labels import CORNERS, POINTS
from mien.models.landmarks import gaps, point_loss
from mien.nn.images import to_tensor
from mien.runtime.landmarker import MESH, MediaPipeLandmarker, NetLandmarker, find_landmarker


class Marks:
    """A net that finds two dots, red and blue: the corners of the eyes lie on them, all other points between."""

    def find_points(self, crop):
        size, places = crop.shape[-1], []
        for channel in (0, 2):
            lit = ((crop[0, channel] + 1) / 2).clamp(min=0) ** 4
            y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
            places.append(torch.stack([(lit * x).sum(), (lit * y).sum()]) / lit.sum())
        left, right = ((place + 0.5) / size for place in places)
        points = ((left + right) / 2).repeat(POINTS, 1)
        for pair, place in zip(CORNERS, (left, right), strict=True):
            points[list(pair)] = place
        return points[None]


def test_points_come_back_to_the_photos_pixels():
    rgb = np.zeros((600, 700, 3), np.uint8)
    rgb[270:275, 300:305, 0] = 255
    rgb[300:305, 390:395, 2] = 255  # the face is turned, and begun with eyes that are off
    engine = SimpleNamespace(size=128, points=lambda crops: Marks().find_points(to_tensor(crops)).numpy())
    found = NetLandmarker(engine).points(rgb, np.array([(290.0, 280.0), (400.0, 290.0)]))
    np.testing.assert_allclose(eyes_of(found), [(302, 272), (392, 302)], atol=0.7)


def test_the_eyes_are_the_mid_points_of_their_corners():
    points = np.zeros((POINTS, 2))
    points[[36, 39, 42, 45]] = [(0, 10), (4, 12), (10, 12), (16, 10)]
    np.testing.assert_array_equal(eyes_of(points), [(2, 11), (13, 11)])


def test_mediapipe_is_asked_for_the_nearest_face():
    vertices = [v for row in MESH for v in row]
    assert len(vertices) == len(set(vertices)) == POINTS

    def mesh(left, right):
        places = dict.fromkeys(range(478), (50.0, 50.0))
        for k, corner in zip((36, 39, 42, 45), (left, left, right, right), strict=True):
            places[vertices[k]] = corner
        return [SimpleNamespace(x=(x + 0.5) / 200, y=(y + 0.5) / 100) for x, y in (places[v] for v in range(478))]

    meshes = [mesh((110, 20), (140, 20)), mesh((20, 40), (50, 42))]
    tool = SimpleNamespace(detect=lambda image: SimpleNamespace(face_landmarks=meshes))
    rgb = np.zeros((100, 200, 3), np.uint8)
    judge = MediaPipeLandmarker(tool, lambda picture: picture)
    np.testing.assert_allclose(eyes_of(judge.points(rgb, np.array([(22, 41), (49, 40)]))), [(20, 40), (50, 42)])
    assert judge.points(rgb, np.array([(170, 80), (190, 80)])) is None


def test_gaps_are_what_eye_aspects_are_made_of():
    points = np.random.default_rng(5).random((1, POINTS, 2))
    far = np.linalg.norm(gaps(torch.from_numpy(points))[0].numpy(), axis=1)
    wide = [np.linalg.norm(points[0, a] - points[0, b]) for a, b in CORNERS]
    left, right = eye_aspects(points[0])
    np.testing.assert_allclose([right, left], [far[:2].sum() / 2 / wide[0], far[2:4].sum() / 2 / wide[1]])


def test_point_loss_counts_known_points():
    true, found = np.random.default_rng(0).random((2, 3, POINTS, 2))
    true[1, 5:9] = np.nan
    expected = np.nanmean(np.linalg.norm(found - true, axis=2))
    np.testing.assert_allclose(point_loss(torch.from_numpy(found), torch.from_numpy(true)), expected, atol=1e-6)
    assert point_loss(torch.from_numpy(found), torch.full((3, POINTS, 2), torch.nan)) == 0


@pytest.mark.parametrize(
    ("name", "says"),
    [("dlib", "net, cascade or mediapipe"), ("mediapipe:", "FILE.task"), ("mediapipe:no.task", "no such file")],
)
def test_unknown_landmarkers_are_one_clear_line(name, says):
    with pytest.raises(InputError, match=says):
        find_landmarker(name)
    assert find_landmarker("cascade") is None


def test_the_template_is_where_the_eyes_go():
    np.testing.assert_allclose(template(128), [(44.3, 50.7), (82.7, 50.7)])
