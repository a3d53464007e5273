"""Small data sets made on the spot, shared by the tests."""

import csv
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # the suite computes on the processor, whatever else there is

Rows = list[dict[str, str]]

PEOPLE = {  # name: (skin RGB, source, gender, parents)
    "ann": ((224, 180, 150), "lab", "female", ""),
    "bob": ((150, 105, 80), "lab", "male", ""),
    "cid": ((200, 150, 120), "lab", "male", ""),
    "dee": ((95, 65, 50), "web", "female", ""),
    "mix": ((187, 142, 115), "morph", "mixed", "ann+bob"),
}
LOOKS = [  # expression, intensity, expr_id, AU04_L, AU04_R, AU12
    ("neutral", "0", "neutral", "0", "0", "0"),
    ("happiness", "0.5", "happiness_v1", "0", "0", "1.5"),
    ("happiness", "1", "happiness_v1", "0", "0", "3"),
    ("anger", "1", "anger_v2", "4", "3.5", "0"),
    ("other", "", "au_7", "0", "2", ""),
]


def draw_face(skin: tuple[int, int, int], smile: float, frown: float, size: int) -> np.ndarray:
    """Return (size, size, 3) uint8 RGB: an oval with eyes, brows that sink with `frown` and a mouth that bends up."""
    at = lambda x, y: (round(x * size), round(y * size))  # noqa: E731
    image = np.full((size, size, 3), (60, 80, 110), np.uint8)
    image += (np.arange(size)[:, None, None] * 30 // size).astype(np.uint8)  # no two rows alike
    cv2.ellipse(image, at(0.5, 0.52), at(0.34, 0.42), 0, 0, 360, skin, -1)
    for x in (0.35, 0.65):
        cv2.circle(image, at(x, 0.4), max(1, size // 20), (20, 20, 30), -1)
        cv2.line(image, at(x - 0.08, 0.29), at(x + 0.08, 0.29 + frown / 60), (40, 25, 15), max(1, size // 24))
    corner = 0.72 - smile / 30
    points = np.array([at(0.38, corner), at(0.5, 0.74 + smile / 60), at(0.62, corner)], np.int32)
    cv2.polylines(image, [points], False, (150, 40, 50), max(1, size // 20))
    return image


def write_rows(folder: Path, rows: Rows) -> None:
    """Write rows as metadata.csv, with a column for every key that a row has."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def make_rows(folder: Path, size: int = 32) -> Rows:
    """Draw every person's every look into `folder`/images as PNG, and return their manifest rows."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for name, (skin, source, gender, parents) in PEOPLE.items():
        for i, (expression, intensity, expr_id, left, right, smile) in enumerate(LOOKS):
            file = f"images/{name}_{i}.png"
            face = draw_face(skin, float(smile or 0), float(left), size)
            cv2.imwrite(str(folder / file), face[..., ::-1])
            rows.append(
                {"file_name": file, "subject": name, "expression": expression, "intensity": intensity}
                | {"expr_id": expr_id, "AU04_L": left, "AU04_R": right, "AU12": smile, "yaw": "0", "pitch": "0"}
                | {"source": source, "gender": gender, "parents": parents, "test": "0"}
            )
    return rows


@pytest.fixture
def faces_folder(tmp_path: Path) -> Path:
    """A sound data set: 4 people and a morph of the first two, 5 looks each, 32 pixels."""
    folder = tmp_path / "faces"
    write_rows(folder, make_rows(folder))
    return folder


@pytest.fixture
def edit_rows(faces_folder: Path) -> Callable[[Callable[[Rows], object]], Path]:
    """Return a function that changes the rows of `faces_folder`'s manifest in place and writes them again."""

    def edit(change: Callable[[Rows], object]) -> Path:
        with (faces_folder / "metadata.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        change(rows)
        write_rows(faces_folder, rows)
        return faces_folder

    return edit


@pytest.fixture(scope="session")
def photofaces() -> Path:
    """The photographs' data set: the folder MIEN_PHOTOFACES names, or shared/data/photofaces beside the repository."""
    beside = Path(__file__).parents[2] / "shared" / "data" / "photofaces"
    folder = Path(os.environ.get("MIEN_PHOTOFACES", beside))
    if not (folder / "metadata.csv").is_file():
        pytest.skip(f"{folder} is not here: the photographs are not part of the repository")
    return folder


@pytest.fixture(scope="session")
def photofaces_extra(photofaces: Path) -> Path:
    """The second set, beside the first: gaze, lids, speech, heads."""
    folder = photofaces.parent / "photofaces_extra"
    if not (folder / "metadata.csv").is_file():
        pytest.skip(f"{folder} is not here: the photographs are not part of the repository")
    return folder
