"""The net that says whether there is a face: against ONNX's own arithmetic, and on other people's small pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage

from mien.faces.finding.face_check import SIDE, WEIGHTS, face_likelihood, levelled, log_odds


def test_it_is_what_onnx_computes():
    reference = pytest.importorskip("onnx.reference", reason="onnx is missing: pip install 'mien[onnx]'")
    crops = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3)).astype(np.uint8)
    seen = levelled(crops).transpose(0, 3, 1, 2)
    (odds,) = reference.ReferenceEvaluator(str(WEIGHTS)).run(None, {"seen": seen})
    assert np.allclose(log_odds(crops), odds, atol=1e-3)


def test_small_and_quick():
    assert WEIGHTS.stat().st_size < 200_000


def test_how_bright_and_how_strong_a_contrast_does_not_count():
    crops = np.random.default_rng(1).integers(100, 156, (2, SIDE, SIDE, 3)).astype(np.uint8)
    assert np.allclose(levelled(crops), levelled(crops + 60), atol=1e-4)
    assert np.abs(levelled(np.full((1, SIDE, SIDE, 3), 77, np.uint8))).max() == 0


def test_no_eyes_no_answer():
    assert face_likelihood(np.zeros((9, 9, 3), np.uint8), []).shape == (0,)


def test_faces_of_the_world_and_what_lies_between_them():
    """scikit-image's 100 faces of LFW and 100 pieces without one, 25 pixels wide; nothing was learnt from them."""
    small = np.load(Path(skimage.__file__).parent / "data" / "lfw_subset.npy")
    eyes = np.array([[7.6, 9.4], [16.4, 9.4]])  # where most of them are

    def likelihood(grey: np.ndarray) -> float:
        rgb = cv2.resize(np.dstack([grey] * 3), (100, 100), interpolation=cv2.INTER_CUBIC)
        return float(face_likelihood(np.clip(255 * rgb, 0, 255).astype(np.uint8), [(eyes + 0.5) * 4 - 0.5])[0])

    faces, others = [likelihood(g) for g in small[:100]], [likelihood(g) for g in small[100:]]
    ranks = np.searchsorted(np.sort(others), faces).mean() / 100  # area under the curve
    assert ranks > 0.97
