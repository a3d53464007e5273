"""Of what the page's scripts ask for, that which takes long: clips, photographs that move, tables."""

from __future__ import annotations

from typing import Any

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mien.editing.look import Look, look_of
from mien.errors import InputError
from mien.media.video.ffmpeg import is_clip
from mien.media.video.reader import ClipReader
from mien.reading import misfit
from mien.web.answers.about import CLIP_MEGABYTES
from mien.web.answers.api import EXPECTED, PICTURE, Api, _answered, whole
from mien.web.desk import EXAMPLES, Desk
from mien.web.door.guard import OWNER
from mien.web.door.store import KEPT, MANY, UNKNOWN
from mien.web.door.transfer import hand_out, hand_out_part, take_in
from mien.web.jobs import Job, Make
from mien.web.making import animate, drive, edit_clip, plain, read
from mien.web.many import change_many, part_of, thumb_of
from mien.web.studio import Example

FORMS: dict[str, Any] = {
    "edit": {"clip": str, "look": object},
    "drive": {"face": str, "driver": str, "strength": float, "only": [str]},
    "animate": {"face": int, "steps": [int], "seconds": float, "fps": int, "loop": bool, "blinks": bool, "size": int,
                "form": str},
    "read": {"files": [str]},
    "many": {"files": [str], "look": object, "form": str, "everybody": bool},
}  # fmt: skip
"""What each kind of long work is asked with, besides its kind."""


class ClipApi:
    """Answers as `Api` does, of which it is a part."""

    def __init__(self, api: Api):
        self.api, self.studio, self.store = api, api.studio, api.store

    async def send_file(self, request: Request) -> Response:
        """POST files (a form's `file`): keep a photograph or a clip for a table, or to be changed with others alike."""
        desk = self.api.desks.of(request.scope[OWNER])
        name, path = await take_in(self.store, desk.owner, CLIP_MEGABYTES << 20, request, MANY)
        return JSONResponse({"file": name, "name": path.name})

    async def send_clip(self, request: Request) -> Response:
        """POST clips (a form's `file`): keep a clip."""
        desk = self.api.desks.of(request.scope[OWNER])
        name, path = await take_in(self.store, desk.owner, CLIP_MEGABYTES << 20, request)

        def kept() -> Response:
            try:
                with ClipReader(path):
                    pass  # which says whether it is one
            except InputError as error:
                self.store.drop(desk.owner, name)  # nothing stays of what is no clip
                raise InputError(plain(str(error), path.parent)) from error
            with desk.lock:
                desk.clips[name] = path
                for old in list(desk.clips)[:-EXAMPLES]:
                    del desk.clips[old]
            return JSONResponse({"clip": name, "name": path.name, "moves": is_clip(path)})

        return await run_sync(_answered, kept)

    def begin(self, desk: Desk, request: Request, asked: Any) -> Response:
        """POST jobs {kind, …}: begin long work; `FORMS` says with what."""
        kind = asked.get("kind")
        if not isinstance(kind, str) or kind not in FORMS:
            raise InputError(f"kind: expected {', '.join(FORMS)}")
        if (problem := misfit(asked, FORMS[kind], "")) or None in asked.values():
            raise InputError(f"{problem or 'a number is missing'}; {EXPECTED}")
        job = Job(kind, self._work(kind, desk, asked), self.studio.turns)
        desk.add_job(job)
        job.start()
        return JSONResponse(job.as_json())

    def progress(self, desk: Desk, request: Request) -> Response:
        """GET jobs/NAME: how far it is, and what came of it."""
        return JSONResponse(desk.job(request.path_params["job"]).as_json())

    def cancel(self, desk: Desk, request: Request) -> Response:
        """DELETE jobs/NAME: stop it; nothing stays of what was made."""
        job = desk.job(request.path_params["job"])
        job.cancel()
        return JSONResponse(job.as_json())

    def file(self, desk: Desk, request: Request) -> Response:
        """GET files/NAME: what was made; with ?keep=1 to be kept, else to be shown; &part=0 of many; &small=1."""
        found = self.store.find(desk.owner, request.path_params["file"])
        if found is None or "part" not in request.query_params:
            return hand_out(found, inline=not request.query_params.get("keep"))
        part = whole(request, "part", 0)
        if request.query_params.get("small"):
            with self.studio.turns.turn():
                return Response(thumb_of(found, part), media_type=PICTURE)
        return hand_out_part(*part_of(found, part))

    def _work(self, kind: str, desk: Desk, asked: Any) -> Make:
        own = self.studio, self.store, desk.owner
        photo = asked.get("photo") or desk.photo
        model = str(asked.get("model") or (desk.project(photo).now.model if photo else self.api.model))
        if kind == "edit":
            look = look_of(asked["look"])
            return edit_clip(*own, self._clip(desk, asked["clip"]), look, model, _example(desk, look))
        if kind == "drive":
            face = asked["face"]
            path = desk.photos[face].path if face in desk.photos else self._clip(desk, face)
            driver = self._clip(desk, asked["driver"])
            return drive(*own, path, driver, model, asked["strength"], tuple(asked["only"]))
        if kind == "animate":
            project, face = desk.project(photo), asked["face"]
            looks = [project.step(number).look(face) for number in asked["steps"]]
            return animate(*own, desk.work(project.now, model=model, photo=photo), face, looks, asked, asked["form"])
        paths = [self.store.sent(desk.owner, name) for name in asked["files"]]
        if not 0 < len(paths) <= KEPT[MANY]:
            raise InputError(f"give photographs{' or clips' * (kind == 'read')} first, {KEPT[MANY]} at most")
        if kind == "read":
            return read(*own, paths, model)
        look, signer = look_of(asked["look"]), self.api.signer if asked.get("sign") is True else None
        _example(desk, look)  # raises
        return change_many(*own, paths, look, model, asked["form"], asked["everybody"], desk.photos, signer)

    def _clip(self, desk: Desk, name: str) -> Any:
        if name not in desk.clips:
            raise InputError(UNKNOWN)
        return desk.clips[name]


def _example(desk: Desk, look: Look) -> Example | None:
    """Return the face from which a look takes its expression. Raises InputError for one that is not kept."""
    if look.like is None:
        return None
    upload = desk.upload(look.like.photo)
    upload.face(look.like.face)
    return upload, look.like.face
