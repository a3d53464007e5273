"""A graph without what only other outputs need: against ONNX's own checker and ONNX Runtime."""

from itertools import pairwise

import numpy as np
import pytest

from mien.runtime.pruned import pruned

onnx = pytest.importorskip("onnx", reason="onnx is missing: pip install 'mien[onnx]'")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402


def model(*more: onnx.NodeProto) -> bytes:
    """x -> double (2 x), sum (2 x + 3), far: the sum, squared nine times."""
    nodes = [helper.make_node("Mul", ["x", "two"], ["double"]), helper.make_node("Add", ["double", "three"], ["sum"])]
    names = ["sum", *(f"far{k}" for k in range(8)), "far"]
    nodes += [helper.make_node("Mul", [a, a], [b]) for a, b in pairwise(names)]
    places = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("x", "double", "sum", "far")]
    constants = [numpy_helper.from_array(np.float32([v]), name) for v, name in ((2, "two"), (3, "three"))]
    graph = helper.make_graph([*nodes, *more], "g", places[:1], places[1:], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString()


@pytest.mark.parametrize(("outputs", "nodes"), [(["double"], 1), (["sum"], 2), (["sum", "double"], 2)])
def test_what_is_not_needed_goes(outputs, nodes):
    made = onnx.load_model_from_string(pruned(model(), outputs))
    onnx.checker.check_model(made)
    assert len(made.graph.node) == nodes and {place.name for place in made.graph.output} == set(outputs)
    runtime = pytest.importorskip("onnxruntime")
    x = np.float32([1, -2])
    found = dict(zip(outputs, runtime.InferenceSession(made.SerializeToString()).run(outputs, {"x": x}), strict=True))
    for name, values in found.items():
        assert np.array_equal(values, {"double": 2 * x, "sum": 2 * x + 3}[name])


def test_where_nearly_all_is_needed_it_stays_as_it_is():
    assert pruned(model(), ["far"]) == model()
    branch = helper.make_graph([helper.make_node("Identity", ["far"], ["b"])], "b", [], [])
    branch.output.append(helper.make_tensor_value_info("b", TensorProto.FLOAT, ["n"]))
    yes = helper.make_node("Constant", [], ["yes"], value=numpy_helper.from_array(np.array(True)))
    either = helper.make_node("If", ["yes"], ["either"], then_branch=branch, else_branch=branch)
    assert pruned(with_graphs := model(yes, either), ["double"]) == with_graphs
