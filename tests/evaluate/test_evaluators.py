"""Evaluators from outside: what they say is carried over rightly, what is missing is one clear line."""

import csv
import json
import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import softmax
from skimage.transform import SimilarityTransform

from mien.data.images import resize_square
from mien.data.manifest import read_manifest
from mien.errors import InputError
from mien.evaluate.evaluators import onnx as onnx_evaluator
from mien.evaluate.evaluators.base import NeedsToolRun, Reading, all_read, must_measure
from mien.evaluate.evaluators.independence import dependence, labelled_by
from mien.evaluate.evaluators.mediapipe import BlendshapeEvaluator
from mien.evaluate.evaluators.networks import NetEvaluator, as_evaluator
from mien.evaluate.evaluators.onnx import as_probabilities, prepared
from mien.evaluate.evaluators.onnx_description import ARCFACE, read_description
from mien.evaluate.evaluators.registry import find_evaluator
from mien.evaluate.evaluators.tables import TOOLS, TableEvaluator, open_pyfeat, picture_name
from mien.evaluate.protocols.intensity import measured_intensity, sweep
from mien.faces.align import align
from mien.faces.landmarks import five_points
from mien.labels import AUS, BLENDSHAPES, CLASSES
from mien.models.io import save_model
from mien.models.registry import create
from tests.evaluate.test_comparison import Copier, Reader, data  # noqa: F401
from tests.helpers.tiny import TINY

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 256, 256, 3), np.uint8)


def column(unit):
    return AUS.index(unit)


def test_our_net_says_what_it_says(tmp_path):
    torch.manual_seed(0)
    net = create("judge", **TINY["judge"]).eval()
    evaluator, faces = as_evaluator(net), PICTURES[:, :32, :32]
    found = evaluator.read(faces)
    x = torch.from_numpy(faces).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.inference_mode():
        np.testing.assert_allclose(found.aus, net.estimate_aus(x), atol=1e-5)
        np.testing.assert_allclose(found.identity, net.embed(x).identity, atol=1e-5)
        assert found.classes.tolist() == net.recognize(x).probabilities.argmax(1).tolist()
    assert as_evaluator(evaluator) is evaluator and evaluator.size == 32 and found.gaze is None
    save_model(net, tmp_path / "mine.safetensors")
    np.testing.assert_allclose(find_evaluator(str(tmp_path / "mine.safetensors")).read(faces).aus, found.aus, atol=1e-5)
    assert find_evaluator("judge").name == find_evaluator("evaluator").name == "evaluator"


