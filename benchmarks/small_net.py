"""Writes a small net for ONNX Runtime, its weights as half floats, which are computed with as floats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn


def export(net: nn.Module, example: torch.Tensor, path: Path, varies: dict[int, str]) -> None:
    """Write a net of one input, like the example, and one output; the input's axes in `varies` may have any length."""
    torch.onnx.export(
        net.eval(), (example,), str(path), input_names=["seen"], output_names=["said"], dynamo=False, opset_version=17,
        dynamic_axes={"seen": varies},
    )  # fmt: skip
    model = onnx.load(str(path))
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 8:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
            casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
