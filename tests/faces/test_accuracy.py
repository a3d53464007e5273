"""How well faces and eyes are found, measured on photographs whose eye centres are known.

Run as a program it measures more of them and prints the figures:
`python -m tests.faces.test_accuracy [PHOTOFACES [COUNT]]`. Constants were tuned on the odd subjects (in the order of
their names), so these are the even ones.
"""

import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage

from mien.faces.align import template
from mien.faces.detect import find_faces

TRUTH = template(256)  # every file of photofaces is so aligned
TEXTURES = ("brick.png", "grass.png", "gravel.png", "coffee.png")


def even_files(photofaces: Path, count: int) -> list[Path]:
    """A third of `count` real photographs and two thirds of renders, drawn from the even subjects."""
    subjects = sorted({file.name.split("_")[0] for file in (photofaces / "images").glob("*_00_neutral.jpg")})
    even = set(subjects[::2])
    rng = np.random.default_rng(0)
    chosen: list[Path] = []
    for folder, number in (("real", count // 3), ("images", count - count // 3)):
        files = [file for file in sorted((photofaces / folder).glob("*.jpg")) if file.name.split("_")[0] in even]
        chosen += [files[i] for i in rng.choice(len(files), min(number, len(files)), replace=False)]
    return chosen


def background(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Plain, a soft gradient of colours, or a texture."""
    kind = rng.integers(3)
    if kind == 0:
        return np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
    if kind == 1:
        return cv2.resize(rng.integers(0, 256, (4, 4, 3)).astype(np.uint8), (width, height), interpolation=2)
    name = TEXTURES[rng.integers(len(TEXTURES))]
    return cv2.resize(cv2.imread(str(Path(skimage.__file__).parent / "data" / name)), (width, height))


def place(file: Path, rng: np.random.Generator, tilt: float) -> tuple[np.ndarray, np.ndarray]:
    """A photograph, 500 to 1600 pixels, that shows the file's face somewhere, 24 to 200 pixels between the eyes.

    Turned by up to `tilt` degrees. Returns RGB and the true eye centres.
    """
    width = int(rng.integers(500, 1600))
    height = int(width * rng.choice([0.66, 0.75, 1.0, 1.33]))
    apart = np.exp(rng.uniform(np.log(24), np.log(min(200, 0.25 * min(width, height)))))
    scale = apart / (TRUTH[1, 0] - TRUTH[0, 0])
    angle = np.deg2rad(rng.uniform(-tilt, tilt))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    half = 0.72 * 256 * scale
    centre = [rng.uniform(min(half, side / 2), max(side - half, side / 2)) for side in (width, height)]
    matrix = np.column_stack([turn, centre - turn @ [127.5, 127.5]])
    crop = cv2.imread(str(file))
    if scale < 1:
        crop = cv2.GaussianBlur(crop, (0, 0), 0.5 * np.sqrt(1 / scale**2 - 1) + 1e-3)
    photo = background(rng, width, height)
    cv2.warpAffine(crop, matrix, (width, height), dst=photo, flags=2, borderMode=cv2.BORDER_TRANSPARENT)
    return np.ascontiguousarray(photo[..., ::-1]), TRUTH @ turn.T + matrix[:, 2]


def measure(files: list[Path], tilt: float, seed: int = 7) -> dict[str, float]:
    """Share of faces found; false ones; error of every eye and seconds. Errors are in distances between the eyes."""
    rng = np.random.default_rng(seed)
    errors, found, false, seconds = [], 0, 0, []
    for file in files:
        photo, eyes = place(file, rng, tilt)
        start = time.perf_counter()
        faces = find_faces(photo)
        seconds.append(time.perf_counter() - start)
        apart = np.linalg.norm(eyes[1] - eyes[0])
        each = [np.linalg.norm(face.eyes - eyes, axis=1) / apart for face in faces]
        near = [error for error in each if error.mean() < 0.5]
        false += len(each) - len(near)
        found += bool(near)
        errors += list(near[0]) if near else []
    median, late, worst = np.percentile(errors, [50, 95, 100])
    figures = {"found": found / len(files), "false": false, "median": median, "95%": late, "worst": worst}
    return {name: round(float(value), 4) for name, value in (figures | {"seconds": np.median(seconds)}).items()}


def test_faces_are_found_and_their_eyes_are_where_they_are(photofaces):
    figures = measure(even_files(photofaces, 6), 10)
    assert figures["found"] == 1 and figures["false"] == 0
    assert figures["median"] < 0.03 and figures["worst"] < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("tilt", [10, 30])
def test_on_many(photofaces, tilt):
    figures = measure(even_files(photofaces, 60), tilt)
    assert figures["found"] > 0.98 and figures["false"] <= 1
    assert figures["median"] < 0.03 and figures["95%"] < 0.06


if __name__ == "__main__":
    folder = Path(sys.argv[1])  # the photofaces data set
    for degrees in (10, 30):
        print(f"±{degrees}°", measure(even_files(folder, int(sys.argv[2]) if len(sys.argv) > 2 else 300), degrees))
