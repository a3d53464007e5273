"""Pictures or clips with action units that OpenFace or py-feat measured, in CSV files beside them.

    ROOT/a.csv + ROOT/a.jpg                    one picture (OpenFace FaceLandmarkImg); of several faces the surest
    ROOT/clip.csv + ROOT/clip/*.png            a clip's frames, by the number in their name
    ROOT/clip.csv + ROOT/clip.avi              a clip's video
    ROOT/any.csv with file_name or input       rows that name their pictures, relative to ROOT or to the table

ROOT may be one table. OpenFace (Baltrušaitis et al. 2018): `AU01_r` is 0–5 already; radians become degrees, yaw and
gaze turned to the manifest's signs; rows with `success` 0 are left out; AU45, the blink, goes to AU43. py-feat (Cheong
et al. 2023): `AU01` is a probability 0–1, five times it stands for the intensity; its pose has other signs and is left
out. This is how EET IV-A labels RaFD, MMI and CFD. These are measurements, not codes: do not judge by the tool that
labelled. `subject` is a pattern as for `folder`; without it a table's clip, or picture, is a person.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from mien.data.columns import RANGES, WHOLE
from mien.data.importers.folder import person_pattern, with_person
from mien.data.importers.support.corpus_folder import first_of, inside, natural, number, pictures, stem, wrong_layout
from mien.data.importers.support.facs import au_cells
from mien.data.importers.support.sample import Importer, Options, Pixels, Sample, Skip
from mien.data.importers.support.video_frames import VIDEOS, Player
from mien.errors import InputError
from mien.labels import ALIASES, AUS, CORNERS
from mien.media.picture import PICTURES
from mien.reading import csv_records, csv_rows, number_of

EXPECTS = "a folder with OpenFace's (AU01_r) or py-feat's (AU01) CSV files beside their pictures, or one such file"
NAMES = ("file_name", "input", "image", "filename")  # columns that may name a row's picture
OWN = ("metadata.csv", "skipped.csv")
POSE = {"pitch": ("pose_Rx", 1), "yaw": ("pose_Ry", -1), "roll": ("pose_Rz", 1),
        "gaze_x": ("gaze_angle_x", 1), "gaze_y": ("gaze_angle_y", -1)}  # fmt: skip
USED = {
    *NAMES, "frame", "face", "face_id", "success", "confidence", "FaceScore", *(column for column, _ in POSE.values()),
    *(f"AU{au:02d}{end}" for au in (*AUS, *ALIASES) for end in ("", "_r")),
    *(f"{axis}_{k}" for axis in "xy" for pair in CORNERS for k in pair),
}  # fmt: skip
"""The columns that are read."""

Row = Mapping[str, str]


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield the rows whose picture is there."""
    folder = root.parent if root.is_file() else root
    files = [root] if root.is_file() else sorted((p for p in root.rglob("*.csv") if p.name not in OWN), key=natural)
    tables = [(path, rows) for path in files if (rows := _rows(path))]
    if not tables:
        raise wrong_layout(root, "CSV file with AU01_r or AU01", EXPECTS)
    player, who = Player(), person_pattern(options.subject)
    for path, rows in tables:
        sources = _Sources(folder, path, player, 1 if _tool(rows[0]) == "OpenFace" else 0)
        for row in rows[:: options.every]:
            pixels, name = sources.of(row)
            if pixels is None or not _seen(row):
                yield Skip(f"{path} {name}", "row whose picture is not there" if pixels is None else "no face tracked")
                continue
            labels: dict[str, str | int | float] = {**_aus(row), **_pose(row), "source": _tool(row)}
            if sources.clip:
                labels |= {"sequence": sources.clip, "frame": _frame(row)}
            person = Path(sources.clip) if sources.clip and who is None else Path(name)
            eyes = _eyes(row) if "_aligned" not in name else None
            yield Sample(name, pixels, with_person(labels, person, who, options), eyes)


def with_units(listed: Sequence[Sample], tables: Path) -> tuple[list[Sample], int]:
    """Return a corpus' samples with the action units that a tool measured, and of how many it did.

    `tables` is one CSV file or a folder of them. A row belongs to the picture that it names, else to the frame of the
    clip that the table is named after, else to the picture of its table's name; folders are not compared. What the
    corpus says of itself stays, but for action units; `source` names both. Raises InputError where nothing fits.
    """
    files = [tables] if tables.is_file() else sorted(tables.rglob("*.csv"), key=natural)
    found: dict[tuple[str, int | None], Row] = {}
    for path in files:
        for row in filter(_seen, _rows(path)):
            named = next((row[name] for name in NAMES if row.get(name)), "").replace("\\", "/")
            frame = None if named else _value(row, "frame")
            counted = None if frame is None else int(frame) - (_tool(row) == "OpenFace")  # OpenFace counts from 1
            found[Path(named or path.name).stem, counted] = row
            found.setdefault((Path(named or path.name).stem, None), row)
    samples, measured = [], 0
    for sample in listed:
        clip, place = Path(str(sample.labels.get("sequence", ""))).name, sample.labels.get("frame")
        of_frame = found.get((clip, int(place))) if clip and place is not None else None
        mine = of_frame or found.get((Path(sample.name).name, None))
        if mine is not None:
            both = {"source": f"{sample.labels.get('source', '')}+{_tool(mine)}".lstrip("+")}
            sample, measured = replace(sample, labels={**sample.labels, **_aus(mine), **both}), measured + 1
        samples.append(sample)
    if not measured:
        raise InputError(
            f"--aus {tables}: no row fits a picture of the corpus; expected OpenFace's (AU01_r) or py-feat's (AU01) "
            "tables that name the pictures, or are named after the clips"
        )
    return samples, measured


