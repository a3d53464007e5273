"""How many faces the finder misses, and what it takes for a face that is none.

    python benchmarks/finder.py --data photofaces [--data studio] [--textures 2000] [--faces 400] [--landmarker net]

Textures and patterns: `no_faces.py`'s part for testing, which nothing was learnt from, 240 to 480 pixels. Faces: of
people marked test (of folders without such people all), 60 to 400 pixels wide, put into those textures and others:
upright (±30°), with glasses or something before the face, turned to any side, cut by the picture's edge, 115 pixels
in a picture of 20,000×2,000. A face is found where both eyes are within a quarter of their distance. True photographs:
of Eileen Collins and of Grace Hopper, which scikit-image and Matplotlib bring along, at several sizes. Processor
milliseconds are medians. Draws what was taken for a face and which faces were missed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from matplotlib import cbook
from no_faces import bundled, picture
from train_face_check import FACE, PAGE, covered

from mien.data.images import read_image
from mien.data.manifest import read_manifest
from mien.faces.align import align, similarity, template
from mien.faces.detect import Face, find_faces
from mien.media.sheet import save_sheet, sheet
from mien.runtime.landmarker import find_landmarker

Shown = tuple[np.ndarray, np.ndarray | None]  # a picture, and the true eyes (2, 2)
COLLINS = np.array([[203.0, 102.0], [246.3, 104.0]])  # marked by hand at 16-fold size, as in tests/faces
HOPPER = np.array([[222.0, 191.6], [303.0, 186.5]])


@dataclass
class Tally:
    """What became of pictures of one kind."""

    shown: int = 0
    missed: list[np.ndarray] = field(default_factory=list)
    false: list[np.ndarray] = field(default_factory=list)  # crops of what was taken for a face
    off: list[float] = field(default_factory=list)  # of the eyes, in their distances
    ms: list[float] = field(default_factory=list)

    def look(self, shown: Shown, find: Callable[[np.ndarray], list[Face]]) -> None:
        """Look for faces in one picture."""
        rgb, eyes = shown
        self.shown += 1
        begun = time.process_time()
        faces = find(rgb)
        self.ms.append(1000 * (time.process_time() - begun))
        far = [np.inf if eyes is None else distance(face.eyes, eyes) for face in faces]
        self.false += [align(rgb, similarity(f.eyes, 96), 96) for f, d in zip(faces, far, strict=True) if d > 0.25]
        if eyes is not None and min(far, default=np.inf) > 0.25:
            self.missed.append(align(rgb, similarity(eyes, 96), 96))
        self.off += [min(far)] if eyes is not None and min(far, default=np.inf) <= 0.25 else []

    def __str__(self) -> str:
        off = f"{100 * np.median(self.off):5.1f} %" if self.off else "      –"
        return f"{self.shown:7} {len(self.missed):7} {len(self.false):7} {off} {np.median(self.ms):8.0f}"


def distance(found: np.ndarray, true: np.ndarray) -> float:
    """Return how far the worse eye (2, 2) is off, in distances between the eyes."""
    return float(np.linalg.norm(found - true, axis=1).max() / np.linalg.norm(true[1] - true[0]))


def placed(
    face: np.ndarray, rng: np.random.Generator, size: tuple[int, int], width: float, turn: float, cut: float = 0.0
) -> Shown:
    """Return a picture of so many pixels (across, down) with a face's picture, its box `width` pixels wide.

    Turned by up to `turn` degrees either way; with `cut` up to so much of the box lies outside.
    """
    side, half = min(*size, 1000), 0.75 * width
    page = cv2.resize(picture("test" if rng.random() < 0.5 else "train", rng, side), size)
    across = template(FACE)[1, 0] - template(FACE)[0, 0]
    scale, angle = 0.362 * width / across, np.deg2rad(rng.uniform(-turn, turn))
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    at = np.array([rng.uniform(min(half, s / 2), max(s - half, s / 2)) for s in size])
    if cut:
        axis, far = rng.integers(2), rng.integers(2)
        reach = 0.5 * width - rng.uniform(0.5, 1) * cut * width
        at[axis] = size[axis] - reach if far else reach
    matrix = np.column_stack([matrix, at - matrix @ np.full(2, (FACE - 1) / 2)])
    if scale < 1:
        face = cv2.GaussianBlur(face, (0, 0), 0.5 * np.sqrt(1 / scale**2 - 1) + 1e-3)
    cv2.warpAffine(face, matrix, size, dst=page, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_TRANSPARENT)
    return page, template(FACE) @ matrix[:, :2].T + matrix[:, 2]


def any_size(rng: np.random.Generator) -> tuple[tuple[int, int], float]:
    """Return a picture's size, 400 to 900 pixels, and a face's width in it."""
    width = int(rng.integers(400, 900))
    size = (width, int(width * rng.choice([0.75, 1.0, 1.33])))
    return size, float(np.exp(rng.uniform(np.log(60), np.log(min(400, 0.6 * min(size))))))


def with_something(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a face's picture with glasses or something before it."""
    page, rim = np.zeros((PAGE, PAGE, 3), np.uint8), FACE // 2
    page[rim:-rim, rim:-rim] = face
    shown = page
    while np.array_equal(shown, page):
        shown = covered(page, rng)
    return shown[rim:-rim, rim:-rim]


