"""What training on many GPUs should take: arithmetic on what memory.py measured of each preset.

    python benchmarks/memory.py training --preset small paper -o memory.json
    python benchmarks/scaling.py memory.json [--tflops 100] [--pairs 32] [--link 200] [--network 20]

A step computes (FLOPs of a pair × pairs a GPU ÷ what a GPU achieves) and then averages its gradients in a ring, in
which each of n processes sends and receives 2 (n - 1) / n times their bytes, over the slowest link on the way. Nothing
is counted as overlapped, though DDP overlaps most of it: so these are the least shares of n-fold speed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def share(compute: float, gradients: float, processes: int, link: float) -> float:
    """Return the share of n-fold speed: seconds of compute, bytes of gradients, and bytes a second of the link."""
    ring = 2 * (processes - 1) / processes * gradients / link
    return compute / (compute + ring)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path)
    parser.add_argument("--tflops", type=float, default=100, help="that a GPU achieves in these nets")
    parser.add_argument("--pairs", type=int, default=32, help="of a GPU's part of a batch")
    parser.add_argument("--link", type=float, default=200, help="GB/s between the GPUs of a machine")
    parser.add_argument("--network", type=float, default=20, help="GB/s between machines")
    asked = parser.parse_args()
    print("| preset | GFLOP a pair | gradient MB a step | ms of compute | 8 GPUs | 4 × 8 |\n|" + "---|" * 6)
    for row in json.loads(asked.measured.read_text())["training"]:
        flops, gradients = 1e9 * row["GFLOP a pair"], 1e6 * row["gradient MB a step"]
        compute = asked.pairs * flops / (1e12 * asked.tflops)
        one = share(compute, gradients, 8, 1e9 * asked.link)
        many = share(compute, gradients, 32, 1e9 * asked.network)
        print(
            f"| {row['of']} | {flops / 1e9:.3g} | {gradients / 1e6:.3g} | {1e3 * compute:.2g} | "
            f"{one:.0%}, ×{8 * one:.1f} | {many:.0%}, ×{32 * many:.1f} |"
        )


if __name__ == "__main__":
    main()
