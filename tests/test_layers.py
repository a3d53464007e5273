"""The house's structure, read from its code."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mien.models.presets import CONFIGS
from mien.models.registry import FAMILIES

ROOT = Path(__file__).parent.parent
LAYERS = (
    (
        "about",
        "arrays",
        "blendshapes",
        "controls",
        "devices",
        "errors",
        "expressions",
        "files",
        "journal",
        "labels",
        "progress",
        "reading",
        "whole_numbers",
    ),
    ("media", "metrics", "nn", "synth", "weights"),
    ("faces",),
    ("data",),
    ("models",),
    ("training", "runtime"),
    ("recognition", "export"),
    ("editing",),
    ("evaluate",),
    ("web", "cli"),
    ("__init__", "__main__"),
)
"""The rooms, the lowest first: a room imports rooms of lower layers alone. docs/architecture.md tells them."""

LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
GROUND_ORDER = (
    "errors",
    "whole_numbers",
    "devices",
    "labels",
    "blendshapes",
    "reading",
    "arrays",
    "files",
    "journal",
    "expressions",
    "controls",
)  # the ground's own: each may import those before it
STARTS = {("cli", "web")}  # the shell starts the page

TORCH_FREE = (
    *LAYERS[0], "media", "metrics", "synth", "weights", "faces", "recognition", "editing",
    "data.columns", "data.manifest", "data.images", "data.neutral", "data.dataset", "data.same_people", "data.folds",
    "data.joining", "data.sets", "data.relatives", "data.matches", "data.importing", "data.importers", "data.checks",
    "data.sampling.rendered",
    "runtime.engine", "runtime.open", "runtime.landmarker", "runtime.person_code", "runtime.blendshape_reader",
    "models.lazy", "models.presets", "models.ranges", *(config[5:] for config in CONFIGS.values()),
    "runtime.description", "runtime.exported", "runtime.repainted", "runtime.onnx", "runtime.pruned",
    "runtime.openvino",
)  # fmt: skip
"""Rooms and modules that must import where there is no torch."""

LONGEST = 420  # lines of a file
OF_A_PAPER = 450

SRC = ROOT / "src" / "mien"
FILES = sorted(SRC.rglob("*.py"))


def module_of(path):
    """Return a file's module, without mien: "" for the package itself."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def imported(path, at_once=False):
    """Return the modules of mien that a file imports; with `at_once` those that its own import waits for alone."""
    tree, found = ast.parse(path.read_text()), set()
    typing = {
        node for block in ast.walk(tree) if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }  # fmt: skip
    nodes = tree.body if at_once else [node for node in ast.walk(tree) if node not in typing]
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "mien":
            base = node.module[5:]
            inner = {f"{base}.{a.name}".strip(".") for a in node.names} & MODULES.keys()
            found |= inner or {base}
        elif isinstance(node, ast.Import):
            found |= {a.name[5:] for a in node.names if a.name.startswith("mien.")}
    return found


def room_of(module):
    return module.split(".")[0] or "__init__"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    room = room_of(module_of(path))
    assert room in LEVEL, f"{room}: give the new room a layer here and in docs/architecture.md"
    for module in imported(path):
        other = room_of(module)
        if other == room or (room, other) in STARTS:
            continue
        ground = room in GROUND_ORDER and other in GROUND_ORDER[: GROUND_ORDER.index(room)]
        assert LEVEL.get(other, 99) < LEVEL[room] or ground, f"{path.name} imports {other}, which is not below it"


def test_no_circle_of_files():
    ahead = {module: imported(path) & MODULES.keys() - {module} for module, path in MODULES.items()}
    done = set()
    while ready := {m for m, needs in ahead.items() if m not in done and needs <= done}:
        done |= ready
    left = {m: sorted(needs - done) for m, needs in ahead.items() if m not in done}
    assert not left, f"these import each other in a circle: {left}"


def test_no_file_is_too_long():
    for path in FILES:
        most = OF_A_PAPER if room_of(module_of(path)) == "models" else LONGEST
        assert len(path.read_text().splitlines()) <= most, f"{path}: split it by idea"


def test_no_folder_is_too_full():
    for folder in {path.parent for path in FILES}:
        files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        alike = folder.name in ("importers", "cli")  # a file a corpus, a file a group of verbs
        assert len(files) <= (25 if alike else 16), f"{folder} has {len(files)} files"


BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError(f"no {name} here", name=name)

sys.meta_path.insert(0, Blocked())
"""


def test_rooms_without_torch():
    named = [m for m in MODULES if any(m == free or m.startswith(f"{free}.") for free in TORCH_FREE)]
    code = BLOCKED + "".join(f"import mien.{name}\n" for name in sorted(named))
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]


def test_photographs_meet_torch_in_one_place():
    for path in FILES:
        module = module_of(path)
        if room_of(module) == "runtime" and module not in ("runtime.pytorch", "runtime.open"):
            assert not {room_of(m) for m in imported(path)} & {"models", "nn"}, path


def test_papers_never_import_papers():
    papers = {family.__module__.split(".")[2] for family in FAMILIES.values() if family.paper}
    models = SRC / "models"
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
