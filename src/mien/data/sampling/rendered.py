"""What lies beside rendered pictures, geometry.npz and mouths.npz, compared with the pictures; without torch."""

from __future__ import annotations

import os
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.arrays import Wanted, read_npz
from mien.data.manifest import Manifest, is_there
from mien.errors import InputError
from mien.labels import POINTS

FILE = "geometry.npz"
CELLS = 64  # of the flow in the file, a side
REFERENCE = 256.0  # pixels of the frame that landmarks are in where the file does not say
GEOMETRY = {
    "file_name": Wanted("U", ("pictures",)),
    "flow": Wanted("i", ("pictures", CELLS, CELLS, 2), -128, 127),
    "mouth": Wanted("u", ("pictures", CELLS, CELLS), 0, 255),
    "landmarks": Wanted("f", ("pictures", POINTS, 2), -(2**15), 2**15),  # pixels; some lie outside the frame
    "size": Wanted("iuf", (), 1, 2**15, optional=True),
}
"""The arrays of geometry.npz."""
ARRAYS = ("flow", "mouth", "landmarks")
"""Those of a picture each."""
EXPECTED = "expected what mien synth writes; make it anew, copy it again, or remove it and train without"
MOUTHS = "mouths.npz"
ROWS, COLUMNS = 104, 128  # of its window, in pixels
MOUTH = {
    "file_name": Wanted("U", ("mouths",)),
    "part": Wanted("u", ("mouths", ROWS, COLUMNS), 0, 3),
    "arch": Wanted("i", ("mouths", ROWS, COLUMNS, 2), -128, 127),
}
"""The arrays of mouths.npz."""
EXPECTED_MOUTHS = "expected what photofaces has; copy it again, or remove it and train without teeth"


@dataclass(frozen=True, eq=False)
class Files:
    """What the geometry.npz files of a data set hold, one after another: K pictures, among them N of the data."""

    arrays: dict[str, np.ndarray]  # (K, …) each, as in the files
    side: np.ndarray  # (K,) float32: pixels of the frame that its landmarks are in
    home: np.ndarray  # (K,) int64: which file it comes from
    row: np.ndarray  # (N,) int64 into them; -1 where a picture has no geometry
    homes: tuple[Path, ...]  # the files' folders


def read_files(manifest: Manifest, names: Sequence[str]) -> Files:
    """Return arrays by name, and whose they are, from the geometry.npz that is nearest above each picture.

    Joined data sets thus each have their own; pictures of a set without one have none. Raises InputError for a file
    that is damaged, holds something else, or belongs to other pictures.
    """
    paths = [manifest.path(i) for i in range(len(manifest))]
    known = set(paths)
    above = {folder: home_of(folder, manifest.folder) for folder in {path.parent for path in paths}}
    homes = tuple(sorted({home for home in above.values() if home}))
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
    sides, whence = [np.zeros(0, np.float32)], [np.zeros(0, np.int64)]
    place: dict[Path, int] = {}
    begun = 0
    for number, home in enumerate(homes):
        found = read_npz(home / FILE, {name: GEOMETRY[name] for name in ("file_name", *names, "size")}, EXPECTED)
        pictures = found["file_name"]
        check_own(home / FILE, pictures, known)
        for name in names:
            parts[name].append(found[name])
        sides.append(np.full(len(pictures), float(found.get("size", REFERENCE)), np.float32))
        whence.append(np.full(len(pictures), number))
        place |= {home / str(name): begun + k for k, name in enumerate(pictures)}
        begun += len(pictures)
    arrays = {name: np.concatenate(found) for name, found in parts.items() if found}
    row = np.array([place.get(path, -1) for path in paths], np.int64)
    return Files(arrays, np.concatenate(sides), np.concatenate(whence), row, homes)


def check_own(file: Path, pictures: np.ndarray, known: Container[Path], expected: str = EXPECTED) -> None:
    """Raise InputError where a file belongs to other pictures than those that are known or lie beside it."""
    if not len(pictures):
        raise InputError(f"{file}: holds no picture; {expected}")
    if len(np.unique(pictures)) < len(pictures):
        raise InputError(f"{file}: has two rows of one picture; {expected}")
    if not any(path in known or is_there(path) for path in (file.parent / str(name) for name in pictures)):
        other = repr(str(pictures[0])[:60])
        raise InputError(f"{file}: belongs to other pictures, as {other}, which is not there; {expected}")


def count_known(files: Files) -> int:
    """Return how many rows have geometry. Raises InputError where there are files and no row has any."""
    known = int((files.row >= 0).sum())
    if files.homes and not known:
        raise InputError(f"{files.homes[0] / FILE}: knows none of the pictures in metadata.csv; {EXPECTED}")
    return known


def read_mouth_files(homes: Sequence[Path]) -> list[tuple[Path, dict[str, np.ndarray]]]:
    """Return the folders that have a mouths.npz, with its arrays. Raises InputError as `read_files` does."""
    found = []
    for home in homes:
        if os.path.lexists(home / MOUTHS):
            found.append((home, read_npz(home / MOUTHS, MOUTH, EXPECTED_MOUTHS)))
            check_own(home / MOUTHS, found[-1][1]["file_name"], (), EXPECTED_MOUTHS)
    return found


def home_of(folder: Path, top: Path) -> Path | None:
    """Return the nearest folder with a geometry.npz, from `folder` up to `top`; None if there is none."""
    inside = [folder, *folder.parents]
    inside = inside[: inside.index(top) + 1] if top in inside else inside[:1]
    return next((place for place in inside if os.path.lexists(place / FILE)), None)
