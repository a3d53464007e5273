"""Run what the documents say: the README's commands as they stand there, the notebooks, figures of less than a minute.

    python docs/check_docs.py [readme] [notebooks] [figures] [--only WORDS] [--keep FOLDER]

Commands run in a folder of their own, on pictures and people that are made for it: a photograph in the public domain,
what mien makes of it, and people who do not exist. Where a command would take long, the words in SHORTER are added or
take the place of its own; what is not run stands in LEFT_OUT with the reason. All else runs as a reader would type it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
TIMEOUT = 1200  # seconds of a command
PORT = "7999"

SMALL = ["--set", "width=4", "--set", "batch_size=16"]
SHORTER: Mapping[str, list[str]] = {
    "mien synth faces": ["--people", "12", "--test", "0.5", "--size", "64"],
    "mien generate people": ["--count", "4"],
    "mien augment more_faces": ["--per-class", "6"],
    "mien train ter_gan": [*SMALL, *("--set", "pretrain_steps=2", "--set", "steps=4", "--set", "recognition_steps=2")],
    "mien bench": ["--people", "4"],
    "mien evaluate recognition": ["--folds", "2", "--minutes", "0.1", *SMALL],
    "mien evaluate reading": ["--limit", "40"],
    "mien evaluate augmentation": ["--count", "12", "--steps", "10", "--doublings", "0", "--seed", "0"],
    "mien reproduce eet": [
        *("--people", "6", "--set", "classify_steps=2", "--set", "answer_steps=4", "--set", "steps=2"),
        *("--set", "generator_width=32", "--set", "batch_size=4"),
    ],
    "mien app": ["--port", PORT],
}
"""The beginning of a command -> words with which it is short: options take the place of the command's own."""

LEFT_OUT = {
    "make": "is what runs this, the suite, or a day",
    "pip": "an index is asked",
    "pipx": "an index is asked",
    "uvx": "an index is asked",
}
"""First words of commands that are not run, and why."""

FIGURES = ("draw_architecture.py", "write_reproduced.py")
"""Scripts beside this one that write parts of the documents in less than a minute; no page may change by them."""


def commands(page: Path) -> list[str]:
    """Return the commands in a page's fenced blocks that name no language, without what is said beside them."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    plain = [block for language, block in blocks if not language]
    lines = [re.sub(r"\s+#\s.*$", "", line).strip() for block in plain for line in block.splitlines()]
    return [line for line in lines if line]


def shortened(line: str) -> list[str]:
    """Return a command's words, with those of SHORTER in place of its own."""
    words = shlex.split(line)
    more = next((more for start, more in SHORTER.items() if line.startswith(start)), [])
    for option in {word for word in more if word.startswith("--") and word not in ("--set", "--model")}:
        while option in words:
            at = words.index(option)
            del words[at : at + 2]
    return words + more


def environment() -> dict[str, str]:
    """Return this process's, by which every Python sees this checkout."""
    here = os.pathsep.join(filter(None, (str(ROOT / "src"), os.environ.get("PYTHONPATH", ""))))
    return os.environ | {"PYTHONPATH": here}


def mien(words: list[str], place: Path) -> subprocess.CompletedProcess[str]:
    """Run mien's words in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "mien", *words], cwd=place, env=environment(), capture_output=True, text=True,
        timeout=TIMEOUT,
    )  # fmt: skip


def prepare(place: Path, lines: list[str]) -> None:
    """Make what the commands take as given: photographs, clips, people, a corpus."""
    from PIL import Image
    from skimage.data import astronaut

    import mien as package

    face = astronaut()[:360, 60:420]
    Image.fromarray(face).save(place / "me.jpg", quality=95)
    Image.fromarray(face[:, ::-1]).save(place / "a.jpg", quality=95)
    editor = package.Editor()
    editor.edit(place / "me.jpg", "happiness").save(place / "grin.jpg")
    editor.edit(place / "me.jpg", "surprise").save(place / "b.jpg")
    (place / "holiday").mkdir()
    for name in ("me.jpg", "grin.jpg"):
        shutil.copy(place / name, place / "holiday" / name)
    party = Image.new("RGB", (720, 360))
    for k, name in enumerate(("me.jpg", "b.jpg")):
        party.paste(Image.open(place / name), (360 * k, 0))
    party.save(place / "party.jpg", quality=95)
    for name, word in (("me.mp4", "happiness"), ("talk.mp4", "surprise")):
        told(mien(["animate", "me.jpg", "--from", "neutral", "--to", word, "--seconds", "0.5", "-o", name], place))
    told(mien(shortened(next(line for line in lines if line.startswith("mien synth faces")))[1:], place))
    corpus(place / "faces", place / "CK+")


def corpus(faces: Path, folder: Path) -> None:
    """Lay two people's pictures out as the Cohn-Kanade set is distributed."""
    from PIL import Image

    for number in (5, 10):
        sequence, code = f"S{number:03d}/001", f"S{number:03d}_001"
        frames, labels = folder / "cohn-kanade-images" / sequence, folder / "Emotion" / sequence
        frames.mkdir(parents=True)
        labels.mkdir(parents=True)
        chosen = sorted((faces / "images").glob(f"S{number:05d}_*.jpg"))[:4]
        for k, path in enumerate(chosen, 1):
            Image.open(path).resize((256, 256)).save(frames / f"{code}_{k:08d}.png")
        (labels / f"{code}_{len(chosen):08d}_emotion.txt").write_text("   5.0000000e+00\n")