def test_what_an_evaluator_cannot_say_is_told(tmp_path):
    evaluator = TableEvaluator(tmp_path / "of.csv", TOOLS["openface"])
    with pytest.raises(InputError, match="OpenFace measures aus, gaze, but identity is needed here"):
        must_measure(evaluator, "identity")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("onnx:no.onnx", "no.onnx: there is no such file"),
        ("mediapipe:no.task", "no.task: there is no such file"),
        ("openface:", "names no file"),
        ("horoscope:stars.csv", "expected weights of mien, onnx:FILE"),
        ("no_net", "no weights named"),
    ],
)
def test_words_that_name_nobody(words, says):
    with pytest.raises(InputError, match=says) as error:
        find_evaluator(words)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("words", "package"), [("mediapipe:a.task", "mediapipe"), ("pyfeat", "feat"), ("onnx:a.onnx", "onnxruntime")]
)
def test_a_missing_package_is_named(words, package, tmp_path, monkeypatch):
    (tmp_path / "a.task").touch()
    (tmp_path / "a.onnx").touch()
    (tmp_path / "a.json").write_text(json.dumps({"size": 8, "outputs": {"id": {"kind": "identity"}}}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=r"needs the package .*: pip install"):
        find_evaluator(words)


def write_table(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_openface_is_asked_in_two_steps(tmp_path):
    table = tmp_path / "of.csv"
    evaluator = find_evaluator(f"openface:{table}")
    with pytest.raises(NeedsToolRun, match=r"of\.csv: lacks pictures.*of_pictures.*FeatureExtraction"):
        evaluator.read(PICTURES)
    written = sorted((tmp_path / "of_pictures").iterdir())
    assert len(written) == 3 and {p.suffix for p in written} == {".png"}
    by_name = {picture_name(p): p for p in PICTURES}
    for path in written:
        np.testing.assert_array_equal(np.asarray(Image.open(path)), by_name[path.name])
    rows = [  # OpenFace numbers the folder's files, writes blanks after commas, angles in radians
        {"frame": k + 1, " confidence": 0.9, " success": int(k != 2), " AU01_r": k, " AU12_r": 5.4, " AU45_r": 3,
         " gaze_angle_x": 0.5, " gaze_angle_y": -0.1} for k in range(3)
    ]  # fmt: skip
    write_table(table, rows)
    found = find_evaluator(f"openface:{table}").read(PICTURES)
    order = [written.index(tmp_path / "of_pictures" / picture_name(p)) for p in PICTURES]
    for k, place in enumerate(order):
        if place == 2:
            assert np.isnan(found.aus[k]).all() and np.isnan(found.gaze[k]).all()
            continue
        assert found.aus[k, column(1)] == place and found.aus[k, column(12)] == 5
        assert found.aus[k, column(43)] == 3 and np.isnan(found.aus[k, column(16)])  # 45, the blink, is our 43
        np.testing.assert_allclose(found.gaze[k], [28.6479, 5.7296], atol=1e-3)
    assert found.classes is None and found.identity is None
    with pytest.raises(NeedsToolRun):
        find_evaluator(f"openface:{table}").read(255 - PICTURES)
    with pytest.raises(InputError, match=r"numbers 3 pictures, but .*of_pictures holds 6"):  # numbers have shifted
        find_evaluator(f"openface:{table}")


def test_pyfeat_table_and_pyfeat_itself(tmp_path, monkeypatch):
    table = tmp_path / "feat.csv"
    rows = [
        {"input": f"C:\\faces\\{picture_name(p)}", "AU01": 0.2 * k, "AU12": "", "anger": 0.1, "happiness": 0.7}
        for k, p in enumerate(PICTURES)
    ]
    write_table(table, [*rows, {**rows[0], "AU01": 0.9}])  # a second face in the first picture
    found = TableEvaluator(table, TOOLS["pyfeat"]).read(PICTURES[::-1])
    np.testing.assert_allclose(found.aus[:, column(1)], [2, 1, 0])
    assert np.isnan(found.aus[:, column(12)]).all() and found.classes.tolist() == [CLASSES.index("happiness")] * 3

    class Detector:
        def detect(self, files, data_type):
            assert data_type == "image" and all(Image.open(f).size == (256, 256) for f in files)
            faces = [{"input": f, "AU04": np.asarray(Image.open(f))[0, 0, 0] / 255} for f in files[:2]]
            return SimpleNamespace(to_csv=lambda path: write_table(path, faces))

    module = ModuleType("feat")
    module.Detector = Detector
    monkeypatch.setitem(sys.modules, "feat", module)
    live = open_pyfeat().read(PICTURES)
    np.testing.assert_allclose(live.aus[:2, column(4)], 5.0 * PICTURES[:2, 0, 0, 0] / 255)
    assert np.isnan(live.aus[2]).all()  # no face was found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "has no column AU12_r"),
        ("AU12_r\n1\n", "does not name the pictures"),
        ("frame,AU12_r\n7,1\n", "numbers 1 pictures, but .*t_pictures holds 0; run the tool on all of them"),
        ("file_name,AU12_r\na.png,much\n", "AU12_r is 'much'; expected a number"),
        (b"\xff\xfe\x00", "is no table of OpenFace"),
        ("", "is no table of OpenFace"),
    ],
)
def test_tables_that_are_none(text, says, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=says) as error:
        find_evaluator(f"openface:{path}")
    assert "t.csv" in str(error.value) and "\n" not in str(error.value)


@dataclass
class Category:
    category_name: str
    score: float


