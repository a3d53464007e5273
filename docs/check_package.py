"""Check what was built: the sdist holds all that git does, the wheel all that runs, and no more than 80 MB.

python -m build && python docs/check_package.py dist
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST = 80_000_000  # bytes of a wheel
ELSEWHERE = (".ci/", ".github/", ".gitignore")  # what hosts need, and no user
MADE = ("PKG-INFO", "setup.cfg", "src/mien.egg-info/")  # what setuptools adds


def tracked() -> set[str]:
    """Return the files that git knows, without those of hosts."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return {name for name in listed.stdout.split("\0") if name and not name.startswith(ELSEWHERE)}


def sdist_faults(names: set[str], known: set[str]) -> list[str]:
    """Return what a source distribution lacks of the files that git knows, or has beside them."""
    beside = {name for name in names - known if not name.startswith(MADE)}
    return [f"sdist lacks {name}" for name in sorted(known - names)] + [f"sdist has {name}" for name in sorted(beside)]


def wheel_faults(names: set[str], known: set[str], size: int) -> list[str]:
    """Return what a wheel lacks of the package's files, or has beside them, and whether it is too large."""
    package = {name.removeprefix("src/") for name in known if name.startswith("src/mien/")}
    beside = {name for name in names - package if ".dist-info/" not in name}
    faults = [f"wheel lacks {name}" for name in sorted(package - names)]
    faults += [f"wheel has {name}" for name in sorted(beside)]
    return faults + ([f"wheel has {size / 1e6:.0f} MB, more than {MOST / 1e6:.0f}"] if size > MOST else [])


def main(folder: Path) -> int:
    """Print what is wrong with the distributions in a folder; return the exit code."""
    known, faults = tracked(), []
    built = sorted([*folder.glob("*.tar.gz"), *folder.glob("*.whl")])
    if not built:
        faults.append(f"{folder}: no distribution here; run python -m build")
    for path in built:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                faults += wheel_faults(set(wheel.namelist()), known, path.stat().st_size)
        else:
            with tarfile.open(path) as archive:
                names = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}
            faults += sdist_faults(names, known)
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"))