def told(done: subprocess.CompletedProcess[str]) -> None:
    """Raise RuntimeError with what a command said, where it failed."""
    if done.returncode:
        raise RuntimeError(f"{shlex.join(map(str, done.args[2:]))}: {done.stderr[-2000:]}")


def page_answers(words: list[str], place: Path) -> str:
    """Start the page, ask for it once, end it; return what was wrong."""
    begun = subprocess.Popen(
        [sys.executable, "-m", "mien", *words], cwd=place, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + TIMEOUT
        while begun.poll() is None and time.monotonic() < end:
            time.sleep(2)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=30) as answer:
                    return "" if answer.status == 200 else f"answers {answer.status}"
            except OSError:
                continue
        return "ended, or did not answer"
    finally:
        begun.terminate()
        begun.wait(30)


def readme(place: Path, only: str) -> Iterator[tuple[str, str]]:
    """Run the README's commands; yield each with what was wrong, "" where nothing was."""
    lines = commands(ROOT / "README.md")
    prepare(place, lines)
    for line in lines:
        if (reason := LEFT_OUT.get(line.split()[0])) or only not in line:
            print(f"  left out: {line}" + (f" ({reason})" if reason else ""), flush=True)
            continue
        words, begin = shortened(line), time.monotonic()
        if words[:2] == ["mien", "app"]:
            wrong = page_answers(words[1:], place)
        else:
            done = mien(words[1:], place)
            wrong = (done.stderr[-1500:] or f"exit code {done.returncode}") if done.returncode else ""
        short = "" if words == shlex.split(line) else f"   [run as: {shlex.join(words)}]"
        print(f"  {'FAILED' if wrong else 'ok':6} {time.monotonic() - begin:5.1f} s  {line}{short}", flush=True)
        yield line, wrong


def notebooks(place: Path, only: str) -> Iterator[tuple[str, str]]:
    """Run the notebooks from their first cell to their last; yield each with what was wrong."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    os.environ |= environment()  # kernels inherit it
    for path in sorted((ROOT / "docs" / "tutorials").glob("*.ipynb")):
        if only not in path.name:
            continue
        book, wrong, begin = nbformat.read(path, 4), "", time.monotonic()
        if any(cell.get("outputs") for cell in book.cells):
            wrong = "holds outputs; clear them"
        try:
            NotebookClient(book, timeout=TIMEOUT, resources={"metadata": {"path": str(place)}}).execute()
        except CellExecutionError as error:
            wrong = str(error)[-1500:]
        print(f"  {'FAILED' if wrong else 'ok':6} {time.monotonic() - begin:5.1f} s  {path.name}", flush=True)
        yield path.name, wrong


def figures(place: Path, only: str) -> Iterator[tuple[str, str]]:
    """Run the scripts that write parts of the documents, in a copy; yield each with what they would change."""
    copy = place / "copy"
    ignored = shutil.ignore_patterns(".git", ".venv", "out", "site", "__pycache__", "runs", "demo_out", "zoo_out")
    shutil.copytree(ROOT, copy, ignore=ignored)
    for script in FIGURES:
        if only not in script:
            continue
        done = subprocess.run(
            [sys.executable, f"docs/{script}"], cwd=copy, env=environment(), capture_output=True, text=True,
            timeout=TIMEOUT,
        )  # fmt: skip
        wrong = done.stderr[-1500:] if done.returncode else ""
        changed = [
            path.relative_to(copy).as_posix() for path in (copy / "docs").rglob("*.md")
            if path.read_bytes() != (ROOT / path.relative_to(copy)).read_bytes()
        ]  # fmt: skip
        wrong = wrong or (f"changes {', '.join(changed)}: run it and commit" if changed else "")
        print(f"  {'FAILED' if wrong else 'ok':6} docs/{script}", flush=True)
        yield script, wrong


PARTS = {"readme": readme, "notebooks": notebooks, "figures": figures}


def main() -> int:
    """Run the parts that are asked for; print what is wrong and return the exit code."""
    parser = argparse.ArgumentParser(description="Run what the documents say.")
    parser.add_argument("parts", nargs="*", metavar=f"{{{','.join(PARTS)}}}", help="by default all")
    parser.add_argument("--only", default="", help="commands, notebooks or scripts that have this in them")
    parser.add_argument("--keep", type=Path, help="a new folder to work in, which stays")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - PARTS.keys():
        parser.error(f"no part {sorted(unknown)[0]!r}; choose from {', '.join(PARTS)}")
    failed = {}
    with tempfile.TemporaryDirectory() as temporary:
        for part in asked.parts or PARTS:
            place = (asked.keep or Path(temporary)) / part
            place.mkdir(parents=True)
            print(part, flush=True)
            failed |= {name: wrong for name, wrong in PARTS[part](place, asked.only) if wrong}
    for name, wrong in failed.items():
        print(f"\n{name}\n{wrong}")
    print(json.dumps({"failed": len(failed)}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "src"))
    sys.exit(main())
