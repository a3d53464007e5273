"""Write the index of the weights that come with the package: `python docs/write_weights.py`, after one has changed.

A file that is not what the index said gets the next version. What it brings is to be told in docs/weights.md.
"""

from __future__ import annotations

from mien.files import write_json
from mien.weights.index import INDEX, index_of, read_index, with_versions
from mien.weights.resolve import PIN, SUFFIX, ZOO


def main() -> None:
    """Write the index and print the versions."""
    path = ZOO / INDEX
    before = read_index(path) if path.is_file() else {}
    found = with_versions(index_of(ZOO.glob(f"*{SUFFIX}")), before)
    write_json(path, found)
    for name, entry in found.items():
        print(f"{name}{PIN}{entry['version']}")


if __name__ == "__main__":
    main()
