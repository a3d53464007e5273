"""A package that is missing is told in one line with the one extra that brings it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mien.cli import NEEDED
from mien.errors import EXTRAS, FROM, NAMES, InputError, missing

ROOT = Path(__file__).parents[1]
WITH = {"anyio": "starlette"}  # package -> what brings it along
BESIDE = {"all", "dev", "docs"}  # extras that are of others, or not for users

RUN = """
import contextlib, io, json, sys

blocked, *commands = json.loads(sys.argv[1])

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
from mien import cli
for words in commands:
    sys.argv = ["mien", *words]
    try:
        cli.main()
    except SystemExit as leave:
        print(leave.code, file=sys.stderr)
"""


def extras():
    """Return pyproject's extras, each with the names of its packages."""
    table = (ROOT / "pyproject.toml").read_text().split("[project.optional-dependencies]")[1].split("\n[")[0]
    rows = re.findall(r"^(\w+) = \[(.*)\]$", table, re.M)
    return {name: set(re.findall(r'"([\w-]+)', words)) for name, words in rows}


def test_the_table_is_what_the_extras_bring():
    known = extras()
    for module, extra in [*EXTRAS.items(), *((module, extra) for (_, module), extra in FROM.items())]:
        package = WITH.get(module, NAMES.get(module, module))
        assert extra in known and package in known[extra], f"{module} is not of the extra {extra}"
    assert {*EXTRAS.values(), *FROM.values()} == known.keys() - BESIDE, "each extra is named by a package of its own"


@pytest.mark.parametrize("module", EXTRAS)
def test_each_is_told_by_its_extra(module):
    found = missing("this verb", ModuleNotFoundError("no", name=f"{module}.inner"))
    package = NAMES.get(module, module)
    assert str(found) == f"this verb needs the package {package}: pip install 'mien[{EXTRAS[module]}]'"
    assert isinstance(found, InputError) and isinstance(found, ImportError)


def test_what_no_extra_brings_is_told_by_its_name():
    assert str(missing("x", "feat")) == "x needs the package py-feat: pip install py-feat"


def test_what_a_verb_needs_in_any_case_is_told_at_once():
    known = extras()
    for verb, needed in NEEDED.items():
        assert set(needed.split(",")) <= known.keys(), verb
    assert str(missing("x", "torch", needed="train,eval")).endswith("pip install 'mien[train,eval]'")
    assert str(missing("x", "pandas", needed="train,eval")).endswith("pip install 'mien[train,eval]'")
    assert str(missing("x", "av", needed="train,eval")).endswith("pip install 'mien[video]'")


@pytest.mark.parametrize(
    ("blocked", "words", "extra"),
    [
        ("numba", ("synth", "people"), "synth"),
        ("pandas", ("recognize", "face.png", "-o", "faces.parquet"), "tables"),
        ("pyarrow", ("recognize", "face.png", "-o", "faces.parquet"), "tables"),
        ("pandas", ("evaluate", "transfer", "--data", "faces", "--model", "eet", "-o", "out"), "eval"),
        ("sklearn", ("evaluate", "disentanglement", "--data", "faces", "-o", "out"), "eval"),
        ("lightning", ("train", "ter_gan", "--data", "faces", "--run", "run"), "train"),
        ("torch", ("train", "ter_gan", "--data", "faces", "--run", "run"), "train"),  # which brings torch, too
        ("torch", ("export", "fields", "-o", "out"), "export"),
        ("torch", ("generate", "people"), "torch"),
        ("av", ("edit", "clip.mp4", "--expression", "happiness", "-o", "out.mp4"), "video"),
        ("starlette", ("app",), "web"),
        ("huggingface_hub", ("edit", "face.png", "--expression", "fear", "-o", "o.png", "--model", "you/net"), "hub"),
        ("c2pa", ("edit", "face.png", "--expression", "fear", "-o", "o.png", "--sign", "a.pem", "b.pem"), "provenance"),
        ("pillow_heif", ("recognize", "photo.heic"), "heic"),
    ],
)
def test_verbs_tell_it(faces_folder, blocked, words, extra):
    place = faces_folder.parent
    (place / "clip.mp4").write_bytes(b"clip")
    (place / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(60))
    (place / "face.png").write_bytes((faces_folder / "images" / "ann_0.png").read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps([blocked, words])],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=300,
    )
    line, code = done.stderr.strip().splitlines()[-2:]
    assert code == "2" and line.startswith("mien: ") and f"pip install 'mien[{extra}]'" in line, done.stderr
    assert "Traceback" not in done.stderr