def test_mediapipe_blendshapes_become_action_units():
    said = [Category("mouthSmileLeft", 0.2), Category("mouthSmileRight", 0.6), Category("jawOpen", 0.5)]
    said += [
        Category(s, 0.0) for shapes in BLENDSHAPES.values() for s in shapes if s not in {c.category_name for c in said}
    ]
    answers = iter([[said], []])
    landmarker = SimpleNamespace(detect=lambda image: SimpleNamespace(face_blendshapes=next(answers)))
    seen = []
    evaluator = BlendshapeEvaluator(landmarker, lambda picture: seen.append(picture))
    found = evaluator.read(PICTURES[:2]).aus
    assert found[0, column(12)] == pytest.approx(3.0) and found[0, column(26)] == pytest.approx(2.5)
    assert found[0, column(1)] == 0 and np.isnan(found[0, [column(23), column(25)]]).all()
    assert np.isnan(found[1]).all() and np.array_equal(seen[1], PICTURES[1])
    assert set(BLENDSHAPES) <= set(AUS)


DESCRIPTION = {
    "name": "tiny", "size": 16, "colour": "bgr", "mean": [0.5, 0.4, 0.3], "std": [0.5, 0.25, 0.2],
    "outputs": {
        "units": {"kind": "aus", "order": [12, 4], "top": 1},
        "words": {"kind": "classes", "order": ["happiness", "neutral"]},
        "who": {"kind": "identity"},
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"size": "big"}, "size is missing or wrong; expected 8 to 2048 pixels"),
        ({"colour": "grey"}, "colour .* rgb or bgr"),
        ({"std": [1, 0, 1]}, "std .* three numbers"),
        ({"outputs": {}}, "outputs .* an entry for each output"),
        ({"outputs": {"x": {"kind": "mood"}}}, r"outputs\.x\.kind .* aus, classes"),
        ({"outputs": {"x": {"kind": "aus", "order": [3]}}}, r"outputs\.x\.order"),
    ],
)
def test_descriptions_that_are_wrong(change, says, tmp_path):
    path = tmp_path / "net.json"
    path.write_text(json.dumps(DESCRIPTION | change))
    with pytest.raises(InputError, match=says):
        read_description(path)


def test_an_onnx_net_needs_its_description(tmp_path):
    (tmp_path / "net.onnx").touch()
    with pytest.raises(InputError, match=r"net\.json: there is no such file; the net needs a description"):
        find_evaluator(f"onnx:{tmp_path / 'net.onnx'}")
    (tmp_path / "net.json").write_text("{")
    with pytest.raises(InputError, match=r"net\.json: cannot be read as JSON"):
        find_evaluator(f"onnx:{tmp_path / 'net.onnx'}")


