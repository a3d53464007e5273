"""Pages to look at: one sheet for every use a model has.

"generated" is the model's own picture; "composited" is what the Editor gives: the face plus the change it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mien.controls import Controls
from mien.data.dataset import Data
from mien.data.images import resize_square
from mien.data.neutral import neutral_faces
from mien.errors import InputError
from mien.evaluate.trials import Trials
from mien.labels import AUS, CLASSES
from mien.media.sheet import save_sheet, sheet
from mien.models.contract import Edits, EstimatesAus, Family, Generates, SetsElements, Transfers
from mien.models.registry import able
from mien.models.residual import composite
from mien.nn.images import resized, to_pixels

WORDS = CLASSES[1:7]
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)

Page = tuple[Sequence[Sequence[np.ndarray | None]], list[str], list[str]]
"""Rows of pictures, heads of columns, names of rows."""


def pages(model: Family) -> dict[str, Callable[[Family, Data], Page]]:
    """Return what draws each page that this model can fill."""
    found: dict[str, Callable[[Family, Data], Page]] = {}
    if isinstance(model, Transfers):
        found |= {"transfer": transfer_page, "swap": swap_page}
    if isinstance(model, Edits):
        found |= {"edit": edit_page, "neutralize": neutralize_page}
    if isinstance(model, Edits) and isinstance(model, EstimatesAus):
        found["aus"] = aus_page
    if isinstance(model, SetsElements):
        found["elements"] = elements_page
    if isinstance(model, Generates):
        found["invent"] = invent_page
    return found


@torch.inference_mode()
def draw_gallery(model: Family, data: Data, folder: Path) -> list[Path]:
    """Write a sheet a use to `folder`, with the data's people, and return the files."""
    written = []
    for name, draw in pages(model).items():
        rows, columns, names = draw(model, data)
        path = folder / f"{name}.png"
        save_sheet(sheet(rows, columns, names, size=112), path)
        written.append(path)
    return written


def people(data: Data, count: int) -> list[int]:
    """Return rows of neutral frontal faces of the first people."""
    found = neutral_faces(data.manifest)
    return [found[person][0] for person in sorted(found)][:count]


def shown(data: Data, word: str, skip: int = 0) -> int:
    """Return a row that shows a class best; `skip` takes a later person's."""
    rows = np.flatnonzero(data.manifest.expression == CLASSES.index(word))
    intensity = np.nan_to_num(data.manifest.intensity[rows], nan=1.0)
    best = rows[intensity >= intensity.max()]
    return int(best[skip % len(best)])


def words_of(data: Data) -> list[str]:
    """Return which of WORDS the data shows. Raises InputError where it shows none, or nobody neutral."""
    found = [word for word in WORDS if (data.manifest.expression == CLASSES.index(word)).any()]
    if not found or not people(data, 1):
        raise InputError(f"{data.manifest.folder}: expected neutral frontal faces, and some of {', '.join(WORDS)}")
    return found


def face(model: Family, data: Data, row: int) -> Tensor:
    """Return a row's picture as the model takes it: (1, 3, S, S)."""
    return resized(data.images[np.array([row])], model.config.image_size)


def composited(model: Family, seen: Tensor, made: Tensor) -> np.ndarray:
    """Return the face with the model's change, as the Editor gives it, uint8 (S, S, 3)."""
    return to_pixels(composite(able(model, Transfers), seen, made)[0])


def transfer_page(model: Family, data: Data) -> Page:
    """Six examples across, four faces down: the face with the model's change; below each the model's own picture."""
    examples = [face(model, data, shown(data, word, 3 * k)) for k, word in enumerate(words_of(data))]
    rows: list[list[np.ndarray | None]] = [[None, *(to_pixels(e[0]) for e in examples)]]
    names = ["example"]
    for row in people(data, 8)[::2]:
        mine = face(model, data, row)
        made = [able(model, Transfers).transfer(mine, e) for e in examples]
        rows.append([to_pixels(mine[0]), *(composited(model, mine, m) for m in made)])
        rows.append([to_pixels(able(model, Transfers).reconstruct(mine)[0]), *(to_pixels(m[0]) for m in made)])
        names += ["composited", "generated"]
    return rows, ["face", *words_of(data)], names


