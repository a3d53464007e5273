"""Write the tables of docs/papers/*.md from the rows that docs/reproduced keeps.

    python docs/write_reproduced.py              tables anew from what is kept
    python docs/write_reproduced.py reproduced   first keep what `mien reproduce … --out reproduced` found

Only what stands between the two markers of a page is written; the rest is by hand. tests/test_docs.py holds the pages
to the rows.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from mien.evaluate.reproduction.papers import PAPERS
from mien.evaluate.reproduction.runner import RESULTS
from mien.evaluate.reproduction.table import kept_results, placed, table_of

DOCS = Path(__file__).parent
KEPT = DOCS / "reproduced"


def keep(out: Path) -> None:
    """Copy the rows of experiments that were run; those that found nothing to run say nothing that tables do not."""
    for paper in PAPERS:
        for result in kept_results(out / paper / RESULTS):
            if result.data:
                shutil.copy(out / paper / RESULTS / result.file, KEPT / result.file)


def main() -> None:
    """Keep what was found in the folders that are named, and write every page."""
    KEPT.mkdir(exist_ok=True)
    for out in sys.argv[1:]:
        keep(Path(out))
    results = kept_results(KEPT)
    for paper in PAPERS:
        page = DOCS / "papers" / f"{paper}.md"
        page.write_text(placed(page.read_text(encoding="utf-8"), table_of(paper, results), page.name), encoding="utf-8")


if __name__ == "__main__":
    main()