def write_net(path):
    """Write a net whose outputs are the input's channel means, in three arrangements."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    h, info = onnx.helper, onnx.TensorProto
    nodes = [
        h.make_node("GlobalAveragePool", ["face"], ["pool"]),
        h.make_node("Flatten", ["pool"], ["who"]),
        h.make_node("Slice", ["who", "zero", "two", "one"], ["units"]),
        h.make_node("Neg", ["units"], ["words"]),
    ]
    numbers = [h.make_tensor(n, info.INT64, [1], [v]) for n, v in (("zero", 0), ("two", 2), ("one", 1))]
    made = [h.make_tensor_value_info(n, info.FLOAT, ["n", c]) for n, c in (("units", 2), ("words", 2), ("who", 3))]
    graph = h.make_graph(nodes, "tiny", [h.make_tensor_value_info("face", info.FLOAT, ["n", 3, 16, 16])], made, numbers)
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 13)], ir_version=8), str(path))


def test_an_onnx_net_is_fed_and_read_as_described(tmp_path):
    path = tmp_path / "net.onnx"
    write_net(path)
    path.with_suffix(".json").write_text(json.dumps(DESCRIPTION))
    evaluator = find_evaluator(f"onnx:{path}")
    faces = PICTURES[:, :16, :16]
    found = evaluator.read(faces)
    bgr = faces[..., ::-1].astype(float).mean((1, 2)) / 255
    raw = (bgr - [0.5, 0.4, 0.3]) / [0.5, 0.25, 0.2]
    np.testing.assert_allclose(found.identity, raw, atol=1e-5)
    np.testing.assert_allclose(found.aus[:, [column(12), column(4)]], np.clip(5 * raw[:, :2], 0, 5), atol=1e-4)
    assert np.isnan(found.aus).sum() == 3 * (len(AUS) - 2) and (evaluator.name, evaluator.size) == ("tiny", 16)
    assert found.classes.tolist() == [CLASSES.index(("happiness", "neutral")[k]) for k in (-raw[:, :2]).argmax(1)]
    wrong = DESCRIPTION | {"outputs": {"words": {"kind": "classes", "order": ["fear"]}}}
    path.with_suffix(".json").write_text(json.dumps(wrong))
    with pytest.raises(InputError, match="output words has 2 columns; its description names 1"):
        find_evaluator(f"onnx:{path}").read(faces)
    path.with_suffix(".json").write_text(json.dumps(DESCRIPTION | {"outputs": {"mood": {"kind": "identity"}}}))
    with pytest.raises(InputError, match="has no output 'mood'; it has units, words, who"):
        find_evaluator(f"onnx:{path}")
    path.write_bytes(b"no net")
    with pytest.raises(InputError, match="is no ONNX net"):
        find_evaluator(f"onnx:{path}")


def test_pixels_are_arranged_as_described(tmp_path):
    path = tmp_path / "net.json"
    path.write_text(json.dumps(DESCRIPTION | {"layout": "nhwc", "colour": "rgb"}))
    x = prepared(PICTURES[:, :16, :16], read_description(path))
    assert x.shape == (3, 16, 16, 3) and x.dtype == np.float32
    assert x[0, 2, 3, 1] == pytest.approx((PICTURES[0, 2, 3, 1] / 255 - 0.4) / 0.25, abs=1e-5)


def test_everything_is_handed_over_before_anything_fails():
    seen = []

    def lacking(name):
        seen.append(name)
        raise NeedsToolRun(f"lacks {name}")

    with pytest.raises(NeedsToolRun, match="lacks c"):
        all_read({"a": lambda: lacking("a"), "b": lambda: 1, "c": lambda: lacking("c")})
    assert seen == ["a", "c"] and all_read({"a": lambda: 1, "b": lambda: 2}, seen.append) == {"a": 1, "b": 2}
    assert seen[2:] == ["a", "b"]  # each is reported


def test_who_labelled_and_who_measured(edit_rows):
    manifest = read_manifest(edit_rows(lambda rows: [row.update(source="OpenFace 2.2") for row in rows]))
    assert labelled_by(manifest) == "OpenFace 2.2"
    openface = TableEvaluator(manifest.folder / "none.csv", TOOLS["openface"])
    assert "OpenFace measures, and the labels come from OpenFace 2.2" in dependence(openface, manifest)[0]
    net = create("judge", **TINY["judge"])
    assert dependence(as_evaluator(net), manifest) == []
    assert "measures a model of its own kind" in dependence(as_evaluator(net), manifest, [net])[0]


def test_an_evaluator_of_few_units_still_measures_intensity(data):  # noqa: F811
    class Few:
        name, size, measures = "few", 32, ("aus",)

        def mark(self):
            return ""

        def read(self, pictures):
            aus = NetEvaluator(Reader()).read(pictures).aus
            aus[:, column(2) :] = np.nan  # knows AU1 alone, which shows anger here
            return Reading(aus=aus)

    swept = sweep(Copier(), Few(), data, np.array([0.0, 1.0]), answer="generated")
    anger = swept[swept.expression == "anger"]
    assert anger[anger.asked == 1].measured.mean() == pytest.approx(1, abs=0.02)
    assert swept[swept.expression == "fear"].measured.isna().all()
    np.testing.assert_allclose(measured_intensity(np.array([[1.0, np.nan]]), np.array([2.0, 3.0])), [0.5])


def test_fitted_shrinks_by_area_and_grows_smoothly():
    small = resize_square(PICTURES[0], 64)
    np.testing.assert_allclose(small, PICTURES[0].reshape(64, 4, 64, 4, 3).mean((1, 3)), atol=0.51)
    assert resize_square(small, 100).shape == (100, 100, 3)


def net_of(path, batch, size=16):
    """Write a net whose classes are the mean colour, which takes `batch` pictures."""
    onnx = pytest.importorskip("onnx")
    text = (
        f'<ir_version: 8, opset_import: ["": 13]> g (float[{batch},3,{size},{size}] x) => (float[{batch},3] y) '
        "{ p = GlobalAveragePool(x) y = Flatten(p) }"
    )
    onnx.save(onnx.parser.parse_model(text), path)
    about = {"size": 16, "outputs": {"y": {"kind": "classes", "order": ["neutral", "happiness", "anger"]}}}
    path.with_suffix(".json").write_text(json.dumps(about))
    return path


@pytest.mark.parametrize("batch", ["N", 1, 4])
def test_a_net_is_asked_for_as_many_pictures_as_it_takes(batch, tmp_path):
    pytest.importorskip("onnxruntime")
    pictures = np.zeros((7, 16, 16, 3), np.uint8)
    strongest = np.array([0, 1, 2, 2, 1, 0, 1])
    pictures[np.arange(7), :, :, strongest] = 200
    found = find_evaluator(f"onnx:{net_of(tmp_path / 'net.onnx', batch)}").read(pictures)
    order = np.array([CLASSES.index(word) for word in ("neutral", "happiness", "anger")])
    assert found.classes.tolist() == order[strongest].tolist()


@pytest.mark.parametrize(("batch", "size"), [("N", 32), (1, 8), (100_000, 16)])
def test_a_net_of_another_size_is_refused_when_it_is_opened(batch, size, tmp_path):
    pytest.importorskip("onnxruntime")
    with pytest.raises(InputError, match=r"net\.onnx: takes "):
        find_evaluator(f"onnx:{net_of(tmp_path / 'net.onnx', batch, size)}")


def write_embedder(path, layout, size, outputs=1):
    """Write a net whose identity is the picture's pixels themselves."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    h, info = onnx.helper, onnx.TensorProto
    shape = ["n", 3, size, size] if layout == "nchw" else ["n", size, size, 3]
    names = [f"out{k}" for k in range(outputs)]
    nodes = [h.make_node("Flatten", ["face"], [name]) for name in names]
    made = [h.make_tensor_value_info(name, info.FLOAT, ["n", 3 * size * size]) for name in names]
    graph = h.make_graph(nodes, "tiny", [h.make_tensor_value_info("face", info.FLOAT, shape)], made)
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 13)], ir_version=8), str(path))


