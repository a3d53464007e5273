"""The manifest: what `metadata.csv` says of every image, as arrays; or one error that lists all that is wrong."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from mien.data.columns import METADATA, Table, read_table
from mien.data.images import image_problem, map_images
from mien.data.same_people import read_declaration
from mien.errors import InputError

PRINTED = 50
"""At most this many problems are printed; the rest is counted."""


@dataclass(frozen=True, eq=False)
class Manifest:
    """N images and their labels; unknown is -1 (subject, expression, frame, fold), NaN (numbers) or '' (text)."""

    folder: Path
    subjects: list[str]  # S names; `subject` indexes it
    files: list[str]  # N, relative to `folder`, with forward slashes
    subject: np.ndarray  # (N,) int64, dense 0..S-1; -1 unknown
    expression: np.ndarray  # (N,) int64 index into mien.labels.EXPRESSIONS
    intensity: np.ndarray  # (N,) float32 in [0, 1]
    aus: np.ndarray  # (N, 21) float32 in [0, 5], order of mien.labels.AUS, the larger side
    left: np.ndarray  # (N, 21) float32 in [0, 5]: AUs of the person's own left side
    right: np.ndarray  # (N, 21) float32
    yaw: np.ndarray  # (N,) float32 degrees
    pitch: np.ndarray
    roll: np.ndarray
    gaze_x: np.ndarray  # (N,) float32 degrees
    gaze_y: np.ndarray
    fold: np.ndarray  # (N,) int64
    test: np.ndarray  # (N,) bool; False where unknown
    expr_id: np.ndarray  # (N,) str; same id and intensity: the same expression on another person
    parents: np.ndarray  # (N,) str; names of related subjects joined by +
    sequence: np.ndarray  # (N,) str
    frame: np.ndarray  # (N,) int64
    split: np.ndarray  # (N,) str
    source: np.ndarray  # (N,) str
    kind: np.ndarray  # (N,) str
    age: np.ndarray  # (N,) float32 years
    gender: np.ndarray  # (N,) str
    ethnicity: np.ndarray  # (N,) str
    tone: np.ndarray  # (N,) str
    people: str = ""  # whose names these are: sets of one word mean the same people and expr_ids; '' their own

    def __len__(self) -> int:
        return len(self.files)

    def path(self, index: int) -> Path:
        """Return where an image lies."""
        return self.folder / self.files[index]

    def select(self, mask: np.ndarray, renumber: bool = True) -> Manifest:
        """Return the images of a (N,) bool mask, or of an index array in its order.

        Subjects are numbered anew, or with `renumber` as False stay as they are, also those without an image. Raises
        ValueError where a mask is not N long.
        """
        rows = as_rows(mask, len(self))
        if not renumber:
            values = {f.name: getattr(self, f.name) for f in fields(self)}
            cut = {name: value[rows] for name, value in values.items() if isinstance(value, np.ndarray)}
            return replace(self, files=[self.files[i] for i in rows], **cut)
        kept = np.unique(self.subject[rows])
        kept = kept[kept >= 0]
        number = np.full(len(self.subjects) + 1, -1, dtype=np.int64)  # the last entry serves -1
        number[kept] = np.arange(len(kept))
        chosen = self.select(rows, renumber=False)
        return replace(chosen, subjects=[self.subjects[i] for i in kept], subject=number[chosen.subject])


def as_rows(mask: np.ndarray, length: int) -> np.ndarray:
    """Return the row numbers of a bool mask of `length`, or row numbers as they are.

    Raises ValueError where the mask has another length.
    """
    mask = np.asarray(mask)
    if mask.dtype != bool:
        return mask.astype(np.int64)
    if mask.shape != (length,):
        raise ValueError(f"mask has shape {mask.shape}; expected ({length},)")
    return np.flatnonzero(mask)


def read_manifest(folder: Path, labels: str = METADATA, packed: bool = False) -> Manifest:
    """Read `folder`'s metadata.csv and dataset.json; images are looked for, but opened only when they are cached.

    `labels` is the table's name where it has another; `packed` images lie in other files and are not looked for.
    Raises one InputError with a line for each problem: file, line, what was expected.
    """
    manifest, problems = _read(Path(folder), labels, packed)
    if manifest is None or problems:
        raise problems_error(Path(folder), problems)
    return manifest


def check_manifest(folder: Path) -> list[str]:
    """Return all problems of a data set, one line each; every image is decoded too. Empty: all is well."""
    manifest, problems = _read(Path(folder))
    if manifest is not None:
        paths = [manifest.folder / name for name in dict.fromkeys(manifest.files) if _inside(name)]
        present = (path for path in paths if is_there(path))
        problems += [p for chunk in map_images(image_problem, present) for p in chunk if p]
    return problems


def problems_error(folder: Path, problems: list[str]) -> InputError:
    """Return one error that lists the first problems and counts the rest."""
    lines = problems[:PRINTED]
    if more := len(problems) - len(lines):
        lines.append(f"… and {more} more")
    many = f"{len(problems)} problems" if len(problems) > 1 else "one problem"
    return InputError("\n".join([f"{folder}: {many} in this data set", *(f"  {line}" for line in lines)]))


def _read(folder: Path, labels: str = METADATA, packed: bool = False) -> tuple[Manifest | None, list[str]]:
    """Return the manifest (None where there is none to speak of) and all that is wrong with it."""
    path = folder / labels
    if not folder.exists():
        return None, [f"{folder}: there is no such folder; expected one with images and {METADATA}"]
    if not folder.is_dir():
        return None, [f"{folder}: is a file; expected a folder with images and {METADATA}"]
    if not path.is_file():
        return None, [f"{path}: there is no such file; expected file_name,subject,… with a line for each image"]
    table = read_table(path)
    if not {"file_name", "subject"} <= table.cells.keys():
        return None, table.problems
    table.cells["file_name"] = [_path(folder, cell) for cell in table.cells["file_name"]]
    people, wrong = read_declaration(folder)
    table.problems.extend(wrong)
    manifest = _manifest(folder, table, people)
    _check_files(folder, table, packed)
    _check_people(manifest, table)
    return manifest, table.problems


def _manifest(folder: Path, table: Table, people: str) -> Manifest:
    """Turn cells into arrays; problems go to the table's list."""
    names = table.words("subject")
    subjects, subject = np.unique(names, return_inverse=True)
    if len(subjects) and subjects[0] == "":  # '' sorts first and is nobody
        subjects, subject = subjects[1:], subject - 1
    aus, left, right = table.action_units()
    number = {n: table.numbers(n).astype(np.float32) for n in ("intensity", "yaw", "pitch", "roll", "gaze_x", "gaze_y")}
    text = {n: table.words(n) for n in ("expr_id", "parents", "sequence", "split", "source", "kind", "gender")}
    return Manifest(
        folder=folder,
        subjects=[str(s) for s in subjects],
        files=[str(PurePosixPath(f)) for f in table.words("file_name")],
        subject=subject.astype(np.int64),
        expression=table.expressions(),
        aus=aus,
        left=left,
        right=right,
        fold=table.integers("fold"),
        test=table.integers("test", missing=0) == 1,
        frame=table.integers("frame"),
        age=table.numbers("age").astype(np.float32),
        ethnicity=table.words("ethnicity"),
        tone=table.words("tone"),
        people=people,
        **number,
        **text,
    )


