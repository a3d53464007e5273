"""Retrieval by expression, where the right neighbours are known."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import average_precision_score

from mien.data.dataset import open_data
from mien.errors import InputError
from mien.evaluate.protocols.retrieval import (
    average_precision,
    by_retrieval,
    query_figures,
    ranking,
    retrieval_table,
    spaces,
)
from mien.labels import CLASSES
from mien.models.contract import Embedding, Prediction

WORDS = ("happiness", "anger", "surprise")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """4 people: red is the person, green the class, blue the style and intensity."""
    folder = tmp_path_factory.mktemp("faces")
    rows = ["file_name,subject,expression,intensity,expr_id"]
    for person in range(4):
        for k, word in enumerate(WORDS):
            for v, intensity in ((0, 0.5), (1, 1.0)):
                image = np.zeros((8, 8, 3), np.uint8)
                image[...] = 60 * person, 20 * k, 100 * v
                name = f"p{person}_{word}_{v}.png"
                Image.fromarray(image).save(folder / name)
                rows.append(f"{name},p{person},{word},{intensity},{word}_v{v}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    return open_data(folder, 8)


class Seer(torch.nn.Module):
    """Its code is class and style, in pixels' green and blue; its class is green alone."""

    def embed(self, face):
        mean = (face.mean((2, 3)) + 1) * 127.5
        return Embedding(torch.stack([mean[:, 1] * 5, mean[:, 2] / 10], 1), mean[:, :1])

    def recognize(self, face):
        k = ((face.mean((2, 3))[:, 1] + 1) * 127.5 / 20).round().long()
        numbers = torch.tensor([CLASSES.index(w) for w in WORDS])
        return Prediction(torch.nn.functional.one_hot(numbers[k], len(CLASSES)).float())


def test_rankings_are_by_distance_and_of_other_people():
    places, person = np.array([[0.0], [0.1], [2.0], [3.0], [2.5]]), np.array([0, 0, 1, 1, 2])
    order = ranking(places, person)
    assert order[0].tolist() == [2, 4, 3, -1, -1]
    assert order[2].tolist() == [4, 1, 0, -1, -1]
    assert order[4].tolist()[:4] in ([2, 3, 1, 0], [3, 2, 1, 0])


def test_ties_come_in_an_order_that_only_the_seed_decides():
    places, person = np.zeros((30, 4)), np.arange(30)
    first = [tuple(ranking(places, person, seed)[0][:5]) for seed in range(5)]
    assert len(set(first)) > 1
    assert first[0] == tuple(ranking(places, person, 0)[0][:5])
    values = np.random.default_rng(0).normal(size=(40, 300)).astype(np.float32)
    twins = np.concatenate([values, values])  # every place twice, so that a twin is nearest and the rest tie in pairs
    assert (ranking(twins, np.arange(80))[:, 0] == np.roll(np.arange(80), 40)).all()


def test_average_precision_is_scikit_learns():
    rng = np.random.default_rng(1)
    for _ in range(20):
        relevant = rng.random(15) < 0.4
        if relevant.any():
            expected = average_precision_score(relevant, -np.arange(15.0))
            assert average_precision(relevant) == pytest.approx(expected)
    assert np.isnan(average_precision(np.zeros(4, dtype=bool)))


def test_each_space_finds_what_it_holds(data, tmp_path):
    table, _ = by_retrieval(Seer(), "seer", data, tmp_path, WORDS, top=2, draws=200)
    overall = table.xs("all", level="expression")
    assert (
        overall.loc["c", "mAP"] == 1 and overall.loc["c", "style@1"] == 1 and overall.loc["c", "intensity gap@1"] == 0
    )
    assert overall.loc["y", "mAP"] == 1 and 0.2 < overall.loc["y", "style@1"] < 0.8  # the class, in any style
    assert overall.loc["x", "mAP"] < 1 and overall.loc["x", "style@1"] == 1  # blue outweighs green
    assert set(table.index) == {(s, w) for s in ("c", "y", "x") for w in ("all", *WORDS)}
    record = json.loads((tmp_path / "retrieval.json").read_text())
    assert [row["answer"] for row in record["results"]] == ["by c", "by y", "by x"] and record["queries"] == len(data)
    assert record["judge"] is None and record["labels"] == "unknown" and len(record["data"]["sha256"]) == 64
    for row in record["results"]:
        for name, value in overall.loc[row["answer"][-1]].items():  # the mean that pandas takes
            assert row[name]["value"] == pytest.approx(value)
            assert row[name]["low"] - 1e-9 <= value <= row[name]["high"] + 1e-9
        for word in WORDS:
            assert row[f"mAP_{word}"]["value"] == pytest.approx(table.loc[(row["answer"][-1], word), "mAP"])
    picture = Image.open(tmp_path / "retrieval.png")
    assert picture.width > 7 * 96 and (tmp_path / "retrieval.csv").read_text().count("\n") == 13


def test_precision_counts_the_first_few(data):
    person = data.manifest.subject
    found = spaces(Seer(), data)
    assert found["c"].shape == (24, 2) and found["y"].shape == (24, 8) and found["x"].shape == (24, 192)
    figures = query_figures(data, {"y": ranking(found["y"], person)})
    assert (figures["precision@5"] == 1).all()  # 6 others show the class
    assert figures["precision@10"].tolist() == pytest.approx([0.6] * 24)
    table = retrieval_table(figures)
    assert table.loc[("y", "all"), "precision@10"] == pytest.approx(0.6)


def test_what_cannot_be_retrieved_is_one_clear_line(data, tmp_path):
    with pytest.raises(InputError, match="nobody shows fear"):
        by_retrieval(Seer(), "seer", data, tmp_path, ("fear",))
    with pytest.raises(InputError, match="two people"):
        by_retrieval(Seer(), "seer", data.select(data.manifest.subject == 0), tmp_path, WORDS)
    with pytest.raises(InputError, match="cannot embed"):
        by_retrieval(torch.nn.Identity(), "blind", data, tmp_path, WORDS)
