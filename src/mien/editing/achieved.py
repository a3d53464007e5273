"""What an edit asked of a face's action units, and what the model reads in what was made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mien.controls import Controls
from mien.faces.crop import FaceCrop
from mien.labels import AUS, PRESENT
from mien.media.photo import Photo

if TYPE_CHECKING:
    from mien.editing.editor import Editor


@dataclass(frozen=True)
class Achieved:
    """An action unit, as "12" or of one side as "12L": read before, asked for, read after, 0-5."""

    unit: str
    before: float
    asked: float
    after: float


def achieved(editor: Editor, face: FaceCrop, made: Photo, controls: Controls) -> list[Achieved]:
    """Return what became of each action unit that was asked for, in the order of AUS.

    One that both sides are asked alike for is one, of the side that shows more; an example's are none of them. None
    for a model that does not move pixels: its picture is not what the photograph shows.
    """
    if "warp" not in editor.engine.abilities or "estimate_aus" not in editor.engine.abilities:
        return []
    wanted = {(au, side): 5 * value for au, side, value in controls.units()}
    if not wanted:
        return []
    before, after = editor.sides(face), editor.sides(editor.crop_again(face, made))
    found = []
    for au in AUS:
        sides = [place for place in ((au, "L"), (au, "R")) if place in wanted and place in before]
        alike = len(sides) == 2 and wanted[sides[0]] == wanted[sides[1]]
        for unit, places in [(f"{au}", sides)] if alike else [(f"{au}{side[1]}", [side]) for side in sides]:
            shown: list[float] = [max(read[place] for place in places) for read in (before, after)]
            found.append(Achieved(unit, shown[0], wanted[places[0]], shown[1]))
    return found


def in_words(units: Sequence[Achieved], neutral: bool = False) -> list[str]:
    """Return lines about them: those asked to show, and those taken off a face that showed them.

    With `neutral`, that there was nothing to take off is said too.
    """
    shown = ", ".join(f"AU{one.unit} {one.asked:.1f} → {one.after:.1f}" for one in units if one.asked > 0)
    gone = [one for one in units if one.asked == 0 and one.before >= PRESENT]
    off = ", ".join(f"AU{one.unit} {one.before:.1f} → {one.after:.1f}" for one in gone)
    lines = [f"asked → reached: {shown}"] if shown else []
    lines += [f"taken off, before → left: {off}"] if off else []
    nothing = f"nothing to take off: no action unit is read as {PRESENT:g} or more"
    return lines or ([nothing] if neutral and units else [])
