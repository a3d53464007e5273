"""What the site has beside docs/: the README as its first page, model cards, the changelog, notebooks as pages.

MkDocs calls the two hooks below. Links that lead out of docs/ are led to the site's own pages, or are words alone where
they lead to code: where the repository lies, only a release knows.
"""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:|mailto:|#)([^)\s#]*)(#[^)\s]*)?\)")
BESIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",  # the site has docs/security.md, which says it all
    "src/mien/zoo": "weights.md",
    "src/mien/faces/finding/face_check.md": "zoo/face_check.md",
    "src/mien/faces/finding/proposals.md": "zoo/proposals.md",
}
"""Files and folders of the repository -> the site's pages that stand for them."""


def pages() -> dict[str, str]:
    """Return where the site has each Markdown file and notebook of the repository."""
    found = dict(BESIDE)
    found |= {f"src/mien/zoo/{path.name}": f"zoo/{path.name}" for path in (ROOT / "src/mien/zoo").glob("*.md")}
    for path in (ROOT / "docs").rglob("*"):
        place = path.relative_to(ROOT / "docs").as_posix()
        if path.suffix in (".md", ".ipynb"):
            found[f"docs/{place}"] = place.removesuffix(".ipynb") + ".md" * (path.suffix == ".ipynb")
    return found


def notebook(path: Path) -> str:
    """Return a notebook's cells as Markdown."""
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
    note = f"\n\n*This page is the notebook `{path.relative_to(ROOT).as_posix()}`; `make check-docs` runs it.*"
    return "\n\n".join(parts) + note + "\n"


def led(text: str, source: str, place: str, known: dict[str, str]) -> str:
    """Return Markdown of a file of the repository as a page at `place`, with its links led there."""

    def lead(found: re.Match[str]) -> str:
        mark, words, target, anchor = found[1], found[2], found[3], found[4] or ""
        if not target:
            return found[0]
        there = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        page = known.get(there) or (there.removeprefix("docs/") if there.startswith("docs/images/") else None)
        if page is None:
            return f"{mark}{words}"
        return f"{mark}[{words}]({posixpath.relpath(page, posixpath.dirname(place) or '.')}{anchor})"

    fences = re.split(r"(^```.*?^```$)", text, flags=re.M | re.S)  # code is left alone
    return "".join(part if part.startswith("```") else LINK.sub(lead, part) for part in fences)


def on_files(files: Files, config: Any) -> Files:
    """Add what does not lie in docs/."""
    for source, place in pages().items():
        path = ROOT / source
        if source == "SECURITY.md" or path.is_dir() or (source.startswith("docs/") and path.suffix == ".md"):
            continue
        text = notebook(path) if path.suffix == ".ipynb" else path.read_text(encoding="utf-8")
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Lead a page's links."""
    known, place = pages(), page.file.src_uri
    source = next((name for name, there in known.items() if there == place and name != "SECURITY.md"), f"docs/{place}")
    return led(markdown, source, place, known)
