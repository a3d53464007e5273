"""Many photographs and clips changed alike, into a folder: which file becomes which, and what is done already."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.files import identity, make_folder, path_text, remove_parts_in
from mien.journal import open_journal
from mien.media.photo import suffix_back
from mien.media.remote import address_of, mark_of_any, readable
from mien.media.sources import files_in
from mien.media.video.ffmpeg import is_clip
from mien.media.video.reader import is_moving
from mien.media.video.writer import FORMATS
from mien.progress import Tell, untold

JOURNAL = ".mien.journal"  # in the folder that is written


@dataclass(frozen=True)
class Job:
    """A file or an address that is changed, and the file that this gives."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Done:
    """What became of a job."""

    job: Job
    error: str = ""  # why there is no result
    before: bool = False  # it was done by a call before this one


Work = Callable[[Job, Tell], None]
"""Writes a job's target. Raises InputError where the source cannot be used; nothing is half-written."""


def jobs_of(paths: Sequence[Path], folder: Path, driven: bool = False) -> list[Job]:
    """Return what is to be written into `folder` of files and of the pictures and clips in folders and at addresses.

    Each keeps its place below what all `paths` have in common, or below its address, and its name; one in a format that
    is not written gets another suffix behind it, "scan.tif.png". With `driven`, where a clip drives them, all become
    clips. What lies in `folder` itself is no source, where that is inside another.

    Raises InputError for a folder without pictures and clips, and where two files would have one place, or a result
    that of a source.
    """
    here = [path for path in paths if address_of(path) is None]
    places = _places_of_files(here, folder) if here else {}
    for path in paths:
        if address := address_of(path):
            places |= {Path(one): Path(place) for one, place in readable(address).items()}
    found, taken = [], dict[str, Path]()
    given = {identity(file): file for file in places if address_of(file) is None}
    for source, place in places.items():
        target = folder / _named(place, driven or _moves(source))
        real = os.path.realpath(target)
        before = given.get(identity(target)) or taken.get(real)
        if before:
            other = "is that file itself" if before == source else f"{before} has that place"
            raise InputError(f"{source}: would be written to {target}, and {other}; choose another folder or name")
        taken[real] = source
        found.append(Job(source, target))
    if not found:
        raise InputError(
            f"{paths[0]}: holds nothing but {folder}, which is to be written; give the folder of the files"
        )
    return found


def _places_of_files(paths: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Return the files among and in `paths` but not in `folder`, and each's place below what they have in common."""
    sources: dict[Path, Path] = {}
    roots, into = [], _spelt(folder)
    for path in paths:
        root = _spelt(path)
        roots.append(root if path.is_dir() else root.parent)
        inside = into != root and into.is_relative_to(root)
        for file in files_in([path]):
            place = _spelt(file)
            if not (inside and place.is_relative_to(into)):
                sources.setdefault(place, file)
    try:
        base = os.path.commonpath(roots)
    except ValueError as error:
        raise InputError(f"{paths[0]}: lies on another drive than the others; give the files of one") from error
    return {source: place.relative_to(base) for place, source in sources.items()}


def _spelt(path: Path) -> Path:
    """Return a path from the root, its links as they are spelt: results keep the names that the user sees."""
    return Path(os.path.normpath(path.absolute()))


def _moves(path: Path) -> bool:
    """Return whether a file is edited as a clip: by its name; a .gif that lies here where it moves and can be read."""
    return is_clip(path) or (path.suffix.lower() == ".gif" and address_of(path) is None and is_moving(path))


def _named(path: Path, moves: bool) -> Path:
    """Return a path with a suffix in which it can be written, added where it has none."""
    own = path.suffix.lower()
    suffix = suffix_back(path) if not moves else own if own in FORMATS else ".mp4"
    return path if own == suffix else path.with_name(path.name + suffix)


def each_done(
    jobs: Sequence[Job], folder: Path, work: Work, made_by: Mapping[str, Any], tell: Tell = untold
) -> Iterator[Done]:
    """Do one job after the other and yield what became of it; `made_by` says all that the results depend on.

    What was done before by the same orders is passed over, as long as neither the source nor the result has changed
    since, by name, size and date. What failed is tried again. Raises InputError where another process fills the folder.
    """
    make_folder(folder)
    with open_journal(folder / JOURNAL, made_by, lambda entry: isinstance(entry, str), folder) as (known, note):
        for place in sorted({job.target.parent for job in jobs}):
            remove_parts_in(place)
        left = []
        for job in jobs:
            if known.get(_key(job, folder)) == _state(job.target):
                yield Done(job, before=True)
            else:
                left.append(job)
        for k, job in enumerate(left):
            yield _result(job, folder, work, note, _inner(tell, job, k, len(left)))
            tell(k + 1, len(left))


def _result(job: Job, folder: Path, work: Work, note: Callable[[str, Any], None], tell: Tell) -> Done:
    """Do a job and write into the journal that it is done."""
    key = _key(job, folder)  # as it is before it is read
    try:
        make_folder(job.target.parent)
        work(job, tell)
    except InputError as error:
        return Done(job, path_text(str(error)))
    note(key, _state(job.target))
    return Done(job)


def _key(job: Job, folder: Path) -> str:
    """Return by what the journal knows a job: its source as it is, and which file in the folder it becomes."""
    return path_text(f"{mark_of_any(job.source)} > {job.target.relative_to(folder)}")


def _state(target: Path) -> str:
    """Return size and date of a result; nothing where it is not there."""
    try:
        state = target.stat()
    except OSError:
        return ""
    return f"{state.st_size} {state.st_mtime_ns}"


def _inner(tell: Tell, job: Job, k: int, count: int) -> Tell:
    """Return what says how far the k-th of the jobs is, frame by frame."""

    def inner(done: int, total: int, note: str = "") -> None:
        tell(k, count, f"{job.source.name}: frame {done} of {total}")

    return inner
