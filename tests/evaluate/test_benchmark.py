"""The open benchmark: figures of a model whose answers are known, the same bytes twice, and others' figures beside."""

import base64
import io
import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

from mien.data.dataset import open_data
from mien.errors import InputError
from mien.evaluate.answers import TRUTH
from mien.evaluate.benchmark import part, sets
from mien.evaluate.benchmark import run as bench_module
from mien.evaluate.benchmark.page import TABLES, all_figures, by_answer
from mien.evaluate.benchmark.part import as_picture, as_text
from mien.evaluate.benchmark.record import read_record
from mien.evaluate.benchmark.run import TRIVIAL_MODEL, bench, bench_models
from mien.evaluate.benchmark.sets import marked_set, studio_set
from mien.evaluate.evaluators.networks import NetEvaluator
from mien.metrics.bootstrap import intervals
from mien.models.io import save_model
from mien.models.registry import create
from mien.nn.class_codes import ClassCodes
from tests.cli.test_cli import run
from tests.evaluate.test_comparison import Copier, Reader, data  # noqa: F401 - a fixture
from tests.helpers.tiny import TINY

FAMILIES = ("ter_gan", "eet")
TINY_STUDIO = {"people": 6, "per_person": 9, "size": 32, "jobs": 1}


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(part, "DRAWS", 20)


def tiny(name):
    torch.manual_seed(0)
    model = create(name, **TINY[name]).eval()
    for codes in model.modules():
        if isinstance(codes, ClassCodes):  # untrained, they know no class
            codes.total.normal_()
            codes.count.fill_(1)
    return model


@pytest.fixture(scope="module")
def models():
    return {name: tiny(name) for name in FAMILIES}


@pytest.fixture(scope="module")
def evaluator():
    return NetEvaluator(tiny("judge"), "tiny evaluator")


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    return studio_set(tmp_path_factory.mktemp("bench") / "studio", **TINY_STUDIO)


