"""Memory: of one edit, over a folder and a long clip, and of training; a table, JSON and a picture.

    python benchmarks/memory.py [edit folder clip training] [--count 1000] [--frames 500] [-o memory.json]

Each subject has a process of its own. Megabytes are resident (what Linux calls RSS), peaks its high-water mark. Over
the folder and the clip, what is held after a tenth and at the end is set side by side. Of training, `kept` are the
bytes that autograd keeps for the gradients of a pair, the most of any turn, measured by two pairs; with 16 bytes a
parameter (weight, gradient and Adam's two moments in float32) that tells the least that a preset's batch takes. Beside
it are the FLOPs of a pair and the bytes of gradients of a step, a mean over its turns, of which scaling.py makes times.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

SUBJECTS = ("edit", "folder", "clip", "training")
PAPERS = ("ter_gan", "rel_gan", "expr_gan", "jesrl", "eet")
SIDE = 512  # of the folder's photographs


def held(line: str = "VmRSS") -> float:
    """Return the megabytes that this process holds, or with VmHWM the most it ever held; of systems with /proc."""
    return int(Path("/proc/self/status").read_text().split(f"{line}:")[1].split()[0]) / 1024


class Course:
    """Memory at every twentieth of some work."""

    def __init__(self, total: int):
        self.total, self.points = total, []

    def at(self, done: int) -> None:
        """Note what is held when so much is done."""
        if done * 20 // self.total > (done - 1) * 20 // self.total or done == self.total // 10:
            self.points.append([done, held()])

    def told(self, begun: float) -> dict[str, Any]:
        """Return what there is to say at the end, of work that began at a time of the process."""
        tenth = next(mb for done, mb in self.points if done >= self.total // 10)
        end = self.points[-1][1]
        spent = 1e3 * (time.process_time() - begun) / self.total
        told = {"after a tenth": tenth, "at the end": end, "growth": end / tenth - 1, "peak": held("VmHWM")}
        return {**told, "CPU ms": spent, "count": self.total, "course": self.points}


def photograph(side: int) -> np.ndarray:
    import cv2
    from skimage.data import astronaut

    return cv2.resize(astronaut(), (side, side), interpolation=cv2.INTER_AREA if side < 512 else cv2.INTER_CUBIC)


def edit(asked: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """One photograph of 1024² edited, file to file; of 24 megapixels too."""
    import cv2

    from mien.cli import main

    for side in (1024, 4900):
        cv2.imwrite(str(folder / "in.jpg"), photograph(side)[..., ::-1])
        words = ["mien", "edit", str(folder / "in.jpg"), "--expression", "happiness", "-o", str(folder / "out.jpg")]
        sys.argv = words
        begun = time.process_time()
        try:
            main()
        except SystemExit as end:
            assert not end.code, end.code
        yield {"of": f"{side} × {side}", "peak": held("VmHWM"), "CPU ms": 1e3 * (time.process_time() - begun)}


def folder(asked: argparse.Namespace, place: Path) -> Iterator[dict[str, Any]]:
    """A folder of photographs edited by one process."""
    import cv2

    from mien.cli.clips import Tool
    from mien.cli.folders import Orders
    from mien.cli.output import Delivery
    from mien.controls import Controls
    from mien.editing.folder import each_done

    source, out, photo = place / "in", place / "out", photograph(SIDE)
    source.mkdir()
    for k in range(asked.count):
        cv2.imwrite(str(source / f"{k:05d}.jpg"), np.roll(photo, k % 40, 1)[..., ::-1])
    orders = Orders((source,), Delivery(source, out, model="fields", several=True), Controls("happiness", 0.8),
                    Tool("fields", False, "cpu"))  # fmt: skip
    jobs, worker = orders.check(), orders.open()
    begun, course = time.process_time(), Course(asked.count)
    for k, done in enumerate(each_done(jobs, out, worker, worker.made_by()), 1):
        assert not done.error, done.error
        course.at(k)
    yield {"of": f"{asked.count} photographs, {SIDE} × {SIDE}"} | course.told(begun)


def clip(asked: argparse.Namespace, place: Path) -> Iterator[dict[str, Any]]:
    """A clip of 640 × 480 edited, decoded and encoded."""
    sys.path.insert(0, str(Path(__file__).parent))
    from clips import make_clip

    from mien.controls import Controls
    from mien.editing.clip import change_clip
    from mien.editing.editor import Editor

    make_clip(place / "in.mp4", asked.frames)
    editor, course, begun = Editor(), Course(asked.frames), time.process_time()
    change_clip(
        editor, place / "in.mp4", place / "out.mp4", lambda _: Controls("happiness", 0.8),
        tell=lambda done, total, note="": course.at(done) if done else None,
    )  # fmt: skip
    yield {"of": f"{asked.frames} frames, 640 × 480"} | course.told(begun)


def training(asked: argparse.Namespace, place: Path) -> Iterator[dict[str, Any]]:
    """Each paper's presets, by a step of two pairs of every turn of its longest stage."""
    sys.path.insert(0, str(Path(__file__).parent))
    from mien.models.described import presets

    for name, preset in presets():
        if name in asked.model and preset in asked.preset:
            yield {"of": f"{name} {preset}"} | taught(name, preset, asked.recompute)


