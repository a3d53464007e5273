"""Augmentation against two independent ways: Pillow's pictures and SciPy's interpolation."""

import dataclasses

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from scipy.stats import kstest

from mien.data.sampling.augment import Augmentation, Warp, apply

SIZE = 64
PLAIN = Augmentation()


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    noise = np.random.default_rng(3).normal(0, 1, (12, 12, 3))
    smooth = cv2.resize(noise, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) * 50 + 128
    return smooth.clip(0, 255).astype(np.uint8)


def by_scipy(image: np.ndarray, warp: Warp) -> np.ndarray:
    """Pad by mirroring, then flip, turn, shift one after the other on complex coordinates about the centre."""
    size, pad = image.shape[0], image.shape[0] // 2
    source = image[:, ::-1] if warp.flip else image
    source = np.pad(source.astype(float), ((pad, pad), (pad, pad), (0, 0)), mode="reflect")
    y, x = np.mgrid[:size, :size]
    centre = (size - 1) / 2 * (1 + 1j)
    step = np.rint(np.array(warp.shift) * size) @ [1, 1j]
    # y grows downwards, so a turn seen as counter-clockwise is a negative angle, and its inverse a positive one
    place = ((x + 1j * y) - step - centre) * np.exp(1j * np.deg2rad(warp.angle)) / warp.scale + centre
    at = [place.imag + pad, place.real + pad]
    return np.stack([ndimage.map_coordinates(source[..., c], at, order=1) for c in range(3)], -1)


def test_default_has_the_papers_fifty():
    warps = PLAIN.variants()
    assert len(warps) == len(set(warps)) == 50
    assert {w.angle for w in warps} == {-6, -3, 0, 3, 6} and len({w.shift for w in warps}) == 5


@pytest.mark.parametrize("warp", PLAIN.variants(), ids=str)
def test_every_variant(image, warp):
    got, want = apply(image, warp, SIZE).astype(float), by_scipy(image, warp)
    # OpenCV places samples to 1/32 pixel, so steep places may differ by a few levels
    assert np.abs(got - want).mean() < 0.6 and np.abs(got - want).max() < 8


@pytest.mark.parametrize("warp", [w for w in PLAIN.variants() if w.angle == 0], ids=str)
def test_crops_and_flips_move_whole_pixels(image, warp):
    source = image[:, ::-1] if warp.flip else image
    step = 4  # 0.06 of 64, rounded
    x, y = (int(np.sign(s)) * step for s in warp.shift)
    padded = np.pad(source, ((step, step), (step, step), (0, 0)), mode="reflect")
    want = padded[step - y : step - y + SIZE, step - x : step - x + SIZE]
    np.testing.assert_array_equal(apply(image, warp, SIZE), want)


def test_turns_counter_clockwise_as_pillow_does(image):
    got = apply(image, Warp(angle=30), SIZE).astype(float)
    want = np.asarray(Image.fromarray(image).rotate(30, Image.Resampling.BILINEAR), float)
    inside = np.hypot(*(np.mgrid[:SIZE, :SIZE] - 31.5)) < 28
    assert np.abs(got - want)[inside].mean() < 0.6


def test_scale_enlarges_about_the_centre(image):
    warp = Warp(scale=1.25, angle=3, flip=True)
    assert np.abs(apply(image, warp, SIZE) - by_scipy(image, warp)).mean() < 0.6


def test_other_size_samples_the_same_scene(image):
    big = cv2.resize(image, (128, 128), interpolation=cv2.INTER_CUBIC)
    warp = Warp(flip=True, angle=6, shift=(0.0625, -0.0625))
    assert np.abs(apply(big, warp, SIZE).astype(float) - apply(image, warp, SIZE)).mean() < 2


def test_nothing_drawn_changes_nothing(image):
    np.testing.assert_array_equal(apply(image, Warp(), SIZE), image)


@pytest.mark.parametrize(
    "warp",
    [
        Warp(gain=(1.1, 0.9, 1.0)),
        Warp(contrast=0.8),
        Warp(brightness=-0.1),
        Warp(gain=(0.95, 1, 1.2), contrast=1.3, brightness=0.05),
    ],
    ids=str,
)
def test_colours(image, warp):
    want = ((image * np.array(warp.gain) - 127.5) * warp.contrast + 127.5 + 255 * warp.brightness).clip(0, 255)
    assert np.abs(apply(image, warp, SIZE) - want).max() <= 0.51


def test_draws_every_variant_equally_often():
    rng = np.random.default_rng(0)
    drawn = [PLAIN.draw(rng) for _ in range(5000)]
    counts = [drawn.count(v) for v in PLAIN.variants()]
    assert sum(counts) == 5000  # nothing else is drawn
    assert sum((c - 100) ** 2 / 100 for c in counts) < 95  # chi-square, 49 degrees of freedom, p < 1e-4


def test_draw_stays_in_its_ranges():
    wide = Augmentation(colour=0.2, scale=0.1)
    drawn = [wide.draw(np.random.default_rng(i)) for i in range(500)]
    for values, middle, share in [
        ([w.scale for w in drawn], 1, 0.1),
        ([w.contrast for w in drawn], 1, 0.2),
        ([w.brightness for w in drawn], 0, 0.2),
        *[([w.gain[c] for w in drawn], 1, 0.2) for c in range(3)],
    ]:
        off = np.array(values) - middle
        assert np.abs(off).max() <= share and off.max() > 0.9 * share and off.min() < -0.9 * share


def test_what_is_switched_off_is_not_drawn():
    still = Augmentation(crops=False, rotations=(0.0,), flip=False)
    assert still.variants() == [Warp()] and {still.draw(np.random.default_rng(i)) for i in range(20)} == {Warp()}
    a, b = (aug.draw(np.random.default_rng(5)) for aug in (PLAIN, dataclasses.replace(PLAIN, colour=0.3)))
    assert (a.flip, a.angle, a.shift) == (b.flip, b.angle, b.shift) and a.colours != b.colours


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"margin": 1.0}, "margin is 1.0"),
        ({"colour": -0.1}, "colour is -0.1"),
        ({"rotations": ()}, "rotations is empty"),
    ],
    ids=str,
)
def test_senseless_settings_are_refused(change, told):
    with pytest.raises(ValueError, match=told):
        Augmentation(**change)


def test_anywhere_shifts_evenly_over_the_margin_and_nothing_else_differs():
    some, every = Augmentation(margin=0.1, colour=0.1), Augmentation(margin=0.1, colour=0.1, anywhere=True)
    shifts = []
    for seed in range(2000):
        place, free = (a.draw(np.random.default_rng(seed)) for a in (some, every))
        assert dataclasses.replace(free, shift=place.shift) == place
        shifts.append(free.shift)
    for axis in np.transpose(shifts):
        assert kstest(axis, "uniform", (-0.1, 0.2)).pvalue > 0.001
    assert abs(np.corrcoef(np.transpose(shifts))[0, 1]) < 0.08
