"""Files to and from a browser: photographs and clips into the store; out of it what is the browser's own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote

from anyio import fail_after
from anyio.to_thread import run_sync
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import FileResponse, StreamingResponse
from starlette.types import Message

from mien.errors import InputError
from mien.web.door.refusal import Refusal
from mien.web.door.store import SENT, Store

SLACK = 1 << 16  # bytes of a form besides its file
SHOWN = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif",
    ".mp4": "video/mp4",
}  # fmt: skip
"""What a browser may show in its place, by suffix; all else it only keeps."""

ALONE = {
    "Cache-Control": "private, no-store",  # else photographs stay in the browser's own folders
    "Content-Security-Policy": "default-src 'none'; sandbox",  # a file that turns out to be a page can do nothing
}
LONGEST = 120  # characters of a name
AT_ONCE = 4  # files that a browser may be sending at the same time: each lies in a temporary file until it is whole
PATIENCE = 15 * 60  # seconds that a file may take to come


class TooLarge(Exception):
    """More was sent than is taken."""


def hand_out(path: Path | None, inline: bool = True) -> FileResponse:
    """Return a file as an answer. Raises Refusal where there is none."""
    if path is None or not path.is_file():
        raise Refusal(404, "there is no such file")
    kind = SHOWN.get(path.suffix.lower()) if inline else None
    return FileResponse(
        path, headers=ALONE, media_type=kind or "application/octet-stream", filename=path.name,
        content_disposition_type="inline" if kind else "attachment",
    )  # fmt: skip


def hand_out_part(name: str, content: Iterator[bytes]) -> StreamingResponse:
    """Return a file out of another as an answer, to be kept."""
    named = {"Content-Disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}"}
    return StreamingResponse(content, headers=ALONE | named, media_type="application/octet-stream")


async def read_all(request: Request, most: int) -> bytes:
    """Return a request's body of at most `most` bytes. Raises Refusal, without having read it all."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise Refusal(413, "that is more than the page sends")
    return bytes(body)


async def take_in(store: Store, owner: str, most: int, request: Request, kind: str = SENT) -> tuple[str, Path]:
    """Keep a file that a browser sends, of at most `most` bytes; return its name in the store and where it lies.

    Until it is whole it has no name, so that nothing stays of one that is broken off. Older ones of its kind go for it.
    Raises Refusal, also where it takes too long, or a browser sends too many at the same time.
    """
    if store.coming[owner] >= AT_ONCE:
        raise Refusal(429, f"{AT_ONCE} files are being sent already; wait for them, then send this one")
    store.coming[owner] += 1
    try:
        with fail_after(PATIENCE):
            return await _taken(store, owner, most, request, kind)
    except TimeoutError as error:
        raise Refusal(408, f"that file did not come within {PATIENCE // 60} minutes; send a smaller one") from error
    finally:
        store.coming[owner] -= 1
        if not store.coming[owner]:
            del store.coming[owner]


async def _taken(store: Store, owner: str, most: int, request: Request, kind: str) -> tuple[str, Path]:
    left = most + SLACK
    receive = request.receive

    async def bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise TooLarge
        return message

    try:
        async with Request(request.scope, bounded).form(max_files=1, max_fields=4) as form:
            (file,) = form.getlist("file")
            if not isinstance(file, UploadFile):
                raise ValueError("no file")
            if (file.size or 0) > most:
                raise TooLarge
            thing = store.new(owner, kind)
            try:
                path = thing.folder / safe_name(file.filename or "")
                await run_sync(keep, file.file, path)
            except BaseException:
                store.drop(owner, thing.name)
                raise
        return store.add(thing, path), path
    except TooLarge as error:
        raise Refusal(
            413, f"that file is more than {most >> 20} MB, the most that is taken; make it smaller"
        ) from error
    except (HTTPException, MultiPartException, ValueError, KeyError) as error:
        raise Refusal(400, "that is no file that the page sends") from error
    except InputError:
        raise
    except OSError as error:
        raise Refusal(507, "there is no room for that file") from error


def keep(file: IO[bytes], path: Path) -> None:
    """Write what was sent to its place."""
    with path.open("xb") as copy:
        shutil.copyfileobj(file, copy)


def safe_name(name: str) -> str:
    """Return a file's name without folders, in letters that every system takes and of a length that it takes."""
    name = re.sub(r"[^\w .,()+-]", "_", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    stem, suffix = stem[: LONGEST // 3] if not stem.isascii() else stem[:LONGEST], suffix[:9]
    return f"{stem}{dot}{suffix}".strip(" .") or "photograph"
