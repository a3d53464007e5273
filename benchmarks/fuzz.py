"""Damaged files by the thousand: none may end in a traceback, a signal, a hang, or more than 2.5 GB.

    python benchmarks/fuzz.py [--count 2000] [--minutes 10] [--kind pictures …] [--seed 0] [--jobs 2] [-o fuzz.json]

Small sound files of every kind are made on the spot, mutated (bits, numbers, cuts, blocks copied and moved; names and
values of notes; sizes that headers promise), and read as the verbs do, in processes of their own with limits of memory
and time. A file may be read or be refused by one line that names it; anything else is a finding. Ends with a table and
a JSON file; findings' files are kept beside it, so that they can be looked at again. Exit 1 where there are any.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_inputs import KINDS, make_seeds, mutated

MEGABYTES = 2500  # that a process may hold
SPACE = 8 << 30  # bytes of address space: torch alone reserves some
SECONDS = 20.0  # that one file may take
ENDS = ("read", "refused", "traceback", "signal", "hang", "memory", "words")
"""What may become of a file; `words` is a refusal of several lines, or one that does not name the file."""


@dataclass
class Worker:
    """A process that reads files, one after the other."""

    folder: Path
    process: subprocess.Popen[bytes] = field(init=False)
    job: dict[str, Any] | None = None
    begun: float = 0.0

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin anew."""
        self.log = (self.folder / f"worker-{time.monotonic_ns()}.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker", str(self.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert self.process.stdout is not None and self.process.stdin is not None
        self.process.stdout.readline()  # it has imported all and says so

    def send(self, job: dict[str, Any]) -> None:
        """Give it a file."""
        assert self.process.stdin is not None
        self.job, self.begun = job, time.monotonic()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        self.log.close()

    def answer(self, ready: bool) -> dict[str, Any] | None:
        """Return what became of its file; None while it is at work."""
        assert self.process.stdout is not None
        spent = time.monotonic() - self.begun
        if ready:
            line = self.process.stdout.readline()
            if line:
                found = json.loads(line)
                if found["megabytes"] <= MEGABYTES:
                    return found | {"seconds": spent}
                found = {"end": "memory", "text": "", "megabytes": found["megabytes"]}
            else:
                code = self.process.wait()
                name = signal.Signals(-code).name if code < 0 else f"exit {code}"
                found = {"end": "signal", "text": name, "megabytes": 0}
        elif spent > SECONDS:
            found = {"end": "hang", "text": f"after {spent:.0f} s", "megabytes": 0}
        else:
            return None
        self.stop()
        self.start()
        return found | {"seconds": spent}


def work(folder: Path) -> None:
    """Read the files that are named on the standard input, and say of each what became of it."""
    resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from fuzz_inputs import prepare

    readers = prepare(folder)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(_read(readers[job["kind"]], Path(job["path"]))), file=answers, flush=True)


def _read(reader: Any, path: Path) -> dict[str, Any]:
    from mien.errors import InputError

    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak of memory counts anew
    end, text = "read", ""
    try:
        reader(path)
    except InputError as error:
        text = str(error)
        good = path.name in text and ("\n" not in text or "problem" in text) and len(text) < 20_000
        end = "refused" if good else "words"
    except Exception:
        end, text = "traceback", traceback.format_exc()
    return {"end": end, "text": text, "megabytes": _peak()}


def _peak() -> float:
    """Return the megabytes that this process held at most."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fuzz(asked: argparse.Namespace, folder: Path, keep: Path) -> list[dict[str, Any]]:
    """Return what became of every file."""
    rng, seeds = np.random.default_rng(asked.seed), make_seeds(folder, asked.kind)
    workers = [Worker(folder) for _ in range(asked.jobs)]
    results: list[dict[str, Any]] = []
    until, sent = time.monotonic() + 60 * asked.minutes, 0
    try:
        while sent < asked.count or any(worker.job for worker in workers):
            for k, worker in enumerate(workers):
                if worker.job is None and sent < asked.count and time.monotonic() < until:
                    kind = asked.kind[sent % len(asked.kind)]
                    seed = seeds[kind][int(rng.integers(len(seeds[kind])))]
                    path = folder / f"{kind}-{k}{seed.suffix}"
                    path.write_bytes(mutated(kind, seed.read_bytes(), rng))
                    worker.send({"kind": kind, "path": str(path), "seed": seed.name})
                    sent += 1
            if time.monotonic() >= until and not any(worker.job for worker in workers):
                break
            for worker in _ready(workers):
                found = worker.answer(True)
                _note(worker, found, results, keep)
            for worker in workers:
                if worker.job and (found := worker.answer(False)):
                    _note(worker, found, results, keep)
    finally:
        for worker in workers:
            worker.stop()
    return results


def _ready(workers: list[Worker]) -> list[Worker]:
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            if worker.job:
                assert worker.process.stdout is not None
                selector.register(worker.process.stdout, selectors.EVENT_READ, worker)
        return [key.data for key, _ in selector.select(0.5)] if selector.get_map() else []


def _note(worker: Worker, found: dict[str, Any] | None, results: list[dict[str, Any]], keep: Path) -> None:
    if found is None or worker.job is None:
        return
    found |= {"kind": worker.job["kind"], "seed": worker.job["seed"]}
    path = Path(worker.job["path"])
    if found["end"] not in ("read", "refused"):
        keep.mkdir(parents=True, exist_ok=True)
        kept = keep / f"{len(results):05d}-{found['end']}{path.suffix}"
        path.replace(kept)
        found["file"] = str(kept)
        last = found["text"].strip().splitlines()[-1:] or [""]
        print(f"{found['end']:9} {found['kind']:9} {kept}  {last[0][:150]}", flush=True)
    results.append(found)
    worker.job = None


def table(results: list[dict[str, Any]]) -> str:
    """Return how often each kind ended how, with the slowest and the largest."""
    rows = [["kind", "tried", *ENDS, "s at most", "MB at most"]]
    for kind in dict.fromkeys(r["kind"] for r in results):
        mine = [r for r in results if r["kind"] == kind]
        ends = Counter(r["end"] for r in mine)
        most = [f"{max(r['seconds'] for r in mine):.1f}", f"{max(r['megabytes'] for r in mine):.0f}"]
        rows.append([kind, str(len(mine)), *(str(ends[end]) for end in ENDS), *most])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, default=Path("fuzz.json"))
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        return work(asked.worker)
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mien-fuzz-") as folder:
        results = fuzz(asked, Path(folder), asked.output.with_suffix(""))
    minutes = (time.monotonic() - begun) / 60
    bad = [r for r in results if r["end"] not in ("read", "refused")]
    record = {"seed": asked.seed, "tried": len(results), "minutes": round(minutes, 2), "findings": bad}
    asked.output.write_text(json.dumps(record, indent=1) + "\n")
    print(f"{table(results)}\n{len(results)} files in {minutes:.1f} minutes, {len(bad)} findings: {asked.output}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