@pytest.mark.parametrize(
    ("like", "size", "layout", "colour", "scaled"),
    [
        ("arcface", 112, "nchw", "rgb", lambda v: (v - 127.5) / 127.5),
        ("arcface_bytes", 112, "nchw", "rgb", lambda v: v),
        ("adaface", 112, "nchw", "bgr", lambda v: (v / 255 - 0.5) / 0.5),
        ("magface", 112, "nchw", "bgr", lambda v: v / 255),
        ("facenet", 160, "nchw", "rgb", lambda v: (v - 127.5) / 128),
        ("facenet_keras", 160, "nhwc", "rgb", lambda v: (v - v.mean()) / max(v.std(), 1 / np.sqrt(v.size))),
    ],
)
def test_usual_embedders_are_fed_as_they_want(like, size, layout, colour, scaled, tmp_path, monkeypatch):
    """A word describes the input; the five points of a face lie where the net wants them."""
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[30] = (90, 100), (165, 106), (126, 150)
    points[48], points[54] = (95, 190), (158, 194)
    monkeypatch.setattr(onnx_evaluator, "_own_points", lambda: lambda crops: np.tile(points, (len(crops), 1, 1)))
    path = tmp_path / "who.onnx"
    write_embedder(path, layout, size)
    path.with_suffix(".json").write_text(json.dumps({"like": like}))
    evaluator = find_evaluator(f"onnx:{path}")
    assert (evaluator.size, evaluator.measures, evaluator.about.size) == (256, ("identity",), size)
    picture = np.asarray(Image.fromarray(PICTURES[0, :24, :24]).resize((256, 256), Image.Resampling.BICUBIC))
    found = evaluator.read(picture[None]).identity[0]
    fitted = SimilarityTransform.from_estimate(five_points(points), size / 112 * np.array(ARCFACE))
    cut = align(picture, fitted.params[:2], size).astype(float)
    cut = cut[..., ::-1] if colour == "bgr" else cut
    expected = scaled(cut).transpose(2, 0, 1) if layout == "nchw" else scaled(cut)
    np.testing.assert_allclose(found, expected.ravel(), atol=1e-4, rtol=1e-4)


