"""A data set that is open: its labels, and its images, decoded and scaled once into a memory map that is kept."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mien.data.images import map_images, read_image, resize_square
from mien.data.joining import join
from mien.data.manifest import Manifest, as_rows, problems_error, read_manifest
from mien.errors import InputError
from mien.files import new_folder, whole
from mien.progress import Tell, untold

CACHE = ".mien_cache"  # in a data set's folder
VERSION = 1
"""Part of every cache's key. Raise it when decoding or scaling changes: old caches are then made anew."""

ABANDONED = 3600.0
"""Seconds after its last change when an unfinished file counts as left behind, and is removed."""


@dataclass(frozen=True, eq=False)
class Images:
    """N square uint8 RGB images in one or more memory maps; indexing reads, `take` chooses without reading."""

    blocks: tuple[np.ndarray, ...]  # each (n, size, size, 3) uint8
    block: np.ndarray  # (N,) int64: which block an image lies in
    row: np.ndarray  # (N,) int64: where in that block

    def __len__(self) -> int:
        return len(self.row)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, size, size, 3)."""
        _, height, width, channels = self.blocks[0].shape
        return len(self), height, width, channels

    @property
    def dtype(self) -> np.dtype:
        """Always uint8."""
        return self.blocks[0].dtype

    def __getitem__(self, index: int | slice | np.ndarray | Sequence[int]) -> np.ndarray:
        """Return one image (size, size, 3) as a read-only view, or several (n, size, size, 3) as a copy."""
        block, row = self.block[index], self.row[index]
        if np.ndim(row) == 0:
            return self.blocks[int(block)][int(row)]
        if len(self.blocks) == 1:
            return np.asarray(self.blocks[0][row])
        out = np.empty((len(row), *self.shape[1:]), dtype=np.uint8)
        for i, images in enumerate(self.blocks):
            out[block == i] = images[row[block == i]]
        return out

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or np.uint8, copy=False)

    def take(self, rows: np.ndarray) -> Images:
        """Return the images of these rows."""
        return replace(self, block=self.block[rows], row=self.row[rows])


@dataclass(frozen=True, eq=False)
class Data:
    """A data set ready to train on: N labels and their N images."""

    manifest: Manifest
    images: Images

    def __len__(self) -> int:
        return len(self.manifest)

    @property
    def size(self) -> int:
        """The images' width and height in pixels."""
        return self.images.shape[1]

    def select(self, mask: np.ndarray) -> Data:
        """Return the images of a (N,) bool mask or an index array; subjects are numbered anew, no pixel is copied."""
        rows = as_rows(mask, len(self))
        return Data(self.manifest.select(rows), self.images.take(rows))

    def at_size(self, size: int) -> Data:
        """Return the same rows with their pictures at another size, in memory."""
        pictures = np.stack([resize_square(image, size) for image in self.images])
        rows = np.arange(len(self))
        return Data(self.manifest, Images((pictures,), np.zeros_like(rows), rows))


def open_data(folder: Path, size: int, cache_dir: Path | None = None, tell: Tell = untold) -> Data:
    """Return a data set at `size` pixels; the first time every image is decoded into a cache, later that is opened.

    The cache lies in `cache_dir`, else in `folder`/.mien_cache where that may be written, else in the user's cache
    folder. It is made anew when the list of files, or any file's length or date, has changed; labels are always read
    afresh. Raises one InputError that lists every problem, among them images that cannot be decoded and a full disk.
    """
    folder = Path(folder)
    if size < 1:
        raise InputError(f"size is {size}; expected at least 1 pixel")
    manifest = read_manifest(folder)
    place = _place(folder, cache_dir)
    path = place / f"{size}px-{_key(manifest, size)}.npy"
    images = _open(path, (len(manifest), size, size, 3))
    if images is None:
        _build(manifest, size, path, tell)
        images = _open(path, (len(manifest), size, size, 3))
        if images is None:
            raise InputError(f"{path}: was changed while it was opened; start again")
    n = np.arange(len(manifest))
    return Data(manifest, Images((images,), np.zeros_like(n), n))


