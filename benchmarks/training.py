"""Training speed: fp32 against bf16 + channels_last, and achieved FLOP/s against this machine's convolution ceiling.

    python benchmarks/training.py [--model ter_gan eet] [--preset small paper] [--precision 32-true] [--seconds 20]

Figures of one run belong together; quote ratios, not seconds. With one thread (OMP_NUM_THREADS=1) the processor's time
counts, so that others on the core do not.
"""

from __future__ import annotations

import argparse
import time
from itertools import product

import torch
from torch.utils.flop_counter import FlopCounterMode

from mien.data.batch import Batch, Faces, Motion
from mien.labels import AUS, POINTS
from mien.models.recipe import Stage
from mien.models.registry import create
from mien.training.settings import Settings
from mien.training.trainer import Trainer

clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
DTYPES = {"32-true": torch.float32, "bf16-mixed": torch.bfloat16}


def noise(batch: int, size: int, subjects: int) -> Batch:
    """A batch of noise with valid labels."""

    def faces() -> Faces:
        return Faces(
            torch.rand(batch, 3, size, size) * 2 - 1,
            torch.randint(0, subjects, (batch,)),
            torch.randint(0, 8, (batch,)),
            torch.rand(batch),
            *(torch.rand(batch, len(AUS)) for _ in range(3)),
            *(torch.zeros(batch) for _ in range(4)),
            torch.rand(batch, POINTS, 2),
        )

    truth = torch.rand(batch, 3, size, size) * 2 - 1
    grid = size // 4
    motion = Motion(torch.zeros(batch, 2, grid, grid), *(torch.ones(batch, 1, grid, grid) for _ in range(2)))
    return Batch(faces(), faces(), truth, torch.arange(batch) % 4 == 0, motion)


def ceiling(precision: torch.dtype, seconds: float = 3.0) -> float:
    """FLOP/s of the best of several large convolutions, forward and backward, channels_last."""
    best = 0.0
    for channels, side in ((128, 64), (256, 32), (512, 16)):
        x = torch.randn(16, channels, side, side).to(precision, memory_format=torch.channels_last).requires_grad_()
        w = torch.randn(channels, channels, 3, 3).to(precision, memory_format=torch.channels_last).requires_grad_()
        flops = 3 * 2 * 16 * side * side * channels * channels * 9
        gradient = torch.ones(16, channels, side, side, dtype=precision).to(memory_format=torch.channels_last)
        times = []
        begin = clock()
        while clock() - begin < seconds / 3 or len(times) < 3:
            start = clock()
            torch.nn.functional.conv2d(x, w, padding=1).backward(gradient)
            times.append(clock() - start)
        best = max(best, flops / min(times))
    return best


def step(trainer: Trainer, stage: Stage, batch: Batch) -> None:
    """All turns of a stage, each as often as the recipe has it."""
    trainer.step = trainer.step + 1
    for turn in stage.turns:
        if trainer.step % turn.every == 0:
            trainer.take(turn, batch)


def measure(name: str, preset: str, precision: str, channels_last: bool, seconds: float) -> tuple[float, float]:
    """Return training images (pairs) a second, and FLOP a pair, of a preset's longest stage."""
    torch.manual_seed(0)
    model = create(name, preset, subjects=240)
    batch = noise(min(model.config.batch_size, 32), model.config.image_size, 240)
    trainer = Trainer(model, Settings(precision=precision, accelerator="cpu"))
    if channels_last:
        batch = batch.to("cpu")
    else:
        model.to(memory_format=torch.contiguous_format)
    stage = max(trainer.stages, key=lambda s: s.steps)
    model.enter(stage.name)
    model.train()
    period = max(turn.every for turn in stage.turns)
    with FlopCounterMode(display=False) as counter:
        for _ in range(period):
            step(trainer, stage, batch)
    flops = counter.get_total_flops() / period / len(batch)
    times = []
    begin = clock()
    while clock() - begin < seconds or len(times) < 3:
        start = clock()
        for _ in range(period):
            step(trainer, stage, batch)
        times.append((clock() - start) / period)
    return len(batch) / sorted(times)[len(times) // 2], flops


def main() -> None:
    """Print a table a preset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["ter_gan", "rel_gan", "expr_gan", "jesrl", "eet"])
    parser.add_argument("--preset", nargs="+", default=["small"])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--precision", nargs="+", default=["32-true", "bf16-mixed"])
    arguments = parser.parse_args()
    print(f"threads {torch.get_num_threads()}")
    tops = {name: ceiling(DTYPES[name]) for name in arguments.precision}
    for precision, top in tops.items():
        print(f"convolution ceiling {precision}: {top / 1e9:.0f} GFLOP/s")
    for name, preset in product(arguments.model, arguments.preset):
        base = None
        for precision, last in (("32-true", False), ("32-true", True), ("bf16-mixed", True)):
            if precision not in tops:
                continue
            rate, flops = measure(name, preset, precision, last, arguments.seconds)
            base, top = base or rate, tops[precision]
            print(
                f"{name:8} {preset:6} {precision:10} {'channels_last' if last else 'contiguous':13} "
                f"{rate:7.1f} pairs/s {1e3 / rate:6.2f} ms/pair  x{rate / base:.2f}  "
                f"{rate * flops / 1e9:6.1f} GFLOP/s = {rate * flops / top:.1%} of ceiling"
            )


if __name__ == "__main__":
    main()
