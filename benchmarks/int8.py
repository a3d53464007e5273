"""What int8 costs and brings: a model's `read` and `move` quantised by ONNX Runtime, beside floats.

    python benchmarks/int8.py --data photofaces [--faces 24] [-o int8.json]

Dynamic: weights in int8, activations quantised as they come. Static: both, calibrated on half of the faces (QDQ, a
scale a channel). Differences are on the other half, people marked test; milliseconds are of processor time, one thread,
medians of turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

from mien.data.images import read_image
from mien.data.manifest import read_manifest
from mien.runtime.description import Description, find_description
from mien.runtime.exported import prepared
from mien.runtime.onnx import OnnxRunner

Inputs = dict[str, np.ndarray]


class Fed(CalibrationDataReader):
    """Gives inputs one after the other, as the calibration asks for them."""

    def __init__(self, inputs: list[Inputs]):
        self.left = iter(inputs)

    def get_next(self) -> Inputs | None:
        """Return the next one, None after the last."""
        return next(self.left, None)


def plain(about: Description, use: str, folder: Path) -> Path:
    """Write a graph with its weights in it, in float32, as the quantiser wants them."""
    proto = onnx.load(str(about.folder / about.facts["graphs"][use]["file"]))
    held = {tensor.name: tensor for tensor in proto.graph.initializer}
    casts = [node for node in proto.graph.node if node.op_type == "Cast" and node.input[0] in held]
    for node in casts:
        half = held[node.input[0]]
        proto.graph.initializer.append(
            numpy_helper.from_array(numpy_helper.to_array(half).astype(np.float32), node.output[0])
        )
        proto.graph.initializer.remove(half)
        proto.graph.node.remove(node)
    path = folder / f"{use}.onnx"
    onnx.save(proto, str(path))
    return path


def opened(path: Path) -> Callable[[Inputs], dict[str, np.ndarray]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    takes = {place.name for place in session.get_inputs()}
    names = [place.name for place in session.get_outputs()]
    return lambda inputs: dict(
        zip(names, session.run(None, {k: x for k, x in inputs.items() if k in takes}), strict=True)
    )


def inputs_of(about: Description, faces: np.ndarray) -> Iterator[tuple[Inputs, Inputs]]:
    """Yield of each face what `read` takes, and what `move` does of a smile or of shut eyes."""
    run, sees = OnnxRunner(about, "cpu").run, about.outputs("see")
    for k, face in enumerate(faces):
        one = {"face": prepared(face[None])}
        seen = one | dict(zip(sees, run("see", one, sees), strict=True))
        wanted = seen["known"].copy()
        for unit in ((8, 4), (20,))[k % 2]:  # 12 and 6; 43
            wanted[:, [unit, unit + 21]] = 0.8
        yield one, seen | {"asked": wanted, "wanted": wanted}


def differences(use: str, want: list[Inputs], found: list[Inputs]) -> dict[str, float]:
    if use == "read":
        off = np.abs([f["units"] - w["units"] for f, w in zip(found, want, strict=True)])
        same = np.mean(
            [f["probabilities"].argmax() == w["probabilities"].argmax() for f, w in zip(found, want, strict=True)]
        )
        return {
            "units off, mean": float(np.nanmean(off)),
            "units off, most": float(np.nanmax(off)),
            "same word": float(same),
        }
    off = 127.5 * np.abs([f["picture"] - w["picture"] for f, w in zip(found, want, strict=True)])
    return {"levels off, mean": float(off.mean()), "levels off, most": float(off.max())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="fields")
    parser.add_argument("--faces", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("-o", "--output", type=Path, default=Path("int8.json"))
    asked = parser.parse_args()
    about, labels = find_description(asked.model, "onnx"), read_manifest(asked.data)
    assert about, f"{asked.model}: export it first"
    rows = np.random.default_rng(0).permutation(np.flatnonzero(labels.test))[: asked.faces]
    faces = np.stack([read_image(labels.path(int(k)), int(about.facts["size"])) for k in rows])
    both, table = list(inputs_of(about, faces)), []
    with tempfile.TemporaryDirectory() as name:
        for place, use in enumerate(("read", "move")):
            given = [pair[place] for pair in both]
            learn, judge = given[::2], given[1::2]
            path = plain(about, use, Path(name))
            forms = {"float32": path}
            for form in ("dynamic", "static"):
                forms[form] = path.with_name(f"{use}.{form}.onnx")
            quantize_dynamic(path, forms["dynamic"], weight_type=QuantType.QUInt8)
            takes = {i.name for i in onnx.load(str(path), load_external_data=False).graph.input}
            fed = Fed([{k: x for k, x in one.items() if k in takes} for one in learn])
            quantize_static(path, forms["static"], fed, quant_format=QuantFormat.QDQ, per_channel=True)
            runs = {form: opened(at) for form, at in forms.items()}
            made = {form: [run(one) for one in judge] for form, run in runs.items()}
            took: dict[str, list[float]] = {form: [] for form in runs}
            for _ in range(asked.rounds):
                for form, run in runs.items():
                    begun = time.process_time()
                    run(judge[0])
                    took[form].append(1e3 * (time.process_time() - begun))
            for form in runs:
                row = {"use": use, "form": form, "MB": forms[form].stat().st_size / 1e6}
                row |= {"ms": statistics.median(took[form]), **differences(use, made["float32"], made[form])}
                table.append(row)
                print("  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{v}" for k, v in row.items()), flush=True)
    asked.output.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
