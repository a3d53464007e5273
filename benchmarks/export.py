"""Exported uses beside PyTorch, one face, one thread: python benchmarks/export.py [NAME ...] -o export.json.

A table of use × format: largest and mean difference on real faces, and medians of milliseconds, interleaved. NAME is
what `mien export` takes as exported: weights with their graphs beside them, by default what comes with the package.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported; ONNX Runtime and OpenVINO keep to it, too

import torch

from mien.export.exporting import checked_faces
from mien.export.graphs import graphs_of
from mien.export.parity import measured, worst
from mien.models.io import load
from mien.nn.blocks import folded
from mien.runtime.description import find_description
from mien.runtime.open import runner_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["fields", "landmarks", "evaluator"])
    parser.add_argument("-o", "--output", type=Path, default=Path("export.json"))
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    rows = [row for name in options.names for row in rows_of(name, options.repeats)]
    options.output.write_text(json.dumps(rows, indent=1) + "\n")
    print("| model | use | format | nearest to its bound | mean | largest | ms | ms of PyTorch |\n|" + "---|" * 8)
    for row in rows:
        off = f"{row['output']} ({row['unit']}) | {row['mean']:.1g} | {row['most']:.1g}"
        times = f"{row['ms']:.1f} | {row['torch_ms']:.1f}"
        print(f"| {row['model']} | `{row['use']}` | {row['format']} | {off} | {times} |")


def rows_of(name: str, repeats: int) -> list[dict[str, object]]:
    about, model = find_description(name, "onnx"), load(name)
    assert about, f"{name}: export it first"
    folded(model)
    rows: list[dict[str, object]] = []
    runners = {form: runner_of(about, backend=form) for form in ("onnx", "openvino")}
    for graph in graphs_of(model, checked_faces(int(model.config.image_size))):
        if graph.name not in about.facts["graphs"]:
            continue
        one = {key: values[:1] for key, values in graph.inputs.items()}
        arrays, net = {key: values.numpy() for key, values in one.items()}, graph.net.eval()
        calls: dict[str, Callable[[], object]] = {"torch": lambda net=net, one=one: net(*one.values())}
        for form, runner in runners.items():
            calls[form] = lambda run=runner.run, use=graph, x=arrays: run(use.name, x, use.outputs)
        with torch.inference_mode():
            found = {form: worst(measured(graph, runner)) for form, runner in runners.items()}
            times = timed(calls, repeats)
        for form in runners:
            row = {key: found[form][key] for key in ("output", "unit", "mean", "most")}
            about_it = {"model": name, "use": graph.name, "format": form}
            rows.append({**about_it, **row, "ms": times[form], "torch_ms": times["torch"]})
    return rows


def timed(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return medians in milliseconds of processor time: one after the other, again and again."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for k in range(repeats + 2):
        for name, call in calls.items():
            begin = time.process_time()
            call()
            if k >= 2:
                took[name].append(1e3 * (time.process_time() - begin))
    return {name: statistics.median(some) for name, some in took.items()}


if __name__ == "__main__":
    main()
