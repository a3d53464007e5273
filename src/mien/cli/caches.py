"""Where mien keeps what it can make or fetch anew, how large that is, and how it is emptied."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import mien.synth

REMOVE = "remove the folder: it is made anew"


@dataclass(frozen=True)
class Cache:
    """A place where something is kept."""

    what: str
    place: Path
    empty: str  # how it is emptied
    files: tuple[str, ...] = ("**/*",)  # which files in it count

    @property
    def size(self) -> int:
        """Bytes on the disk; files that go meanwhile, or that nobody may look at, do not count."""
        found = {path for pattern in self.files for path in self.place.glob(pattern)}
        return sum(_bytes(path) for path in found)


def caches(folder: Path) -> Iterator[Cache]:
    """Yield the places that are there: of the data sets in `folder`, and of this user."""
    from mien.data.dataset import CACHE, user_cache

    sets = sorted({*folder.glob(CACHE), *folder.glob(f"*/{CACHE}")})
    yield from _there("decoded data sets", [*sets, user_cache()], REMOVE)
    yield from _there("weights from the hub", [hub_cache()], "hf cache prune, or remove the folder")
    pages = sorted(Path(tempfile.gettempdir()).glob("mien-app-*"))
    yield from _there("a page's pictures", pages, "gone when the page ends; of a killed one, at the next start")
    compiled = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(mien.synth.__file__).parent)
    kept = Cache("the studio's compiled code", compiled, "remove the *.nbi and *.nbc in it", ("**/*.nbi", "**/*.nbc"))
    if kept.size:
        yield kept


def hub_cache() -> Path:
    """Return where the Hugging Face hub's library keeps files."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()


def in_words(size: int) -> str:
    """Return bytes as MiB, or as KiB where they are few."""
    return f"{size / 2**20:,.1f} MiB" if size >= 2**20 else f"{size / 2**10:,.0f} KiB"


def _there(what: str, places: Iterable[Path], empty: str) -> Iterator[Cache]:
    yield from (Cache(what, place, empty) for place in places if place.is_dir())


def _bytes(path: Path) -> int:
    try:
        return 0 if path.is_symlink() or path.is_dir() else path.stat().st_size
    except OSError:
        return 0
