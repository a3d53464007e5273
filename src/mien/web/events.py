"""What happens on the page when somebody does something: the parts' values in, news for the parts out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import gradio as gr

from mien.errors import InputError
from mien.labels import AUS
from mien.web.bars import bars
from mien.web.page import START, Page, paper, told, unit_label
from mien.web.request import Request, moved_units
from mien.web.session import Session, form_of
from mien.web.upload import Upload, open_upload, view

News = dict[Any, Any]  # a part of the page -> its new value; parts that are not named stay as they are


class Events:
    """Joins the parts of the page to the workshop."""

    def __init__(self, page: Page, shop: Session):
        self.page, self.shop = page, shop
        units = [page.starts, *page.sliders]
        made = [page.status, page.result, page.bars, page.download, page.asked]
        faced = [page.model, page.opened, page.face, page.each_side]
        shown = [page.way, *page.groups.values(), page.share, page.each_side, page.paper]
        first = [page.photo, page.opened, page.face, page.form]
        self._on([page.photo.input], self.open_photo, [page.photo, page.model, page.each_side],
                 [*first, *made, *units], raw=True)  # fmt: skip
        self._on([page.like.input], self.open_like, [page.like], [page.like, page.example, page.like_face, page.status],
                 raw=True)  # fmt: skip
        self._on([page.way.input], self.choose_way, [page.way], [*page.groups.values()])
        # Raw, for the way of asking may be one that the model chosen a moment ago does not offer.
        self._on([page.model.change], self.choose_model, [*faced, page.way, page.form, page.asked],
                 [*shown, *made, *units], raw=True)  # fmt: skip
        self._on([page.face.input], self.choose_face, faced, [*made, *units])
        self._on([page.each_side.input], self.units, faced, units)
        self._on_wishes(made)

    def _on_wishes(self, made: list[Any]) -> None:
        page = self.page
        for triggers, wish, values in (
            ([page.change.click, page.word.input, page.intensity.release], as_class, [page.word, page.intensity]),
            ([page.neutral.click], as_neutral, []),
            ([page.transfer.click, page.share.release], as_like, [page.example, page.like_face, page.share]),
            ([page.look.click, page.right.release, page.up.release], as_gaze, [page.right, page.up]),
            (
                [page.set_units.click, *(slider.release for slider in page.sliders)],
                as_units,
                [page.starts, page.each_side, *page.sliders],
            ),
            ([page.form.input], as_before, [page.asked]),
        ):
            known = [page.model, page.opened, page.face, page.form]
            self._on(triggers, self.change_by(wish), [*known, *values], made)

    def _on(
        self, triggers: list[Any], work: Callable[..., News], inputs: list[Any], outputs: list[Any], raw: bool = False
    ) -> None:
        """Have `work` done, one thing at a time for all who have the page open: each takes every core it gets.

        With `raw`, values come as they were sent: gradio would decode files before anybody has looked at them.
        """
        gr.on(
            triggers, self.telling(work), inputs, outputs, preprocess=not raw, api_visibility="private",
            show_progress="minimal", show_progress_on=self.page.result, trigger_mode="always_last",
            concurrency_limit=1, concurrency_id="workshop",
        )  # fmt: skip

    def telling(self, work: Callable[..., News]) -> Callable[..., News]:
        """Return `work` that says a user's mistake on the page."""

        @wraps(work)
        def told_work(*values: Any) -> News:
            try:
                return work(*values)
            except InputError as error:
                return {self.page.status: told(str(error), bad=True)}

        return told_work

    def open_photo(self, sent: Mapping[str, Any] | None, name: str, each_side: bool) -> News:
        """Look at what was sent; show it with its faces, forget what was made of the one before."""
        page = self.page
        empty = self.nothing_made(None, None) | self.units(name, None, None, each_side)
        empty |= {page.opened: None, page.face: gr.Radio(visible=False)}
        if sent is None:
            return empty | {page.status: told(START)}
        try:
            upload = open_upload(Path(sent["path"]), self.shop.landmarker)
        except InputError as error:
            return empty | {page.photo: None, page.status: told(str(error), bad=True)}
        number = str(upload.largest)
        news = {page.photo: view(upload), page.opened: upload, page.face: faces(upload)}
        news |= {page.form: form_of(upload.path), page.status: told(found(upload))}
        return self.nothing_made(upload, number) | news | self.units(name, upload, number, each_side)

    def open_like(self, sent: Mapping[str, Any] | None) -> News:
        """Look at the photograph whose expression is to be taken."""
        page = self.page
        if sent is None:
            return {page.example: None, page.like_face: gr.Radio(visible=False)}
        try:
            upload = open_upload(Path(sent["path"]), self.shop.landmarker)
        except InputError as error:
            return {page.like: None, page.example: None, page.status: told(str(error), bad=True)}
        return {page.like: view(upload), page.example: upload, page.like_face: faces(upload)}

    def choose_way(self, way: str) -> News:
        """Show the parts of one way of asking."""
        return {group: gr.Column(visible=way == name) for name, group in self.page.groups.items()}

    def choose_model(
        self, name: str, upload: Upload | None, number: str | None, each_side: bool, way: str, form: str,
        asked: Request | None,
    ) -> News:  # fmt: skip
        """Show what the model can be asked for, and only that; have it do what the model before it did."""
        page, offer = self.page, self.shop.offers[name]
        way = way if way in offer.ways else offer.ways[0]
        news = self.choose_way(way) | self.units(name, upload, number, each_side and offer.sides)
        news |= {page.way: gr.Radio(offer.ways, value=way), page.share: gr.Slider(visible=offer.fades)}
        news |= {page.each_side: gr.Checkbox(value=each_side and offer.sides, visible=offer.sides)}
        news |= {page.paper: paper(offer), page.status: told("")}
        if upload is None or asked is None:
            return news
        try:
            return news | self.made(name, upload, number, form, asked)
        except InputError as error:
            return news | self.nothing_made(upload, number) | {page.status: told(str(error), bad=True)}

    def choose_face(self, name: str, upload: Upload | None, number: str | None, each_side: bool) -> News:
        """Go over to another face of the photograph."""
        news = self.nothing_made(upload, number) | {self.page.status: told("")}
        return news | self.units(name, upload, number, each_side)

    def units(self, name: str, upload: Upload | None, number: str | None, each_side: bool) -> News:
        """Return the sliders of action units: those of the model, where it reads the face to be."""
        page, offer = self.page, self.shop.offers[name]
        starts = self.shop.starts(name, upload, int(number or 1)) if upload else dict.fromkeys(offer.units, 0.0)
        news: News = {page.starts: starts}
        each_side = each_side and offer.sides
        for unit in AUS:
            label = unit_label(unit, "left" if each_side else "")
            known, value = unit in starts, starts.get(unit, 0.0)
            news[page.left[unit]] = gr.Slider(label=label, value=value, visible=known)
            news[page.right_units[unit]] = gr.Slider(value=value, visible=known and each_side)
        return news

    def change_by(self, wish: Callable[..., Request | None]) -> Callable[..., News]:
        """Return what changes the face as `wish` makes of its part of the page."""

        def change(name: str, upload: Upload | None, number: str | None, form: str, *values: Any) -> News:
            ask = wish(*values)
            if ask is None:
                return {self.page.asked: None}
            return self.made(name, needed(upload), number, form, ask)

        return change

    def made(self, name: str, upload: Upload, number: str | None, form: str, ask: Request) -> News:
        """Have a model do what is asked; show it."""
        page, made = self.page, self.shop.change(name, upload, int(number or 1), ask, form)
        return {
            page.result: (made.before, made.after),
            page.bars: bars(made.read_before, made.read_after),
            page.download: gr.DownloadButton(value=made.file, interactive=True),
            page.asked: ask,
            page.status: told(f"{name}: {ask.words}"),
        }

    def nothing_made(self, upload: Upload | None, number: str | None) -> News:
        """Forget what was made; only the photograph is read."""
        page = self.page
        nothing = gr.DownloadButton(value=None, interactive=False)
        read = bars(self.shop.read(upload, int(number or 1))) if upload else ""
        return {page.result: None, page.bars: read, page.download: nothing, page.asked: None}


