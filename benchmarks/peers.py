"""Beside what people would use instead: faces read and faces changed a CPU-second, memory, installed size, accuracy.

    python benchmarks/peers.py --data photofaces --task face_landmarker.task [--packages DIR] [-o peers.json]

Each contender works in a process of its own on one thread, and they take turns, so that whatever else the machine does
slows all; counted is the CPU time of the process. Those that read are given files of photographs, 640 × 480 with one
face, and find, align and read it: mien, MediaPipe's FaceLandmarker with blendshapes, and the package fer (its default
cascade). Those that change are given aligned crops: fields, TER-GAN, and generators of the shapes that were published
for StarGAN, GANimation and StarGAN v2 (untrained: their FLOPs and parameters are what counts here). Accuracy is of the
word on --faces pictures of people marked test in --data, on whose other people mien's reader learnt, so that it is at
home there; MediaPipe names no words. --packages is a folder with mediapipe or fer, where they are not installed; one
that is missing is left out and said so. Megabytes installed are of a package and all that it needs.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

READ, CHANGE = ("mien", "mediapipe", "fer"), ("fields", "ter_gan", "StarGAN", "GANimation", "StarGAN v2")
FER = {"angry": "anger", "happy": "happiness", "sad": "sadness"}  # and words that are the same


def reader(name: str, task: str) -> Callable[[str], str | None]:
    """Return what reads a file, and gives its word where it has one."""
    import cv2

    cv2.setNumThreads(1)
    if name == "mien":
        from mien.editing.editor import Editor
        from mien.recognition.read import find_rows

        editor = Editor()
        return lambda path: next((row.get("expression") for row in find_rows(editor, [path])), None)
    if name == "mediapipe":
        from mien.faces.mediapipe_task import open_task

        options = {"output_face_blendshapes": True, "num_faces": 1}
        landmarker, wrap = open_task(Path(task), "--task", **options)

        def shapes(path: str) -> None:
            landmarker.detect(wrap(cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)))

        return shapes
    from fer import FER as Fer

    detector = Fer()

    def word(path: str) -> str | None:
        found = detector.detect_emotions(cv2.imread(path))
        best = max(found[0]["emotions"].items(), key=lambda pair: pair[1])[0] if found else None
        return FER.get(best, {"fear": "fear", "surprise": "surprise", "disgust": "disgust"}.get(best, best))

    return word


def changer(name: str) -> tuple[Callable[[str], None], dict[str, Any]]:
    """Return what changes a crop, by ONNX Runtime where it is mien's, and what there is to know of it."""
    if name in ("fields", "ter_gan"):
        from mien.controls import Controls
        from mien.runtime.open import open_engine

        engine, asked = open_engine(name, backend="auto" if name == "fields" else "torch"), Controls("happiness", 0.8)
        crop = np.random.default_rng(0).integers(0, 256, (engine.size, engine.size, 3), np.uint8)

        def edit(path: str) -> None:
            engine.change(crop, asked)

        return edit, {"pixels": engine.size}
    import torch
    from published_shapes import SHAPES
    from torch.utils.flop_counter import FlopCounterMode

    torch.set_num_threads(1)
    make, given, side, length = SHAPES[name]
    net = make(*given).eval().to(memory_format=torch.channels_last)
    face, label = torch.rand(1, 3, side, side).to(memory_format=torch.channels_last), torch.rand(1, length)

    @torch.inference_mode()
    def change(path: str) -> None:
        net(face, label)

    with FlopCounterMode(display=False) as counter:
        change("")
    millions = sum(p.numel() for p in net.parameters()) / 1e6
    about = {"pixels": side, "millions of parameters": millions, "GFLOP": counter.get_total_flops() / 1e9}
    return change, about


def serve(name: str, task: str) -> None:
    """Say "ready" and what there is to know, then of every file that comes print milliseconds and its word."""
    about: dict[str, Any] = {}
    if name in READ:
        work: Callable[[str], Any] = reader(name, task)
    else:
        work, about = changer(name)
    print("\x1e" + json.dumps(about), flush=True)
    for line in sys.stdin:
        begun = time.process_time()
        word = work(line.strip())
        spent = 1e3 * (time.process_time() - begun)
        most = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
        print("\x1e" + json.dumps([spent, word, most]), flush=True)


