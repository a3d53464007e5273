"""Before a release is built: make the README's links absolute and give the package its addresses.

    python docs/release_links.py OWNER/NAME v0.1.0

Package indexes show the README without the files beside it. The release workflow calls this with its own repository
and tag, in its own checkout, so that no address stands in the repository that a fork would have to change.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOST, RAW = "https://github.com", "https://raw.githubusercontent.com"
LINK = re.compile(r"(!?)\[((?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*)\]\((?!https?:|mailto:|#)([^)\s]+)\)")


def absolute(text: str, repository: str, tag: str) -> str:
    """Return Markdown whose links to files lead to a repository at a tag, its pictures to the files themselves."""

    def lead(found: re.Match[str]) -> str:
        mark, words, target = found.groups()
        base = f"{RAW}/{repository}/{tag}" if mark else f"{HOST}/{repository}/blob/{tag}"
        return f"{mark}[{words}]({base}/{target})"

    return LINK.sub(lead, text)


def with_addresses(text: str, repository: str) -> str:
    """Return pyproject.toml with the repository's addresses, which package indexes show."""
    home = f"{HOST}/{repository}"
    lines = [f'{name} = "{home}{path}"' for name, path in (
        ("Repository", ""), ("Issues", "/issues"), ("Changelog", "/blob/main/CHANGELOG.md"))]  # fmt: skip
    assert "[project.urls]" not in text, "pyproject.toml has addresses of its own"
    return text.replace("[project.scripts]", "\n".join(["[project.urls]", *lines, "", "[project.scripts]"]), 1)


def main(repository: str, tag: str) -> None:
    """Change README.md and pyproject.toml in place."""
    readme, project = ROOT / "README.md", ROOT / "pyproject.toml"
    readme.write_text(absolute(readme.read_text(encoding="utf-8"), repository, tag), encoding="utf-8")
    project.write_text(with_addresses(project.read_text(encoding="utf-8"), repository), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1].count("/") != 1:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
