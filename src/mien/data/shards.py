"""Data sets too large for a folder: WebDataset shards, .tar files in which each picture is followed by its labels.

A folder of shards has beside them `labels.csv`, the data set's metadata.csv in the order in which its pictures lie in
the shards, `shards.json`, how many lie in each, and what else lay beside metadata.csv. All pictures of a person lie
together, so that pairs are found in few shards.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from mien.data.columns import KNOWN, METADATA, read_table
from mien.data.images import read_image
from mien.data.manifest import Manifest, as_rows, read_manifest
from mien.errors import InputError, missing
from mien.files import alone, check_folder, is_new, make_folder, whole, write_json, write_whole
from mien.progress import Tell, untold
from mien.reading import read_json

INDEX, LABELS = "shards.json", "labels.csv"
SIZE = 4096  # pictures of a shard, about, which a window of some shards holds decoded
BESIDE = ("dataset.json", "geometry.npz", "mouths.npz")
FORM = {"schema": int, "shards": [{"file": str, "images": int}]}
_NAME = re.compile(r"shard-[0-9]{6}\.tar")
_EXPECTED = "expected what `mien data shards` wrote; write the shards again"


@dataclass(frozen=True, eq=False)
class Shards:
    """A folder of shards: all labels, and pictures shard by shard. `rows` are those that count, ascending."""

    manifest: Manifest  # of `rows`
    rows: np.ndarray  # (N,) int64, of all that lie in the shards, one after another
    files: tuple[str, ...]
    starts: np.ndarray  # (files + 1,) int64: the first row of each, and how many there are

    def __len__(self) -> int:
        return len(self.rows)

    def select(self, mask: np.ndarray) -> Shards:
        """Return the same shards of which the pictures of a (N,) bool mask count; subjects are numbered anew."""
        kept = as_rows(mask, len(self))
        return Shards(self.manifest.select(kept), self.rows[kept], self.files, self.starts)

    def places(self, shard: int) -> np.ndarray:
        """Return which of `rows` lie in a shard."""
        begin, end = self.starts[shard : shard + 2]
        return np.flatnonzero((self.rows >= begin) & (self.rows < end))

    def images(self, shard: int, size: int) -> np.ndarray:
        """Return the pictures of a shard that count, (n, size, size, 3) uint8, read from its beginning to its end."""
        path = self.manifest.folder / self.files[shard]
        wanted, begin = set(self.rows[self.places(shard)].tolist()), int(self.starts[shard])
        found = [
            read_image(path / name, size, content)
            for k, (name, content, _) in enumerate(samples(path), begin)
            if k in wanted
        ]
        if len(found) != len(wanted):
            raise InputError(f"{path}: holds fewer pictures than {INDEX} says; {_EXPECTED}")
        return np.stack(found) if found else np.empty((0, size, size, 3), np.uint8)


def open_shards(folder: Path) -> Shards:
    """Return a folder of shards by its labels; pictures are not looked at. Raises InputError for what is wrong."""
    path = folder / INDEX
    found = read_json(path, _EXPECTED, FORM)
    files = tuple(str(shard["file"]) for shard in found["shards"])
    for name in files:
        if not _NAME.fullmatch(name) or not (folder / name).is_file():
            raise InputError(f"{path}: names {name}, which is not there; {_EXPECTED}")
    starts = np.cumsum([0, *(shard["images"] for shard in found["shards"])])
    manifest = read_manifest(folder, LABELS, packed=True)
    if starts[-1] != len(manifest) or (np.diff(starts) < 1).any():
        raise InputError(f"{path}: tells of {starts[-1]} pictures, {LABELS} of {len(manifest)}; {_EXPECTED}")
    return Shards(manifest, np.arange(len(manifest)), files, starts)


def are_shards(folder: Path) -> bool:
    """Whether a folder holds shards that `open_shards` opens."""
    return (folder / INDEX).is_file()


def write_shards(folder: Path, out: Path, size: int = SIZE, seed: int = 0, tell: Tell = untold) -> int:
    """Write a data set as shards of about `size` pictures, people in an order that is drawn; return how many shards.

    Pictures go as they are. `shards.json` is written last: without it the folder is none of shards, and the call is to
    be made again. Raises InputError for what is wrong with the data set, and where `out` holds something else.
    """
    manifest = read_manifest(folder)
    check_folder(out)
    if not is_new(out) and not any((out / name).exists() for name in (INDEX, LABELS)):
        raise InputError(f"{out}: holds something else; give a new folder")
    writer = _webdataset("mien data shards").TarWriter
    order = _order(manifest, seed)
    table = read_table(folder / METADATA).cells
    make_folder(out)
    with alone(out):
        (out / INDEX).unlink(missing_ok=True)
        lines = io.StringIO(newline="")
        told = csv.DictWriter(lines, list(table))
        told.writeheader()
        told.writerows({name: cells[k] for name, cells in table.items()} for k in order)
        write_whole(out / LABELS, lines.getvalue())
        for name in BESIDE:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, out / name)
        shards, done = [], 0
        for k, rows in enumerate(_cut(manifest, order, size)):
            file = f"shard-{k:06d}.tar"
            with whole(out / file) as beside, beside.open("wb") as stream, writer(stream, mtime=0) as tar:
                for row in rows:
                    path, labels = manifest.path(row), {name: cells[row] for name, cells in table.items() if cells[row]}
                    key = {"__key__": f"{done:09d}", "json": json.dumps(labels, sort_keys=True).encode()}
                    tar.write(key | {path.suffix.lower().lstrip(".") or "img": path.read_bytes()})
                    done += 1
            shards.append({"file": file, "images": len(rows)})
            tell(done, len(order))
        write_json(out / INDEX, {"schema": 1, "shards": shards})
    return len(shards)


def unpack(folder: Path, out: Path, tell: Tell = untold) -> int:
    """Write the pictures of a folder's shards and their labels as a data set; return how many there are.

    Other tools' shards do as well, if each picture's .json has columns of ours, `file_name` left out or not; what else
    it says is left out. `metadata.csv` is written last. Raises InputError for what cannot be read.
    """
    files = sorted(folder.glob("*.tar"))
    if not files:
        raise InputError(f"{folder}: holds no .tar; expected a folder of WebDataset shards")
    check_folder(out)
    if not is_new(out):
        raise InputError(f"{out}: holds something else; give a new folder")
    make_folder(out / "images")
    rows: list[dict[str, str]] = []
    for k, path in enumerate(files):
        for name, content, labels in samples(path):
            place = PurePosixPath(str(labels.get("file_name") or f"images/{path.stem}-{name}"))
            if place.is_absolute() or ".." in place.parts:
                raise InputError(f"{path}: {name} wants the place {place}, which is outside of {out}; leave it out")
            make_folder((out / place).parent)
            write_whole(out / place, content)
            given = {key: f"{value}" for key, value in labels.items() if key in KNOWN and value is not None}
            rows.append(given | {"file_name": f"{place}"})
        tell(k + 1, len(files))
    lines = io.StringIO(newline="")
    named = {name for row in rows for name in row} | {"subject"}
    told = csv.DictWriter(lines, [name for name in KNOWN if name in named], restval="")
    told.writeheader()
    told.writerows(rows)
    for name in BESIDE:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, out / name)
    write_whole(out / METADATA, lines.getvalue())
    read_manifest(out)
    return len(rows)


def samples(path: Path) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Yield of a shard's pictures the name, the bytes and the labels, in its order. Raises InputError for a bad one."""
    from mien.media.picture import PICTURES

    made = _webdataset(f"{path}").WebDataset(str(path.absolute()), shardshuffle=False, empty_check=False)
    try:
        for sample in made:
            kinds = [kind for kind in sample if f".{kind}" in PICTURES or kind == "img"]
            if not kinds:
                raise InputError(f"{path}: {sample['__key__']} has no picture; {_EXPECTED}")
            labels = json.loads(sample.get("json", b"{}"))
            if not isinstance(labels, dict):
                raise InputError(f"{path}: the labels of {sample['__key__']} are no object; {_EXPECTED}")
            yield f"{sample['__key__']}.{kinds[0]}", sample[kinds[0]], labels
    except InputError:
        raise
    except Exception as error:  # tar's, the decoder's and WebDataset's own
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path}: cannot be read as a shard ({said}); {_EXPECTED}") from error


def _order(manifest: Manifest, seed: int) -> np.ndarray:
    """Return the rows, people in an order that is drawn, each's pictures together; those of nobody come last."""
    people = np.random.default_rng(seed).permutation(len(manifest.subjects) + 1)
    people[-1] = len(people)  # of -1
    return np.argsort(people[manifest.subject], kind="stable")


def _cut(manifest: Manifest, order: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Yield the rows of each shard: as many people as reach `size` pictures; of nobody's as many as that."""
    if size < 1:
        raise InputError(f"--images {size}: expected 1 or more")
    subject = manifest.subject[order]
    begin = 0
    for k in range(1, len(order) + 1):
        new = k == len(order) or subject[k] != subject[k - 1] or subject[k] < 0
        if new and (k - begin >= size or k == len(order)):
            yield order[begin:k]
            begin = k


def _webdataset(what: str) -> Any:
    try:
        import webdataset
    except ModuleNotFoundError as error:
        raise missing(what, error) from error
    return webdataset
