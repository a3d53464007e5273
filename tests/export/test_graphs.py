"""What is exported of every model does what the model does: the engine of graphs beside the engine of PyTorch.

The graphs are run by torch itself, so that this is of their functions; tests/runtime/test_exported.py runs real ones.
"""

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from mien.controls import Controls
from mien.errors import InputError
from mien.export.exporting import checked_faces, facts_of
from mien.export.graphs import graphs_of
from mien.faces.morph import Maps
from mien.models.io import load
from mien.runtime.description import Description
from mien.runtime.exported import ExportedEngine
from mien.runtime.pytorch import PytorchEngine
from mien.weights.resolve import ZOO


class ByTorch:
    """Runs the functions of graphs as they are."""

    def __init__(self, graphs):
        self.graphs = graphs

    def run(self, graph, inputs, outputs):
        one = self.graphs[graph]
        with torch.inference_mode():
            found = one.net(*(torch.from_numpy(inputs[name]) for name in one.inputs))
        named = dict(zip(one.outputs, found, strict=True))
        return [named[name].float().numpy() for name in outputs]


def both_engines(name):
    model = load(name)
    facts = facts_of(model, ZOO / f"{name}.safetensors")
    graphs = {graph.name: graph for graph in graphs_of(model, checked_faces(model.config.image_size))}
    for graph in graphs.values():
        places = [{"name": n, "shape": list(x.shape)} for n, x in graph.inputs.items()]
        facts["graphs"][graph.name] = {
            "file": "",
            "inputs": places,
            "outputs": [{"name": n, "shape": []} for n in graph.outputs],
        }
    exported = ExportedEngine(Description(ZOO, "onnx", facts), ByTorch(graphs))
    return PytorchEngine(model), exported


@pytest.fixture(scope="module", params=["fields", "ter_gan", "rel_gan", "expr_gan", "jesrl", "eet"])
def engines(request):
    return both_engines(request.param)


def crops_of(engine):
    faces = checked_faces(engine.size)
    return ((faces.permute(0, 2, 3, 1) + 1) * 127.5).round().byte().numpy()


def requests(engine, crops):
    """Return what the model can be asked for, of many ways."""
    asked = [
        Controls("happiness"), Controls("anger", 0.4), Controls("neutral"), Controls(like=crops[1]),
        Controls(like=crops[2], intensity=0.3), Controls(aus={12: 3}), Controls(aus={12: 4, 4: 2}, intensity=0.5),
        Controls("wink"), Controls(aus={"12L": 3}, gaze=(10, -4)), Controls(roll=-7), Controls("fear", turn=(6, 3)),
        Controls(like=crops[1], only=("mouth",)), Controls("surprise", roll=5),
    ]  # fmt: skip
    return [one for one in asked if set(one.kinds) <= set(engine.edits_by)]


def arrays(change):
    return (change.flow, change.shade, change.alpha, change.paint) if isinstance(change, Maps) else (change,)


def test_changes_are_the_same(engines):
    torchs = engines[0]
    crops = crops_of(torchs)
    asked = requests(torchs, crops)
    assert len(asked) >= 5
    for transfers in (False, True):
        for one in asked if not transfers else [one for one in asked if one.like is not None]:
            want, found = (engine.change(crops[0], one, transfers) for engine in engines)
            for a, b in zip(arrays(want), arrays(found), strict=True):
                assert a.shape == b.shape and b.dtype == np.float32
                np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-3 if isinstance(want, Maps) else 0.05)
            a, b = (engine.picture(crops[0], one, transfers).astype(int) for engine in engines)
            assert np.abs(a - b).max() <= 1


def test_what_is_asked_on_top_is_the_same(engines):
    crops = crops_of(engines[0])
    sitters = [engine.sit(crops[0]) for engine in engines]
    for one in requests(engines[0], crops)[:3]:
        first = [sitter.asked(Controls("surprise", 0.5)) for sitter in sitters]
        want, found = (sitter.asked(one, after) for sitter, after in zip(sitters, first, strict=True))
        np.testing.assert_allclose(found, want, rtol=1e-3, atol=0.05 if want.ndim == 3 else 1e-5)
    want, found = (sitter.asked(None) for sitter in sitters)
    np.testing.assert_allclose(found, want, atol=1e-5)