@pytest.fixture(scope="module")
def first(studio, models, evaluator, tmp_path_factory):
    """A finished benchmark, and what it returned."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part, "DRAWS", 20)
        return SimpleNamespace(folder=folder, record=bench([studio], models, evaluator, folder))


def figure(record, model, answer, metric, of=""):
    asked = {"model": model, "answer": answer, "metric": metric, "of": of}
    (found,) = [f for f in record["figures"] if all(f[key] == value for key, value in asked.items())]
    return found


@pytest.fixture(scope="module")
def copied(data, tmp_path_factory):  # noqa: F811
    """The benchmark of a model that copies the example, where pictures are flat colours that its evaluator reads."""
    folder, flat = tmp_path_factory.mktemp("copied"), marked_set(data.manifest.folder, data.size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part, "DRAWS", 20)
        record = bench([flat], {"copier": Copier()}, NetEvaluator(Reader(), "reader"), folder)
    return SimpleNamespace(folder=folder, flat=flat, record=record)


def test_figures_of_a_copier_are_those_of_a_copier(copied):
    flat, record = copied.flat, copied.record
    assert json.loads((copied.folder / "bench.json").read_text()) == record
    known = record["sets"][flat.name]
    assert (known["people"], known["pictures"], known["trials"]) == (4, 4 * 13, 4 * 12)
    for metric in ("expression", "rank_1", "tar"):
        truth = figure(record, TRIVIAL_MODEL, TRUTH, metric)
        assert truth["value"] == truth["low"] == truth["high"] == 1
    made = {m: figure(record, "copier", "generated", m)["value"] for m in ("expression", "rank_1", "icc")}
    assert made["expression"] == 1 and made["rank_1"] == 0 and made["icc"] > 0.99  # the expression, on the wrong person
    assert figure(record, "copier", "generated", "spearman")["value"] > 0.999
    assert figure(record, "copier", "generated", "gain")["value"] == pytest.approx(1, abs=0.01)
    assert figure(record, "copier", "generated", "gain", "fear")["value"] == pytest.approx(1, abs=0.01)
    assert figure(record, "copier", "", "recognize")["value"] == 1
    assert figure(record, "copier", "", "retrieval")["value"] == 1  # its code is the label
    near, far = (figure(record, "copier", answer, "frechet")["value"] for answer in ("composited", "face unchanged"))
    assert near < far / 5
    trivial = figure(record, TRIVIAL_MODEL, "example copied", "l1_face")["value"]
    assert figure(record, "copier", "generated", "l1_face")["value"] == pytest.approx(trivial, abs=0.002)


def test_nearness_is_of_strong_expressions_and_of_numpy(copied):
    flat, record = copied.flat, copied.record
    t, images = flat.trials, flat.data.images
    strong = np.flatnonzero(flat.data.manifest.intensity[t.truth] == 1)
    box = (slice(5, 30), slice(3, 29))  # the landmarks' own box, 4-27 by 6-28, and 0.15 of 5.1 pixels around
    gaps = [np.abs(images[int(t.face[k])].astype(float) - images[int(t.truth[k])])[box].mean() / 255 for k in strong]
    found = figure(record, TRIVIAL_MODEL, "face unchanged", "l1_face")
    assert found["value"] == pytest.approx(np.mean(gaps), abs=1e-3)
    assert found["low"] <= found["value"] <= found["high"]


def test_many_figures_have_the_intervals_of_each():
    x = np.random.default_rng(0).gamma(2.0, size=80)
    people = np.arange(80)
    both = intervals(lambda rows: {"mean": x[rows].mean(), "most": x[rows].max()}, people, seed=1)
    for name, figure in (("mean", np.mean), ("most", np.max)):
        assert both[name] == intervals(lambda rows, f=figure: {"it": f(x[rows])}, people, seed=1)["it"]
    theirs = stats.bootstrap((x,), np.mean, method="percentile", rng=np.random.default_rng(2)).confidence_interval
    np.testing.assert_allclose([both["mean"].low, both["mean"].high], theirs, atol=0.05)
    gaps = intervals(lambda rows: {"a": 1.0} | ({"b": 2.0} if len(set(rows)) == 3 else {}), np.arange(3), draws=50)
    assert gaps["b"].low == gaps["b"].high == 2  # draws in which it cannot be told are left out


def test_the_page_shows_every_model_and_its_pictures(first):
    page = (first.folder / "index.html").read_text()
    assert "<script" not in page and "http" not in page  # nothing to fetch
    for heading in TABLES:
        table = page.split(f"<h3>{heading}</h3>")[1].split("</table>")[0]
        heads = re.findall(r"<th[^>]*>([^<]*)</th>", table)
        assert set(FAMILIES) <= set(heads) and "answer" in heads
        assert (TRIVIAL_MODEL in heads) == (heading in ("Against the truth", "By the evaluator"))
    for name in ("studio_comparison.png", "studio_intensity.png"):
        assert f"pictures/{name}" in page
        with Image.open(first.folder / "pictures" / name) as picture:
            assert min(picture.size) > 128
    for text in (first.record["sets"]["studio"]["digest"], first.record["evaluator"]["fingerprint"], "tiny evaluator"):
        assert text in page
    times = json.loads((first.folder / "times.json").read_text())
    assert set(times["milliseconds"]) == set(FAMILIES)
    assert "milliseconds" not in (first.folder / "bench.json").read_text()


def test_killed_in_the_middle_it_goes_on_to_the_same_bytes(first, studio, models, evaluator, tmp_path, monkeypatch):
    done, real_model, real_trivial = [], bench_module.model_part, bench_module.trivial_part

    def killed_at_eet(model, *rest):
        if model is models["eet"]:
            raise KeyboardInterrupt
        return real_model(model, *rest)

    monkeypatch.setattr(bench_module, "model_part", killed_at_eet)
    with pytest.raises(KeyboardInterrupt):
        bench([studio], models, evaluator, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["parts"]
    monkeypatch.setattr(bench_module, "model_part", lambda model, *rest: done.append(model) or real_model(model, *rest))
    monkeypatch.setattr(bench_module, "trivial_part", lambda *rest: done.append("trivial") or real_trivial(*rest))
    bench([studio], models, evaluator, tmp_path)
    assert done == [models["eet"]]  # what was there is not computed again
    for name in ("bench.json", "pictures/studio_comparison.png", "pictures/studio_intensity.png"):
        assert (tmp_path / name).read_bytes() == (first.folder / name).read_bytes(), name
    (part,) = (tmp_path / "parts" / "studio").glob("trivial-*.json")
    part.unlink()
    bench([studio], models, evaluator, tmp_path)
    assert done[1:] == ["trivial"]
    assert (tmp_path / "bench.json").read_bytes() == (first.folder / "bench.json").read_bytes()


def test_the_digest_is_of_pictures_and_labels(studio, tmp_path):
    folder = studio.data.manifest.folder
    assert studio_set(folder, **TINY_STUDIO).digest == studio.digest
    other = shutil.copytree(folder, tmp_path / "other", ignore=shutil.ignore_patterns(".mien_cache"))
    same = sets.bench_set("studio", open_data(other, 32))
    assert same.digest == studio.digest  # wherever it lies
    name = same.data.manifest.files[-1]
    with Image.open(other / name) as picture:
        changed = np.asarray(picture).copy()
    changed[0, 0] ^= 255
    Image.fromarray(changed).save(other / name, quality=92)
    assert sets.bench_set("studio", open_data(other, 32)).digest != studio.digest
    shutil.copy(folder / name, other / name)
    table = (folder / "metadata.csv").read_text()
    (other / "metadata.csv").write_text(table.replace(",happiness,1.0,", ",happiness,0.9,", 1))
    assert (other / "metadata.csv").read_text() != table
    assert sets.bench_set("studio", open_data(other, 32)).digest != studio.digest


def test_another_author_stands_beside(first, studio, models, evaluator, tmp_path):
    theirs = json.loads((first.folder / "bench.json").read_text())
    theirs["models"] = {"<b>new</b>": theirs["models"]["eet"]}
    new = {"model": "<b>new</b>", "value": 0.4321, "low": None, "high": None}
    theirs["figures"] = [f | new for f in theirs["figures"] if f["model"] == "eet"]
    theirs["sets"]["elsewhere"] = theirs["sets"]["studio"] | {"digest": "0" * 64}  # a set that is not ours is no matter
    path = tmp_path / "them.json"
    path.write_text(json.dumps(theirs))
    folder = shutil.copytree(first.folder, tmp_path / "mine")
    bench([studio], models, evaluator, folder, against=[path])
    page = (folder / "index.html").read_text()
    assert "them: &lt;b&gt;new&lt;/b&gt;" in page and "<b>" not in page and "0.432" in page
    assert (folder / "bench.json").read_bytes() == (first.folder / "bench.json").read_bytes()  # ours alone
    table = by_answer(all_figures(first.record, {"them": theirs}), ["icc"])
    assert table.loc[("them: <b>new</b>", "composited"), "icc"] == "0.432"
    with pytest.raises(InputError, match="second named them"):
        bench([studio], models, evaluator, folder, against=[path, tmp_path / "them.json"])


def change(record, *path, to):
    *way, last = path
    for step in way:
        record = record[step]
    if to is None:
        del record[last]
    else:
        record[last] = to


@pytest.mark.parametrize(
    ("path", "to", "said"),
    [
        (("sets", "studio", "digest"), "f" * 64, "its set studio has the digest ffffffffffff, here .*other pictures"),
        (("evaluator", "fingerprint"), "", "no fingerprint.*take the same --evaluator"),
        (("schema",), 3, "has schema 3, expected 2"),
        (("models",), None, "models is missing"),
        (("models", "eet", "parameters"), "many", "models.eet.parameters is 'many', no whole number"),
        (("figures", 3, "value"), "0.5", r"figures\[3\].value is '0.5', no finite number or null"),
        (("figures", 0, "value"), float("nan"), r"figures\[0\].value is 'nan'"),
        (("figures", 0, "of"), None, r"figures\[0\].of is missing"),
        (("figures",), {}, "figures is no list"),
        (("figures", 0, "set"), "moon", "set it does not describe .moon"),
        (("sets",), {}, "does not describe"),
        (("sets", "studio"), [], "sets.studio is no object"),
    ],
)  # fmt: skip
def test_what_does_not_stand_beside_is_refused_in_one_line(first, tmp_path, path, to, said):
    record = json.loads((first.folder / "bench.json").read_text())
    change(record, *path, to=to)
    file = tmp_path / "bench.json"
    file.write_text(json.dumps(record))
    with pytest.raises(InputError, match=said) as refused:
        read_record(file, first.record)
    assert str(refused.value).startswith(str(file)) and "\n" not in str(refused.value)


def test_files_that_are_no_record_are_refused(first, tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_record(tmp_path / "none.json", first.record)
    for text, said in (("{", "as JSON"), ("[]", "has schema None"), ("\xff", "is not UTF-8")):
        (tmp_path / "bad.json").write_bytes(text.encode("latin-1"))
        with pytest.raises(InputError, match=said):
            read_record(tmp_path / "bad.json", first.record)


def test_a_kept_picture_comes_through_the_door_of_pictures(tmp_path):
    assert np.array_equal(
        as_picture(as_text(np.eye(8, dtype=np.uint8)[..., None].repeat(3, 2)), tmp_path)[..., 0], np.eye(8)
    )
    huge = io.BytesIO()
    Image.new("1", (9000, 9000)).save(huge, "PNG")
    for text in (
        "no base64!",
        "AAAA",
        "",
        as_text(np.zeros((8, 8, 3), np.uint8))[:40],
        base64.b64encode(huge.getvalue()).decode(),
    ):
        with pytest.raises(InputError, match=str(tmp_path)):
            as_picture(text, tmp_path)


def test_sets_that_cannot_be_measured_are_refused(studio, models, evaluator, faces_folder, edit_rows, tmp_path):
    with pytest.raises(InputError, match="--people 3: expected 4 or more"):
        studio_set(tmp_path / "few", people=3)
    assert not (tmp_path / "few").exists()
    with pytest.raises(InputError, match="no row is marked test=1"):
        marked_set(faces_folder)
    edit_rows(lambda rows: [row.update(test="1") for row in rows])
    with pytest.raises(InputError, match=r"geometry.npz: missing"):
        marked_set(faces_folder)
    with pytest.raises(InputError, match="two data sets are named"):
        bench([studio, studio], models, evaluator, tmp_path / "twice")
    assert not (tmp_path / "twice").exists()


def test_a_model_that_cannot_be_measured_is_named(copied, tmp_path):
    untrained = create("ter_gan", **TINY["ter_gan"]).eval()
    with pytest.raises(InputError, match=f"^{copied.flat.name}: mine: this model never saw"):
        bench([copied.flat], {"mine": untrained}, NetEvaluator(Reader(), "reader"), tmp_path)


def test_models_are_named_as_their_runs(tmp_path):
    save_model(tiny("ter_gan"), tmp_path / "mine" / "model.safetensors")
    save_model(tiny("ter_gan"), tmp_path / "eet.safetensors")
    save_model(tiny("judge"), tmp_path / "reader.safetensors")
    found = bench_models([str(tmp_path / "mine")])
    assert {"ter_gan", "rel_gan", "expr_gan", "jesrl", "eet", "mine"} <= set(found) and "judge" not in found
    with pytest.raises(InputError, match="second model named eet"):
        bench_models([str(tmp_path / "eet.safetensors")])
    with pytest.raises(InputError, match="evaluator cannot transfer"):
        bench_models([str(tmp_path / "reader.safetensors")])


def test_the_verb(studio, data, tmp_path, monkeypatch, capsys):  # noqa: F811
    save_model(tiny("judge"), tmp_path / "judge.safetensors")
    monkeypatch.setattr(sets, "studio_set", lambda folder, people, tell: studio)
    monkeypatch.setattr(bench_module, "bench_models", lambda added: {"copier": Copier()})
    words = ["bench", tmp_path / "out", "--evaluator", tmp_path / "judge.safetensors"]
    code, out, err = run(capsys, *words, "--data", data.manifest.folder)
    assert code == 0, err
    assert "copier" in out and "index.html" in out
    record = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert list(record["sets"]) == ["studio", data.manifest.folder.name]
    code, _, err = run(capsys, *words, "--against", tmp_path / "nothing.json")
    assert code == 2 and err.count("\n") == 1 and "nothing.json" in err
