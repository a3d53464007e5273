"""Pictures and clips by address, as s3://bucket/photos or hf://datasets/me/faces: listed, and fetched one at a time."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mien.errors import InputError, missing
from mien.files import path_text
from mien.journal import mark_of
from mien.media.picture import PICTURES
from mien.media.video.ffmpeg import is_clip

_ADDRESS = re.compile(r"(?P<protocol>[a-z][a-z0-9+.-]+):/{1,2}(?P<rest>[^/].*|/.*)")  # a drive's letter is no protocol
PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "hf": "huggingface-hub", "abfs": "adlfs", "http": "aiohttp"}
_EXPECTED = "expected an address that can be read, as s3://BUCKET/FOLDER"


def address_of(path: str | Path) -> str | None:
    """Return the address that a word of the command is, "s3://b/a.jpg"; None for a path.

    A `Path` has lost one of an address's two strokes, which comes back.
    """
    found = _ADDRESS.fullmatch(f"{path}")
    if not found or Path(path).exists():
        return None
    stroke = "/" if found["protocol"] == "file" and not found["rest"].startswith("/") else ""
    return f"{found['protocol']}://{stroke}{found['rest']}"


def listed(address: str) -> dict[str, str]:
    """Return the addresses of all files below one, by name, and each's place below it; of a file its own and its name.

    Raises InputError where nothing can be read there, and where the package for the protocol is missing.
    """
    with _reading(address) as (system, place):
        names, base = system.find(place), place.rstrip("/")
    return {
        system.unstrip_protocol(name): name.removeprefix(base).lstrip("/") or name.rpartition("/")[2]
        for name in sorted(names)
    }


def readable(address: str) -> dict[str, str]:
    """Return those of `listed` that are pictures and clips. Raises InputError where there is none."""
    found = {one: at for one, at in listed(address).items() if Path(at).suffix.lower() in PICTURES or is_clip(Path(at))}
    if not found:
        raise InputError(f"{address}: holds no picture and no clip")
    return found


@contextmanager
def fetched(address: str) -> Iterator[Path]:
    """Give a copy of a file, of its name, that goes again afterwards. Raises InputError where it cannot be read."""
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        copy = Path(folder) / address.rpartition("/")[2]
        with _reading(address) as (system, place), system.open(place, "rb") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        yield copy


@contextmanager
def at_hand(path: Path) -> Iterator[Path]:
    """Give a file: itself, or the copy of what an address names; an InputError meanwhile tells of the address."""
    address = address_of(path)
    if address is None:
        yield path
        return
    with fetched(address) as copy:
        try:
            yield copy
        except InputError as error:
            raise InputError(str(error).replace(str(copy), address).replace(path_text(copy), address)) from error


def mark_of_any(path: str | Path) -> str:
    """Return a file's name, size and date, or an address with its file's size and what the store says of its version.

    Of what cannot be asked there is the name alone: that it cannot be used shows when it is read.
    """
    address = address_of(path)
    if address is None:
        return mark_of(Path(path))
    try:
        with _reading(address) as (system, place):
            about = system.info(place)
    except InputError:
        return address
    version = next((about[key] for key in ("ETag", "etag", "mtime", "created", "updated") if about.get(key)), "")
    return f"{address} {about.get('size')} {version}"


@contextmanager
def _reading(address: str) -> Iterator[tuple[Any, str]]:
    try:
        import fsspec
    except ModuleNotFoundError as error:
        raise missing(address, error) from error
    try:
        yield fsspec.core.url_to_fs(address)
    except ImportError as error:
        package = PACKAGES.get(address.partition(":")[0], "for it")
        raise InputError(f"{address}: needs the package {package}; pip install it") from error
    except InputError:
        raise
    except Exception as error:  # every store has its own
        said = f"{error}".strip().splitlines()[:1] or [type(error).__name__]
        raise InputError(f"{address}: cannot be read ({said[0][:120]}); {_EXPECTED}") from error
