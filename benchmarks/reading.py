"""Milliseconds to read a face, on one core: of weights, paired with others in the same run.

    python benchmarks/reading.py [--model fields] [--against runs/before] [--against-source OTHER/src] [--crops 1]

Each of both reads in a process of its own, and they take turns, so that whatever else the machine does slows both.
Printed are medians and the median ratio of the rounds, with its 95 % interval. --against-source is the `src` of another
version of mien, for weights that this one does not load.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

SRC = Path(__file__).parent.parent / "src"


def read_on_demand(weights: str, crops: int) -> None:
    """Say "ready", then for every line that comes read some crops, and print the milliseconds of one."""
    import cv2
    import torch

    from mien.errors import InputError
    from mien.runtime.open import open_engine

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        engine = open_engine(weights)
        engine.require("estimate_aus")
    except InputError as error:
        sys.exit(f"{error}")
    faces = np.random.default_rng(0).integers(0, 256, (crops, engine.size, engine.size, 3), np.uint8)
    for _ in range(5):
        engine.units_of(faces)
    print("ready", flush=True)
    for _ in sys.stdin:
        begun = time.perf_counter()
        engine.units_of(faces)
        print(1000 * (time.perf_counter() - begun) / crops, flush=True)


class Worker:
    """A process that reads when it is asked to."""

    def __init__(self, weights: str, source: Path, crops: int):
        words = [sys.executable, __file__, "--worker", "--model", weights, "--crops", str(crops)]
        one_core = {"PYTHONPATH": str(source.resolve()), "OMP_NUM_THREADS": "1"}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env={**os.environ, **one_core})
        if self._line() != "ready":
            sys.exit(f"{weights}: does not read here; see above")

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def milliseconds(self) -> float:
        """Return how long one crop takes now."""
        assert self.process.stdin is not None
        self.process.stdin.write("read\n")
        self.process.stdin.flush()
        return float(self._line())

    def end(self) -> None:
        """Let it go."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def interval(values: np.ndarray) -> str:
    """Return a median with the 95 % percentile bootstrap interval over rounds."""
    rng = np.random.default_rng(0)
    low, high = np.quantile(np.median(rng.choice(values, (2000, len(values))), axis=1), [0.025, 0.975])
    return f"{np.median(values):.2f} [{low:.2f}, {high:.2f}]"


def main() -> None:
    """Time one reader, or two in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="fields")
    parser.add_argument("--against")
    parser.add_argument("--against-source", type=Path, default=SRC)
    parser.add_argument("--crops", type=int, default=1, help="read at once")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        read_on_demand(asked.model, asked.crops)
        return
    workers = [Worker(asked.model, SRC, asked.crops)]
    if asked.against:
        workers.append(Worker(asked.against, asked.against_source, asked.crops))
    spent = np.array([[worker.milliseconds() for worker in workers] for _ in range(asked.rounds)])
    for name, ms in zip((asked.model, asked.against), spent.T, strict=False):
        print(f"{name}: {interval(ms)} ms a crop, {asked.crops} at once")
    if asked.against:
        print(f"{asked.model} / {asked.against}: {interval(spent[:, 0] / spent[:, 1])}")
    for worker in workers:
        worker.end()


if __name__ == "__main__":
    main()
