"""An ONNX graph as OpenVINO's own form (IR): a net in .xml and its weights, half floats, in .bin."""

from __future__ import annotations

from pathlib import Path

from mien.errors import missing


def converted(path: Path) -> Path:
    """Return the .xml that is written in place of an ONNX graph. Raises InputError where OpenVINO is missing."""
    try:
        import openvino
    except ImportError as error:
        raise missing("--to openvino", error) from error
    target = path.with_suffix(".xml")
    model = openvino.convert_model(path)
    openvino.save_model(model, target, compress_to_fp16=True)
    path.unlink()
    return target
