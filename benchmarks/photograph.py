"""One photograph edited end to end, and where the time goes, on one core.

    python benchmarks/photograph.py [--model fields eet] [--side 1024] [--times 9] [--landmarker net] [--fp32]

Medians of one run, warm; compare within a run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch
from skimage.data import astronaut

import mien.editing.editor
from mien.controls import Controls
from mien.editing.editor import Editor
from mien.faces.align import align, similarity
from mien.faces.detect import choose_face, find_faces
from mien.media.photo import Photo, read_photo

Result = TypeVar("Result")


def timed(spent: dict[str, list[float]], name: str, work: Callable[[], Result]) -> Result:
    """Do some work and note its milliseconds."""
    begin = time.perf_counter()
    found = work()
    spent.setdefault(name, []).append(1000 * (time.perf_counter() - begin))
    return found


def parts(editor: Editor, path: Path, out: Path, controls: Controls, spent: dict[str, list[float]]) -> None:
    """Do what `editor.edit` and `editor.save` do, step by step."""
    photo = timed(spent, "read", lambda: read_photo(path))
    face = timed(spent, "detect", lambda: choose_face(find_faces(photo.rgb, editor.landmarker), path, None))
    matrix = similarity(face.eyes, editor.size)
    timed(spent, "align", lambda: align(photo.rgb, matrix, editor.size))
    seen = editor.see(photo)
    change = timed(spent, "model", lambda: editor.change_of(seen, controls))
    timed(spent, "put", lambda: editor.put(seen, change))
    made: Photo = timed(spent, "edit in all", lambda: editor.edit(photo, controls.expression, controls.intensity))
    timed(spent, "write", lambda: editor.save(made, out))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", default=["fields", "jesrl", "eet"])
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--landmarker", default="net")
    parser.add_argument("--fp32", action="store_true", help="Not in bf16, even where the processor has it.")
    asked = parser.parse_args()
    if asked.fp32:
        mien.nn.modes.native_bf16 = bool  # no, whatever the processor
    torch.set_num_threads(asked.threads)
    cv2.setNumThreads(asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photograph.jpg"
        big = cv2.resize(astronaut(), (asked.side, asked.side), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(path), big[..., ::-1])
        for name in asked.model:
            editor, spent = Editor(name, landmarker=asked.landmarker), {}
            for _ in range(asked.times + 2):
                parts(editor, path, Path(folder) / "out.png", Controls("happiness", 0.8), spent)
                timed(spent, "end to end", partial(whole, editor, path, Path(folder) / "out.jpg"))
            told = ", ".join(f"{part} {np.median(ms[2:]):.1f}" for part, ms in spent.items())
            print(f"{name}, {asked.side} px, {asked.threads} thread(s), ms: {told}")


def whole(editor: Editor, path: Path, out: Path) -> None:
    """Edit a file to a file."""
    editor.save(editor.edit(path, "happiness", 0.8), out)


if __name__ == "__main__":
    main()
