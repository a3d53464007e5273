"""The house's structure, read from its code."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from mien.models.registry import FAMILIES

ROOT = Path(__file__).parent.parent
LAYERS = [
    {"about", "controls", "errors", "files", "labels", "progress"},
    {"media", "nn", "metrics", "weights", "faces", "synth"},
    {"models", "data"},
    {"training", "evaluate", "editor", "landmarker", "recognize", "receipt", "clip", "export"},
    {"cli", "web", "demo", "__main__"},
]
LEVEL = {name: k for k, names in enumerate(LAYERS) for name in names}
FILES = sorted((ROOT / "src" / "mien").rglob("*.py"))


def imports(path):
    """Yield the rooms of mien that a file imports, wherever in the file, but for typing alone."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "mien":
            rest = node.module.split(".")[1:]
            yield from (rest[:1] or [a.name for a in node.names])
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("mien."))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    room = path.relative_to(ROOT / "src" / "mien").with_suffix("").parts[0]
    if room == "__init__":
        return  # the public names come from everywhere
    assert room in LEVEL, f"{room}: give the new room a layer here and in docs/architecture.md"
    for other in imports(path):
        assert LEVEL.get(other, 99) <= LEVEL[room], f"{path.name} imports {other}, which is above it"


def test_papers_never_import_papers():
    papers = {family.__module__.split(".")[2] for family in FAMILIES.values()}
    models = ROOT / "src" / "mien" / "models"
    for path in models.rglob("*.py"):
        own = path.relative_to(models).with_suffix("").parts[0]
        if own in papers:
            tree = ast.walk(ast.parse(path.read_text()))
            modules = {
                n.module.split(".")[2]
                for n in tree
                if isinstance(n, ast.ImportFrom) and n.module and n.module.startswith("mien.models.")
            }
            assert not (papers - {own}) & modules


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.paper])
def test_symbol_table_matches_the_code(name):
    module = importlib.import_module(".".join(FAMILIES[name].__module__.split(".")[:3]))  # a file or a package
    rows = re.findall(r"^Eq\. (\d+)\s+(?:\S+)\s+([\w.]+)", module.__doc__, re.M)
    assert rows
    for number, code in rows:
        thing = module
        for part in code.split("."):
            thing = getattr(thing, part)
        if "." not in code:
            assert re.match(rf"Eq\. {number}:", thing.__doc__)


def test_no_forbidden_calls():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, path
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {a.name for a in node.names} | {getattr(node, "module", None)}
                assert not names & {"pickle", "torchvision", "timm"}, path
