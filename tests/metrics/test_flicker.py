"""Flicker and jitter, beside NumPy's own differences."""

import numpy as np
import pytest

from mien.metrics.flicker import Steadiness, jerk

BOX = (10, 5, 30, 20)


def test_jerk_is_the_second_difference():
    points = np.random.default_rng(0).normal(size=(3, 5, 2))
    assert jerk(points) == pytest.approx(np.linalg.norm(np.diff(points, 2, axis=0)[0], axis=1).mean())
    even = np.arange(3)[:, None, None] * np.ones((3, 2, 2)) * (3, -1)
    assert jerk(even) == 0


def test_flicker_is_what_the_result_adds_inside_the_box():
    rng = np.random.default_rng(0)
    before = rng.integers(20, 200, (6, 40, 60, 3), np.uint8)
    after = before.copy()
    after[1::2, 5:25, 10:40] += 6  # every other frame is brighter
    measured = Steadiness()
    eyes = rng.normal(0, 1, (6, 2, 2)) + np.array([[20, 20], [40, 20]])
    for a, b, e in zip(before, after, eyes, strict=True):
        measured.see(a, b, BOX, e, e.round())
    inside = (slice(None), slice(5, 25), slice(10, 40))
    mean = [np.abs(np.diff(x[inside].astype(float), axis=0)).mean() for x in (before, after)]
    assert measured.original.value == pytest.approx(mean[0])
    assert measured.flicker == pytest.approx(mean[1] - mean[0])
    second = np.linalg.norm(np.diff(eyes, 2, axis=0), axis=-1).mean(1)
    apart = np.linalg.norm(eyes[2:, 1] - eyes[2:, 0], axis=-1)
    assert measured.found.value == pytest.approx((100 * second / apart).mean())


def test_frames_apart_are_not_compared():
    measured, eyes = Steadiness(), np.array([[20, 20], [40, 20.0]])
    for level in (0, 200):
        picture = np.full((40, 60, 3), level, np.uint8)
        measured.see(picture, picture, BOX, eyes, eyes)
        measured.interrupt()
    assert measured.original.count == measured.found.count == 0 and np.isnan(measured.flicker)
