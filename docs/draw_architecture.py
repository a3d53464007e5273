"""Draw docs/images/architecture_*.png from the code: the rooms with their imports, and the ways of two calls.

    python docs/draw_architecture.py

The rooms are read from the files' imports, in the layers that tests/test_layers.py holds them to. The two ways are
traced: an edit of a photograph by `mien.Editor`, and a short training on three people of the face studio. A box is a
file at the moment when it is entered for the first time, named with the function that was called.
"""

from __future__ import annotations

import ast
import re
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.patches import FancyBboxPatch

ROOT = Path(__file__).parent.parent
SRC, OUT = ROOT / "src" / "mien", ROOT / "docs" / "images"
sys.path[:0] = [str(ROOT)]
INK, PAPER, LINE, SOFT = "#1f2937", "#f3f6f9", "#0f766e", "#94a3b8"


def room_of(path: Path) -> str:
    """Return the room of a file: its folder below the package, or its own name on the ground."""
    return path.relative_to(SRC).with_suffix("").parts[0]


def arrows() -> dict[tuple[str, str], int]:
    """Return how many imports lead from a room to another, wherever in a file, but for typing alone."""
    found: dict[tuple[str, str], int] = {}
    for path in SRC.rglob("*.py"):
        tree = ast.parse(path.read_text())
        typing = {
            inner for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for inner in ast.walk(node)
        }  # fmt: skip
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mien.") and node not in typing:
                pair = room_of(path), str(node.module).split(".")[1]
                if pair[0] != pair[1]:
                    found[pair] = found.get(pair, 0) + 1
    return found


