"""What is typed wrongly is told before anything heavy is loaded: PyTorch, ONNX Runtime and their like."""

import json
import subprocess
import sys

import pytest

from mien.cli import VERBS
from tests.cli.test_outputs import EDIT, TAKEN, VALUES, here  # noqa: F401 - a fixture

HEAVY = ("torch", "onnxruntime", "lightning", "openvino", "sklearn", "matplotlib", "pandas", "numba", "av")
"""Packages whose import takes what a user would notice."""

RUNNER = """
import contextlib, importlib.machinery, io, json, sys, typer
from mien import cli

class Loaded(BaseException):
    pass

class Heavy:
    # Finds the packages, as find_spec asks, and tells who imports one.
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in heavy:
            return importlib.machinery.ModuleSpec(name, self)
    def create_module(self, spec):
        raise Loaded(spec.name)
    def exec_module(self, module):
        pass

heavy, commands = json.load(sys.stdin)
sys.meta_path.insert(0, Heavy())
cli.shell = typer.main.get_command(cli.shell)  # once, not for every command
for words in commands:
    sys.argv, said, code = ["mien", *words], io.StringIO(), 0
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        except Loaded as loaded:
            code = f"loads {loaded}"
    print(json.dumps([code, said.getvalue()]))
"""

DATA = ("--data", "nowhere")
WRONG = {  # words: what the line must say
    ("transfer", "a.jpg", "--like", "b.jpg", "-o", "o.png", "--intensity", "2"): "intensity 2",
    ("transfer", "a.jpg", "--like", "b.jpg", "-o", "o.png", "--only", "nose"): "nose",
    ("transfer", "a.jpg", "--like", "gone.jpg", "-o", "o.png"): "gone.jpg: there is no such file",
    ("transfer", "gone.jpg", "--like", "a.jpg", "-o", "o.png"): "gone.jpg: there is no such file",
    ("transfer", "a.jpg", "--like", "b.jpg", "-o", "o.png", "--model", "no_gan"): "no_gan",
    ("edit", "a.jpg", "-o", "o.png"): "an edit takes one of",
    ("edit", "gone.jpg", "--expression", "fear", "-o", "o.png"): "gone.jpg: there is no such file",
    (*EDIT, "-o", "o.png", "--model", "no_gan"): "no_gan",
    (*EDIT, "-o", "o.png", "--landmarker", "eyes"): "--landmarker eyes",
    (*EDIT, "-o", "o.png", "--backend", "tf"): "--backend tf",
    (*EDIT, "-o", "o.png", "--keep-format"): "--keep-format",
    (*EDIT, "-o", "o.gif"): "gif",
    (*EDIT, "-o", "o.png", "--all", "--face", "2"): "--all and --face: choose one of them",
    ("edit", "a.jpg", "--expression", "glee", "-o", "o.png"): "glee",
    ("edit", "a.jpg", "--say", "x", "-o", "o.png"): "--say x",
    ("edit", "a.jpg", "--au", "12", "-o", "o.png"): "--au 12",
    ("edit", "a.jpg", "--roll", "90", "-o", "o.png"): "roll 90",
    ("neutralize", "a.jpg", "-o", "no/such/o.png"): "no folder",
    ("neutralize", "a.jpg", "-o", "o.png", "--model", "no_gan"): "no_gan",
    ("neutralize", "gone.jpg", "-o", "o.png"): "gone.jpg: there is no such file",
    ("animate", "a.jpg", "-o", "o.mp4"): "--from and --to",
    ("animate", "a.jpg", "--from", "glee", "-o", "o.gif"): "glee",
    ("animate", "a.jpg", "--to", "fear", "-o", "o.jpg"): "o.jpg",
    ("animate", "gone.jpg", "--to", "fear", "-o", "o.gif"): "gone.jpg: there is no such file",
    ("live", "gone.mp4"): "gone.mp4: no such clip",
    ("live", "0", "--expression", "glee"): "glee",
    ("live", "0", "--to", "wall"): "--to wall",
    ("recognize", "a.jpg", "-o", "o.txt"): "o.txt: unknown suffix",
    ("recognize", "a.jpg", "--columns", "excel"): "excel",
    ("recognize", "a.jpg", "--reader", "eyes"): "--reader eyes",
    ("recognize", "a.jpg", "--model", "no_gan"): "no_gan",
    ("recognize", "gone.jpg"): "gone.jpg: there is no such file",
    ("recognize", "a.jpg", "--plot", "o.png"): "--plot o.png",
    ("aus", "a.jpg", "-o", "o.txt"): "o.txt: unknown suffix",
    ("aus", "a.jpg", "--model", "no_gan"): "no_gan",
    ("aus", "sub"): "sub: the folder holds no picture",
    ("embed", "a.jpg", "-o", "o.txt"): "o.txt: unknown suffix",
    ("embed", "a.jpg", "-o", "o.npz", "--model", "no_gan"): "no_gan",
    ("generate", "out", "--expression", "glee"): "glee",
    ("generate", "out", "--model", "no_gan"): "no_gan",
    ("info", "gone.jpg"): "gone.jpg: there is no such file",
    ("synth", "out", "--size", "33"): "--size 33",
    ("synth", "out", "--plan", "b"): "--plan b",
    ("augment", "out", "--model", "no_gan"): "no_gan",
    ("augment", "out", *DATA): "nowhere: there is no such folder",
    ("train", "no_gan", *DATA, "--run", "r"): "no_gan",
    ("train", "ter_gan", *DATA, "--run", "r", "--preset", "huge"): "huge",
    ("train", "ter_gan", *DATA, "--run", "r", "--precision", "8"): "--precision 8",
    ("train", "ter_gan", *DATA, "--run", "r", "--logger", "tea"): "--logger tea",
    ("train", "ter_gan", *DATA, "--run", "r", "--config", "gone.json"): "gone.json",
    ("train", "ter_gan", *DATA, "--run", "r", "--start", "no_gan"): "no_gan",
    ("train", "ter_gan", *DATA, "--run", "r"): "nowhere: there is no such folder",
    ("train", "eet", *DATA, "--run", "r", "--adapt"): "--adapt",
    ("animate", "a.jpg", "--key", "2:fear", "--seconds", "1", "-o", "a.gif"): "the last key frame is at 2 s",
    ("models", "no_gan"): "no_gan",
    ("models", "ter_gan", "--preset", "huge"): "huge",
    ("demo", "out", "--model", "no_gan"): "no_gan",
    ("zoo", "out", *DATA): "nowhere: there is no such folder",
    ("zoo", "out", *DATA, "--model", "no_gan"): "no_gan",
    ("bench", "out", "--model", "no_gan"): "no_gan",
    ("bench", "out", *DATA): "nowhere: there is no such folder",
    ("bench", "out", "--evaluator", "tea:cup"): "tea:cup",
    ("export", "no_gan", "-o", "out"): "no_gan",
    ("export", "fields", "-o", "out", "--to", "tea"): "--to tea",
    ("reproduce", "no_gan"): "no_gan",
    ("reproduce", "eet", *DATA, "--preset", "huge"): "huge",
    ("reproduce", "eet", *DATA, "--split", "b"): "--split b",
    ("reproduce", "eet", *DATA): "nowhere: there is no such folder",
    ("app", "--port", "0"): "--port",
    ("app", "--auth", "gone.txt"): "--auth gone.txt",
    ("app", "--model", "no_gan"): "no_gan",
    ("data", "check", "nowhere"): "nowhere: there is no such folder",
    ("data", "import", "tea", ".", "out"): "tea",
    ("data", "import", "csv", "nowhere", "out"): "nowhere",
    ("evaluate", "--tables", "b", "gaze"): "--tables b",
    ("evaluate", "recognition", *DATA, "-o", "o", "--split", "b"): "--split b",
    ("evaluate", "recognition", *DATA, "-o", "o", "--class", "glee"): "--class glee",
    ("evaluate", "recognition", *DATA, "-o", "o", "--set", "lr=x"): "lr=x",
    ("evaluate", "recognition", *DATA, "-o", "o", "--model", "no_gan"): "no_gan",
    ("evaluate", "recognition", *DATA, "-o", "o"): "nowhere: there is no such folder",
    ("evaluate", "reading", "no_gan", *DATA, "-o", "o"): "no_gan",
    ("evaluate", "reading", "fields", *DATA, "-o", "o", "--kind", "b"): "--kind b",
    ("evaluate", "reading", "fields", *DATA, "-o", "o", "--folds", "b"): "--folds b",
    ("evaluate", "reading", "fields", *DATA, "-o", "o"): "nowhere: there is no such folder",
    ("evaluate", "ablation", "no_gan", *DATA, "-o", "o"): "no_gan",
    ("evaluate", "ablation", "eet", *DATA, "-o", "o", "--preset", "huge"): "huge",
    ("evaluate", "ablation", "eet", *DATA, "-o", "o"): "nowhere: there is no such folder",
    ("evaluate", "augmentation", *DATA, "-o", "o", "--count", "1", "--times", "1"): "--count and --times",
    ("evaluate", "compare", *DATA, "--model", "eet", "-o", "o", "--start", "b"): "--start b",
    ("evaluate", "transfer", *DATA, "--model", "eet", "-o", "o", "--both-ways"): "--both-ways",
    ("evaluate", "transfer", *DATA, "--model", "eet", "-o", "o", "--evaluator", "tea:cup"): "tea:cup",
} | {
    ("evaluate", verb, *DATA, "--model", model, "-o", "o"): says
    for verb in (
        *("compare", "transfer", "identity", "gaze", "intensity", "frechet", "disentanglement", "retrieval"),
        *("gallery", "augmentation"),
    )
    for model, says in (("eet", "nowhere: there is no such folder"), ("no_gan", "no_gan"))
}  # fmt: skip


@pytest.mark.usefixtures("here")
def test_wrong_arguments_are_told_before_anything_heavy_is_loaded():
    told = TAKEN | VALUES | WRONG
    asked = json.dumps([HEAVY, list(told)])
    done = subprocess.run([sys.executable, "-c", RUNNER], input=asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    wrong = []
    for (words, says), (code, said) in zip(told.items(), answers, strict=True):
        if code != 2 or says not in said or not said.startswith("mien:"):
            wrong.append(f"mien {' '.join(words)[:90]}: {code} {said[:200]!r}, expected {says!r}")
    assert not wrong, "\n".join(wrong)


def test_every_verb_is_among_them():
    groups = {words[0] for words in WRONG}
    assert {verb.__name__ for verb in VERBS} | {"app", "data", "evaluate"} <= groups