def _path(folder: Path, cell: str) -> str:
    r"""Return a path with forward slashes: Windows writes faces\ann.png, which elsewhere may be one file's name."""
    one = "\\" in Path(cell).name and is_there(folder / cell.strip())  # never on Windows
    return cell if one else cell.replace("\\", "/")


def _inside(name: str) -> bool:
    """Tell whether a relative path with forward slashes stays in its folder, on Windows too."""
    path, windows = PurePosixPath(name), PureWindowsPath(name)
    return not (path.is_absolute() or ".." in windows.parts or windows.drive or "\\" in name)


def is_there(path: Path) -> bool:
    """Tell whether a path is a file; what can be no path is none."""
    try:
        return path.is_file()
    except OSError:  # longer than names can be
        return False


def _check_files(folder: Path, table: Table, packed: bool = False) -> None:
    """Report file names that are empty, leave the folder, stand twice or lead nowhere."""
    first: dict[PurePosixPath, int] = {}
    for row, cell in enumerate(table.words("file_name")):
        name = PurePosixPath(cell)
        if not cell:
            table.report(row, "file_name is empty; expected a path relative to the folder, as images/a.jpg")
        elif "\\" in cell:
            table.report(row, f"file_name '{cell}' has a backslash, which parts folders on Windows; rename the file")
        elif not _inside(cell):
            table.report(row, f"file_name '{cell}' leaves the folder; expected a path inside it, as images/a.jpg")
        elif name in first:
            table.report(row, f"file_name '{cell}' stands on line {table.lines[first[name]]} too; keep one")
        elif not packed and not is_there(folder / name):
            table.report(row, f"there is no file '{cell}' in {folder}; add it or remove the line")
        first.setdefault(name, row)


def _check_people(manifest: Manifest, table: Table) -> None:
    """Report people whose lines contradict each other: these mark the person, not the image."""
    for column, values in (("fold", manifest.fold), ("test", manifest.test.astype(int)), ("parents", manifest.parents)):
        seen: dict[int, int] = {}
        for row, person in enumerate(manifest.subject.tolist()):
            other = seen.setdefault(person, row)
            if person >= 0 and values[row] != values[other]:
                here, there = f"'{values[row]}'", f"'{values[other]}' on line {table.lines[other]}"
                who = f"subject {manifest.subjects[person]}"
                table.report(row, f"{who} has {column} {here}, but {there}; expected one {column} for a person")