def test_words_for_inputs_can_be_overridden_and_must_fit(tmp_path):
    path = tmp_path / "who.onnx"
    write_embedder(path, "nchw", 64, outputs=2)
    about = {"like": "arcface", "size": 64, "align": [[20, 22], [44, 22], [32, 34], [23, 46], [41, 46]]}
    path.with_suffix(".json").write_text(json.dumps(about))
    with pytest.raises(InputError, match=r"has outputs out0, out1; name in who\.json which is the identity"):
        find_evaluator(f"onnx:{path}")
    path.with_suffix(".json").write_text(json.dumps(about | {"outputs": {"out1": {"kind": "identity"}}}))
    evaluator = find_evaluator(f"onnx:{path}")  # our own landmarks find the points
    assert evaluator.about.points[2] == (32, 34) and evaluator.about.size == 64 and evaluator.about.mean == (0.5,) * 3
    assert evaluator.read(PICTURES[:2]).identity.shape == (2, 3 * 64 * 64)
    for change, says in (
        ({"like": "eyes"}, "like is missing or wrong; expected one of arcface, "),
        ({"align": "eyes"}, "align is missing or wrong; expected none, arcface, or five points"),
        ({"align": [[1, 1]] * 5}, "align is missing or wrong"),
        ({"whiten": 1}, "whiten is missing or wrong; expected true or false"),
        ({"outputs": {}}, "outputs is missing or wrong"),
    ):
        path.with_suffix(".json").write_text(json.dumps(about | change))
        with pytest.raises(InputError, match=says):
            read_description(path.with_suffix(".json"))


def test_scores_become_probabilities():
    logits = np.random.default_rng(0).normal(size=(4, 3))
    np.testing.assert_allclose(as_probabilities(logits), softmax(logits, axis=1))
    np.testing.assert_allclose(as_probabilities(softmax(logits, axis=1)), softmax(logits, axis=1))


def test_sides_and_probabilities_of_outside_tools(tmp_path):
    said = [Category("eyeBlinkLeft", 0.9), Category("eyeBlinkRight", 0.1), Category("jawOpen", 0.5)]
    landmarker = SimpleNamespace(detect=lambda image: SimpleNamespace(face_blendshapes=[said]))
    found = BlendshapeEvaluator(landmarker, lambda picture: picture).read(PICTURES[:1])
    assert (found.left[0, column(43)], found.right[0, column(43)]) == pytest.approx((4.5, 0.5))
    assert found.left[0, column(26)] == found.right[0, column(26)] == found.aus[0, column(26)] == 2.5
    table = tmp_path / "feat.csv"
    write_table(table, [{"input": picture_name(PICTURES[0]), "AU12": 0.1, "anger": 0.25, "happiness": 0.75}])
    given = TableEvaluator(table, TOOLS["pyfeat"]).read(PICTURES[:1]).probabilities[0]
    assert given[CLASSES.index("happiness")] == 0.75 and given[CLASSES.index("anger")] == 0.25 and given.sum() == 1
