"""What happens on the page when somebody does something: values of its parts in, new values of its parts out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

import gradio as gr

from mien.controls import Controls
from mien.errors import InputError
from mien.labels import AUS
from mien.web.abilities import WAYS, WORDS
from mien.web.bars import bars
from mien.web.guard import owner_of
from mien.web.page import START, WHOLE, Page, message, paper, unit_label
from mien.web.request import Example, moved_units, operation
from mien.web.session import Session, form_of
from mien.web.upload import Upload
from mien.web.values import judged

News = dict[Any, Any]  # a part of the page -> its new value; parts that are not named stay as they are


class Events:
    """Joins the parts of the page to the session."""

    def __init__(self, page: Page, session: Session):
        self.page, self.session = page, session
        units = [page.starts, *page.sliders]
        made = [page.status, page.result, page.bars, page.download, page.asked]
        faced = [page.model, page.opened, page.face, page.each_side]
        shown = [page.way, *page.groups.values(), page.share, page.each_side, page.paper, page.word, page.part]
        shown += [page.yaw, page.pitch, page.roll]
        first = [page.photo, page.opened, page.face, page.form]
        self._on([page.photo.input], self.open_photo, [page.photo, page.model, page.each_side],
                 [*first, *made, *units], owned=True)  # fmt: skip
        self._on([page.like.input], self.open_like, [page.like], [page.like, page.example, page.like_face, page.status],
                 owned=True)  # fmt: skip
        self._on([page.way.input], self.choose_way, [page.way], [*page.groups.values()])
        self._on([page.model.change], self.choose_model, [*faced, page.way, page.word, page.form, page.asked],
                 [*shown, *made, *units])  # fmt: skip
        self._on([page.face.input], self.choose_face, faced, [*made, *units])
        self._on([page.each_side.input], self.units, faced, units)
        self._on_requests(made)

    def _on_requests(self, made: list[Any]) -> None:
        page = self.page
        for triggers, request, values in (
            (
                [page.change.click, page.word.input, page.part.input, page.intensity.release],
                as_word,
                [page.word, page.intensity, page.part],
            ),
            ([page.neutral.click], as_neutral, []),
            ([page.transfer.click, page.share.release], as_like, [page.example, page.like_face, page.share]),
            ([page.look.click, *(angle.release for angle in page.angles)], as_angles, page.angles),
            (
                [page.set_units.click, *(slider.release for slider in page.sliders)],
                as_units,
                [page.starts, page.each_side, *page.sliders],
            ),
            ([page.form.input], as_before, [page.asked]),
        ):
            known = [page.model, page.opened, page.face, page.form]
            self._on(triggers, self.change_by(request), [*known, *values], made)

    def _on(
        self, triggers: list[Any], work: Callable[..., News], inputs: list[Any], outputs: list[Any], owned: bool = False
    ) -> None:
        """Have `work` done, one at a time for all who have the page open: each takes all cores.

        Values come as they were sent, for gradio would open files before anybody has looked at them, and end with a
        traceback where one is odd. With `owned`, the browser's name comes first.
        """
        gr.on(
            triggers, self.telling(work, inputs, owned), inputs, list(dict.fromkeys((*outputs, self.page.status))),
            preprocess=False, api_visibility="private", show_progress="minimal", show_progress_on=self.page.result,
            trigger_mode="always_last", concurrency_limit=1, concurrency_id="session",
        )  # fmt: skip

    def telling(self, work: Callable[..., News], inputs: list[Any], owned: bool) -> Callable[..., News]:
        """Return `work` that shows what goes wrong as a line on the page: a user's mistake, or one of ours."""
        choices = {id(self.page.way): WAYS, id(self.page.word): WORDS}

        def telling_work(request: gr.Request, *values: Any) -> News:
            try:
                sent = [judged(part, value, choices.get(id(part))) for part, value in zip(inputs, values, strict=True)]
                with self.session.working():
                    return work(owner_of(request.session_hash or ""), *sent) if owned else work(*sent)
            except InputError as error:
                return {self.page.status: message(str(error), bad=True)}
            except Exception as error:
                return {self.page.status: message(fault(error), bad=True)}

        return telling_work

    def open_photo(self, owner: str, sent: Mapping[str, Any] | None, name: str, each_side: bool) -> News:
        """Open what was sent and show it with its faces; forget what was made of the photograph before."""
        page = self.page
        empty = self.nothing_made(None, None) | self.units(name, None, None, each_side)
        empty |= {page.opened: None, page.face: gr.Radio(visible=False)}
        if sent is None:
            return empty | {page.status: message(START)}
        try:
            upload = self.session.open(owner, sent)
        except InputError as error:
            return empty | {page.photo: None, page.status: message(str(error), bad=True)}
        number = str(upload.largest)
        news = {page.photo: str(self.session.shown(upload)), page.opened: upload, page.face: faces(upload)}
        news |= {page.form: form_of(upload.path), page.status: message(found(upload))}
        return self.nothing_made(upload, number) | news | self.units(name, upload, number, each_side)

    def open_like(self, owner: str, sent: Mapping[str, Any] | None) -> News:
        """Open the photograph whose expression is to be taken."""
        page = self.page
        if sent is None:
            return {page.example: None, page.like_face: gr.Radio(visible=False)}
        try:
            upload = self.session.open(owner, sent)
        except InputError as error:
            return {page.like: None, page.example: None, page.status: message(str(error), bad=True)}
        news = {page.like: str(self.session.shown(upload)), page.example: upload, page.like_face: faces(upload)}
        return news | {page.status: message(found(upload))}

    def choose_way(self, way: str) -> News:
        """Show the parts of one way of asking."""
        return {group: gr.Column(visible=way == name) for name, group in self.page.groups.items()}

    def choose_model(
        self, name: str, upload: Upload | None, number: str | None, each_side: bool, way: str, word: str,
        form: str, asked: Controls | None,
    ) -> News:  # fmt: skip
        """Show what the model can be asked for, and only that; have it do what the model before it did."""
        page, abilities = self.page, self.session.abilities[name]
        way = way if way in abilities.ways else abilities.ways[0]
        news = self.choose_way(way) | self.units(name, upload, number, each_side and abilities.sides)
        news |= {page.way: gr.Radio(abilities.ways, value=way), page.share: gr.Slider(visible=abilities.fades)}
        news |= {page.each_side: gr.Checkbox(value=each_side and abilities.sides, visible=abilities.sides)}
        word = word if word in abilities.words else "happiness"
        news |= {
            page.word: gr.Radio(list(abilities.words), value=word),
            page.part: gr.Radio(value=WHOLE, visible=abilities.parts),
        }
        news |= {angle: gr.Slider(visible=abilities.head) for angle in (page.yaw, page.pitch, page.roll)}
        news |= {page.paper: paper(abilities), page.status: message("")}
        if upload is None or asked is None:
            return news
        try:
            return news | self.made(name, upload, number, form, asked)
        except InputError as error:
            return news | self.nothing_made(upload, number) | {page.status: message(str(error), bad=True)}

    def choose_face(self, name: str, upload: Upload | None, number: str | None, each_side: bool) -> News:
        """Go over to another face of the photograph."""
        news = self.nothing_made(upload, number) | {self.page.status: message("")}
        return news | self.units(name, upload, number, each_side)

    def units(self, name: str, upload: Upload | None, number: str | None, each_side: bool) -> News:
        """Return the sliders of action units: those of the model, where it reads the face to be."""
        page, abilities = self.page, self.session.abilities[name]
        starts = self.session.starts(name, upload, int(number or 1)) if upload else dict.fromkeys(abilities.units, 0.0)
        news: News = {page.starts: starts}
        each_side = each_side and abilities.sides
        for unit in AUS:
            label = unit_label(unit, "left" if each_side else "")
            known, value = unit in starts, starts.get(unit, 0.0)
            news[page.left[unit]] = gr.Slider(label=label, value=value, visible=known)
            news[page.right_units[unit]] = gr.Slider(value=value, visible=known and each_side)
        return news

    def change_by(self, request: Callable[..., Controls | None]) -> Callable[..., News]:
        """Return what changes the face as `request` reads off its part of the page."""

        def change(name: str, upload: Upload | None, number: str | None, form: str, *values: Any) -> News:
            asked = request(*values)
            if asked is None:
                return {self.page.asked: None}
            return self.made(name, needed(upload), number, form, asked)

        return change

    def made(self, name: str, upload: Upload, number: str | None, form: str, asked: Controls) -> News:
        """Have a model do what is asked; show it."""
        page, result = self.page, self.session.change(name, upload, int(number or 1), asked, form)
        return {
            page.result: tuple(map(str, self.session.compared(result))),
            page.bars: bars(result.read_before, result.read_after),
            page.download: gr.DownloadButton(value=str(result.file), interactive=True),
            page.asked: asked,
            page.status: message(f"{name}: {operation(asked)}"),
        }

    def nothing_made(self, upload: Upload | None, number: str | None) -> News:
        """Forget what was made; only the photograph is read."""
        page = self.page
        nothing = gr.DownloadButton(value=None, interactive=False)
        read = bars(self.session.read(upload, int(number or 1))) if upload else ""
        return {page.result: None, page.bars: read, page.download: nothing, page.asked: None}


