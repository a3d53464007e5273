"""What a verb writes takes the place of nothing that matters, and what it cannot do it says before it works."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from mien.cli import evaluate_verbs, streams
from mien.cli.output import check_outputs
from mien.cli.terminal import errors
from mien.cli.values import results_folder
from mien.errors import InputError
from mien.evaluate.results import NOTE
from mien.files import alone, check_json, identity
from mien.media.provenance import read_stamp
from tests.cli.test_cli import run

FEAR = ("--aligned", "--expression", "fear")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder that one works in, with two pictures, a link, and a way back."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "b.jpg"):
        Image.fromarray(np.full((64, 64, 3), 128, np.uint8)).save(name)
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.jpg").symlink_to("a.jpg")
    (tmp_path / "notes.json").write_text('{"my": "notes of a year"}\n')
    (tmp_path / "report.json").write_text('{"schema": 2, "operation": "edit", "picture": {}}\n')
    (tmp_path / "list.json").write_text('["schema", "operation"]\n')
    (tmp_path / "deep.json").write_text("[" * 100_000)
    return tmp_path


def everything(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


TRANSFER = ("transfer", "a.jpg", "--like", "b.jpg", "--aligned")
LIKE = ("edit", "a.jpg", "--aligned", "--like", "b.jpg")
EDIT = ("edit", "a.jpg", *FEAR)
TAKEN = {  # words: what the line must say
    ("edit", "a.jpg", "--preview", "sub/../a.jpg"): "--preview sub/../a.jpg: is FACE",
    ("edit", "a.jpg", "--preview", "link.jpg"): "--preview link.jpg: is FACE",
    ("edit", "link.jpg", *FEAR, "-o", "a.jpg"): "-o a.jpg: is FACE",
    (*EDIT, "-o", "a.jpg"): "-o a.jpg: is FACE",
    ("neutralize", "a.jpg", "-o", "link.jpg"): "-o link.jpg: is FACE",
    (
        "edit",
        "a.jpg",
        "--aligned",
        "--like",
        "b.jpg",
        "--preview",
        "b.jpg",
        "-o",
        "o.png",
    ): "--preview b.jpg: is --like",
    ("edit", "a.jpg", "--aligned", "--like", "b.jpg", "-o", "sub/../b.jpg"): "-o sub/../b.jpg: is --like",
    (*TRANSFER, "-o", "o.png", "--swap", "sub/../o.png"): "--swap sub/../o.png: is -o",
    (*TRANSFER, "-o", "o.png", "--swap", "b.jpg"): "--swap b.jpg: is --like",
    (*TRANSFER, "-o", "o.png", "--swap", "o.webp", "--report"): "the report of --swap o.json: is the report of -o",
    (*EDIT, "-o", "o.png", "--preview", "o.png"): "--preview o.png: is -o",
    (*EDIT, "-o", "link.jpg", "--model", "a.jpg"): "-o link.jpg: is FACE",
    (*EDIT, "-o", "b.jpg", "--sign", "b.jpg", "a.jpg"): "-o b.jpg: is --sign",
    (*EDIT, "-o", "notes.png", "--receipt"): "notes.json: was not written by mien",
    (*EDIT, "-o", "list.png", "--report"): "list.json: was not written by mien",
    (*EDIT, "-o", "deep.png", "--report"): "deep.json: was not written by mien",
    ("transfer", "b.avi", "--like", "a.jpg", "-o", "sub/../b.mp4", "--model", "b.mp4"): "-o sub/../b.mp4: is --model",
    ("neutralize", "b.mp4", "-o", "./sub/../b.mp4"): "is FACE b.mp4",
    ("recognize", "a.csv", "-o", "sub/../a.csv"): "is the picture a.csv",
    ("embed", "a.npz", "-o", "a.npz"): "is the picture a.npz",
}


@pytest.mark.parametrize("words", TAKEN, ids=" ".join)
def test_no_output_takes_the_place_of_what_matters(here, capsys, words):
    before = everything(here)
    code, out, err = run(capsys, *words)
    assert code == 2 and TAKEN[words] in err and err.count("\n") == 1 and not out
    assert everything(here) == before


def test_a_report_replaces_a_report(here):
    for name in ("report.json", "new.json"):
        check_json(here / name, "schema", "operation")
    check_outputs({"FACE": here / "a.jpg", "--model": Path()}, {"-o": here / "o.png", "--preview": None})


def test_one_file_by_two_names(here):
    os.link("a.jpg", "hard.jpg")
    assert identity(Path("a.jpg")) == identity(here / "sub" / ".." / "link.jpg") == identity(Path("hard.jpg"))
    assert identity(Path("new.png")) == identity(here / "sub" / ".." / "new.png")
    assert len({identity(Path(name)) for name in ("a.jpg", "b.jpg", "new.png")}) == 3


@pytest.mark.parametrize("name", ["a.jpg", "sub/../a.jpg", "link.jpg", "hard.jpg"])
def test_an_input_is_replaced_by_force_alone(here, capsys, name):
    os.link("a.jpg", "hard.jpg")
    before = everything(here)
    code, _, err = run(capsys, *EDIT, "-o", name)
    assert code == 2 and f"-o {name}: is FACE" in err and "or --force" in err and everything(here) == before
    code, _, err = run(capsys, *EDIT, "-o", name, "--preview", name, "--force")
    assert code == 2 and "--preview" in err and everything(here) == before  # it would come first
    code, _, err = run(capsys, *EDIT, "-o", name, "--force")
    assert code == 0, err
    assert read_stamp(here / name).operation.startswith("edit") and (here / "link.jpg").is_symlink()


def test_a_folder_is_not_forced_upon_itself(here, capsys):
    os.link("a.jpg", "sub/b.jpg")
    before = everything(here)
    for words, says in ((["b.jpg", "-o", "sub"], "and a.jpg has that place"), ([".", "-o", ".", "--force"], "--force")):
        code, _, err = run(capsys, "edit", "a.jpg", *words, *FEAR)
        assert code == 2 and says in err and everything(here) == before


def test_a_picture_of_the_data_is_no_place_for_the_balance(faces_folder, capsys):
    before = everything(faces_folder)
    picture = faces_folder / "images" / "ann_0.png"
    code, _, err = run(capsys, "data", "check", faces_folder, "--picture", picture)
    assert code == 2 and "--picture" in err and "would be lost" in err and everything(faces_folder) == before


VALUES = {  # words: what the line must name
    ("generate", "out", "--count", "1", "--seed", "9" * 20): "--seed",
    ("generate", "out", "--count", "0"): "--count",
    ("generate", "out", "--count", "9" * 20): "--count",
    ("augment", "out", "--per-class", "1", "--seed", "-1"): "--seed",
    ("synth", "out", "--seed", "-1"): "--seed",
    ("train", "ter_gan", "--data", "d", "--run", "r", "--set", "lr=nan"): "lr is nan",
    ("train", "ter_gan", "--data", "d", "--run", "r", "--set", "lr=-1"): "lr is -1.0",
    ("train", "ter_gan", "--data", "d", "--run", "r", "--set", "pretrain_steps=-1"): "pretrain_steps is -1",
    ("train", "fields", "--data", "d", "--run", "r", "--set", "turn=inf"): "turn is inf",
    ("train", "fields", "--data", "d", "--run", "r", "--set", f"steps={'9' * 5000}"): "steps=",
    ("train", "ter_gan", "--data", "d", "--run", "r", "--device", "meta"): "--device meta: expected auto",
    ("train", "ter_gan", "--data", "d", "--run", "r", "--seed", "-1"): "--seed",
    ("train", "ter_gan", "--data", "d", "--run", "r", "--minutes", "nan"): "--minutes",
    ("train", "ter_gan", "--data", "d", "--run", "r", "--minutes", "-1"): "--minutes",
    ("train", "ter_gan", "--data", "d", "--run", "r", "--devices", "100000"): "--devices",
    ("train", "ter_gan", "--data", "d", "--run", "r", "--device", "cpu", "--devices", "1000"): "devices is 1000",
    ("train", "ter_gan", "--data", "d", "--run", "a.jpg"): "a.jpg: a.jpg is a file",
    ("train", "ter_gan", "--data", "d", "--run", "a.jpg/run"): "a.jpg is a file",
    ("zoo", "out", "--data", "d", "--hours", "nan"): "--hours",
    ("zoo", "a.jpg", "--data", "d"): "a.jpg is a file",
    ("demo", "a.jpg"): "a.jpg is a file",
    ("bench", "a.jpg"): "a.jpg is a file",
    ("synth", "a.jpg"): "a.jpg is a file",
    ("generate", "a.jpg"): "a.jpg is a file",
    ("augment", "a.jpg"): "a.jpg is a file",
    ("data", "import", "folder", "sub", "a.jpg"): "a.jpg is a file",
    ("evaluate", "transfer", "--data", "d", "--model", "rel_gan", "-o", "a.jpg"): "a.jpg is a file",
    ("evaluate", "gallery", "--data", "d", "-o", "a.jpg/b"): "a.jpg is a file",
    ("evaluate", "transfer", "--data", "d", "--model", "rel_gan", "-o", "o", "--size", "-1"): "--size",
    ("evaluate", "recognition", "--data", "d", "-o", "o", "--least", "nan"): "--least",
    ("evaluate", "recognition", "--data", "d", "-o", "o", "--folds", "-1"): "--folds",
    ("evaluate", "ablation", "jesrl", "--data", "d", "-o", "o", "--seed", "-1"): "--seed",
    ("reproduce", "rel_gan", "--data", "d", "-o", "o", "--minutes", "nan"): "--minutes",
    ("reproduce", "rel_gan", "--data", "d", "-o", "o", "--seed", "-1"): "--seed",
    ("reproduce", "rel_gan", "--data", "d", "-o", "a.jpg"): "a.jpg is a file",
    (*EDIT, "--device", "meta", "-o", "o.png"): "--device meta",
    (*EDIT, "--device", "", "-o", "o.png"): "--device",
    (*EDIT, "--device", "cuda:-1", "-o", "o.png"): "--device cuda:-1",
    (*EDIT, "--intensity", "nan", "-o", "o.png"): "intensity nan",
    ("edit", "a.jpg", "--aligned", "--gaze", "nan", "0", "-o", "o.png"): "gaze",
    ("edit", "a.jpg", "--aligned", "--au", "12=nan", "-o", "o.png"): "AU 12=nan",
    (*EDIT, "--min-identity", "nan", "-o", "o.png"): "--min-identity nan",
    ("recognize", "a.jpg", "-o", "."): ".: unknown suffix",
    ("recognize", "a.jpg", "-o", "sub"): "sub: unknown suffix",
    ("recognize", "a.jpg", "-o", ""): "-o: is given nothing",
    ("recognize", "a.jpg", "-o", "x" * 252 + ".csv"): "File name too long",
    ("embed", "a.jpg", "-o", "."): ".: unknown suffix",
    (*EDIT, "-o", "."): "a.jpg: would be written to a.jpg, and is that file itself",
    (*EDIT, "-o", "a.jpg/o.png"): "a.jpg/o.png: there is no folder a.jpg",
}


@pytest.mark.parametrize("words", VALUES, ids=lambda words: " ".join(words)[:70])
def test_values_out_of_range_are_one_line_before_any_work(here, capsys, words):
    before = everything(here)
    code, out, err = run(capsys, *words)
    lines = err.splitlines()
    assert code == 2 and VALUES[words] in err and len(lines) == 1 and lines[0].startswith("mien:") and not out
    assert everything(here) == before and {p.name for p in here.iterdir() if p.is_dir()} == {"sub"}


def test_made_faces_do_not_replace_somebodys_labels(faces_folder, capsys):
    before = everything(faces_folder)
    code, _, err = run(capsys, "augment", faces_folder, "--per-class", "1")
    assert code == 2 and "not empty and no set of made faces" in err and everything(faces_folder) == before


def test_two_at_once_in_one_folder(tmp_path, capsys):
    with alone(tmp_path):
        code, _, err = run(capsys, "synth", tmp_path, "--people", "1", "--per-person", "1", "--size", "32")
    assert code == 2 and "another mien is at work there" in err and not list(tmp_path.iterdir())


def mien(*words, **how):
    """Run the shell in a process of its own."""
    return subprocess.run([sys.executable, "-m", "mien", *words], timeout=300, **how)


SAY = "import sys; from mien.cli import streams; streams.open_streams(); "


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8:strict", "cp437:strict"])
def test_any_terminal_takes_any_text(encoding):
    text = r"print('asked → reached ł caf\udce9'); print('→ \udce9', file=sys.stderr)"
    how = {"env": os.environ | {"PYTHONIOENCODING": encoding}, "capture_output": True}
    said = subprocess.run([sys.executable, "-c", SAY + text], **how)
    assert said.returncode == 0 and b"reached" in said.stdout and rb"\udce9" in said.stderr


def test_streams_that_are_closed_lead_nowhere(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    streams.open_streams()
    print("nobody hears")
    sys.stdout.close()
    monkeypatch.setattr(sys, "stdout", io.StringIO())  # one that cannot be told how to escape
    streams.open_streams()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_under_standard_output():
    with Path("/dev/full").open("w") as full:
        said = mien("--version", stdout=full, stderr=subprocess.PIPE)
    assert said.returncode == 2
    assert said.stderr.splitlines() == [b"mien: standard output: No space left on device"]


def test_names_do_not_command_the_terminal(capsys):
    errors.print("mien: a\x1b[31m:smile:\x07[red].jpg: łódź", markup=False)
    assert capsys.readouterr().err == "mien: a\\x1b[31m:smile:\\x07[red].jpg: łódź\n"


def test_generated_faces_replace_generated_faces_alone(here, capsys):
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(here / "sub" / "0001.png")
    before = everything(here)
    code, _, err = run(capsys, "generate", "sub", "--count", "2")
    assert code == 2 and "sub/0001.png: was not made by mien" in err and everything(here) == before


def test_an_evaluation_replaces_its_own_results_alone(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()

    def evaluates(verb, *files):
        with typer.Context(click_command(verb)) as context:
            results_folder(context, folder)
            for name in files:
                (folder / name).write_text(verb)

    evaluates("gallery")
    assert not list(folder.iterdir())  # what writes nothing leaves no note
    evaluates("compare", "trials.csv", "aus.csv")
    evaluates("compare", "trials.csv")
    for verb, taken in (("transfer", "trials.csv"), ("gallery", "edit.png"), ("identity", "identity.csv")):
        (folder / taken).exists() or (folder / taken).write_text("mine")
        before = everything(folder)
        with pytest.raises(InputError, match=rf"{taken}: was not written by mien evaluate {verb}, and would be"):
            evaluates(verb, taken)
        assert everything(folder) == before
    (folder / "identity.json").write_text('{"protocol": "identity"}')  # a record of before there were notes
    evaluates("identity", "identity.csv")
    (folder / NOTE).write_text('{"my": "results"}')
    with pytest.raises(InputError, match="was not written by mien"):
        evaluates("compare")


def click_command(name):
    return typer.main.get_command(evaluate_verbs).commands[name]


@pytest.mark.parametrize("words", [("recognize", ""), ("edit", "a.jpg", "--model="), ("",)])
def test_an_empty_word_is_not_the_folder_that_one_is_in(here, capsys, words):
    code, _, said = run(capsys, *words)
    assert code == 2 and "is a variable of the shell not set?" in " ".join(said.split())


def test_a_run_does_not_replace_somebodys_note(faces_folder, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text('{"mine": 1}')
    small = ("--device", "cpu", "--set", "image_size=32", "--set", "width=2", "--set", "batch_size=2")
    words = ("train", "ter_gan", "--data", faces_folder, "--run", tmp_path / "run", *small)
    code, _, err = run(capsys, *words)
    assert code == 2 and "run.json: was not written by mien" in err
    assert (tmp_path / "run" / "run.json").read_text() == '{"mine": 1}'


def test_names_that_are_no_text_stand_in_tables(here):
    odd = os.fsdecode(b"caf\xe9.jpg")
    os.link("a.jpg", odd)
    words = ("--aligned", "-o", "table.json", "--model", "rel_gan")
    said = mien("recognize", odd, "a.jpg", *words, cwd=here, stderr=subprocess.PIPE)
    assert said.returncode == 0, said.stderr
    rows = json.loads((here / "table.json").read_text())
    assert [row["path"] for row in rows] == ["caf\\xe9.jpg", "a.jpg"]
