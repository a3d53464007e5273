"""How many pictures the face studio renders in a second of one CPU core.

Run: python benchmarks/synth.py [--people 8] [--size 128]. Counts process time, so it is fair on a busy machine; the
first person, who pays for compiling or loading the kernels and for the shared tables, is made before the clock starts.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from mien.synth.generate import generate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--per-person", type=int, default=36)
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        start = time.process_time()
        generate(folder / "first", people=1, per_person=1, size=options.size)
        ready = time.process_time()
        generate(folder / "set", people=options.people, per_person=options.per_person, size=options.size)
        spent = time.process_time() - ready
    finally:
        shutil.rmtree(folder)
    images = options.people * options.per_person
    print(f"start-up {ready - start:.2f} CPU s; {images} images of {options.size} px in {spent:.2f} CPU s")
    print(f"{images / spent:.1f} images per CPU second, {1000 * spent / images:.1f} ms an image")


if __name__ == "__main__":
    main()
