"""All of it, on faces the package brings along: a sheet to look at, a table to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from skimage.data import astronaut

from mien.about import DEFAULT
from mien.data.dataset import Data, open_data
from mien.editing.editor import Editor
from mien.evaluate.answers import MADE, TRIVIAL, answers
from mien.evaluate.cost import milliseconds
from mien.evaluate.predictions import predict, protocol_rows
from mien.evaluate.protocols.transfer import transfer_errors, transfer_table
from mien.evaluate.trials import STRONG, Trials, trials
from mien.evaluate.written import write_csv
from mien.faces.align import align
from mien.labels import CLASSES, EXPRESSIONS
from mien.media.sheet import save_sheet, sheet
from mien.models.contract import Prediction, Recognizes
from mien.models.registry import able
from mien.nn.images import averaged
from mien.synth.generate import generate

SEED = 424_242  # people who were in nobody's training
SWEEP = (0.0, 0.25, 0.5, 0.75, 1.0)
EDITS = ("happiness", "surprise", "anger", "sadness", "disgust")


def demo(folder: Path, model: str = DEFAULT, people: int = 10, say: Callable[[str], None] = print) -> pd.DataFrame:
    """Render people, move expressions between them and into a photograph; returns the table of transfer errors.

    Writes into `folder`: faces/ (a labelled data set), people.png, photograph.png and its edits, transfer.csv.
    """
    editor = Editor(model, backend="torch")  # tables are of many pictures at once
    say(f"rendering {people} people who do not exist …")
    generate(folder / "faces", people=people, per_person=36, size=128, seed=SEED, jobs=2)
    data = open_data(folder / "faces", 128)
    chosen = trials(data)
    say("moving expressions between them …")
    cropped = Editor(editor.model, aligned=True)
    draw_people(editor, folder / "people.png", data_pictures(cropped, data, chosen))
    say("and into a photograph (Eileen Collins; NASA, public domain) …")
    draw_photograph(editor, folder)
    errors = transfer_errors(editor.model, data)
    table = transfer_table(errors, STRONG)
    write_csv(table.round(4), folder / "transfer.csv")
    shown = data.select(protocol_rows(data))
    right = predict(lambda x: recognized(editor, x), shown, CLASSES) == shown.manifest.expression
    say(f"expression recognised: {right.mean():.2f} of {len(right)} pictures (chance 0.125)")
    say(f"a transfer takes {milliseconds(editor.model):.1f} ms")
    return table


def recognized(editor: Editor, images: torch.Tensor) -> Prediction:
    """Return class probabilities for images (B, 3, H, W) of any size."""
    return able(editor.model, Recognizes).recognize(averaged(images, editor.size))


def data_pictures(editor: Editor, data: Data, chosen: Trials) -> list[tuple[str, list[np.ndarray], list[str]]]:
    """Return rows for the sheet: a name, pictures, and what the recogniser says of each."""
    rows: list[tuple[str, list[np.ndarray], list[str]]] = []
    used: set[int] = set()
    person, m = data.manifest.subject[chosen.truth], data.manifest
    for word in EDITS:
        shown = (m.expression[chosen.truth] == EXPRESSIONS.index(word)) & (m.intensity[chosen.truth] == 1)
        if not shown.any():  # no two people show the same variant of it
            continue
        k = min(np.flatnonzero(shown).tolist(), key=lambda k: person[k] in used)  # somebody new, if possible
        used.add(person[k])
        truth = int(chosen.truth[k])
        face, found = data.images[int(chosen.face[k])], answers(editor, data, chosen, k)
        pictures = [face, found[TRIVIAL[1]], data.images[truth], *(found[answer] for answer in MADE)]
        pictures += [editor.edit(face, word, t).rgb for t in SWEEP]
        name = data.manifest.subjects[data.manifest.subject[truth]]
        rows.append((name, pictures, [say_expression(editor, p) for p in pictures]))
    return rows


def say_expression(editor: Editor, picture: np.ndarray) -> str:
    """Return the likeliest expression word and its probability."""
    word, p = next(iter(editor.recognize(picture).items()))
    return f"{word} {p:.2f}"


def draw_people(editor: Editor, path: Path, rows: list[tuple[str, list[np.ndarray], list[str]]]) -> None:
    """Write the sheet of rendered people."""
    columns = ["face", "example", "truth", *MADE, *(f"edit {t:g}" for t in SWEEP)]
    page = sheet([r[1] for r in rows], columns, [r[0] for r in rows], [r[2] for r in rows], size=128)
    save_sheet(page, path, editor.stamp("demo"))


def draw_photograph(editor: Editor, folder: Path) -> None:
    """Write edits of the photograph, and a sheet of its face."""
    photo = astronaut()
    seen = editor.crop(photo)
    # A little more than the face, to see that nothing around it changed.
    matrix = seen.matrix * 2.4
    matrix[:, 2] += 0.7 * np.array([editor.size * 0.5, editor.size * 0.6])

    def closeup(rgb: np.ndarray) -> np.ndarray:
        return align(rgb, matrix, int(editor.size * 3.1))

    names, rows = [], []
    for word in EDITS:
        made = [editor.edit(photo, word, t) for t in SWEEP]
        names.append(word)
        rows.append([closeup(photo), *(closeup(p.rgb) for p in made)])
        editor.save(made[-1], folder / f"astronaut_{word}.png", f"edit: {word}")
    columns = ["photograph", *(f"edit {t:g}" for t in SWEEP)]
    save_sheet(sheet(rows, columns, names, size=192), folder / "photograph.png", editor.stamp("demo"))
