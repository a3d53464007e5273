"""A small net written as a graph whose weights stay in its file, run by both runtimes."""

import numpy as np
import onnx
import pytest
import torch

from mien.errors import InputError
from mien.export.exporting import export
from mien.export.graph import Graph
from mien.export.onnx import write_graph
from mien.export.openvino import converted
from mien.export.parity import measured
from mien.models.io import save_model
from mien.models.registry import create
from mien.runtime.open import open_engine
from tests.helpers.tiny import TINY


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("onnxscript", reason="onnxscript is not installed: pip install 'mien[export]'")
    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("export")
    save_model(create("landmarks", **TINY["landmarks"]).eval(), place / "small.safetensors")
    heard = []
    about = export(
        str(place / "small.safetensors"), place / "out", half=True, say=lambda name, rows: heard.append(name)
    )
    assert heard == ["points"] and about.facts["graphs"]["points"]["checked"][0]["most"] < 1e-3
    return place / "out"


@pytest.mark.slow
def test_an_exported_net_is_the_net(folder):
    one, other = (open_engine(str(folder / "small.safetensors"), backend=name) for name in ("torch", "onnx"))
    for count in (1, 3):
        crops = np.random.default_rng(count).integers(0, 256, (count, one.size, one.size, 3), np.uint8)
        np.testing.assert_allclose(other.points(crops), one.points(crops), atol=1e-4)
    assert one.fingerprint == other.fingerprint
    graph = onnx.load(folder / "small.points.onnx", load_external_data=False)
    assert [opset.version for opset in graph.opset_import] == [20]  # and no other's operations
    assert any(tensor.external_data for tensor in graph.graph.initializer)
    onnx.checker.check_model(str(folder / "small.points.onnx"))


@pytest.mark.slow
def test_openvino_has_a_form_of_its_own(folder, tmp_path):
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install 'mien[openvino]'")
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    written = converted(tmp_path / "small.points.onnx")
    assert written.suffix == ".xml" and written.with_suffix(".bin").is_file()
    assert not (tmp_path / "small.points.onnx").exists()
    openvino.Core().read_model(written)


class Off:
    """Gives what a graph gives, a little off."""

    def __init__(self, by):
        self.by = by

    def run(self, graph, inputs, outputs):
        return [self.by + inputs["face"].mean((1, 2, 3))[:, None]]


@pytest.mark.parametrize(("by", "good"), [(0.0, True), (0.005, True), (0.02, False)])
def test_units_may_be_off_by_a_hundredth(by, good):
    from mien.export.graph import Graph

    faces = torch.rand(2, 3, 8, 8)
    graph = Graph("read", torch.nn.Identity(), lambda x: (x.mean((1, 2, 3))[:, None],), {"face": faces}, ("units",))
    if good:
        assert measured(graph, Off(by))[0]["most"] == pytest.approx(by, abs=1e-6)
    else:
        with pytest.raises(InputError, match=r"read: units is 0\.02 action units 0-5 from PyTorch's"):
            measured(graph, Off(by))


def test_what_cannot_be_exported_is_one_line(tmp_path):
    with pytest.raises(InputError, match="--to tensorrt: choose onnx or openvino"):
        export("landmarks", tmp_path, "tensorrt")


@pytest.mark.slow
def test_a_graph_for_two_faces_alone_is_not_written(tmp_path):
    pytest.importorskip("onnxscript", reason="onnxscript is not installed: pip install 'mien[export]'")
    model = create("landmarks", **TINY["landmarks"]).eval()
    save_model(model, tmp_path / "small.safetensors")
    faces = torch.rand(2, 3, 32, 32)
    fixed = Graph("twice", model, lambda x: (x.repeat(len(x), 1, 1, 1),), {"face": faces}, ("faces",))
    with pytest.raises(InputError, match="twice: takes two faces at once and no other number"):
        write_graph(fixed, tmp_path / "small.twice.onnx", tmp_path / "small.safetensors")
    assert not (tmp_path / "small.twice.onnx").exists()
