"""CPU milliseconds a frame: clips edited and read, and where they go; paired with another version in the same run.

    python benchmarks/clips.py [--work edit read] [--frames 50] [--rounds 5] [--against-source OTHER/src] [--profile]

The clip is made of one public-domain photograph: 640×480, the face 130 pixels wide, drifting and nodding a little.
Each version works in a process of its own on one thread, and they take turns. Counted is the CPU time of the process,
which does not grow by what else the machine does (its caches do suffer). Printed are medians, frames a CPU-second, and
the median ratio of the rounds with its range. --profile prints where the time goes in this version.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SRC = Path(__file__).parent.parent / "src"
WIDTH, HEIGHT = 640, 480


def make_clip(path: Path, frames: int) -> None:
    import av
    import cv2
    from skimage.data import astronaut

    photo = cv2.resize(astronaut(), (820, 820), interpolation=cv2.INTER_CUBIC)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"crf": "18", "preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for k in range(frames):
            move = cv2.getRotationMatrix2D((360, 180), 4 * np.sin(k / 9), 1.0)
            move[:, 2] += (-40 + 30 * np.sin(k / 15), 60 + 12 * np.cos(k / 11))
            rgb = cv2.warpAffine(photo, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, "rgb24")))
        file.mux(stream.encode(None))


def work_of(kind: str, clip: Path, folder: Path):
    """Return what works through the clip once."""
    from mien.controls import Controls
    from mien.editing.clip import change_clip
    from mien.editing.editor import Editor
    from mien.recognition.clips import clip_rows

    editor = Editor()
    if kind == "edit":
        return lambda: change_clip(editor, clip, folder / "out.mp4", lambda _: Controls("happiness", 0.8))
    if kind == "all":
        return lambda: list(clip_rows(editor, clip, "all"))
    return lambda: list(clip_rows(editor, clip))


def serve(kind: str, clip: Path) -> None:
    """Say "ready", then for every line that comes work once, and print CPU and wall seconds."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        work = work_of(kind, clip, Path(folder))
        work()
        print("ready", flush=True)
        for _ in sys.stdin:
            cpu, wall = time.process_time(), time.perf_counter()
            work()
            print(json.dumps([time.process_time() - cpu, time.perf_counter() - wall]), flush=True)


class Worker:
    """A process that works when it is asked to."""

    def __init__(self, source: Path, kind: str, clip: Path):
        words = [sys.executable, __file__, "--serve", kind, "--clip", str(clip)]
        env = {**os.environ, "PYTHONPATH": str(source.resolve()), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        if (line := self.process.stdout.readline().strip()) != "ready":
            sys.exit(f"{source}: does not work here: {line}")

    def ask(self) -> list[float]:
        """Return the CPU and wall seconds of working once."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", nargs="+", choices=("edit", "read", "all"), default=["edit", "read"])
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--against-source", type=Path)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--clip", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        return serve(asked.serve, asked.clip)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        make_clip(clip, asked.frames)
        for kind in asked.work:
            profile(kind, clip, asked.frames) if asked.profile else compare(kind, clip, asked)


def profile(kind: str, clip: Path, frames: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work, watch = work_of(kind, clip, Path(folder)), cProfile.Profile(time.process_time)
        work()
        watch.runcall(work)
        print(f"{kind}: {frames} frames")
        pstats.Stats(watch).sort_stats("cumulative").print_stats("mien|av|cv2|torch", 45)


def compare(kind: str, clip: Path, asked: argparse.Namespace) -> None:
    sources = [SRC, *([asked.against_source] if asked.against_source else [])]
    workers = [Worker(source, kind, clip) for source in sources]
    seconds = np.array([[worker.ask() for worker in workers] for _ in range(asked.rounds)])  # (rounds, sources, 2)
    for source, spent in zip(sources, seconds.transpose(1, 0, 2), strict=True):
        cpu, wall = np.median(spent, 0) / asked.frames
        told = f"{1000 * cpu:.1f} CPU ms a frame, {1 / cpu:.1f} frames a CPU-second, {1 / wall:.1f} a second"
        print(f"{kind}: {told} ({source})")
    if len(workers) > 1:
        ratio = seconds[:, 1, 0] / seconds[:, 0, 0]
        print(f"{kind}: x{np.median(ratio):.2f} ({ratio.min():.2f} to {ratio.max():.2f}) in {asked.rounds} rounds")
    for worker in workers:
        worker.process.stdin.close()
        worker.process.wait()


if __name__ == "__main__":
    main()