def fault(error: Exception) -> str:
    """Return a line about a mistake in mien itself: what and where, so that it can be reported."""
    at = error.__traceback__
    while at and at.tb_next:
        at = at.tb_next
    place = f" at {PurePath(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at else ""
    return f"a fault of mien's own ({type(error).__name__}{place}); please report it"


def as_word(word: str, intensity: float, part: str) -> Controls:
    """Ask for an expression, or a part of it."""
    return Controls(expression=word, intensity=intensity, only=() if part == WHOLE else (part,))


def as_neutral() -> Controls:
    """Ask for no expression."""
    return Controls(expression="neutral")


def as_like(example: Upload | None, number: str | None, share: float) -> Controls:
    """Ask for another photograph's expression."""
    if example is None:
        raise InputError("give the photograph whose expression to take")
    return Controls(like=Example(example, int(number or 1)), intensity=share)


def as_angles(right: float, up: float, yaw: float, pitch: float, roll: float) -> Controls:
    """Ask for a gaze, and for a head that is turned or tilted."""
    return Controls(gaze=(right, up), turn=(yaw, pitch) if yaw or pitch else None, roll=roll or None)


def as_units(starts: Mapping[int, float], each_side: bool, *values: float) -> Controls:
    """Ask for the action units whose sliders were moved."""
    left, right = dict(zip(AUS, values, strict=False)), dict(zip(AUS, values[len(AUS) :], strict=True))
    return Controls(aus=moved_units(starts, left, right if each_side else None))


def as_before(asked: Controls | None) -> Controls | None:
    """Ask for the same again, in another form; for nothing, if nothing was asked."""
    return asked


def needed(upload: Upload | None) -> Upload:
    """Return the photograph. Raises InputError where none was given."""
    if upload is None:
        raise InputError("give a photograph first")
    return upload


def faces(upload: Upload) -> gr.Radio:
    """Return the choice of faces, shown where there are several."""
    numbers = [str(number) for number in range(1, len(upload.faces) + 1)]
    return gr.Radio(numbers, value=str(upload.largest), visible=len(numbers) > 1)


def found(upload: Upload) -> str:
    """Return what the photograph is, in a line."""
    height, width = upload.photo.rgb.shape[:2]
    count = len(upload.faces)
    what = "one face" if count == 1 else f"{count} faces; choose one"
    first = "; of several frames or pages the first" if upload.photo.several else ""
    return f"{upload.path.name}: {width}×{height}, {what}{first}"


def build(session: Session, chosen: str) -> gr.Blocks:
    """Return the page, ready to be launched; it begins with the model `chosen`."""
    with gr.Blocks(title="mien", analytics_enabled=False) as blocks:
        Events(Page(list(session.abilities), chosen, session.abilities[chosen]), session)
    return blocks