def photographs() -> list[Shown]:
    """Return true photographs at several sizes, mirrored, dark, grey, tightly cut."""
    hopper = cv2.imread(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))[..., ::-1]
    found: list[Shown] = []
    for rgb, eyes in ((bundled("astronaut.png"), COLLINS), (np.ascontiguousarray(hopper), HOPPER)):
        apart, (height, width) = eyes[1, 0] - eyes[0, 0], rgb.shape[:2]
        for to in (22, 40, 80, 160):
            scale = to / apart
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            small = cv2.resize(rgb, (round(width * scale), round(height * scale)), interpolation=how)
            found.append((small, (eyes + 0.5) * scale - 0.5))
        flipped = (width - 1 - eyes[::-1, :1]) * (1, 0) + eyes[::-1] * (0, 1)
        grey = np.repeat(rgb.mean(2, keepdims=True), 3, 2).astype(np.uint8)
        found += [(np.ascontiguousarray(rgb[:, ::-1]), flipped), (rgb // 6, eyes), (grey, eyes)]
        left, top = np.maximum(0, (eyes.mean(0) - apart * np.array([1.1, 0.9])).astype(int))
        right, low = (eyes.mean(0) + apart * np.array([1.1, 1.5])).astype(int)
        found.append((np.ascontiguousarray(rgb[top:low, left:right]), eyes - (left, top)))
    return found


def people(folders: list[Path], count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return pictures (FACE, FACE, 3) of people marked test, an equal number of each folder; all true photographs."""
    found = []
    for folder in folders:
        manifest = read_manifest(folder)
        rows = np.flatnonzero(manifest.test) if manifest.test.any() else np.arange(len(manifest))
        real = [row for row in rows if manifest.files[row].startswith("real/")]
        chosen = [*real, *rng.choice(rows, min(count // len(folders), len(rows)), replace=False)]
        found += [read_image(manifest.folder / manifest.files[row], FACE) for row in chosen]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--textures", type=int, default=2000)
    parser.add_argument("--faces", type=int, default=400)
    parser.add_argument("--landmarker", default="net")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/finder"))
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    rng, tool = np.random.default_rng(2024), find_landmarker(asked.landmarker)
    faces = people(asked.data, asked.faces, rng)

    def face() -> np.ndarray:
        return faces[rng.integers(len(faces))]

    def upright(turn: float, cut: float = 0.0, hidden: bool = False) -> Shown:
        size, width = any_size(rng)
        return placed(with_something(face(), rng) if hidden else face(), rng, size, width, turn, cut)

    some, few = asked.faces // 4, max(1, asked.faces // 80)
    gravel = cv2.resize(bundled("gravel.png")[37:262, 238:463], (480, 480), interpolation=cv2.INTER_CUBIC)
    kinds: dict[str, tuple[int, Callable[[int], Shown]]] = {
        "the issue's gravel": (1, lambda k: (np.ascontiguousarray(np.rot90(gravel, 3)), None)),
        "textures": (asked.textures, lambda k: (picture("test", rng, int(rng.integers(240, 480))), None)),
        "true photographs": (16, lambda k: photographs()[k]),
        "upright": (asked.faces, lambda k: upright(30)),
        "glasses, things before": (some, lambda k: upright(20, hidden=True)),
        "turned to any side": (some, lambda k: upright(180)),
        "cut by the edge": (some, lambda k: upright(10, cut=0.3)),
        "115 px in a panorama": (few, lambda k: placed(face(), rng, (20000, 2000), 115, 10)),
    }
    print(f"{'':24}  shown  missed   false  eyes off      ms")
    for name, (count, make) in kinds.items():
        tally = Tally()
        for k in range(count):
            tally.look(make(k), lambda rgb: find_faces(rgb, tool))
        print(f"{name:24} {tally}", flush=True)
        for what, crops in (("missed", tally.missed), ("false", tally.false)):
            if crops:
                rows = [crops[k : k + 10] for k in range(0, min(len(crops), 60), 10)]
                save_sheet(sheet(rows, size=96), asked.output / f"{name.replace(' ', '_')}_{what}.png")


if __name__ == "__main__":
    main()