def _rows(path: Path) -> list[Row]:
    """Return a table's rows with bare column names, of several faces in a picture the surest; none for another CSV."""
    header = [name.strip() for name in next((row for _, row in csv_rows(path, EXPECTS)), [])]
    if not {"AU01_r", "AU01"} & set(header):
        return []
    # OpenFace writes seven hundred columns; of those that are read there are some fifty.
    rows: list[Row] = [{n: cell for n, cell in row.items() if n in USED} for row in csv_records(path, EXPECTS)]
    best: dict[tuple[str, str], Row] = {}
    for k, row in enumerate(rows):
        picture = next((row[name] for name in NAMES if row.get(name)), "")
        key = (picture, row.get("frame", "" if "face" in row or picture else str(k)))
        if key not in best or _sure(row) > _sure(best[key]):
            best[key] = row
    return list(best.values())


def _frame(row: Row) -> int:
    """Return a row's frame number; -1 where no clip has so many."""
    frame = _value(row, "frame") or 0
    return int(frame) if 0 <= frame <= WHOLE["frame"][1] else -1


def _value(row: Row, name: str) -> float | None:
    """Return a cell as a number, None where it is none."""
    try:
        value = number_of(row.get(name) or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _sure(row: Row) -> float:
    return next((v for name in ("confidence", "FaceScore") if (v := _value(row, name)) is not None), 0.0)


def _seen(row: Row) -> bool:
    return _value(row, "success") != 0 and (_value(row, "AU01_r") is not None or _value(row, "AU01") is not None)


def _tool(row: Row) -> str:
    return "OpenFace" if "AU01_r" in row else "py-feat"


def _aus(row: Row) -> dict[str, str | float]:
    """Return AU cells 0–5: OpenFace's as they are, five times py-feat's probabilities."""
    suffix, scale = ("_r", 1.0) if "AU01_r" in row else ("", 5.0)
    found = {au: _value(row, f"AU{au:02d}{suffix}") for au in (*AUS, *ALIASES)}
    levels = {au: scale * level for au, level in found.items() if level is not None}
    return au_cells({au: round(level, 4) for au, level in levels.items()}, complete=False)


def _pose(row: Row) -> dict[str, float]:
    """Return pose and gaze in degrees with the manifest's signs, from OpenFace's radians.

    OpenFace's axes are the camera's: x to the image's right, y down, z away. A positive turn about x lowers the nose,
    about y moves it to the image's left; about z it is clockwise. Its gaze angles grow to the image's right and down.
    """
    cells = {}
    for name, (column, sign) in POSE.items():
        radians = _value(row, column)
        degrees = round(sign * math.degrees(radians), 2) if radians is not None else math.nan
        if RANGES[name][0] <= degrees <= RANGES[name][1]:  # a lost track can say anything
            cells[name] = degrees
    return cells


def _eyes(row: Row) -> np.ndarray | None:
    """Return eye centres (2, 2) from 2-D landmarks x_36 …; None where the table has none."""
    corners = [[_value(row, f"{axis}_{k}") for axis in "xy"] for pair in CORNERS for k in pair]
    if any(v is None for point in corners for v in point):
        return None
    points = np.array(corners, np.float64)
    eyes = np.array([points[:2].mean(axis=0), points[2:].mean(axis=0)])
    return eyes if np.hypot(*(eyes[1] - eyes[0])) > 1 else None


class _Sources:
    """Where the pictures of one table's rows are."""

    def __init__(self, root: Path, table: Path, player: Player, counted_from: int):
        self._root, self._table, self._player, self._from = root, table, player, counted_from
        beside = table.with_suffix("")
        clip = first_of(table.parent, beside.name, f"{beside.name}_aligned")
        numbered = {n: p for p in pictures(clip) if (n := number(p)) is not None} if clip and clip.is_dir() else {}
        lowest = min(numbered, default=counted_from)
        shift = counted_from - lowest if lowest in (0, 1) else 0  # files may count from 0 or from 1, as tools do
        self._frames = {n + shift: path for n, path in numbered.items()}
        self._video = first_of(table.parent, *(beside.name + suffix for suffix in VIDEOS))
        self._still = first_of(table.parent, *(beside.name + suffix for suffix in sorted(PICTURES)))
        self.clip = stem(table, root) if (self._frames or self._video) and not self._still else ""

    def of(self, row: Row) -> tuple[Pixels | None, str]:
        """Return a row's picture, None where it is not there, and its name."""
        named_by = next((row[name] for name in NAMES if row.get(name)), "").replace("\\", "/")
        frame = _frame(row)
        if named_by and Path(named_by).suffix.lower() in PICTURES:
            beside = self._table.parent
            tries = ((named_by, self._root), (named_by, beside), (Path(named_by).name, beside))
            path = next((found for name, at in tries if (found := inside(self._root, name, at))), None)
            return path, stem(path, self._root) if path else Path(named_by).stem
        if self._still:
            return self._still, stem(self._still, self._root)
        if self._frames:
            path = self._frames.get(frame)
            return path, stem(path, self._root) if path else f"frame {frame}"
        name = f"{stem(self._table, self._root)}/{frame:06d}"
        there = self._video and frame >= self._from
        return (partial(self._player.read, self._video, frame - self._from) if there and self._video else None), name


IMPORTER = Importer(
    "pictures with OpenFace or py-feat tables",
    samples,
    EXPECTS,
    "your own measurements",
    file=True,
    options=("subject", "strangers", "every"),
)
