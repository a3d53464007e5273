"""Which answer belongs to which address."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mien.web.answers.api import Api
from mien.web.answers.clips import ClipApi
from mien.web.door.refusal import Refusal

STATIC = Path(__file__).parents[1] / "static"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def application(api: Api, prefix: str = "") -> Starlette:
    """Return the page and its answers as an ASGI application, to stand behind the guard."""
    clips, get, post = ClipApi(api), ["GET"], ["POST"]
    plain, told = api.plain, api.told
    return Starlette(
        routes=[
            *pages(prefix),
            Route("/api/about", plain(api.about), methods=get),
            Route("/api/session", plain(api.session), methods=get),
            Route("/api/photos", api.send_photo, methods=post),
            Route("/api/photos/{photo}", plain(api.photo), methods=get),
            Route("/api/photos/{photo}/facts", plain(api.facts), methods=get),
            Route("/api/photos/{photo}/open", told(api.open), methods=post),
            Route("/api/shown", plain(api.shown), methods=get),
            Route("/api/preview", told(api.preview), methods=post),
            Route("/api/steps", told(api.step), methods=post),
            Route("/api/history", told(api.history), methods=post),
            Route("/api/steps/{step:int}/picture", plain(api.picture), methods=get),
            Route("/api/steps/{step:int}/estimate", plain(api.estimate), methods=get),
            Route("/api/steps/{step:int}/expression", plain(api.expression), methods=get),
            Route("/api/steps/{step:int}/file", plain(api.download), methods=get),
            Route("/api/live", api.shot(api.live), methods=post),
            Route("/api/clips", clips.send_clip, methods=post),
            Route("/api/files", clips.send_file, methods=post),
            Route("/api/jobs", told(clips.begin), methods=post),
            Route("/api/jobs/{job}", plain(clips.progress), methods=get),
            Route("/api/jobs/{job}", plain(clips.cancel), methods=["DELETE"]),
            Route("/api/files/{file}", plain(clips.file), methods=get),
        ],
        exception_handlers={
            Refusal: lambda _, refusal: refusal.answer,
            404: lambda *_: Refusal(404, "there is no such page").answer,
            405: lambda *_: Refusal(405, "that address is asked in another way").answer,
        },
    )


def pages(prefix: str) -> list[Route]:
    """Return the page, its scripts and its styles; `prefix` is the path below which a browser sees them."""

    def route(path: str, content: bytes, kind: str) -> Route:
        async def answer(request: Request) -> Response:
            return Response(content, media_type=kind)

        return Route(path, answer, methods=["GET"])

    files = sorted(path for path in STATIC.iterdir() if path.suffix in KINDS)
    page = (STATIC / "index.html").read_text(encoding="utf-8").replace("BASE", f"{prefix.rstrip('/')}/", 1)
    return [
        route("/", page.encode(), KINDS[".html"]),
        *(route(f"/static/{path.name}", path.read_bytes(), KINDS[path.suffix]) for path in files),
    ]