def concat(parts: Sequence[Data]) -> Data:
    """Join data sets of one size, without copying pixels, and their labels as `mien.data.joining.join` does.

    Raises InputError where there is nothing to join, the sizes differ, or two sets contradict each other.
    """
    if not parts:
        raise InputError("no data sets to join; expected at least one")
    if len(sizes := {part.size for part in parts}) > 1:
        raise InputError(f"data sets of {sorted(sizes)} pixels cannot be joined; open all with one size")
    blocks = {id(b): b for part in parts for b in part.images.blocks}
    index = {key: i for i, key in enumerate(blocks)}
    block = [np.array([index[id(b)] for b in part.images.blocks])[part.images.block] for part in parts]
    row = [part.images.row for part in parts]
    images = Images(tuple(blocks.values()), np.concatenate(block), np.concatenate(row))
    return Data(join([part.manifest for part in parts]), images)


def _key(manifest: Manifest, size: int) -> str:
    """Hash what the cached pixels depend on: file names in order, their lengths and dates, and the size."""
    digest = hashlib.sha256(json.dumps([VERSION, size]).encode())
    for i, name in enumerate(manifest.files):
        info = manifest.path(i).stat()
        digest.update(f"{name}\n{info.st_size} {info.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:20]


def user_cache() -> Path:
    """Return the folder for caches of data sets into whose own folder nothing can be written."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "mien"


def _place(folder: Path, cache_dir: Path | None) -> Path:
    """Return the folder for this data set's caches; it need not exist yet."""
    # The mode is looked at too, because os.access grants root everything: a read-only data set stays as it is.
    if cache_dir is None and os.access(folder, os.W_OK) and folder.stat().st_mode & stat.S_IWUSR:
        return folder / CACHE
    base = Path(cache_dir) if cache_dir is not None else user_cache()
    where = folder.resolve()
    return base / f"{where.name}-{hashlib.sha256(str(where).encode()).hexdigest()[:10]}"


def _open(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return the memory map at `path`, or None where there is none of this shape."""
    try:
        images = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError):  # not there, or too short for its own header
        return None
    return images if images.shape == shape and images.dtype == np.uint8 else None


def _build(manifest: Manifest, size: int, path: Path, tell: Tell) -> None:
    """Write the cache, whole or not at all; remove what serves nobody any more."""
    with _refusals(path):
        new_folder(path.parent)
        _clear(path.parent, lambda old: old.suffix == ".part" and time.time() - old.stat().st_mtime > ABANDONED)
        need, free = len(manifest) * size * size * 3 + 4096, shutil.disk_usage(path.parent).free
    if need > free:
        raise _refused(path, f"needs {need / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are free")
    with whole(path) as beside, _refusals(path), beside.open("wb") as file:
        # Plain writes: a full disk raises here, whereas a memory map would kill the process.
        shape = (len(manifest), size, size, 3)
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        if problems := _decode(manifest, size, file, tell):
            raise problems_error(manifest.folder, problems)
    # Other sizes stay; this size's older versions serve nobody.
    _clear(path.parent, lambda old: old.name.startswith(f"{size}px-") and old.suffix == ".npy" and old != path)


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Make the disk's refusals an InputError about the cache at `path`."""
    try:
        yield
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from None


def _refused(path: Path, why: str) -> InputError:
    return InputError(f"{path}: cannot write the image cache ({why}); make room or name another folder as cache_dir")


def _decode(manifest: Manifest, size: int, file: BinaryIO, tell: Tell) -> list[str]:
    """Decode every image into `file`, in order; return what is wrong with those that do not decode."""
    problems: list[str] = []
    done, total = 0, len(manifest)
    for chunk in map_images(partial(_pixels_or_problem, size=size), map(manifest.path, range(total))):
        problems += [p for p in chunk if isinstance(p, str)]
        if not problems:  # after the first bad one the rest is only checked
            file.write(np.stack([p for p in chunk if isinstance(p, np.ndarray)]).data)
        done += len(chunk)
        tell(done, total)
    return problems


def _pixels_or_problem(path: Path, size: int) -> np.ndarray | str:
    try:
        return read_image(path, size)
    except InputError as error:
        return str(error)


def _clear(folder: Path, unwanted: Callable[[Path], bool]) -> None:
    """Remove unwanted files, leaving those that another process keeps or has removed already."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if unwanted(path):
                path.unlink()


def digest(data: Data, *rows: np.ndarray) -> str:
    """Return a hash of the data's file names, people and expressions, and of masks or row numbers."""
    return labels_digest(data.manifest, *rows)


def labels_digest(m: Manifest, *rows: np.ndarray) -> str:
    """Return `digest` of labels whose images are not open."""
    text = json.dumps([m.files, m.subject.tolist(), m.expression.tolist(), [r.tolist() for r in rows]])
    return hashlib.sha256(text.encode()).hexdigest()
