"""What the page's scripts ask for, and anybody's: JSON in; JSON, pictures and files out. docs/app.md tells it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mien.editing.look import Look, look_of
from mien.editing.project import Project
from mien.errors import InputError
from mien.media.credentials import Signer
from mien.reading import misfit, parse_json
from mien.web.answers.about import about
from mien.web.answers.downloads import expression_file, provenance, save
from mien.web.desk import Desk, Desks, describe
from mien.web.door.guard import OWNER
from mien.web.door.refusal import Refusal
from mien.web.door.store import Store
from mien.web.door.transfer import hand_out, read_all, take_in
from mien.web.faults import fault
from mien.web.studio import PREVIEW, QUALITY, VIEW, Studio, encoded
from mien.web.upload import MEGABYTES, open_upload

MOST = 1 << 18  # bytes of a request's JSON
EXPECTED = "expected what docs/app.md shows"
PICTURE = "image/jpeg"

Answer = Callable[[Request], Awaitable[Response]]


class Api:
    """Answers in a browser's name, which the guard has put into the request. What is wrong is a line of JSON, error."""

    def __init__(self, studio: Studio, store: Store, desks: Desks, model: str, signer: Signer | None = None):
        """`model` is the one that the page begins with; `signer` signs downloads, where their owner asks for it."""
        self.studio, self.store, self.desks, self.model, self.signer = studio, store, desks, model, signer

    # What there is

    def about(self, desk: Desk, request: Request) -> Response:
        """GET about: models and what they can be asked for, words, units, limits, and where things lie."""
        return JSONResponse(about(self.studio, self.store, self.model, self.signer is not None))

    def session(self, desk: Desk, request: Request) -> Response:
        """GET session: all that this browser has here."""
        return JSONResponse(desk.as_json())

    # Photographs

    async def send_photo(self, request: Request) -> Response:
        """POST photos (a form's `file`): work on a photograph; with ?example=1 keep it for its expression."""
        desk = self._desk(request)
        name, path = await take_in(self.store, desk.owner, MEGABYTES << 20, request)

        def opened() -> Response:
            try:
                with self.studio.turns.turn():
                    upload = open_upload(path, self.studio.landmarker)
                    self.studio.warm(self.model, upload)
            except BaseException:
                self.store.drop(desk.owner, name)  # nothing stays of what is no photograph
                raise
            if request.query_params.get("example"):
                desk.add(name, upload)
            else:
                desk.open(name, upload, self.model)
                self.store.work_on(desk.owner, name)
            return JSONResponse({"photo": name, **describe(upload)})

        return await run_sync(_answered, opened)

    def photo(self, desk: Desk, request: Request) -> Response:
        """GET photos/NAME?frame=0&side=1280: the photograph as it came; a frame is all of it, 0, or a face."""
        upload = desk.upload(request.path_params["photo"])
        with self.studio.turns.turn():
            rgb = self.studio.frame(upload, *_view(request)).photo.rgb
        return Response(encoded(rgb), media_type=PICTURE)

    def facts(self, desk: Desk, request: Request) -> Response:
        """GET photos/NAME/facts: what its metadata say of how it was made."""
        return JSONResponse(provenance(desk.upload(request.path_params["photo"])))

    def open(self, desk: Desk, request: Request, asked: Any) -> Response:
        """POST photos/NAME/open {}: work on a photograph that was sent before, from where it was left."""
        name = request.path_params["photo"]
        desk.open(name, desk.upload(name), self.model)
        self.store.work_on(desk.owner, name)
        return self.session(desk, request)

    def shown(self, desk: Desk, request: Request) -> Response:
        """GET shown?face=1: the action units that a face shows, 0-5, as the step's model reads them."""
        photo, face = _photo(request), whole(request, "face", 1)
        with self.studio.turns.turn():
            shown = self.studio.shown(desk.project(photo).now.model, desk.upload(photo), face)
        return JSONResponse({f"{au}{side}": round(value, 1) for (au, side), value in shown.items()})

    # What is done to them

    def preview(self, desk: Desk, request: Request, asked: Any) -> Response:
        """POST preview {face, look, frame, side, photo}: what would come of a look, small; the newest counts."""
        face, look = self._look(asked)
        frame, side = asked.get("frame", 0), asked.get("side", PREVIEW)
        if problem := misfit({"frame": frame, "side": side}, {"frame": int, "side": int}, ""):
            raise InputError(f"{problem}; {EXPECTED}")
        with desk.lock:
            desk.newest += 1
            mine = desk.newest
        photo = asked.get("photo")
        with self.studio.turns.turn():
            if mine != desk.newest:
                return Response(status_code=204)
            work = desk.work(desk.project(photo).now, face, look, photo=photo)
            rgb = self.studio.picture(work, frame, _fit(side, PREVIEW), draft=face)
        return Response(encoded(rgb, QUALITY[PREVIEW]), media_type=PICTURE)

    def step(self, desk: Desk, request: Request, asked: Any) -> Response:
        """POST steps {face, look, note, model, photo}: ask for a look; it becomes the step that is shown."""
        (face, look), photo = self._look(asked), asked.get("photo")
        now = desk.project(photo).now
        model, note = str(asked.get("model") or now.model), str(asked.get("note", ""))[:120]
        work = desk.work(now, face, look, model, photo)
        self.studio.editor(model)
        with self.studio.turns.turn():
            for number, one in work.looks.items():
                self.studio.controls(work, number, one)  # raises where the model cannot
        return _project(desk.change(lambda project: project.ask(face, look, note, model), photo))

    def history(self, desk: Desk, request: Request, asked: Any) -> Response:
        """POST history {undo: true}, {redo: true} or {go: NUMBER}, with photo: go back or forth."""
        photo = asked.get("photo")
        if asked.get("undo"):
            return _project(desk.change(Project.undo, photo))
        if asked.get("redo"):
            return _project(desk.change(Project.redo, photo))
        number = asked.get("go")
        if type(number) is not int:
            raise InputError(f"history: no undo, redo or go; {EXPECTED}")
        return _project(desk.change(lambda project: project.go(number), photo))

    def picture(self, desk: Desk, request: Request) -> Response:
        """GET steps/NUMBER/picture?frame=0&side=1280: what came of a step; with &model= by another model."""
        work = self._work(desk, request)
        with self.studio.turns.turn():
            rgb = self.studio.picture(work, *_view(request))
        return Response(encoded(rgb), media_type=PICTURE)

    def estimate(self, desk: Desk, request: Request) -> Response:
        """GET steps/NUMBER/estimate?face=1: how likely the evaluator finds each expression, before and after."""
        work, face = self._work(desk, request), whole(request, "face", 1)
        photo = _photo(request)
        before = desk.work(desk.project(photo).steps[0], photo=photo)
        with self.studio.turns.turn():
            found = {"before": self.studio.estimate(before, face), "after": self.studio.estimate(work, face)}
        return JSONResponse(found)

    def expression(self, desk: Desk, request: Request) -> Response:
        """GET steps/NUMBER/expression?face=1&name=…: a look as a file that `mien edit --expression` takes."""
        work, face = self._work(desk, request), whole(request, "face", 1)
        with self.studio.turns.turn():
            file = expression_file(self.studio, work, face, request.query_params.get("name", ""))
        return Response(file, media_type="application/json")

    def download(self, desk: Desk, request: Request) -> Response:
        """GET steps/NUMBER/file?form=PNG&sign=0: the whole photograph at its own size, stamped."""
        work, form = self._work(desk, request), request.query_params.get("form", "PNG")
        signer = self.signer if request.query_params.get("sign") == "1" else None
        with self.studio.turns.turn():
            name = save(self.studio, self.store, desk.owner, work, form, signer)
        return hand_out(self.store.find(desk.owner, name), inline=False)

    def live(self, desk: Desk, request: Request, body: bytes) -> Response:
        """POST live?model=&look=JSON (a JPEG): one picture of a webcam with the look of the query."""
        look = look_of(parse_json(request.query_params.get("look", "{}"), "look", EXPECTED))
        with self.studio.turns.turn():
            rgb = self.studio.live(body, look, request.query_params.get("model") or self.model)
        return Response(encoded(rgb, QUALITY[PREVIEW]), media_type=PICTURE)

    # Parts of answers

    def _desk(self, request: Request) -> Desk:
        return self.desks.of(request.scope[OWNER])

    def _look(self, asked: Mapping[str, Any]) -> tuple[int, Look]:
        if problem := misfit(asked, {"face": int, "look": object}, ""):
            raise InputError(f"{problem}; {EXPECTED}")
        return asked["face"], look_of(asked["look"])

    def _work(self, desk: Desk, request: Request) -> Any:
        photo = _photo(request)
        step = desk.project(photo).step(int(request.path_params["step"]))
        return desk.work(step, model=request.query_params.get("model"), photo=photo)

    def plain(self, answer: Callable[[Desk, Request], Response]) -> Answer:
        """Return an answer to requests without a body."""

        async def answered(request: Request) -> Response:
            return await run_sync(_answered, lambda: answer(self._desk(request), request))

        return answered

    def told(self, answer: Callable[[Desk, Request, Any], Response]) -> Answer:
        """Return an answer to requests that are an object of JSON."""

        async def answered(request: Request) -> Response:
            body = await read_all(request, MOST)

            def heard() -> Response:
                asked = parse_json(body.decode("utf-8", "replace"), "request", EXPECTED)
                if not isinstance(asked, dict):
                    raise InputError(f"request: is no object; {EXPECTED}")
                return answer(self._desk(request), request, asked)

            return await run_sync(_answered, heard)

        return answered

    def shot(self, answer: Callable[[Desk, Request, bytes], Response]) -> Answer:
        """Return an answer to requests that are a picture."""

        async def answered(request: Request) -> Response:
            body = await read_all(request, 4 << 20)
            return await run_sync(_answered, lambda: answer(self._desk(request), request, body))

        return answered


def _answered(answer: Callable[[], Response]) -> Response:
    """Return an answer, or what went wrong as a line: a user's mistake, or a fault of ours."""
    try:
        return answer()
    except Refusal as refusal:
        return refusal.answer
    except InputError as error:
        return JSONResponse({"error": str(error)}, 422)
    except Exception as error:
        return JSONResponse({"error": fault(error)}, 500)


def _project(project: Project) -> Response:
    return JSONResponse(project.as_json())


def _photo(request: Request) -> str | None:
    """Return which photograph a request's query is of, if it says so: `of`."""
    return request.query_params.get("of")


def _view(request: Request) -> tuple[int, int]:
    return whole(request, "frame", 0), _fit(whole(request, "side", VIEW), VIEW)


def _fit(side: int, most: int) -> int:
    return max(16, min(side, most))


def whole(request: Request, name: str, usual: int) -> int:
    """Return a whole number of a request's query. Raises InputError for what is none."""
    text = request.query_params.get(name, str(usual))
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise InputError(f"{name}={text[:20]}: expected a whole number")
    return int(text)