def taught(name: str, preset: str, recompute: bool) -> dict[str, Any]:
    """Return what a step of a preset's longest stage takes."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from training import noise

    from mien.models.registry import create
    from mien.training.settings import Settings
    from mien.training.trainer import Trainer

    torch.manual_seed(0)
    model = create(name, preset, subjects=240)
    size, millions = model.config.batch_size, sum(p.numel() for p in model.parameters()) / 1e6
    trainer = Trainer(model, Settings(precision="32-true", accelerator="cpu", recompute=recompute))
    stage = max(trainer.stages, key=lambda s: s.steps)
    model.enter(stage.name)
    model.train()
    batch, kept, flops, gradients = noise(2, model.config.image_size, 240).to("cpu"), 0, 0.0, 0.0
    for turn in stage.turns:
        with FlopCounterMode(display=False) as counter:
            kept = max(kept, kept_by(partial(trainer.take, turn, batch)) // 2)
        flops += counter.get_total_flops() / 2 / turn.every
        sizes = (p.numel() for net in turn.nets for p in model.get_submodule(net).parameters())
        gradients += 4 * sum(sizes) / turn.every
    return {
        "pixels": model.config.image_size, "millions of parameters": millions, "kept MB a pair": kept / 1e6,
        "batch": size, "least MB": 16 * millions + kept * size / 1e6, "GFLOP a pair": flops / 1e9,
        "gradient MB a step": gradients / 1e6,
    }  # fmt: skip


def kept_by(work: Callable[[], object]) -> int:
    """Return the bytes of what autograd keeps while something is done, each tensor's memory once."""
    import torch

    found: dict[int, int] = {}

    def pack(x: torch.Tensor) -> torch.Tensor:
        if not isinstance(x, torch.nn.Parameter):
            found[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        work()
    return sum(found.values())


def draw(found: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Draw memory over the folder and the clip."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.2), layout="constrained")
    for rows in found.values():
        for row in rows:
            if "course" in row:
                done, mb = zip(*row["course"], strict=True)
                axes.plot(np.array(done) / row["count"], mb, marker=".", label=row["of"])
    axes.set(xlabel="share of the work", ylabel="MB held", ylim=(0, None))
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="*", default=SUBJECTS, metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--count", type=int, default=1000, help="photographs of the folder")
    parser.add_argument("--frames", type=int, default=500, help="of the clip")
    parser.add_argument("--model", nargs="+", default=PAPERS, help="that are trained")
    parser.add_argument("--preset", nargs="+", default=["small"], help="of theirs")
    parser.add_argument("--recompute", action="store_true", help="as mien train --recompute does")
    parser.add_argument("-o", "--output", type=Path, default=Path("memory.json"))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        with tempfile.TemporaryDirectory() as place:
            for row in globals()[asked.subjects[0]](asked, Path(place)):
                print("\x1e" + json.dumps(row), flush=True)
        return
    found: dict[str, list[dict[str, Any]]] = {}
    for subject in asked.subjects:
        words = [*sys.argv[1:], "--child"]
        words = [subject, *(word for word in words if word not in SUBJECTS)]
        found[subject] = []
        with subprocess.Popen([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True) as child:
            for line in child.stdout or ():
                if "\x1e" not in line:
                    continue
                row = json.loads(line.partition("\x1e")[2])
                found[subject].append(row)
                told = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items() if k != "course"}
                print(subject, *(f"{k} {v}" for k, v in told.items()), sep="  ", flush=True)
        asked.output.write_text(json.dumps(found, indent=1) + "\n")
    draw(found, asked.output.with_suffix(".png"))


if __name__ == "__main__":
    main()