def swap_page(model: Family, data: Data) -> Page:
    """Two faces and the same two with each other's expression."""
    rows: list[list[np.ndarray | None]] = []
    words = words_of(data)
    for k, (a, b) in enumerate(zip(words, reversed(words), strict=True)):
        left, right = face(model, data, shown(data, a, 2 * k)), face(model, data, shown(data, b, 2 * k + 7))
        one, two = able(model, Transfers).transfer(left, right), able(model, Transfers).transfer(right, left)
        rows.append(
            [to_pixels(left[0]), to_pixels(right[0]), composited(model, left, one), composited(model, right, two)]
        )
    return rows[:4], ["a", "b", "a like b", "b like a"], []


def edit_page(model: Family, data: Data) -> Page:
    """Every class from neutral to full on one face."""
    mine = face(model, data, people(data, 3)[-1])
    rows = [
        [composited(model, mine, able(model, Edits).edit(mine, Controls(w, i))) for i in LEVELS] for w in CLASSES[1:]
    ]
    return rows, [f"{i:g}" for i in LEVELS], list(CLASSES[1:])


def neutralize_page(model: Family, data: Data) -> Page:
    """Faces with an expression, the same neutralised, and the person's true neutral face where there is one."""
    m, words = data.manifest, words_of(data)
    rows: list[list[np.ndarray | None]] = []
    neutral = {m.subject[row]: row for row in people(data, len(m.subjects))}
    for k, word in enumerate(words):
        row = shown(data, word, 2 * k)
        mine = face(model, data, row)
        made = able(model, Edits).edit(mine, Controls("neutral"))
        own = neutral.get(m.subject[row])
        truth = None if own is None else to_pixels(face(model, data, own)[0])
        rows.append([to_pixels(mine[0]), composited(model, mine, made), to_pixels(made[0]), truth])
    columns = ["face", "composited", "generated", "truth"]
    if all(row[-1] is None for row in rows):  # the data has expressions of people whose neutral faces it lacks
        rows, columns = [row[:-1] for row in rows], columns[:-1]
    return rows, columns, words


def aus_page(model: Family, data: Data) -> Page:
    """Every action unit that the model knows, from 0 to 5 on one face."""
    mine = face(model, data, people(data, 3)[-1])
    known = ~able(model, EstimatesAus).estimate_aus(mine)[0].isnan()
    units = [au for au, has in zip(AUS, known.tolist(), strict=True) if has]
    levels = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)

    def at(au: int, level: float) -> np.ndarray:
        return composited(model, mine, able(model, Edits).edit(mine, Controls(aus={au: level})))

    return [[at(au, v) for v in levels] for au in units], [f"{v:g}" for v in levels], [f"AU{au}" for au in units]


def elements_page(model: Family, data: Data) -> Page:
    """Single elements of a class's block of the code, one a column, on one face."""
    mine = face(model, data, people(data, 3)[-1])
    count = model.config.style
    rows = [
        [composited(model, mine, able(model, SetsElements).element(mine, word, k)) for k in range(count)]
        for word in WORDS
    ]
    return rows, [f"element {k}" for k in range(count)], list(WORDS)


def invent_page(model: Family, data: Data) -> Page:
    """People who do not exist, one a row, in every class."""
    words: Sequence[str] = ("neutral", *WORDS)
    made = [able(model, Generates).generate(6, word, seed=0) for word in words]
    return [[to_pixels(m[k]) for m in made] for k in range(6)], list(words), []


def for_show(data: Data, t: Trials, rows: int = 8) -> list[int]:
    """Return the numbers of some trials of the strongest expressions, spread over the classes."""
    intensity = data.manifest.intensity[t.truth]
    full = np.flatnonzero(intensity >= intensity.max())
    order = full[np.argsort(data.manifest.expression[t.truth[full]], kind="stable")]
    return order[np.linspace(0, len(order) - 1, min(rows, len(order))).astype(int)].tolist()


def draw_chosen(
    data: Data, t: Trials, chosen: Sequence[int], shown: Mapping[str, Sequence[np.ndarray]], path: Path
) -> None:
    """Write a sheet: example, face, every model's answer to the chosen trials (in their order), truth."""
    size = len(next(iter(shown.values()))[0])
    pictures = [
        [
            resize_square(data.images[int(t.example[k])], size),
            resize_square(data.images[int(t.face[k])], size),
            *(made[row] for made in shown.values()),
            resize_square(data.images[int(t.truth[k])], size),
        ]
        for row, k in enumerate(chosen)
    ]
    save_sheet(sheet(pictures, ["example", "face", *shown, "truth"], size=max(128, size)), path)
