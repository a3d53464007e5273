"""The verb that says what the metadata of a picture or a clip tell about how it was made."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.terminal import out
from mien.errors import InputError

if TYPE_CHECKING:
    from mien.media.credentials import Credentials
    from mien.media.provenance import Stamp

PACKETS = (".mp4", ".m4v", ".mov")
"""Clips that have room for XMP."""


def info(
    file: Annotated[
        Path | None, typer.Argument(help="A picture or a clip; with --caches a folder of data sets, else this one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    show_caches: Annotated[
        bool, typer.Option("--caches", help="Say where caches are, how large, and how to empty them.")
    ] = False,
) -> None:
    """Say whether mien made or changed a picture or a clip, how, and who signed it; or what is kept on the disk.

    Example: `mien info happier.png`

    Example: `mien info --caches`
    """
    if show_caches:
        return print_caches(file or Path(), as_json)
    if file is None:
        raise InputError("no FILE: give a picture or a clip, or --caches")
    stamp = stamp_of(file)
    signed, credentials = credentials_of(file)
    if as_json:
        facts: dict[str, Any] = {"file": str(file), "stamp": None, "signed": signed, "credentials": None}
        if stamp:
            facts["stamp"] = asdict(stamp) | {"source_type": stamp.source_type, "description": stamp.description}
        if credentials:
            facts["credentials"] = asdict(credentials)
        print(json.dumps(facts, indent=2))
        return
    for line in (*stamp_lines(stamp), *credential_lines(signed, credentials)):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def print_caches(folder: Path, as_json: bool) -> None:
    """Print what is kept of the data sets in a folder, and of this user."""
    from mien.cli.caches import caches, in_words

    if not folder.is_dir():
        raise InputError(f"{folder}: no folder; --caches takes the one in which data sets are")
    found = [(cache, cache.size) for cache in caches(folder)]
    if as_json:
        rows = [{"what": c.what, "place": str(c.place), "bytes": size, "empty": c.empty} for c, size in found]
        print(json.dumps(rows, indent=2))
        return
    for cache, size in found:
        line = f"{in_words(size):>12}  {cache.what}: {cache.place}  ({cache.empty})"
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    if not found:
        out.print("nothing is kept", markup=False)


def stamp_of(file: Path) -> Stamp | None:
    """Return the note of a picture or an MP4. Raises InputError for what mien cannot read one of."""
    from mien.media.provenance import read_stamp, stamp_in
    from mien.media.video.ffmpeg import is_clip
    from mien.media.video.xmp_box import read_packet

    if not is_clip(file):
        return read_stamp(file)
    if file.suffix.lower() not in PACKETS:
        raise InputError(f"{file}: has its note as a comment that players show; give a picture or an .mp4")
    return stamp_in(read_packet(file))


def credentials_of(file: Path) -> tuple[bool, Credentials | None]:
    """Return whether a file is signed, and its credentials, None too where C2PA's library is missing."""
    from mien.media.credentials_box import holds_credentials

    if not holds_credentials(file):
        return False, None
    try:
        from mien.media.credentials import read_credentials

        credentials = read_credentials(file)
    except ModuleNotFoundError:
        return True, None
    return credentials is not None, credentials


def stamp_lines(stamp: Stamp | None) -> list[str]:
    """Return a stamp in plain words."""
    if stamp is None:
        return ["no note of mien's: it neither made nor changed this, or the note was taken out"]
    lines = {
        "made by": stamp.software,
        "model": stamp.model,
        "weights": stamp.weights,
        "asked": stamp.operation,
        "from": stamp.source,
    }
    return [stamp.description, *(f"{name:>8}  {text}" for name, text in lines.items() if text)]


def credential_lines(signed: bool, credentials: Credentials | None) -> list[str]:
    """Return content credentials in plain words."""
    if credentials is None:
        return ["  signed  yes; to read it, pip install 'mien[provenance]'"] if signed else ["  signed  no"]
    from mien.media.credentials import WORDS

    who = f"by {credentials.signer}: " if credentials.signer else ""
    return [f"  signed  {who}{WORDS.get(credentials.state, credentials.state)}"]
