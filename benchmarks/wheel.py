"""Build the wheel, install it alone in an empty environment without torch, and use it: python benchmarks/wheel.py.

Prints the installed size and the times of a cold `mien edit` and `mien recognize`, file to file; writes them as JSON.
`make check-wheel` runs it. Needs a package index, and network where that is not here.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from skimage.data import astronaut

ROOT = Path(__file__).parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("wheel.json"))
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measured(Path(name), options.repeats)
    options.output.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))
    assert not found["torch"]


def measured(folder: Path, repeats: int) -> dict[str, object]:
    """Return sizes in bytes and times in seconds."""
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, ROOT)
    (wheel,) = folder.glob("mien-*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "empty")
    python = folder / "empty" / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-compile", wheel)
    (packages,) = (folder / "empty" / "lib").glob("python*/site-packages")
    Image.fromarray(astronaut()).save(folder / "in.png")
    run(python, "-m", "mien", "edit", folder / "in.png", "--expression", "surprise", "-o", folder / "made.png")
    edit = [timed(python, "-m", "mien", "edit", folder / "in.png", "--expression", "surprise", "-o",
                  folder / "made.png") for _ in range(repeats)]  # fmt: skip
    read = [timed(python, "-m", "mien", "recognize", folder / "made.png") for _ in range(repeats)]
    said = run(python, "-m", "mien", "recognize", folder / "made.png")
    assert "surprise" in said, said
    sizes = {path.name: size(path) for path in packages.iterdir()}
    return {
        "wheel_bytes": wheel.stat().st_size,
        "installed_bytes": sum(sizes.values()),
        "largest": dict(sorted(sizes.items(), key=lambda pair: -pair[1])[:8]),
        "torch": (packages / "torch").exists(),
        "edit_seconds": statistics.median(t for t, _ in edit),
        "edit_cpu_seconds": statistics.median(t for _, t in edit),
        "recognize_seconds": statistics.median(t for t, _ in read),
        "recognize_cpu_seconds": statistics.median(t for _, t in read),
    }


def run(*words: object) -> str:
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, env=clean(), check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def timed(*words: object) -> tuple[float, float]:
    """Return how long a command takes, and how long a processor works at it."""
    begin, before = time.perf_counter(), os.times()
    run(*words)
    after = os.times()
    worked = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - begin, worked


def clean() -> dict[str, str]:
    """Return the environment without what would lead to other packages, and one thread."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}


def size(path: Path) -> int:
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file()) if path.is_dir() else path.stat().st_size


if __name__ == "__main__":
    main()
