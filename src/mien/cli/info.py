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


def info(file: Path, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say whether mien made or changed a picture or a clip, how, and who signed it.

    Example: `mien info happier.png`
    """
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
