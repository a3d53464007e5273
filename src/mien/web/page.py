"""The parts of the page and where they stand; `events` says what they do."""

from __future__ import annotations

import html

import gradio as gr

from mien.labels import AU_NAMES, AUS, PARTS
from mien.web.abilities import WAYS, Abilities
from mien.web.request import STEP
from mien.web.session import FORMS
from mien.web.upload import MEGABYTES, MEGAPIXELS

HEAD = """<h1>mien</h1>
<p>Change the expression in a photograph; the rest of it stays as it is. Nothing leaves this computer.</p>"""
FOOT = """<p>An edited face shows an expression its owner may never have made: ask the people you show. Every download
says in its metadata that it was edited, by which model and how.</p>"""
WHOLE = "whole face"
HEAD_ANGLES = (
    ("yaw", 15, "Head turned: degrees to the picture's right"),
    ("pitch", 9, "Head turned: degrees down"),
    ("roll", 10, "Head tilted: degrees clockwise"),
)
START = "Begin with a photograph of a face."


class Page:
    """All parts of the page by name, built within a `gr.Blocks`."""

    def __init__(self, models: list[str], chosen: str, abilities: Abilities):
        gr.HTML(HEAD, elem_id="head", padding=False)
        self.opened, self.example, self.asked, self.starts = gr.State(), gr.State(), gr.State(), gr.State({})
        with gr.Row():
            with gr.Column(scale=4, min_width=320):
                self._photograph()
                self.model = gr.Dropdown(models, value=chosen, label="Model", elem_id="model")
                self.paper = gr.HTML(paper(abilities), elem_id="paper", padding=False)
                self._ways(abilities)
            with gr.Column(scale=5, min_width=320):
                self._result()
        gr.HTML(FOOT, elem_id="foot", padding=False)

    def _photograph(self) -> None:
        limits = f"Photograph (up to {MEGABYTES} MB, {MEGAPIXELS} megapixels)"
        self.photo = picture(limits, "photo", 320)
        self.face = gr.Radio([], label="Face", visible=False, elem_id="face")
        self.status = gr.HTML(message(START), elem_id="status", padding=False)

    def _ways(self, abilities: Abilities) -> None:
        """Build the parts of every way of asking; the model says which can be chosen, the user which is shown."""
        self.way = gr.Radio(abilities.ways, value=abilities.ways[0], label="Change by", elem_id="way")
        self.groups = {way: gr.Column(visible=way == abilities.ways[0]) for way in WAYS}
        by_class, by_units, by_like, by_angles = self.groups.values()
        with by_class:
            self.word = gr.Radio(list(abilities.words), value="happiness", label="Expression", elem_id="word")
            self.part = gr.Radio([WHOLE, *PARTS], value=WHOLE, label="Of", visible=abilities.parts, elem_id="part")
            self.intensity = gr.Slider(0, 1, 1, step=0.05, label="Intensity", elem_id="intensity")
            with gr.Row():
                self.neutral = gr.Button("Neutralise", elem_id="neutral")
                self.change = gr.Button("Change", variant="primary", elem_id="change")
        with by_units:
            self._units(abilities)
        with by_like:
            self.like = picture("Photograph whose expression to take", "like", 240)
            self.like_face = gr.Radio([], label="Face", visible=False, elem_id="like-face")
            self.share = gr.Slider(0, 1, 1, step=0.05, label="Intensity", visible=abilities.fades, elem_id="share")
            self.transfer = gr.Button("Transfer", variant="primary", elem_id="transfer")
        with by_angles:
            self.right = gr.Slider(
                -40, 40, 0, step=1, label="Eyes turned: degrees to the picture's right", elem_id="gaze-right"
            )
            self.up = gr.Slider(-40, 40, 0, step=1, label="Eyes turned: degrees up", elem_id="gaze-up")
            self.yaw, self.pitch, self.roll = (
                gr.Slider(-most, most, 0, step=1, label=label, visible=abilities.head, elem_id=f"head-{name}")
                for name, most, label in HEAD_ANGLES
            )
            self.look = gr.Button("Change", variant="primary", elem_id="look")

    def _units(self, abilities: Abilities) -> None:
        """Build two sliders an action unit: both sides or the person's left; the person's right."""
        self.each_side = gr.Checkbox(False, label="Each side by itself", visible=abilities.sides, elem_id="each-side")
        self.left, self.right_units = {}, {}
        with gr.Column(elem_id="units"):
            for unit in AUS:
                self.left[unit] = gr.Slider(
                    0, 5, 0, step=STEP, label=unit_label(unit), visible=unit in abilities.units, elem_id=f"au{unit}"
                )
                self.right_units[unit] = gr.Slider(
                    0, 5, 0, step=STEP, label=unit_label(unit, "right"), visible=False, elem_id=f"au{unit}R"
                )
        self.set_units = gr.Button("Change", variant="primary", elem_id="set-units")

    def _result(self) -> None:
        self.result = gr.ImageSlider(
            label="Before and after", interactive=False, elem_id="result", buttons=["fullscreen"], max_height=560,
            format="png",
        )  # fmt: skip
        self.bars = gr.HTML("", elem_id="bars", padding=False)
        with gr.Row(elem_id="saving"):
            self.form = gr.Radio(list(FORMS), value="PNG", container=False, elem_id="form")
            self.download = gr.DownloadButton("Download full size", interactive=False, elem_id="download")

    @property
    def angles(self) -> list[gr.Slider]:
        """The sliders of eyes and head."""
        return [self.right, self.up, self.yaw, self.pitch, self.roll]

    @property
    def sliders(self) -> list[gr.Slider]:
        """All sliders of action units: one of each unit, then those of the right sides."""
        return [*self.left.values(), *self.right_units.values()]


def picture(label: str, name: str, height: int) -> gr.Image:
    """Return a place for a photograph from a file, the clipboard or a webcam."""
    return gr.Image(
        label=label, sources=["upload", "webcam", "clipboard"], type="filepath", height=height, elem_id=name,
        buttons=[], webcam_options=gr.WebcamOptions(mirror=False),
    )  # fmt: skip


def unit_label(unit: int, side: str = "") -> str:
    """Return a slider's label; `side` is the person's own."""
    return f"AU{unit} {AU_NAMES[unit]}" + (f", {side}" if side else "")


def paper(abilities: Abilities) -> str:
    """Return a model's citation in HTML."""
    return f"<p>{html.escape(abilities.paper)}</p>"


def message(text: str, bad: bool = False) -> str:
    """Return a line for the user in HTML."""
    return f'<p class="{"bad" if bad else "good"}" role="status">{html.escape(text)}</p>'
