"""Sheets of a model's edits on true photographs of people it never saw, to look at and count what is wrong.

    python benchmarks/real_faces.py --data photofaces [--model fields] [-o out/real]

Writes a sheet for each person marked test (every class at 0.25 to 1), one of smiles taken off (smiling photographs are
of people not marked test: photofaces has no others), and one of expressions carried between people of other sex, age
and skin. Photographs of others are not ours to pass on: keep the sheets. Prints how like themselves people stay, by the
judge's code of the person, beside how like two true photographs of one person are.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mien.data.dataset import Data, open_data
from mien.editing.editor import Editor
from mien.editing.report import edit_report
from mien.labels import CLASSES
from mien.media.photo import Photo
from mien.media.sheet import save_sheet, sheet
from mien.models.contract import Family
from mien.models.io import load

LEVELS = (0.25, 0.5, 0.75, 1.0)
ASKED = ("happiness", "surprise", "fear", "anger", "disgust", "laugh", "blink")
HELD_OUT = (0, 1, 2)  # folds of which the model that ships has seen no smiling photograph


def edits(editor: Editor, data: Data, row: int, folder: Path, size: int) -> None:
    """Draw a person's classes, a class a row."""
    face = data.images[row]
    rows = [[face, *(editor.edit(face, word, level).rgb for level in LEVELS)] for word in CLASSES[1:]]
    name = data.manifest.subjects[data.manifest.subject[row]]
    save_sheet(sheet(rows, ["photograph", *map(str, LEVELS)], list(CLASSES[1:]), size=size), folder / f"{name}.png")


def toned(face: np.ndarray) -> dict[str, np.ndarray]:
    """Return a photograph as it is, grey, sepia and dim: uint8 (S, S, 3) each."""
    light = face.astype(np.float64)
    grey = np.repeat(light @ [[0.299], [0.587], [0.114]], 3, 2)
    made = {"colour": light, "grey": grey, "sepia": grey * [1.07, 0.95, 0.75], "dim": 0.35 * light}
    return {name: np.clip(np.rint(pixels), 0, 255).astype(np.uint8) for name, pixels in made.items()}


def looked(editor: Editor, data: Data, rows: list[int], folder: Path, size: int) -> None:
    """Draw each face, in every tone, neutral and with what is ASKED: a sheet of six faces."""
    for at in range(0, len(rows), 6):
        drawn: dict[str, list] = {}
        for row in rows[at : at + 6]:
            for tone, face in toned(data.images[row]).items():
                made = [editor.neutralize(face), *(editor.edit(face, word) for word in ASKED)]
                drawn.setdefault(tone, []).append([face, *(result.rgb for result in made)])
        for tone, faces in drawn.items():
            save_sheet(
                sheet(faces, ["photograph", "neutral", *ASKED], size=size), folder / f"look_{tone}_{at // 6}.png"
            )


def calmed(editor: Editor, data: Data, rows: list[int], folder: Path, size: int) -> None:
    """Draw smiles as they are, taken off, and given back."""
    drawn = []
    for row in rows:
        face = data.images[row]
        calm = editor.neutralize(face)
        drawn.append([face, calm.rgb, editor.edit(calm, "happiness", 0.8).rgb])
    save_sheet(sheet(drawn, ["photograph", "neutralised", "happiness .8"], size=size), folder / "calmed.png")


def carried(editor: Editor, data: Data, faces: list[int], examples: list[int], folder: Path, size: int) -> None:
    """Draw faces (down) with the expressions of examples (across)."""
    rows: list[list[np.ndarray | None]] = [[None, *(data.images[e] for e in examples)]]
    for row in faces:
        face = data.images[row]
        rows.append([face, *(editor.transfer(face, data.images[e]).rgb for e in examples)])
    save_sheet(sheet(rows, ["photograph", *[""] * len(examples)], size=size), folder / "carried.png")


def likeness(editor: Editor, judge: Family, data: Data, tested: list[int], pairs: list[tuple[int, int]]) -> str:
    """Return the cosines of photographs with their edits by level, and of two photographs of one person."""
    told = []
    for level in LEVELS:
        photos = [Photo.of(data.images[row]) for row in tested]
        found = [
            edit_report(editor, judge, photo, editor.edit(photo, word, level))["identity"]
            for photo in photos
            for word in CLASSES[1:]
        ]
        told.append(f"edited at {level}: {np.mean(found):.3f}, least {min(found):.3f} of {len(found)}")
    found = [edit_report(editor, judge, data.images[a], Photo.of(data.images[b]))["identity"] for a, b in pairs]
    return "\n".join(
        [*told, f"neutral and smiling photograph: {np.mean(found):.3f}, least {min(found):.3f} of {len(found)}"]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="fields")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/real"))
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--look", action="store_true", help="draw faces at rest and held-out smiles in four tones")
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    editor, data = Editor(asked.model, aligned=True), open_data(asked.data, 256)
    m = data.manifest
    real, neutral = m.kind == "real", m.expression == 0
    tested = np.flatnonzero(real & neutral & m.test)[: asked.people].tolist()
    if asked.look:
        smiles = np.flatnonzero(real & ~neutral & np.isin(m.fold, HELD_OUT)).tolist()
        looked(editor, data, tested + smiles, asked.output, asked.size)
        print(
            f"{asked.output}: {len(tested)} neutral and {len(smiles)} smiling photographs, four tones, eight edits each"
        )
        return
    for row in tested:
        edits(editor, data, row, asked.output, asked.size)
    smiling = np.flatnonzero(real & ~neutral)
    calmed(editor, data, smiling[:: max(1, len(smiling) // 10)][:10].tolist(), asked.output, asked.size)
    rendered = np.flatnonzero(m.test & (m.kind == "rendered") & (np.nan_to_num(m.intensity) == 1) & (m.yaw == 0))
    words = [rendered[m.expression[rendered] == k] for k in range(1, len(CLASSES))]
    examples = [int(rows[5 * k % len(rows)]) for k, rows in enumerate(words)]
    carried(editor, data, tested[::3], examples, asked.output, asked.size)
    at_rest = {int(m.subject[row]): int(row) for row in np.flatnonzero(real & neutral)}
    pairs = [(at_rest[int(m.subject[row])], int(row)) for row in smiling if int(m.subject[row]) in at_rest]
    print(likeness(editor, load("evaluator"), data, tested, pairs))
    print(f"{asked.output}: {len(tested)} people, {len(tested) * len(LEVELS) * 7} edits of classes")


if __name__ == "__main__":
    main()
