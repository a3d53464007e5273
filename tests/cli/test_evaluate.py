"""The papers' protocols from end to end, in the words a user types, on trees laid out as the corpora are."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mien import cli
from mien.cli.evaluate.options import by_name
from mien.data.dataset import open_data
from mien.data.importers.disfa import FOLDS
from mien.evaluate.results import NOTE, RESULTS
from mien.labels import CLASSES
from mien.models.io import load, save_model
from mien.models.registry import create
from tests.conftest import draw_face
from tests.helpers.corpora import Corpus
from tests.helpers.tiny import TINY

SEVEN = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
CK48 = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
RAF = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
DISFA = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)


def mien(*words):
    """Run the shell's words, which must succeed."""
    with pytest.MonkeyPatch.context() as monkey:
        monkey.setattr(sys, "argv", ["mien", *map(str, words)])
        try:
            cli.main()
        except SystemExit as leave:
            assert not leave.code, words
    if words[0] == "evaluate" and "-o" in words:
        folder, kept = Path(words[words.index("-o") + 1]), {NOTE, "folds.json", "pace.json", "made_by.json"}
        written = json.loads((folder / NOTE).read_text())["written"][words[1]]
        assert {path.name for path in folder.iterdir() if path.is_file()} - kept == {*written} <= {*RESULTS[words[1]]}


def settings(family, **others):
    """Return --set words that make a model tiny."""
    tiny = {name: value for name, value in (TINY[family] | others).items() if name != "subjects"}
    return [word for name, value in tiny.items() for word in ("--set", f"{name}={value}")]


