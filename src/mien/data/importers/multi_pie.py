"""CMU Multi-PIE: 337 people, four sessions, 15 cameras, 19 lights (Gross et al. 2010).

    ROOT/session01/multiview/001/01/05_1/001_01_01_051_07.png    person, session, recording, camera, light

Protocol of JESRL IV-A: pan angles −30°, −15°, 0°, 15°, 30°, expressions neutral, smile, surprise, squint, disgust and
scream, one light (1,531 images an angle; the paper's 270 people are not named, so all are taken). The expression
follows from session and recording. The light is the flash of the frontal camera, 07, unless `light` says another: the
paper does not name one. `all_frames` takes all 13 cameras at head height.

Smile is happiness. Scream and squint are none of the words of `mien.labels`: they are `other` with an `expr_id`; for
JESRL's table of six classes `stand_ins` writes fear for scream and anger for squint. Yaw is the camera's angle:
24_0 sees the right profile, 11_0 the left.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mien.data.importers.support.corpus_folder import folders, pictures, stem, wrong_layout
from mien.data.importers.support.sample import Importer, Options, Sample, Skip
from mien.errors import InputError

EXPECTS = "the Multi-PIE folder that holds session01/multiview/001/01/05_1/*.png"
SHOWN = {
    ("01", "01"): "neutral",
    ("01", "02"): "smile",
    ("02", "01"): "neutral",
    ("02", "02"): "surprise",
    ("02", "03"): "squint",
    ("03", "01"): "neutral",
    ("03", "02"): "smile",
    ("03", "03"): "disgust",
    ("04", "01"): "neutral",
    ("04", "02"): "neutral",
    ("04", "03"): "scream",
}
"""What was posed, by session and recording."""
STAND_INS = {"scream": "fear", "squint": "anger"}
CAMERAS = ("11_0", "12_0", "09_0", "08_0", "13_0", "14_0", "05_1", "05_0", "04_1", "19_0", "20_0", "01_0", "24_0")
YAWS = {camera: 15.0 * (k - 6) for k, camera in enumerate(CAMERAS)}  # degrees, nose to the image's right above 0
FRONTAL = 30.0  # degrees: the five angles of JESRL
LIGHTS = 19


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield one picture of every recording and camera."""
    if not 0 <= options.light <= LIGHTS:
        raise InputError(f"--light {options.light}: expected a number from 0 to {LIGHTS}; 7 is the frontal flash")
    base = root / "data" if (root / "data").is_dir() else root
    sessions = [folder for folder in sorted(base.glob("session0?/multiview")) if folder.is_dir()]
    if not sessions:
        raise wrong_layout(root, "session01/multiview", EXPECTS)
    for session in sessions:
        number = session.parent.name[-2:]
        for person in folders(session):
            for recording in folders(person):
                what = SHOWN.get((number, recording.name))
                if what is None:
                    yield Skip(str(recording), "recording with no known expression")
                    continue
                yield from _recording(base, recording, person.name, what, options)


def _labels(what: str, options: Options) -> dict[str, str | float]:
    if what == "neutral":
        return {"expression": "neutral", "intensity": 0.0}
    if what in STAND_INS:
        return {"expression": STAND_INS[what] if options.stand_ins else "other", "expr_id": what}
    return {"expression": "happiness" if what == "smile" else what}


def _recording(root: Path, folder: Path, person: str, what: str, options: Options) -> Iterator[Sample | Skip]:
    for camera, yaw in YAWS.items():
        if abs(yaw) > FRONTAL and not options.all_frames:
            continue
        here = folder / camera
        lit = [p for p in pictures(here) if p.stem.endswith(f"_{options.light:02d}")] if here.is_dir() else []
        if not lit:
            yield Skip(str(here), "camera without a picture in this light")
        for path in lit:
            labels = {"subject": person, "session": folder.parents[2].name, "yaw": yaw, **_labels(what, options)}
            yield Sample(stem(path, root), path, labels)


IMPORTER = Importer(
    "CMU Multi-PIE, multiview",
    samples,
    EXPECTS,
    "Carnegie Mellon University (licence, fee)",
    options=("all_frames", "light", "stand_ins"),
)
