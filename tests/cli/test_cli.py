"""The shell's verbs as a user types them; bad input is one line, exit 2, and nothing lost."""

import csv
import json
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from mien import cli
from mien.media.provenance import read_stamp
from mien.models.contract import Edits, Embeds, EstimatesAus, Generates, Recognizes, Transfers
from mien.models.eet import Eet
from mien.models.fields import FieldModel
from mien.models.io import save_model
from mien.models.registry import FAMILIES, create
from mien.training.loop import train
from mien.training.settings import Settings
from tests.helpers.tiny import TINY
from tests.models.test_contract import Random

SIDE = 256  # pixels of the photograph of a face


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with weights, a photograph and every kind of bad picture."""
    folder = tmp_path_factory.mktemp("cli")
    torch.manual_seed(0)
    model = create("ter_gan", image_size=32, width=2, subjects=2)
    model.class_codes.total.normal_()
    model.class_codes.count.fill_(1)
    save_model(model, folder / "model.safetensors")
    face = astronaut()[:SIDE, 96 : 96 + SIDE]
    Image.fromarray(face).save(folder / "face.jpg")
    (folder / "cut.jpg").write_bytes((folder / "face.jpg").read_bytes()[:4000])
    (folder / "text.png").write_text("not a picture")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "folder.png").mkdir()
    Image.fromarray(np.full((300, 300, 3), 128, np.uint8)).save(folder / "noface.png")
    Image.new("1", (20_000, 20_000)).save(folder / "huge.png", compress_level=1)
    Image.fromarray(np.concatenate([face, face], 1)).save(folder / "two.jpg")
    return folder


def run(capsys, *words):
    """Run the shell's words; returns exit code, standard output, standard error."""
    monkey = pytest.MonkeyPatch()
    monkey.setattr(sys, "argv", ["mien", *map(str, words)])
    try:
        cli.main()
        code = 0
    except SystemExit as leave:
        code = leave.code
    finally:
        monkey.undo()
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_edit_transfer_neutralize_write_pictures(place, capsys, tmp_path):
    weights = ("--model", place / "model.safetensors")
    for words in (
        ("edit", place / "face.jpg", "--expression", "happiness", "--intensity", "0.7"),
        ("transfer", place / "face.jpg", "--like", place / "face.jpg"),
        ("neutralize", place / "two.jpg", "--face", 2),
    ):
        code, _, err = run(capsys, *words, *weights, "-o", tmp_path / f"{words[0]}.png")
        assert code == 0, err
        assert Image.open(tmp_path / f"{words[0]}.png").size in {(SIDE, SIDE), (2 * SIDE, SIDE)}
    made, before = np.asarray(Image.open(tmp_path / "neutralize.png")), np.asarray(Image.open(place / "two.jpg"))
    assert np.array_equal(made[:, :SIDE], before[:, :SIDE]) and not np.array_equal(made, before)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """Weights of every family, trained on noise for a few steps."""
    folder = tmp_path_factory.mktemp("zoo")
    for name in FAMILIES:
        torch.manual_seed(0)
        model = create(name, **TINY[name])
        train(model, Random(), folder / "run" / name, Settings(precision="32-true", accelerator="cpu"))
        save_model(model, folder / f"{name}.safetensors")
    return folder