def face(person, word, size):
    """Somebody's face: skin says who, mouth and brows what."""
    skin = tuple(int(c) for c in np.random.default_rng(person).integers(90, 230, 3))
    return draw_face(skin, 3.0 * (word % 3), 2.0 * (word // 3), size)


def write_times(folder):
    """Return when each file was last written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_rel_gans_ck_plus_protocol(tmp_path):
    """REL-GAN 4.2: seven classes, the last three frames, subject folds; on CK+48's folders, with 3 folds for its 10."""
    corpus, people = Corpus(tmp_path), 6
    for person in range(people):
        for k, word in enumerate(CK48):
            if (person + k) % 3:  # nobody shows all
                for frame in (11, 12, 13):
                    name = f"CK+48/{word}/S{person:03d}_{k:03d}_{frame:08d}.png"
                    corpus.put(name, image=face(person, k, 48))
    mien("data", "import", "ck48", corpus.root, tmp_path / "ck", "--size", 48)
    mien("data", "check", tmp_path / "ck")
    out = tmp_path / "out"
    words = [word for name in SEVEN for word in ("--class", name)]
    asked = ["--data", tmp_path / "ck", "--model", "rel_gan", "--folds", 3, "--precision", "32-true", "-o", out, *words]
    mien("evaluate", "recognition", *asked, *settings("rel_gan"))
    found, m = pd.read_csv(out / "predictions.csv"), open_data(tmp_path / "ck", 32).manifest
    assert set(found.model) == {"baseline", "rel_gan"} and set(m.subjects) == {f"S{p:03d}" for p in range(people)}
    for _, mine in found.groupby("model"):  # every picture is tested once, every person in one fold
        assert sorted(mine.file_name) == sorted(m.files) and (mine.groupby("subject").fold.nunique() == 1).all()
        assert mine.groupby("fold").subject.nunique().tolist() == [2, 2, 2]
    record, folds = (json.loads((out / name).read_text()) for name in ("recognition.json", "folds.json"))
    assert record["split"] == {"folds": 3, "official": False, "sha256": folds["sha256"]}
    assert record["classes"] == list(SEVEN) and record["pictures"] == len(m) and record["people"] == people
    for name, one in record["models"].items():
        mine = found[found.model == name]
        assert one["accuracy"]["value"] == pytest.approx((mine.truth == mine.guess).mean())
        assert one["accuracy"]["low"] <= one["accuracy"]["value"] <= one["accuracy"]["high"]
        assert np.sum(one["confusion"]["counts"]) == len(m)
    before = write_times(out / "seed0")
    mien("evaluate", "recognition", *asked, *settings("rel_gan"))
    assert write_times(out / "seed0") == before and json.loads((out / "recognition.json").read_text()) == record


def test_a_papers_table_is_one_command(tmp_path, capsys):
    """REL-GAN's Table 1 on CK+48: known as CK+ by its import, with folds as many as there are people, and resumed."""
    corpus, people = Corpus(tmp_path), 3
    for person in range(people):
        for k, word in enumerate(CK48):
            corpus.put(f"CK+48/{word}/S{person:03d}_{k:03d}_00000011.png", image=face(person, k, 48))
    mien("data", "import", "ck48", corpus.root, tmp_path / "ck", "--size", 48)
    mien("reproduce", "rel_gan", "--list")
    assert "Table 4 " in capsys.readouterr().out.replace("\n", " ")
    save_model(create("evaluator", **TINY["evaluator"]), tmp_path / "evaluator.safetensors")
    asked = [
        "reproduce",
        "rel_gan",
        "--table",
        "I",
        "--figure",
        "2",
        "--data",
        tmp_path / "ck",
        "--out",
        tmp_path / "out",
    ]
    asked += ["--evaluator", tmp_path / "evaluator.safetensors", "--precision", "32-true", *settings("rel_gan")]
    mien(*asked)
    said = capsys.readouterr().out
    assert (
        "| CNN (baseline) | CK+ (48 pixels), `small`" in said and "| 97.41 % |" in said and "nothing to measure" in said
    )
    (kept,) = (tmp_path / "out" / "rel_gan" / "results").glob("rel_gan-table_1-ck-48-pixels-small.json")
    rows = {row["key"]: row for row in json.loads(kept.read_text())["rows"]}
    (guesses,) = (tmp_path / "out").rglob("predictions.csv")
    found = pd.read_csv(guesses)
    for name, mine in found.groupby("model"):
        right = (mine.truth == mine.guess).groupby(mine.subject).mean()
        assert len(right) == people and rows[f"{name}/accuracy"]["value"] == pytest.approx(right.mean(), abs=1e-6)
    assert rows["rel_gan/accuracy - baseline/accuracy > 0"]["verdict"] in ("holds", "does not hold", "undecided")
    before = write_times(tmp_path / "out" / "rel_gan" / "ck-48-pixels-small")
    mien(*asked)
    assert before and write_times(tmp_path / "out" / "rel_gan" / "ck-48-pixels-small") == before
    with pytest.raises(SystemExit), pytest.MonkeyPatch.context() as monkey:
        monkey.setattr(sys, "argv", ["mien", "reproduce", "rel_gan", "--table", "1"])
        cli.main()
    assert capsys.readouterr().err.startswith("mien: --data: names no data set")


def disfa_tree(corpus, frames=2):
    """Lay out DISFA's 27 people: labels, and frames extracted to folders; people smile, frown and open the mouth."""
    rng = np.random.default_rng(0)
    for number in sorted(sum(FOLDS, ())):
        person = f"SN{number:03d}"
        levels = rng.integers(0, 6, (len(DISFA), frames))
        for au, line in zip(DISFA, levels, strict=True):
            corpus.note(
                f"ActionUnit_Labels/{person}/{person}_au{au}.txt", "".join(f"{k + 1},{v}\n" for k, v in enumerate(line))
            )
        for k in range(frames):
            corpus.put(f"frames/{person}/{k + 1:05d}.png", image=face(number, int(levels[6, k]), 48))


def test_eets_disfa_protocol(tmp_path):
    """EET IV-A to IV-C: 18 people to train on, 9 to test, a random partner a picture; ICC and MSE of twelve units."""
    corpus = Corpus(tmp_path)
    disfa_tree(corpus)
    data, out = tmp_path / "disfa", tmp_path / "out"
    mien("data", "import", "disfa", corpus.root, data, "--size", 48, "--align", "never")
    m = open_data(data, 32).manifest
    tested = {m.subjects[s] for s in m.subject[m.test]}
    assert len(m) == 54 and tested == {f"SN{number:03d}" for number in FOLDS[0]}
    mien("train", "eet", "--data", data, "--run", tmp_path / "run", "--precision", "32-true", *settings("eet"))
    learnt = load(str(tmp_path / "run")).config.subjects
    assert learnt == 18  # nobody who is tested

    judge = create("judge", **TINY["judge"])
    save_model(judge, tmp_path / "judge.safetensors")
    asked = ["--data", data, "--model", tmp_path / "run", "--judge", tmp_path / "judge.safetensors", "--partners", 1]
    mien("evaluate", "transfer", *asked, "--size", 48, "-o", out)
    record = json.loads((out / "transfer.json").read_text())
    assert record["trials"] == {"count": 9, "people": 9, "truth_known": False, "size": 48}  # 18 less 9 kept as proof
    assert record["labels"] == "disfa" and not (out / "trials.csv").exists()
    answers = {row["answer"]: row for row in record["results"]}
    assert set(answers) == {"face unchanged", "example copied", "generated", "composited"}
    for row in answers.values():
        for au in DISFA:
            assert {"value", "low", "high"} == set(row[f"icc_AU{au:02d}"]) and row[f"mse_AU{au:02d}"]["value"] >= 0
        mean = np.mean([row[f"mse_AU{au:02d}"]["value"] for au in DISFA])
        assert row["au_mse"]["value"] == pytest.approx(mean)
    before = write_times(out / "seen")
    mien("evaluate", "transfer", *asked, "--size", 48, "-o", out)
    assert before and write_times(out / "seen") == before and json.loads((out / "transfer.json").read_text()) == record

    mien("evaluate", "identity", *asked, "--size", 48, "-o", tmp_path / "who")
    who = json.loads((tmp_path / "who" / "identity.json").read_text())
    assert who["gallery"] == 9 and who["pairs"] == {"right": 9, "wrong": 72}
    assert who["trials_with_another_picture_in_the_gallery"] == 9
    mien("aus", data / "images", "--model", tmp_path / "run", "--aligned", "--csv")  # EET reads units itself


def test_jesrls_raf_db_protocol(tmp_path):
    """JESRL IV-A: the official partition, seven classes; no person is named, so nobody can be on both sides."""
    corpus, lines = Corpus(tmp_path), []
    counts = {"train": 21, "test": 14}
    for split, count in counts.items():
        for k in range(count):
            name, code = f"{split}_{k:05d}", k % 7 + 1
            lines.append(f"{name}.jpg {code}")
            corpus.put(f"Image/aligned/{name}_aligned.jpg", image=face(hash_of(name), k % 7, 100))
    corpus.note("EmoLabel/list_patition_label.txt", "\n".join(lines) + "\n")
    data, out = tmp_path / "raf", tmp_path / "out"
    mien("data", "import", "raf-db", corpus.root, data, "--size", 100)
    with (data / "metadata.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert {split: sum(row["split"] == split for row in table) for split in counts} == counts
    words = [word for name in RAF for word in ("--class", name)]
    asked = ["--data", data, "--model", "jesrl", "--preset", "paper", "--official", "--precision", "32-true", "-o", out]
    mien("evaluate", "recognition", *asked, *words, *settings("jesrl"))
    found = pd.read_csv(out / "predictions.csv")
    for _, mine in found.groupby("model"):
        assert len(mine) == counts["test"] and mine.file_name.str.contains("test_").all()
        assert mine.truth.map(lambda k: CLASSES[k]).value_counts().to_dict() == dict.fromkeys(RAF, 2)
    record = json.loads((out / "recognition.json").read_text())
    assert record["split"]["official"] and len(record["split"]["sha256"]) == 64 and record["people"] == 14
    assert record["data"]["pictures"] == sum(counts.values())
    assert record["steps"]["jesrl"] > 0 and not (out / "folds.json").exists()
    before = write_times(out / "seed0")
    mien("evaluate", "recognition", *asked, *words, *settings("jesrl"))
    assert write_times(out / "seed0") == before


def hash_of(name):
    """A number that follows from a name, the same in every run."""
    return int.from_bytes(name.encode(), "little") % 2**31


def test_two_models_of_one_family_are_told_apart(tmp_path):
    """Also where the second was asked for by the name that both have."""
    mine = str(tmp_path / "mine.safetensors")
    save_model(create("eet", "small", **TINY["eet"]), Path(mine))
    found = by_name([mine, "eet"])
    assert list(found) == [mine, "eet"] and found[mine].config != found["eet"].config
    assert list(by_name([mine])) == ["eet"]
