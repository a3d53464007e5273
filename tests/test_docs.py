"""What the documents point at is there: links, files of the package, dotted names."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "src/mien").rglob("*.md"))]
INVENTED = "two_code"  # the paper that docs/adding-a-paper.md writes


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not target.startswith(("http", "#", "mailto")):
            assert (page.parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_that_are_named_are_there(page):
    for name in re.findall(r"\b(?:src/mien|tests|benchmarks)/[\w/]+(?:\.\w+)?", page.read_text()):
        assert INVENTED in name or (ROOT / name).exists() or (ROOT / f"{name}_").parent.exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_that_are_shown_work(page):
    for module, names in re.findall(r"^from (mien[\w.]*|tests[\w.]*) import ([\w, ]+)$", page.read_text(), re.M):
        if INVENTED in module + names:
            continue
        found = importlib.import_module(module)
        for name in names.split(","):
            assert hasattr(found, name.strip()), f"{module} has no {name.strip()}"


def test_papers_tables_are_what_the_kept_rows_say():
    """`python docs/write_reproduced.py` writes them; what stands around them is by hand."""
    from mien.evaluate.reproduction.papers import PAPERS
    from mien.evaluate.reproduction.table import kept_results, placed, table_of

    results = kept_results(ROOT / "docs" / "reproduced")
    for paper in PAPERS:
        page = (ROOT / "docs" / "papers" / f"{paper}.md").read_text()
        assert placed(page, table_of(paper, results)) == page, f"{paper}: run python docs/write_reproduced.py"
