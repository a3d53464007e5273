"""Arrays that come from elsewhere, .npz and .npy: without pickle, and never larger than was expected.

What a file promises, in its zip directory and the head of each array, is compared with what is wanted before any of it
is unpacked: three megabytes can hold three gigabytes of zeros.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from mien.errors import InputError
from mien.reading import opened

FREE = 256 << 20  # bytes of one array that any file may promise
PACKED = 20  # times the whole file's bytes that a larger one may have: rendered geometry packs some 5 to 8 times


@dataclass(frozen=True)
class Wanted:
    """What an array must be. Where values have a range, numbers that are none lie outside it."""

    kinds: str  # of its numbers, by NumPy's letters: "iu", "f", "U"
    shape: tuple[int | str, ...] | None  # a word is any length, but the same in all arrays that have it; None is any
    low: float = -math.inf
    high: float = math.inf
    optional: bool = False


def read_npz(path: Path, wanted: Mapping[str, Wanted], expected: str) -> dict[str, np.ndarray]:
    """Return the arrays of a file by name; those that are not wanted stay packed.

    Raises InputError naming the file, the array and what was expected.
    """
    found: dict[str, np.ndarray] = {}
    lengths: dict[str, int] = {}
    with opened(path, expected) as file:
        try:
            with zipfile.ZipFile(file) as packed:
                there = {info.filename: info for info in packed.infolist()}
                for name, form in wanted.items():
                    if (info := there.get(f"{name}.npy")) is None:
                        if form.optional:
                            continue
                        raise InputError(f"{path}: has no array {name!r}; {expected}")
                    with packed.open(info) as part:
                        found[name] = _read(part, form, lengths, info.file_size, os.fstat(file.fileno()).st_size)
        except InputError:
            raise
        except _Misfit as problem:
            raise InputError(f"{path}: array {name!r} {problem}; {expected}") from problem
        except Exception as error:  # zipfile, zlib and NumPy raise nearly anything on damaged bytes
            raise InputError(f"{path}: empty, damaged or cut short ({_words(error)}); {expected}") from error
    return found


def read_npy(path: Path, wanted: Wanted, expected: str) -> np.ndarray:
    """Return the array of a .npy file. Raises InputError as `read_npz` does."""
    with opened(path, expected) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            return _read(file, wanted, {}, size, size)
        except _Misfit as problem:
            raise InputError(f"{path}: its array {problem}; {expected}") from problem
        except Exception as error:  # zipfile, zlib and NumPy raise nearly anything on damaged bytes
            raise InputError(f"{path}: no array, damaged or cut short ({_words(error)}); {expected}") from error


class _Misfit(Exception):
    """An array is sound, but not what was wanted; the words go on after its name."""


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__


def _read(file: IO[bytes], wanted: Wanted, lengths: dict[str, int], size: int, packed: int) -> np.ndarray:
    """Return the array that a file holds, `size` bytes with its head, after its promise was looked at."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise _Misfit(f"is of the form {version}")
    head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, columns_first, kind = head(file)
    if kind.kind not in wanted.kinds:
        raise _Misfit(f"holds {kind}, not {' or '.join(dict.fromkeys(_KINDS[k] for k in wanted.kinds))}")
    if wanted.shape is not None:
        _check_shape(shape, wanted.shape, lengths)
    promised = math.prod(shape) * kind.itemsize
    if promised > size or promised > max(FREE, PACKED * packed):
        raise _Misfit(f"promises {promised / 2**20:,.0f} MiB, but comes of a file of {packed / 2**20:,.1f}")
    values = np.ndarray(shape, kind, _whole(file, promised), order="F" if columns_first else "C")
    _check_values(values, wanted)
    return values


_KINDS = {"i": "whole numbers", "u": "whole numbers", "f": "numbers", "U": "text", "b": "yes and no"}


def _check_shape(shape: tuple[int, ...], wanted: tuple[int | str, ...], lengths: dict[str, int]) -> None:
    fits = len(shape) == len(wanted) and all(
        there == (lengths.setdefault(axis, there) if isinstance(axis, str) else axis)
        for there, axis in zip(shape, wanted, strict=True)
    )
    if not fits:
        asked = ", ".join(str(lengths.get(axis, axis) if isinstance(axis, str) else axis) for axis in wanted)
        raise _Misfit(f"has the shape {shape}, expected ({asked})")


def _whole(file: IO[bytes], size: int) -> bytearray:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        block = file.read(min(size - done, 1 << 22))
        if not block:
            raise EOFError("it ends early")
        view[done : done + len(block)] = block
        done += len(block)
    if file.read(1):  # also makes a zip compare the sum
        raise _Misfit("goes on after its last value")
    return data


def _check_values(values: np.ndarray, wanted: Wanted) -> None:
    letter = np.dtype(np.uint32).newbyteorder(values.dtype.byteorder) if values.dtype.kind == "U" else None
    if letter and values.size and values.view(letter).max() > 0x10FFFF:
        raise _Misfit("holds what is no text")
    if values.dtype.kind == "U" or not values.size or wanted.low == -math.inf == -wanted.high:
        return
    low, high = values.min(), values.max()
    if not (low >= wanted.low and high <= wanted.high):  # of NaN neither holds
        raise _Misfit(f"has values from {low} to {high}, expected {wanted.low:g} to {wanted.high:g}")
