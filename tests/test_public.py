"""What `import mien` offers: the names, their examples, and the README's own lines under a type checker."""

import doctest
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mien

ROOT = Path(__file__).parents[1]
WITH_EXAMPLES = ("mien", "mien.controls", "mien.editing.pipeline", "mien.labels")
"""The modules whose docstrings hold examples."""


def test_every_public_name_is_there_and_none_besides():
    assert sorted(mien.__all__) == sorted({*mien._HOMES, "DEFAULT", "__version__"}) and dir(mien) == sorted(
        mien.__all__
    )
    for name in mien.__all__:
        assert getattr(mien, name) is not None
    with pytest.raises(AttributeError, match="'mien' has no attribute 'zoo_keeper'"):
        _ = mien.zoo_keeper


def test_type_checkers_are_told_the_same_homes():
    told = (ROOT / "src/mien/__init__.py").read_text().split("if TYPE_CHECKING:")[1].split("_HOMES")[0]
    rows = re.findall(r"^    from ([\w.]+) import (.+)$", told, re.M)
    assert {name: module for module, names in rows for name in names.split(", ")} == mien._HOMES


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_in_docstrings(module):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    result = doctest.testmod(importlib.import_module(module), optionflags=flags)
    assert result.attempted and not result.failed


def python_lines(page):
    """Return a page's Python, all of it in one, with names that it takes as given."""
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)
    return "from torch import Tensor\n\nface: Tensor\nlike: Tensor\n" + "\n".join(blocks)


@pytest.mark.slow
def test_the_readmes_lines_pass_a_type_checker(tmp_path):
    """By the project's own settings, and by what mypy remembers of the package: without that it reads all of torch."""
    pytest.importorskip("mypy", reason="mypy is missing: pip install 'mien[dev]'")
    for page in ("README.md", "docs/weights.md"):
        (tmp_path / f"{Path(page).stem}_lines.py").write_text(python_lines(page))
    words = ("--follow-imports", "silent", *map(str, tmp_path.glob("*_lines.py")))
    environment = os.environ | {"MYPYPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *words], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.returncode == 0, done.stdout


def test_the_package_says_that_it_is_typed():
    assert (Path(mien.__file__).parent / "py.typed").is_file()


def test_a_name_that_lacks_its_package_says_so(monkeypatch):
    monkeypatch.setitem(mien._HOMES, "load", "no_such_package.inner")
    with pytest.raises(mien.InputError, match="needs the package no_such_package: pip install"):
        _ = mien.load
