"""Codes that are swapped, where pictures are flat colours and it is known what each code holds."""

import json

import pytest
import torch

from mien.errors import InputError
from mien.evaluate.evaluators.networks import NetEvaluator
from mien.evaluate.protocols.disentanglement import TRUE, by_disentanglement
from mien.models.contract import Embedding
from mien.models.io import save_model
from mien.models.registry import create
from tests.cli.test_cli import run
from tests.evaluate.test_comparison import PEOPLE, SIZE, Copier, Reader, data, ready  # noqa: F401
from tests.helpers.tiny import TINY


class Swapper(Copier):
    """Knows its codes: red is the person, green the expression."""

    def transfer(self, face, like):
        return torch.stack([face[:, 0], like[:, 1], face[:, 2]], 1)

    def embed(self, face):
        angle = face[:, 0].mean((1, 2)) * 1.5
        return Embedding(Reader().stripes(face), torch.stack([angle.cos(), angle.sin()], 1))


class Leaky(Swapper):
    """Its expression code tells the person, too."""

    def embed(self, face):
        codes = super().embed(face)
        return Embedding(torch.cat([codes.expression, 10 * codes.identity], 1), codes.identity)


def test_swaps_show_what_comes_with_which_code(data, tmp_path):  # noqa: F811
    found, m = {}, data.manifest
    for model in (Swapper, Copier, Leaky):
        table, figures = by_disentanglement(model(), "it", Reader(), data, tmp_path / model.__name__, draws=20)
        found[model] = {name: f.value for name, f in figures["it", "model's picture"].items()}
        true = table.set_index(["code", "probe"]).accuracy
        for (code, what), value in true.items():
            assert figures["it", TRUE][f"{what}_from_{code}"].value == pytest.approx(value)
    right = {"expression": 1, "expression_kept": 0, "rank_1": 1, "rank_1_example": 0}
    assert found[Swapper].items() >= right.items() and found[Swapper]["icc"] > 0.999
    assert found[Copier].items() >= (right | {"rank_1": 0, "rank_1_example": 1}).items()
    for model, person in ((Swapper, 1), (Copier, 0)):
        assert found[model]["expression_from_expression"] > 0.95
        assert found[model]["person_from_identity"] == pytest.approx(person, abs=0.25)
    assert found[Swapper]["person_from_expression"] < 0.4 < 0.7 < found[Leaky]["person_from_expression"]
    given = {answer: f for (model, answer), f in figures.items() if model == "—"}
    assert given["face unchanged"]["rank_1"].value == given["example copied"]["rank_1_example"].value == 1
    assert given["face unchanged"]["expression_kept"].value == given["example copied"]["expression"].value == 1
    record = json.loads((tmp_path / "Leaky" / "disentanglement.json").read_text())
    assert record["trials"]["count"] == len(m) - PEOPLE and len(record["results"]) == 5
    assert record["chance"]["person"] == pytest.approx(1 / PEOPLE)
    with pytest.raises(InputError, match=r"\(encoder differ\)"):
        by_disentanglement(Leaky(), "it", Reader(), data, tmp_path / "Leaky")  # of other weights


def test_a_second_run_looks_at_nothing_anew(data, tmp_path):  # noqa: F811
    class Counting(NetEvaluator):
        shown = 0

        def read(self, pictures):
            Counting.shown += len(pictures)
            return super().read(pictures)

    asked = (Swapper(), "it", Counting(Reader()), data, tmp_path)
    by_disentanglement(*asked, draws=5)
    first, record = Counting.shown, (tmp_path / "disentanglement.json").read_bytes()
    by_disentanglement(*asked, draws=5)
    assert Counting.shown == first + PEOPLE  # the gallery alone
    assert first == 2 * PEOPLE + 4 * (len(data) - PEOPLE) - PEOPLE
    assert (tmp_path / "disentanglement.json").read_bytes() == record


def test_a_model_that_cannot_transfer_is_probed_alone(data, tmp_path):  # noqa: F811
    judge = create("judge", **TINY["judge"]).eval()
    table, figures = by_disentanglement(judge, "judge", Reader(), data, tmp_path, draws=5)
    assert list(figures) == [("judge", TRUE)] and len(table) == 4
    assert {p.name for p in tmp_path.iterdir()} == {
        "disentanglement.csv",
        "disentanglement.json",
        "probes.csv",
        "tsne.png",
    }


@pytest.mark.parametrize(
    ("verb", "options", "shows"),
    [
        ("disentanglement", (), ("rank_1_example", "person_from_identity")),
        ("intensity", (), ("spearman", "change pasted")),
        ("frechet", (), ("unchanged",)),
        ("retrieval", (), ("by c", "mAP")),
        ("augmentation", ("--count", 0, "--count", 2, "--steps", 2), ("2 a class", "gain")),
    ],
)
def test_each_leaves_a_record_of_one_form(verb, options, shows, data, tmp_path, capsys):  # noqa: F811
    save_model(ready("ter_gan"), tmp_path / "model.safetensors")
    words = ["evaluate", verb, "--data", data.manifest.folder, "--model", tmp_path / "model.safetensors"]
    code, out, _ = run(capsys, *words, *options, "-o", tmp_path / "out")
    assert code == 0 and all(word in out for word in (*shows, f"{verb}.json"))
    record = json.loads((tmp_path / "out" / f"{verb}.json").read_text())
    shared = {"protocol", "labels", "data", "judge", "judge_sha256", "models", "settings", "results"}
    assert record.keys() >= shared | {"interval", "draws", "versions"} and record["protocol"] == verb
    assert record["labels"] == "unknown" and (record["judge"] == "judge") == (verb not in ("retrieval", "augmentation"))
    assert record["data"]["people"] == 4 and list(record["models"]) == ["ter_gan"]
    for row in record["results"]:
        figures = [value for name, value in row.items() if name not in ("model", "answer")]
        assert figures and all(figure.keys() == {"value", "low", "high"} for figure in figures)