def as_class(word: str, intensity: float) -> Request:
    """Ask for an expression."""
    return Request(expression=word, intensity=intensity)


def as_neutral() -> Request:
    """Ask for no expression."""
    return Request(expression="neutral")


def as_like(example: Upload | None, number: str | None, share: float) -> Request:
    """Ask for another photograph's expression."""
    if example is None:
        raise InputError("give the photograph whose expression to take")
    return Request(like=example, like_number=int(number or 1), intensity=share)


def as_gaze(right: float, up: float) -> Request:
    """Ask for a gaze."""
    return Request(gaze=(right, up))


def as_units(starts: Mapping[int, float], each_side: bool, *values: float) -> Request:
    """Ask for the action units whose sliders were moved."""
    left, right = dict(zip(AUS, values, strict=False)), dict(zip(AUS, values[len(AUS) :], strict=True))
    return Request(aus=moved_units(starts, left, right if each_side else None))


def as_before(asked: Request | None) -> Request | None:
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
    return f"{upload.path.name}: {width}×{height}, {what}"


def build(shop: Session, chosen: str) -> gr.Blocks:
    """Return the page, ready to be launched; it begins with the model `chosen`."""
    with gr.Blocks(title="mien", analytics_enabled=False) as blocks:
        Events(Page(list(shop.offers), chosen, shop.offers[chosen]), shop)
    return blocks