def draw_rooms(path: Path) -> None:
    """Draw the rooms in their layers, each with its files, and a line for every pair that imports."""
    from tests.test_layers import LAYERS

    layers = [[room for room in layer if (SRC / room).exists() or (SRC / f"{room}.py").exists()] for layer in LAYERS]
    layers[0] = ["ground"]
    figure, axis = plt.subplots(figsize=(12, 13.5), layout="constrained")
    place: dict[str, tuple[float, float]] = {}
    bottom = 0.0
    for layer in filter(None, layers):
        texts = {room: contents(room) for room in layer}
        height = 0.8 + 0.32 * max(text.count("\n") + 1 for text in texts.values())
        for k, room in enumerate(layer):
            width = 12 / len(layer)
            left = k * width
            box = FancyBboxPatch(
                (left + 0.12, bottom), width - 0.24, height, "round,pad=0.02,rounding_size=0.1", fc=PAPER, ec=INK, lw=1
            )
            axis.add_patch(box)
            axis.text(left + width / 2, bottom + height - 0.2, room, ha="center", va="top", weight="bold", color=INK)
            axis.text(left + width / 2, bottom + height - 0.55, texts[room], ha="center", va="top", size=7.5, color=INK)
            place[room] = (left + width / 2, bottom + height / 2)
        bottom += height + 0.55
    for (above, below), count in arrows().items():
        a, b = (place.get(room, place["ground"] if (SRC / f"{room}.py").exists() else None) for room in (above, below))
        if a and b and a != b:
            wide = 0.5 + 0.25 * min(count, 12)
            way = {"arrowstyle": "-", "color": LINE, "alpha": 0.16, "lw": wide, "connectionstyle": "arc3,rad=0.12"}
            axis.annotate("", b, a, arrowprops=way, zorder=0)
    axis.set(xlim=(0, 12), ylim=(-0.2, bottom))
    axis.axis("off")
    axis.set_title("The rooms of mien: each imports from rooms below it alone; cli also starts web", color=INK)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def contents(room: str, across: int = 110) -> str:
    """Return a room's files as lines of text; a folder inside it by its name and how many files it holds."""
    if room == "ground":
        names = [path.stem for path in SRC.glob("*.py") if not path.stem.startswith("__")]
    elif (SRC / f"{room}.py").exists():
        return "public names" if room == "__init__" else "python -m mien"
    else:
        names = [path.stem for path in sorted((SRC / room).glob("*.py")) if path.stem != "__init__"]
        for folder in sorted(path for path in (SRC / room).iterdir() if (path / "__init__.py").exists()):
            names.append(f"{folder.name}/ ({len([*folder.rglob('*.py')]) - 1})")
    wide = max(16, across // max(1, next(len(layer) for layer in _layers() if room in layer)))
    lines, line = [], ""
    for name in sorted(names):
        if line and len(line) + len(name) > wide:
            lines, line = [*lines, line], ""
        line = f"{line}  {name}".strip()
    return "\n".join([*lines, line])


def _layers() -> list[list[str]]:
    from tests.test_layers import LAYERS

    return [["ground"], *(list(layer) for layer in LAYERS[1:])]


def traced(work: Callable[[], Any]) -> list[tuple[str, str]]:
    """Return the files of mien that a call enters, in the order of their first entry, each with what was called."""
    seen: dict[str, str] = {}

    def watch(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(str(SRC)) or code.co_name.startswith("<"):
            return
        caller = frame.f_back
        if caller is not None and caller.f_code.co_filename == code.co_filename:
            return
        name = code.co_qualname if sys.version_info >= (3, 11) else code.co_name
        path = Path(code.co_filename).relative_to(SRC).with_suffix("").as_posix()
        if path.split("/")[-1] != "__init__" and path != "files":
            seen.setdefault(path, re.sub(r"\.__(init|call|post_init)__$", "", name))

    threading.setprofile(watch)
    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return list(seen.items())


def draw_way(title: str, steps: list[tuple[str, str]], path: Path) -> None:
    """Draw a traced way: a column a room, a row a file, in the order of entry."""
    rooms = list(dict.fromkeys(step.split("/")[0] for step, _ in steps))
    figure, axis = plt.subplots(figsize=(1.9 * len(rooms) + 1, 0.42 * len(steps) + 1.2), layout="constrained")
    before: tuple[float, float] | None = None
    for column, room in enumerate(rooms):
        axis.axvline(column, color=SOFT, lw=0.6, zorder=0)
        axis.text(column, -1.1, room, ha="center", weight="bold", color=INK)
    for row, (step, called) in enumerate(steps):
        room, _, file = step.partition("/")
        column = rooms.index(room)
        if before:
            axis.annotate(
                "", (column, row), before, arrowprops={"arrowstyle": "->", "color": LINE, "alpha": 0.5}, zorder=1
            )
        box = {"boxstyle": "round,pad=0.3", "fc": PAPER, "ec": INK, "lw": 0.8}
        axis.text(
            column, row, f"{file or room}: {called}", ha="center", va="center", size=7.5, color=INK, bbox=box, zorder=4
        )
        before = (column, row)
    axis.set(xlim=(-0.7, len(rooms) - 0.3), ylim=(len(steps), -1.6))
    axis.axis("off")
    axis.set_title(title, color=INK)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main() -> None:
    """Draw all three."""
    from skimage.data import astronaut

    import mien
    from mien.data.sets import Sets
    from mien.synth.generate import generate
    from mien.training.settings import Settings
    from mien.training.start import begin

    draw_rooms(OUT / "architecture_rooms.png")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)

        def edit() -> None:
            editor = mien.Editor()
            editor.save(editor.edit(astronaut(), "happiness"), folder / "happier.png")

        def train() -> None:
            sizes = {"image_size": "32", "width": "2", "pretrain_steps": "1", "steps": "1", "recognition_steps": "1"}
            begin("ter_gan", "small", sizes, Sets((folder / "faces",)), folder / "run", Settings())

        draw_way(
            "A photograph: Editor().edit(photo, “happiness”), save", traced(edit), OUT / "architecture_photograph.png"
        )
        generate(folder / "faces", people=3, per_person=12, size=64, seed=1)
        draw_way("A training: mien train ter_gan", traced(train), OUT / "architecture_training.png")


if __name__ == "__main__":
    main()