USES = {  # words of a verb on face.jpg -> what a family must have to take them
    ("transfer", "face.jpg", "--like", "face.jpg", "-o", "OUT/a.png", "--swap", "OUT/b.png"): Transfers,
    ("edit", "face.jpg", "--expression", "fear", "-o", "OUT/c.png"): Edits,
    ("edit", "face.jpg", "--au", "12=3", "-o", "OUT/d.png"): (Eet, FieldModel),
    ("edit", "face.jpg", "--au", "12L=3", "--gaze", "9", "0", "-o", "OUT/h.png"): FieldModel,
    ("edit", "face.jpg", "--blendshape", "jawOpen=0.6", "-o", "OUT/i.png"): (Eet, FieldModel),
    ("neutralize", "face.jpg", "-o", "OUT/e.png"): Edits,
    ("recognize", "face.jpg", "--json"): Recognizes,
    ("aus", "face.jpg", "--csv"): EstimatesAus,
    ("embed", "face.jpg", "-o", "OUT/f.npz"): Embeds,
    ("generate", "OUT/g", "--count", "2", "--expression", "anger"): Generates,
}


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("words", USES, ids=lambda words: words[0])
def test_every_model_does_what_it_can_and_names_who_can_else(name, words, place, zoo, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(place)
    by = "aus" if "--au" in words else "expression"
    can = [n for n, f in FAMILIES.items() if issubclass(f, USES[words]) and by in getattr(f, "edits_by", by)]
    words = [word.replace("OUT", str(tmp_path)) for word in words]
    code, out, err = run(capsys, *words, "--model", zoo / f"{name}.safetensors")
    if name in can:
        assert code == 0, err
        assert out or list(tmp_path.iterdir())
    else:
        assert code == 2 and err.count("\n") == 1
        assert err.startswith(f"mien: {name} cannot ") and err.strip().endswith(f"these can: {', '.join(can)}")
        assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_invented_faces_say_so(zoo, capsys, tmp_path):
    code, _, err = run(capsys, "invent", tmp_path / "g", "--count", 2, "--model", zoo / "expr_gan.safetensors")
    assert code == 0, err
    stamps = [read_stamp(path) for path in sorted((tmp_path / "g").iterdir())]
    assert len(stamps) == 2 and all(stamp.source is None and stamp.model == "expr_gan" for stamp in stamps)


def test_recognize_prints_json_and_csv(place, capsys):
    weights = ("--model", place / "model.safetensors")
    code, out, _ = run(capsys, "recognize", place / "face.jpg", "--json", *weights)
    assert code == 0 and set(json.loads(out)[0]) > {"file", "happiness", "neutral"}
    code, out, _ = run(capsys, "recognize", place / "face.jpg", "--csv", *weights)
    row = next(csv.DictReader(StringIO(out)))
    assert code == 0 and row["file"].endswith("face.jpg") and float(row[row["expression"]]) <= 1


def test_recognize_a_folder_goes_on_past_bad_files(place, capsys):
    code, out, err = run(capsys, "recognize", place, "--json", "--model", place / "model.safetensors")
    assert code == 2
    assert {Path(r["file"]).name for r in json.loads(out)} == {"face.jpg"}
    for name in ("cut.jpg", "text.png", "empty.jpg", "noface.png", "huge.png", "two.jpg"):
        assert sum(name in line for line in err.splitlines()) == 1


def test_embed_writes_codes(place, capsys, tmp_path):
    code, _, err = run(
        capsys, "embed", place / "face.jpg", "-o", tmp_path / "c.npz", "--model", place / "model.safetensors"
    )
    assert code == 0, err
    with np.load(tmp_path / "c.npz") as codes:
        assert codes["expression"].shape == (1, 30) and codes["identity"].shape == (1, 50)


@pytest.mark.parametrize(
    ("name", "says"),
    [("cut.jpg", ""), ("text.png", ""), ("empty.jpg", ""), ("folder.png", ""), ("noface.png", "no face"),
     ("huge.png", "megapixel"), ("two.jpg", "--face"), ("missing.jpg", "")],
)  # fmt: skip
def test_bad_pictures_are_one_line(place, capsys, tmp_path, name, says):
    before = {p: p.stat().st_mtime_ns for p in place.iterdir()}
    output = tmp_path / "out.png"
    code, _, err = run(
        capsys, "edit", place / name, "--expression", "fear", "-o", output, "--model", place / "model.safetensors"
    )
    assert code == 2 and name in err and says in err
    assert err.startswith("mien: ") and err.count("\n") == 1 and "Traceback" not in err
    assert not list(tmp_path.iterdir()) and before == {p: p.stat().st_mtime_ns for p in place.iterdir()}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("edit", "face.jpg", "--expression", "glee", "-o", "out.png"), "glee.*happiness"),
        (("edit", "face.jpg", "-o", "out.png"), "takes one of --expression"),
        (("edit", "face.jpg", "--expression", "fear", "--like", "face.jpg", "-o", "out.png"), "--like: choose one"),
        (("edit", "face.jpg", "--like", "face.jpg", "--say", "a", "-o", "out.png"), "ction unit; these can: fields"),
        (
            ("edit", "face.jpg", "--expression", "wink", "-o", "out.png"),
            "by action unit, which wink needs; these can: fields",
        ),
        (
            ("edit", "face.jpg", "--expression", "fear", "--only", "mouth", "-o", "out.png"),
            "which fear needs; these can: eet, fields",
        ),
        (("edit", "face.jpg", "--expression", "fear", "--only", "nose", "-o", "out.png"), "brows, eyes, mouth"),
        (("edit", "face.jpg", "--only", "mouth", "--au", "43=3", "-o", "out.png"), "nothing of that is asked for"),
        (("edit", "face.jpg", "--turn", "5", "0", "-o", "out.png"), "turn of the head; these can: fields"),
        (("edit", "face.jpg", "--turn", "-20", "0", "-o", "out.png"), "turn -20 0: expected -15 to 15 and -9 to 9"),
        (("edit", "face.jpg", "--roll", "-5", "-o", "out.png"), "roll of the head; these can: fields"),
        (("edit", "face.jpg", "--roll", "nan", "-o", "out.png"), "roll nan: expected -10 to 10"),
        (("edit", "face.jpg", "--say", "x", "-o", "out.png"), "--say x: choose from a, e, i?"),
        (("edit", "face.jpg", "--expression", "no.json", "-o", "out.png"), "no.json: there is no such file"),
        (("generate", "out", "--expression", "wink"), "'wink' is no class; choose one of neutral"),
        (("transfer", "face.jpg", "--like", "face.jpg", "--only", "eyes", "-o", "out.png"), "these can: fields"),
        (("transfer", "face.jpg", "--like", "face.jpg", "--intensity", "2", "-o", "out.png"), "0 .neutral. to 1"),
        (("edit", "face.jpg", "--gaze", "9", "-o", "out.png"), "--gaze takes 2 values"),
        (("edit", ".", "--expression", "fear", "-o", "out.png"), "out.png: names one file, and ., a folder, is given"),
        (("neutralize", "face.jpg", "two.jpg", "-o", "out.mp4"), "names one file, and 2 files are given"),
        (("edit", "face.jpg", "--expression", "fear", "--intensity", "7", "-o", "out.png"), "0 .neutral. to 1"),
        (("edit", "face.jpg", "--expression", "fear", "-o", "out.png", "--device", "gpu"), "--device gpu: expected"),
        (("edit", "face.jpg", "--au", "x", "-o", "out.png"), "12=3"),
        (
            ("edit", "face.jpg", "--au", "12=3", "-o", "out.png"),
            "ter_gan cannot edit by action unit; these can: eet, fields",
        ),
        (("edit", "face.jpg", "--expression", "fear", "-o", "out.gif"), "gif.*png"),
        (("edit", "face.jpg", "--expression", "fear", "-o", "no/such/out.png"), "no folder"),
        (("edit", "face.jpg", "--expression", "fear", "-o", "out.png", "--model", "no_gan"), "no_gan"),
        (("edit", "face.jpg", "--expression", "fear", "-o", "out.png", "--model", "text.png"), "text.png"),
        (("train", "no_gan", "--data", ".", "--run", "run"), "no_gan.*ter_gan"),
        (("train", "ter_gan", "--data", ".", "--run", "run", "--set", "depth=3"), "depth.*image_size"),
        (("train", "ter_gan", "--data", ".", "--run", "run", "--set", "steps=many"), "steps=many: expected a whole"),
        (("recognize", "folder.png", "--model", "model.safetensors"), "holds no picture"),
        (("frown",), "frown"),
    ],
)
def test_bad_requests_are_one_line(place, capsys, monkeypatch, words, says):
    monkeypatch.chdir(place)
    if words[0] in ("edit", "transfer") and "--model" not in words:
        words = (*words, "--model", "model.safetensors")
    code, _, err = run(capsys, *words)
    assert code == 2
    assert err.count("\n") == 1 and "Traceback" not in err
    assert re.search(says, err), err
    assert not (place / "out.png").exists() and not (place / "run").exists()


