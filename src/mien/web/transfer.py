"""Files to and from a browser: photographs into the store; out of it what is the browser's own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import IO

from anyio.to_thread import run_sync
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from mien.web.orders import TooLarge
from mien.web.store import SENT, Store

SLACK = 1 << 16  # bytes of a form besides its file
SHOWN = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif"}
"""What a browser may show in its place, by suffix; all else it only keeps."""

ALONE = {
    "Cache-Control": "private, no-store",  # else photographs stay in the browser's own folders
    "Content-Security-Policy": "default-src 'none'; sandbox",  # a file that turns out to be a page can do nothing
}
LONGEST = 120  # characters of a name


async def hand_out(path: Path | None, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a file, or say that there is none."""
    if path is None or not path.is_file():
        return await PlainTextResponse("mien: there is no such file\n", 404)(scope, receive, send)
    kind = SHOWN.get(path.suffix.lower())
    answer = FileResponse(
        path, headers=ALONE, media_type=kind or "application/octet-stream", filename=path.name,
        content_disposition_type="inline" if kind else "attachment",
    )  # fmt: skip
    return await answer(scope, receive, send)


async def take_in(store: Store, owner: str, most: int, scope: Scope, receive: Receive, send: Send) -> None:
    """Keep a file that a browser sends, of at most `most` bytes, and tell it where.

    Until it is whole it has no name, so that nothing stays of one that is broken off.
    """
    left = most + SLACK

    async def bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise TooLarge
        return message

    answer: PlainTextResponse | JSONResponse
    try:
        async with Request(scope, bounded).form(max_files=1, max_fields=4) as form:
            (file,) = form.getlist("files")
            if not isinstance(file, UploadFile):
                raise ValueError("no file")
            if (file.size or 0) > most:
                raise TooLarge
            folder = store.new(owner, SENT) / "sent"  # beside it lies what the page shows of it
            path = folder / safe_name(file.filename or "")
            await run_sync(keep, file.file, path)
        store.add(path)
        answer = JSONResponse([str(path)])
    except TooLarge:
        answer = PlainTextResponse(f"mien: File size exceeded maximum allowed size of {most} bytes\n", 413)
    except (HTTPException, MultiPartException, ValueError, KeyError):
        answer = PlainTextResponse("mien: that is no file that the page sends\n", 400)
    except OSError:
        answer = PlainTextResponse("mien: there is no room for that file\n", 507)
    await answer(scope, receive, send)


def keep(file: IO[bytes], path: Path) -> None:
    """Write what was sent to its place."""
    path.parent.mkdir()
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
