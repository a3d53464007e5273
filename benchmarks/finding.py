"""How many faces the finder misses, what it takes for a face that is none, and how long it takes; beside another's.

    python benchmarks/finding.py --data photofaces [--data studio] [--textures 2000] [--faces 400] [--landmarker net]
        [--against-source BEFORE/src] [--paired 10] [--kinds upright textures] [-o out/finding]

Textures and patterns: `no_faces.py`'s part for testing, which nothing was learnt from, 240 to 480 pixels. Faces: of
people marked test (of folders without such people all), 60 to 400 pixels wide, put into those textures and others:
upright (±30°), poor (dim, faint, grey, blurred, noisy, lit from a side), with glasses or something before the face,
turned to any side, cut by the picture's edge, three beside each other, 24 pixels in a picture of a megapixel, 115 in
one of 20,000×2,000. A face is found where both eyes are within a quarter of their distance. True photographs: of
Eileen Collins and of Grace Hopper, which scikit-image and Matplotlib bring along, at several sizes; pictures for the
time alone: of 1024² and 640×480 pixels with and without a face.

Every version works in a process of its own on one thread, and they take turns; of each kind the other one sees the
first `--paired`. Milliseconds are medians of the CPU time. Writes finding.json, finding.png (recall and time by kind)
and pictures of what was missed and of what was taken for a face.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from matplotlib import cbook
from matplotlib import pyplot as plt
from no_faces import PICTURES, bundled, picture
from train_face_check import FACE, PAGE, covered

from mien.data.images import read_image
from mien.data.manifest import read_manifest
from mien.faces.align import align, similarity, template
from mien.media.sheet import save_sheet, sheet

SRC = Path(__file__).parent.parent / "src"
Shown = tuple[np.ndarray, list[np.ndarray]]  # a picture, and the true eyes (2, 2) of every face
COLLINS = np.array([[203.0, 102.0], [246.3, 104.0]])  # marked by hand at 16-fold size, as in tests/faces
HOPPER = np.array([[222.0, 191.6], [303.0, 186.5]])


@dataclass
class Tally:
    """What became of pictures of one kind."""

    shown: int = 0  # faces
    pictures: int = 0
    missed: list[np.ndarray] = field(default_factory=list)  # crops of faces
    false: list[np.ndarray] = field(default_factory=list)  # crops of what was taken for a face
    off: list[float] = field(default_factory=list)  # of the eyes, in their distances
    ms: list[float] = field(default_factory=list)

    def add(self, shown: Shown, found: list[np.ndarray], ms: float) -> None:
        """Note what was found in one picture."""
        rgb, true = shown
        self.shown += len(true)
        self.pictures += 1
        self.ms.append(ms)
        far = np.array([[distance(eyes, one) for one in true] for eyes in found]).reshape(len(found), len(true))
        self.false += [cut(rgb, eyes) for eyes, row in zip(found, far, strict=True) if row.min(initial=1) > 0.25]
        for eyes, column in zip(true, far.T, strict=True):
            if column.min(initial=1) > 0.25:
                self.missed.append(cut(rgb, eyes))
            else:
                self.off.append(float(column.min()))

    def facts(self) -> dict[str, float | int | None]:
        """Return counts, the eyes' median distance from the truth in percent, and median milliseconds."""
        off = round(100 * float(np.median(self.off)), 1) if self.off else None
        told = {"pictures": self.pictures, "faces": self.shown, "missed": len(self.missed), "false": len(self.false)}
        return {**told, "eyes off %": off, "ms": round(float(np.median(self.ms)), 1)}