def test_a_data_set_that_is_not_there_is_told(place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    for words in (("train", "ter_gan", "--data", "nowhere", "--run", "run"), ("data", "check", "nowhere")):
        code, _, err = run(capsys, *words)
        assert code == 2 and "nowhere: there is no such folder" in err and "Traceback" not in err
    assert not (place / "run").exists()


@pytest.mark.parametrize("words", [[], ["-h"], ["data"], ["evaluate"], ["edit", "-h"]])
def test_to_ask_for_help_is_no_mistake(capsys, words):
    code, out, err = run(capsys, *words)
    assert not code and not err and "Usage" in out


def test_help_has_an_example_for_every_verb(capsys):
    for verb in (
        "transfer",
        "edit",
        "neutralize",
        "animate",
        "recognize",
        "aus",
        "embed",
        "generate",
        "info",
        "augment",
        "synth",
        "train",
        "demo",
        "bench",
    ):
        code, out, _ = run(capsys, verb, "--help")
        assert code == 0 and "Example" in out and f"mien {verb}" in out
    measures = (
        "transfer",
        "disentanglement",
        "recognition",
        "compare",
        "intensity",
        "frechet",
        "augmentation",
        "retrieval",
        "identity",
        "gaze",
    )
    for verb in (*measures, "gallery"):
        code, out, _ = run(capsys, "evaluate", verb, "--help")
        assert code == 0 and f"mien evaluate {verb}" in out


def test_a_user_without_the_extras_is_told():
    """`mien --help` must work, and a verb must say what to install, where an extra's package is missing."""
    code = (
        "import sys; sys.modules['numba'] = None; from mien import cli; sys.argv = ['mien', 'synth', 'x']; cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "numba" in done.stderr and "pip install" in done.stderr
    assert "Traceback" not in done.stderr


def test_caches_are_told_with_their_size_and_how_to_empty_them(tmp_path, monkeypatch, capsys):
    for name in ("XDG_CACHE_HOME", "HF_HOME", "TMPDIR", "NUMBA_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "TMPDIR"))
    code, told, _ = run(capsys, "info", "--caches", tmp_path)
    assert code == 0 and told == "nothing is kept\n"
    places = {"sets/faces/.mien_cache/a": 3 << 20, "XDG_CACHE_HOME/mien/b": 5, "HF_HOME/hub/models--a/c": 7}
    places |= {"TMPDIR/mien-app-1/d": 9, "NUMBA_CACHE_DIR/e.nbi": 11, "NUMBA_CACHE_DIR/f.txt": 13}
    for name, size in places.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    code, told, _ = run(capsys, "info", "--caches", tmp_path / "sets", "--json")
    rows = json.loads(told)
    assert code == 0 and [row["bytes"] for row in rows] == [3 << 20, 5, 7, 9, 11]
    assert all(Path(row["place"]).is_dir() and row["empty"] for row in rows)
    code, told, _ = run(capsys, "info", "--caches", tmp_path / "sets")
    assert "3.0 MiB  decoded data sets:" in told and "remove the folder" in told
    assert run(capsys, "info")[0] == 2 and "--caches" in run(capsys, "info", "--caches", tmp_path / "no")[2]