class Worker:
    """A contender's process."""

    def __init__(self, name: str, asked: argparse.Namespace):
        words = [sys.executable, __file__, "--serve", name, "--task", asked.task]
        places = [str(Path(__file__).parent), *sys.path[1:], *(asked.packages or ())]
        one = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"), "1")
        one |= {"PYTHONPATH": os.pathsep.join(filter(None, places)), "TF_CPP_MIN_LOG_LEVEL": "3"}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **one}
        )
        self.about = self._told()

    def _told(self) -> Any:
        assert self.process.stdout
        for line in self.process.stdout:
            if "\x1e" in line:
                return json.loads(line.partition("\x1e")[2])
        return None  # it ended: not installed

    def __call__(self, path: str) -> tuple[float, str | None, float]:
        """Return the milliseconds that a file took, its word, and the megabytes at most so far."""
        assert self.process.stdin
        print(path, file=self.process.stdin, flush=True)
        return self._told()

    def end(self) -> None:
        """Let it go."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def installed(package: str, places: list[str]) -> float:
    """Return the megabytes of a package and of all that it needs, of those that are installed."""
    found: dict[str, int] = {}

    def add(name: str) -> None:
        key = re.sub("[-_.]+", "-", name).lower()
        about = next(iter(importlib.metadata.distributions(name=name, path=[*places, *sys.path])), None)
        if key in found or about is None:
            return
        files = (Path(str(about.locate_file(file))) for file in about.files or ())
        found[key] = sum(file.stat().st_size for file in files if file.is_file())
        for need in about.requires or ():
            if "extra ==" not in need:
                add(re.split("[ ;<>=!~\\[(]", need, maxsplit=1)[0])

    add(package)
    return sum(found.values()) / 1e6


def photographs(folder: Path) -> Iterator[str]:
    """Write photographs of 640 × 480 with one face, and yield their files."""
    import cv2
    from skimage.data import astronaut

    photo = cv2.resize(astronaut(), (820, 820), interpolation=cv2.INTER_CUBIC)
    for k in range(5):
        path = str(folder / f"{k}.jpg")
        cv2.imwrite(path, np.ascontiguousarray(np.roll(photo, 20 * k, 1)[:480, 60:700, ::-1]))
        yield path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=(*READ, *CHANGE), metavar="NAME", help=", ".join((*READ, *CHANGE)))
    parser.add_argument("--data", type=Path, help="a data set, for accuracy")
    parser.add_argument("--faces", type=int, default=60)
    parser.add_argument("--task", default="face_landmarker.task", help="MediaPipe's model")
    parser.add_argument("--packages", nargs="*", help="folders with packages that are not installed")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("-o", "--output", type=Path, default=Path("peers.json"))
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        return serve(asked.serve, asked.task)
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        files = list(photographs(Path(place)))
        for names in (READ, CHANGE):
            workers = {name: Worker(name, asked) for name in names if name in asked.names}
            for name in [name for name, worker in workers.items() if worker.about is None]:
                workers.pop(name).end()
                print(f"{name}: not installed, or it does not open here", flush=True)
            told: dict[str, list[tuple[float, str | None, float]]] = {name: [] for name in workers}
            for k in range(asked.rounds + 1):  # the first warms up
                for name, worker in workers.items():
                    told[name].append(worker(files[k % len(files)]))
            for name, worker in workers.items():
                ms = statistics.median(spent for spent, *_ in told[name][1:])
                row = {"name": name, "ms": ms, "a CPU-second": 1e3 / ms, "MB": told[name][-1][2], **worker.about}
                if name in READ:
                    row["MB installed"] = installed(name, asked.packages or [])
                if name in ("mien", "fer") and asked.data:
                    row["accuracy"] = accuracy(worker, asked)
                found.append(row)
                print("  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{v}" for k, v in row.items()), flush=True)
                worker.end()
    asked.output.write_text(json.dumps(found, indent=1) + "\n")


def accuracy(worker: Worker, asked: argparse.Namespace) -> float:
    """Return how many of the faces are given their word, where a face that is not found is an error."""
    from mien.data.manifest import read_manifest
    from mien.labels import CLASSES

    labels = read_manifest(asked.data)
    clear = (labels.expression < len(CLASSES) - 1) & ~(labels.intensity < 0.9) | (labels.expression == 0)
    rows = np.random.default_rng(0).permutation(np.flatnonzero(labels.test & (labels.expression >= 0) & clear))
    rows = rows[: asked.faces]
    words = [worker(str(labels.path(int(k))))[1] for k in rows]
    return float(np.mean([word == CLASSES[labels.expression[k]] for word, k in zip(words, rows, strict=True)]))


if __name__ == "__main__":
    main()
