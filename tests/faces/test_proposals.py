"""The net that proposes faces: against ONNX's and SciPy's arithmetic, and on small pictures of people of the world."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from scipy.ndimage import uniform_filter

from mien.faces.finding.boxes import Box
from mien.faces.finding.proposals import FLOOR, STRIDE, UNIT, WEIGHTS, WINDOW, levelled, propose

LFW_EYES = np.array([[7.6, 9.4], [16.4, 9.4]])  # where most of them are, of 25 pixels


@pytest.fixture(scope="module")
def small():
    """scikit-image's 100 faces of LFW and 100 pieces without one, 25 pixels wide; nothing was learnt from them."""
    return np.clip(255 * np.load(Path(skimage.__file__).parent / "data" / "lfw_subset.npy"), 0, 255).astype(np.uint8)


def framed(grey: np.ndarray) -> np.ndarray:
    """Return it twice as large, with a border of its rim."""
    large = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(large, 40, 40, 40, 40, cv2.BORDER_REPLICATE)


def test_contrast_is_levelled_as_scipy_does():
    grey = np.random.default_rng(0).integers(0, 256, (90, 70)).astype(np.uint8)
    x = grey.astype(np.float64)
    mean = uniform_filter(x, WINDOW, mode="mirror")
    spread = np.sqrt(uniform_filter(x * x, WINDOW, mode="mirror") - mean**2)
    np.testing.assert_allclose(levelled(grey), (x - mean) / (spread + FLOOR), atol=1e-3)


def test_boxes_are_where_onnx_says(small):
    reference = pytest.importorskip("onnx.reference", reason="onnx is missing: pip install 'mien[onnx]'")
    grey = framed(small[3])
    said = reference.ReferenceEvaluator(str(WEIGHTS)).run(None, {"seen": levelled(grey)[None, None]})[0][0]
    row, column = np.unravel_index(said[0].argmax(), said[0].shape)
    eyes = np.array([column, row]) * STRIDE + (STRIDE - 1) / 2 + UNIT * said[1:, row, column].reshape(2, 2)
    boxes = propose(grey)
    best = min(boxes, key=lambda box: float(np.abs(box.eyes - eyes).max()))
    np.testing.assert_allclose(best.eyes, eyes, atol=0.02)
    assert best.likelihood == pytest.approx(said[0].max(), abs=1e-3)


def test_faces_of_the_world_come_first(small):
    first, none = [], []
    for number, piece in enumerate(small):
        boxes = sorted(propose(framed(piece)), key=lambda box: -box.likelihood)
        if number >= 100:
            none.append(boxes[0].likelihood if boxes else -9.0)
            continue
        off = [np.linalg.norm(box.eyes - (2 * LFW_EYES + 40.5), axis=1).max() / 17.6 for box in boxes[:3]]
        first.append((min(off, default=9.0), boxes[0].likelihood if boxes else -9.0))
    off, likelihood = np.array(first).T
    assert (off < 0.7).mean() > 0.9
    assert np.searchsorted(np.sort(none), likelihood).mean() / 100 > 0.9  # area under the curve


def test_a_turned_face_is_proposed_turned():
    grey = cv2.cvtColor(skimage.data.astronaut()[:240, 100:340], cv2.COLOR_RGB2GRAY)
    for times, tilt in ((1, 90.0), (2, 180.0), (3, -90.0)):
        boxes = sorted(propose(np.ascontiguousarray(np.rot90(grey, -times))), key=lambda box: -box.likelihood)
        off = [abs((box.tilt - tilt + 180) % 360 - 180) for box in boxes[:3]]
        assert min(off) < 50, f"{off}° off of {tilt:.0f}°"


def test_nothing_is_proposed_where_nothing_is():
    assert propose(np.full((240, 320), 90, np.uint8)) == []
    assert propose(np.zeros((3, 5), np.uint8)) == []


def test_a_box_in_a_larger_picture():
    box = Box(10.0, 20.0, 8.0, 1.0, 30.0)
    np.testing.assert_allclose(box.larger(2).eyes, 2 * box.eyes + 0.5)