def test_readings_are_the_same(engines):
    torchs, exported = engines
    crops = crops_of(torchs)
    for attribute in ("name", "size", "fingerprint", "paper", "abilities", "edits_by", "units"):
        assert getattr(torchs, attribute) == getattr(exported, attribute)
    uses = {"recognize": "probabilities", "estimate_aus": "units_of"}
    for ability, method in uses.items():
        if ability in torchs.abilities:
            want, found = (getattr(engine, method)(crops) for engine in engines)
            np.testing.assert_allclose(found, want, atol=1e-4)
    if "embed" in torchs.abilities:
        want, found = (engine.codes(crops) for engine in engines)
        for name in want:
            np.testing.assert_allclose(found[name], want[name], rtol=1e-3, atol=1e-4)
    if "read" in torchs.abilities:
        want, found = (engine.readings(crops) for engine in engines)
        for field in ("left", "right", "yaw", "pitch", "gaze"):
            np.testing.assert_allclose(getattr(found, field), getattr(want, field), atol=1e-3)


def test_what_a_model_cannot_do_is_said_alike(engines):
    for controls in (Controls(aus={12: 3}), Controls(gaze=(5, 0)), Controls(roll=4)):
        if not set(controls.kinds) <= set(engines[0].edits_by):
            said = []
            for engine in engines:
                with pytest.raises(InputError) as error:
                    engine.require_edit(controls)
                said.append(str(error.value).partition(";")[0])
            assert said[0] == said[1]
    for ability in ("generate", "find_points", "read"):
        if ability not in engines[0].abilities:
            said = []
            for engine in engines:
                with pytest.raises(InputError) as error:
                    engine.require(ability)
                said.append(str(error.value).partition(";")[0])
            assert said[0] == said[1]


def test_new_people_come_by_number_and_class():
    _, exported = both_engines("expr_gan")
    made = exported.generate(3, "happiness", seed=1)
    assert made.shape == (3, exported.size, exported.size, 3) and made.dtype == np.uint8
    np.testing.assert_array_equal(made, exported.generate(3, "happiness", seed=1))
    assert (made != exported.generate(3, "happiness", seed=2)).any()
    with pytest.raises(InputError, match="expression 'glee' is not known"):
        exported.generate(1, "glee")


def test_photographs_to_check_on_are_real_faces(tmp_path):
    from PIL import Image

    assert len(checked_faces(64)) == 4
    Image.fromarray(astronaut()).save(tmp_path / "a.png")
    assert checked_faces(64, [tmp_path / "a.png"]).shape == (2, 3, 64, 64)
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(tmp_path / "b.png")
    with pytest.raises(InputError, match="no face was found to check on"):
        checked_faces(64, [tmp_path / "b.png"])


def test_fields_in_one_graph_edit_and_transfer_as_the_model_does():
    model = load("fields")
    faces = checked_faces(model.config.image_size)
    graphs = {graph.name: graph for graph in graphs_of(model, faces)}
    like = graphs["transfer"].inputs["like"]
    with torch.inference_mode():
        for k in range(len(faces)):
            want = model.transfer(faces[k : k + 1], like[k : k + 1])
            (found,) = graphs["transfer"].net(faces[k : k + 1], like[k : k + 1])
            torch.testing.assert_close(found, want, atol=1e-4, rtol=0)
        seen = model.see(faces[:1])
        wanted = model.asked(seen, Controls("surprise"))
        (found,) = graphs["edit"].net(faces[:1], wanted[:, :-1])
        torch.testing.assert_close(found, model.edit(faces[:1], Controls("surprise")), atol=1e-4, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "uses"), [("jesrl", {"read", "transfer"}), ("eet", {"read"})])  # which once took two
def test_graphs_take_any_number_of_faces(name, uses):
    """What asks for `len(tensor)` would have it fixed; exporting refuses that of every graph."""
    model, batch = load(name), torch.export.Dim("batch")
    graphs = [graph for graph in graphs_of(model, checked_faces(model.config.image_size)) if graph.name in uses]
    assert {graph.name for graph in graphs} == uses
    for graph in graphs:
        examples = tuple(x[:2].contiguous() for x in graph.inputs.values())
        shapes = {"inputs": tuple({0: batch} for _ in examples)}
        with torch.no_grad():
            torch.export.export(graph.net.eval(), examples, dynamic_shapes=shapes)