def cut(rgb: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    return align(rgb, similarity(eyes, 96), 96)


class Finder:
    """A process that finds faces by one version of the package."""

    def __init__(self, source: Path, landmarker: str):
        env = {**os.environ, "PYTHONPATH": str(source.resolve()), "OMP_NUM_THREADS": "1"}
        words = [sys.executable, str(Path(__file__).with_name("serve_finder.py")), landmarker]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        if (line := self.process.stdout.readline().strip()) != "ready":
            sys.exit(f"{source}: does not work here: {line}")

    def find(self, file: Path) -> tuple[list[np.ndarray], float]:
        """Return the eyes of every face in a picture (.npy), and the CPU milliseconds."""
        self.process.stdin.write(f"{file}\n")
        self.process.stdin.flush()
        ms, eyes = json.loads(self.process.stdout.readline())
        return [np.array(pair) for pair in eyes], ms


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
    return page, [template(FACE) @ matrix[:, :2].T + matrix[:, 2]]


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


def poor(shown: Shown, rng: np.random.Generator) -> Shown:
    """Return a picture dim, faint, grey, blurred, noisy, or lit from a side."""
    rgb, (eyes,) = shown
    x, kind = rgb.astype(np.float32), rng.integers(6)
    if kind == 0:
        x = x * rng.uniform(0.08, 0.25)
    elif kind == 1:
        x = (x - 128) * rng.uniform(0.12, 0.3) + rng.uniform(60, 190)
    elif kind == 2:
        x = np.repeat(x.mean(2, keepdims=True), 3, 2)
    elif kind == 3:
        x = cv2.GaussianBlur(x, (0, 0), 0.08 * float(np.linalg.norm(eyes[1] - eyes[0])))
    elif kind == 4:
        x = x + rng.normal(0, 18, x.shape)
    else:
        x = x * np.linspace(0.1, 1, x.shape[1])[None, :: rng.choice([-1, 1]), None]
    return np.clip(x, 0, 255).astype(np.uint8), [eyes]


def beside_each_other(faces: list[np.ndarray], rng: np.random.Generator) -> Shown:
    """Return a picture with three people, each so wide."""
    parts = [placed(face, rng, (400, 480), rng.uniform(100, 200), 25) for face in faces]
    return np.hstack([rgb for rgb, _ in parts]), [eyes[0] + (400 * k, 0) for k, (_, eyes) in enumerate(parts)]


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
            found.append((small, [(eyes + 0.5) * scale - 0.5]))
        flipped = (width - 1 - eyes[::-1, :1]) * (1, 0) + eyes[::-1] * (0, 1)
        grey = np.repeat(rgb.mean(2, keepdims=True), 3, 2).astype(np.uint8)
        found += [(np.ascontiguousarray(rgb[:, ::-1]), [flipped]), (rgb // 6, [eyes]), (grey, [eyes])]
        left, top = np.maximum(0, (eyes.mean(0) - apart * np.array([1.1, 0.9])).astype(int))
        right, low = (eyes.mean(0) + apart * np.array([1.1, 1.5])).astype(int)
        found.append((np.ascontiguousarray(rgb[top:low, left:right]), [eyes - (left, top)]))
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


def kinds_of(
    faces: list[np.ndarray], textures: int, count: int, rng: np.random.Generator
) -> dict[str, tuple[int, Callable[[int], Shown]]]:
    """Return the kinds of pictures by name: how many, and what makes the k-th."""

    def face() -> np.ndarray:
        return faces[rng.integers(len(faces))]

    def upright(turn: float, cut: float = 0.0, hidden: bool = False) -> Shown:
        size, width = any_size(rng)
        return placed(with_something(face(), rng) if hidden else face(), rng, size, width, turn, cut)

    def sized(name: str, size: tuple[int, int]) -> np.ndarray:
        return cv2.resize(bundled(name), size, interpolation=cv2.INTER_CUBIC)

    some, few = max(1, count // 4), max(1, count // 80)
    gravel = cv2.resize(bundled("gravel.png")[37:262, 238:463], (480, 480), interpolation=cv2.INTER_CUBIC)
    wide = cv2.warpAffine(bundled("astronaut.png"), np.float64([[1.1, 0, 60], [0, 1.1, 60]]), (640, 480), borderMode=2)
    return {
        "1024², one face": (5, lambda k: (sized("astronaut.png", (1024, 1024)), [2 * COLLINS + 0.5])),
        "640×480, one face": (5, lambda k: (wide, [1.1 * COLLINS + 60])),
        "1024², none": (5, lambda k: (sized(PICTURES["test"][k], (1024, 1024)), [])),
        "640×480, none": (5, lambda k: (sized(PICTURES["test"][k], (640, 480)), [])),
        "true photographs": (16, lambda k: photographs()[k]),
        "upright": (count, lambda k: upright(30)),
        "poor": (some, lambda k: poor(upright(20), rng)),
        "glasses, things before": (some, lambda k: upright(20, hidden=True)),
        "turned to any side": (some, lambda k: upright(180)),
        "cut by the edge": (some, lambda k: upright(10, cut=0.3)),
        "three people": (some, lambda k: beside_each_other([face(), face(), face()], rng)),
        "24 px in a megapixel": (few, lambda k: placed(face(), rng, (1200, 900), 24, 10)),
        "115 px in a panorama": (few, lambda k: placed(face(), rng, (20000, 2000), 115, 10)),
        "gravel that was a face": (1, lambda k: (np.ascontiguousarray(np.rot90(gravel, 3)), [])),
        "textures": (textures, lambda k: (picture("test", rng, int(rng.integers(240, 480))), [])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--textures", type=int, default=2000)
    parser.add_argument("--faces", type=int, default=400)
    parser.add_argument("--landmarker", default="net")
    parser.add_argument("--against-source", type=Path)
    parser.add_argument("--paired", type=int, default=10, help="pictures of each kind that the other version sees")
    parser.add_argument("--kinds", nargs="+", help="only these")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/finding"))
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    here = Finder(SRC, asked.landmarker)
    other = Finder(asked.against_source, asked.landmarker) if asked.against_source else None
    faces, facts = people(asked.data, asked.faces, np.random.default_rng(2024)), {}
    kinds = kinds_of(faces, asked.textures, asked.faces, rng := np.random.default_rng(2024))
    print(f"{'':24}" + "".join(f"{word:>11}" for word in ("pictures", "faces", "missed", "false", "eyes off %", "ms")))
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, (count, make)) in enumerate(kinds.items()):
            if asked.kinds and name not in asked.kinds:
                continue
            rng.bit_generator.state = np.random.default_rng([2024, number]).bit_generator.state  # each kind its own
            tallies = Tally(), Tally(), Tally()  # of this version: all, and what the other one saw too; the other's
            for k in range(count):
                shown = make(k)
                np.save(file := Path(folder) / "picture.npy", shown[0])
                found = here.find(file)
                tallies[0].add(shown, *found)
                if other and k < asked.paired:
                    tallies[1].add(shown, *found)
                    tallies[2].add(shown, *other.find(file))
            facts[name] = tallies[0].facts()
            print(line(name, facts[name]), flush=True)
            if other:
                facts[name] |= {"both": {"this": tallies[1].facts(), "other": tallies[2].facts()}}
                ratio = np.divide(tallies[2].ms, tallies[1].ms)
                facts[name]["both"]["times as fast"] = [round(float(f(ratio)), 2) for f in (np.median, np.min, np.max)]
                print(line("  both saw: this", tallies[1].facts()) + "\n" + line("  the other", tallies[2].facts()))
            for what, crops in (("missed", tallies[0].missed), ("false", tallies[0].false)):
                if crops:
                    rows = [crops[k : k + 10] for k in range(0, min(len(crops), 60), 10)]
                    save_sheet(sheet(rows, size=96), asked.output / f"{name.replace(' ', '_')}_{what}.png")
    (asked.output / "finding.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False))
    drawn(facts, asked.output / "finding.png")


def line(name: str, facts: dict) -> str:
    return f"{name:24}" + "".join(f"{'–' if value is None else value:>11}" for value in list(facts.values())[:6])


def drawn(facts: dict, path: Path) -> None:
    """Draw the share of faces found, and milliseconds, by kind."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 0.34 * len(facts) + 1.2), sharey=True)
    names = list(facts)[::-1]
    shown = [facts[name] for name in names]
    left.barh(names, [100 * (1 - f["missed"] / f["faces"]) if f["faces"] else 0 for f in shown], color="#4878a8")
    left.set(xlabel="% of faces found", xlim=(0, 100))
    right.barh(names, [f["ms"] for f in shown], color="#4878a8", label="this version")
    if "both" in shown[0]:
        others = [f["both"]["other"]["ms"] for f in shown]
        right.plot(others, names, "d", color="#c05030", label="the other")
    right.set(xlabel="CPU ms a picture", xscale="log")
    right.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
