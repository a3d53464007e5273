"""Writes a corpus, as its importer lists it, as a data set: square faces as PNG, and at last `metadata.csv`.

Every picture is written whole or not at all; after a kill the same call goes on with those that are missing.
`import.json` holds what was asked for, `skipped.csv` what was left out and why. Where `metadata.csv` exists, the set is
complete.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from mien.data.columns import KNOWN, METADATA, suggestion
from mien.data.images import WORKERS
from mien.data.importers import IMPORTERS
from mien.data.importers.support.crop import align_face, central_square
from mien.data.importers.support.sample import Importer, Options, Sample, Skip
from mien.data.importers.tables import with_units
from mien.errors import InputError
from mien.files import alone, check_folder, is_new, make_folder, path_text, write_json, write_whole
from mien.media.photo import read_photo
from mien.media.picture import MEMORY, cost_at
from mien.progress import Tell, untold
from mien.reading import read_json

RECORD, SKIPPED = "import.json", "skipped.csv"
SUMMARY = {"images": int, "people": int, "expressions": {"*": int}, "skipped": {"*": int}}
"""What the record holds of a set that is complete."""
_OURS = "expected the record of an import; give a new folder and import again"
ALIGN = ("auto", "always", "never")
CHUNK = 32  # pictures that threads share; of those that are frames of videos the pixels are read before
UNREADABLE, FACELESS = "picture cannot be read", "no face found"
CODES: dict[str, str | int | float] = {"test": 0, "fold": ""}
"""Columns that must agree on all pictures of a person, and what an empty cell of theirs means."""


@dataclass(frozen=True)
class Summary:
    """What an import wrote and what it left out."""

    images: int
    people: int
    expressions: dict[str, int]  # images by word; "" without one
    skipped: dict[str, int]  # by reason, the most frequent first
    measured: int = 0  # images whose action units a tool's table gave (--aus)

    def lines(self) -> list[str]:
        """Return the summary as text."""
        words = ", ".join(f"{word or 'without expression'} {n}" for word, n in self.expressions.items())
        text = [f"{self.images} images of {self.people} people: {words}"]
        if self.people == self.images > 1:
            text.append("every picture counts as a person of its own; measure no identity on them")
        if self.measured:
            text.append(f"{self.measured} images have action units by --aus: measured, not coded")
        if self.skipped:
            reasons = ", ".join(f"{n} {why}" for why, n in self.skipped.items())
            text.append(f"skipped {sum(self.skipped.values())}: {reasons}; {SKIPPED} lists them")
        return text


def gather(
    corpus: str, root: Path, out: Path, size: int = 128, align: str = "auto", options: Options | None = None,
    tell: Tell = untold,
) -> Summary:  # fmt: skip
    """Import the corpus named `corpus` from ROOT into the data set OUT, faces of `size` pixels.

    `align` is auto (as the corpus needs it), always or never. Called again, it goes on where it stopped. Raises
    InputError for an unknown corpus, a ROOT laid out otherwise, options the corpus has not, an OUT that holds
    something else, and where nothing could be imported.
    """
    importer = _importer(corpus)
    options = _decide_options(importer, corpus, size, align, options or Options())
    root, out = Path(root), Path(out)
    _check_places(importer, root, out)
    listed = list(importer.samples(root, options))
    samples = [item for item in listed if isinstance(item, Sample)]
    skipped = [item for item in listed if isinstance(item, Skip)]
    if not samples:
        raise _nothing(root, importer, skipped)
    _check_people(root, samples)
    measured = 0
    if options.aus:
        sourced = [replace(s, labels={"source": corpus, **s.labels}) for s in samples]
        samples, measured = with_units(sourced, Path(options.aus))
    names = _names(samples)
    order = {"corpus": corpus, "size": size, **asdict(options), "pictures": _digest(names, samples)}
    if not options.aus:
        del order["aus"]  # as earlier versions' folders have it
    make_folder(out)
    with alone(out):
        _open_folder(out, order)
        if not (out / METADATA).exists():
            skipped += _write_faces(out, samples, names, size, options.align, tell)
            written = [(name, sample) for name, sample in zip(names, samples, strict=True) if (out / name).exists()]
            if not written:
                _remove(out)
                raise _nothing(root, importer, skipped)
            _finish(out, corpus, written, skipped, measured)
        return _summary(out)


def _importer(corpus: str) -> Importer:
    if corpus not in IMPORTERS:
        guess = suggestion(corpus, tuple(IMPORTERS))
        raise InputError(f"{corpus}: no such corpus{guess}; choose {', '.join(IMPORTERS)}")
    return IMPORTERS[corpus]


def _decide_options(importer: Importer, corpus: str, size: int, align: str, options: Options) -> Options:
    """Return the options with the alignment decided. Raises InputError for what does not fit."""
    if align not in ALIGN:
        raise InputError(f"--align {align}: choose {', '.join(ALIGN)}")
    if not 16 <= size <= 1024:
        raise InputError(f"--size {size}: expected a number from 16 to 1024 pixels")
    if options.every < 1:
        raise InputError(f"--every {options.every}: expected 1 or more")
    if refused := importer.refused(options):
        offered = ", ".join(_flag(name) for name in importer.options) or "none"
        raise InputError(f"{_flag(refused[0])}: means nothing to {corpus}; leave it out, {corpus} takes {offered}")
    return replace(options, align=align == "always" or (align == "auto" and not importer.aligned))


def _flag(name: str) -> str:
    flags = {"neutral": "--no-neutral", "strangers": "--no-strangers"}
    return flags.get(name, f"--{name.replace('_', '-')}")


def _check_places(importer: Importer, root: Path, out: Path) -> None:
    """Raise InputError where ROOT is not there, or OUT lies in it."""
    if not root.exists():
        raise InputError(f"{root}: there is no such folder; expected {importer.expects}")
    if root.is_file() and not importer.file:
        raise InputError(f"{root}: is a file; expected {importer.expects}")
    check_folder(out)
    if out.resolve() == root.resolve() or root.resolve() in out.resolve().parents:
        raise InputError(f"{out}: lies in the corpus' own folder; choose a folder outside {root}")


def _nothing(root: Path, importer: Importer, skipped: Sequence[Skip]) -> InputError:
    why = ", ".join(f"{n} {why}" for why, n in Counter(s.why for s in skipped).most_common()) or "no pictures"
    return InputError(f"{root}: nothing to import ({why}); expected {importer.expects}")


def _check_people(root: Path, samples: Sequence[Sample]) -> None:
    """Raise InputError where somebody stands in training and in test."""
    seen: dict[str, Sample] = {}
    for sample in samples:
        who = str(sample.labels.get("subject", ""))
        other = seen.setdefault(who, sample)
        if who and any(sample.labels.get(c, e) != other.labels.get(c, e) for c, e in CODES.items()):
            raise InputError(
                f"{root}: subject {who} stands in training ({other.name}) and in test ({sample.name}); expected each "
                "person on one side: move the pictures, or name people otherwise with --subject"
            )


def _names(samples: Sequence[Sample]) -> list[str]:
    """Return each sample's file in OUT. Raises InputError where one would leave the folder."""
    names = [f"images/{path_text(sample.name).replace(chr(92), '_')}" for sample in samples]
    twice = {name.lower() for name, n in Counter(name.lower() for name in names).items() if n > 1}
    files = []
    for name, sample in zip(names, samples, strict=True):
        suffix = sample.pixels.suffix if isinstance(sample.pixels, Path) else ""
        files.append(f"{name}{suffix if name.lower() in twice else ''}.png")
        if ".." in PurePosixPath(name).parts:
            raise InputError(f"{sample.name}: leaves the folder; rename the picture")
    if len(set(files)) < len(files):
        name = next(name for name, n in Counter(files).items() if n > 1)
        raise InputError(f"{name}: two pictures of the corpus have this name; rename one")
    return files


def _digest(names: Sequence[str], samples: Sequence[Sample]) -> str:
    """Return a hash of all that metadata.csv will say."""
    said = hashlib.sha256()
    for name, sample in zip(names, samples, strict=True):
        said.update(json.dumps([name, sorted((k, str(v)) for k, v in sample.labels.items())]).encode())
    return said.hexdigest()[:16]


def _open_folder(out: Path, order: dict) -> None:
    """Make OUT ours, or refuse one that holds something else."""
    record = out / RECORD
    if record.exists():
        found = read_json(record, _OURS, {"order": dict})["order"]
        if found != order:
            raise InputError(f"{out}: holds another import ({_difference(found, order)}); give a new folder")
        return
    if not is_new(out):
        raise InputError(f"{out}: not empty and no import; give a new folder")
    write_json(record, {"order": order})


def _difference(found: dict | None, order: dict) -> str:
    for name, value in order.items():
        if (found or {}).get(name) != value:
            return "of other pictures or labels" if name == "pictures" else f"its {name} is {(found or {}).get(name)}"
    return "of another version"


def _write_faces(
    out: Path, samples: Sequence[Sample], names: Sequence[str], size: int, align: bool, tell: Tell
) -> list[Skip]:
    """Write the pictures that are missing; return those that could not be, in the order of `samples`."""
    missing = [(out / name, sample) for name, sample in zip(names, samples, strict=True) if not (out / name).exists()]
    for folder in {path.parent for path, _ in missing}:
        make_folder(folder)
    done, failed = len(samples) - len(missing), list[Skip]()

    def work(item: tuple[Path, Sample, np.ndarray | str | None]) -> Skip | None:
        path, sample, pixels = item
        return _write_face(path, sample, pixels, size, align)

    rest = iter(missing)
    with ThreadPoolExecutor(WORKERS) as pool:
        while some := list(islice(rest, CHUNK)):
            failed += [skip for skip in pool.map(work, list(_decoded(some))) if skip]
            done += len(some)
            tell(done, len(samples))
    return failed


def _decoded(items: Sequence[tuple[Path, Sample]]) -> Iterator[tuple[Path, Sample, np.ndarray | str | None]]:
    """Yield the items with the pixels of those that are no files of their own, or why there are none."""
    for path, sample in items:
        if isinstance(sample.pixels, Path):
            yield path, sample, None
            continue
        try:
            yield path, sample, sample.pixels()
        except InputError as error:
            yield path, sample, str(error)


def _write_face(path: Path, sample: Sample, pixels: np.ndarray | str | None, size: int, align: bool) -> Skip | None:
    """Write one face; return why not."""
    what = str(sample.pixels) if isinstance(sample.pixels, Path) else sample.name
    if isinstance(pixels, str):
        return Skip(pixels, UNREADABLE)
    try:
        face = _face(sample, pixels, size, align)
    except InputError as error:
        return Skip(str(error), UNREADABLE)
    if face is None:
        return Skip(what, FACELESS)
    good, data = cv2.imencode(".png", face[..., ::-1])
    assert good
    write_whole(path, data.tobytes())
    return None


def _face(sample: Sample, pixels: np.ndarray | None, size: int, align: bool) -> np.ndarray | None:
    """Return a picture's square face; None without one. Threads share the memory that decoding may take."""

    def cut(rgb: np.ndarray) -> np.ndarray | None:
        return align_face(rgb, size, sample.eyes, sample.lying) if align else central_square(rgb, size)

    if isinstance(sample.pixels, Path):
        with MEMORY.taken(cost_at(sample.pixels)):
            return cut(read_photo(sample.pixels).rgb)
    assert pixels is not None
    return cut(pixels)


def _finish(
    out: Path, corpus: str, written: Sequence[tuple[str, Sample]], skipped: Sequence[Skip], measured: int
) -> None:
    """Write skipped.csv, the counts, and at last metadata.csv; remove what killed processes left."""
    rows = [{"file_name": name, "source": corpus, **sample.labels} for name, sample in written]
    for stray in [*(out / "images").rglob(".*.part"), *out.glob(".*.part")]:
        stray.unlink()
    write_whole(out / SKIPPED, _table(("what", "why"), [asdict(skip) for skip in skipped]))
    summary = Summary(
        len(rows),
        len({row["subject"] for row in rows if row.get("subject")}),
        dict(Counter(str(row.get("expression", "")) for row in rows).most_common()),
        dict(Counter(skip.why for skip in skipped).most_common()),
        measured,
    )
    order = read_json(out / RECORD, _OURS)["order"]
    write_json(out / RECORD, {"order": order, "summary": asdict(summary)})
    used = {column for row in rows for column in row} | {"subject"}
    write_whole(out / METADATA, _table([column for column in KNOWN if column in used], rows))


def _table(columns: Sequence[str], rows: Sequence[dict]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: path_text(v) if isinstance(v, str) else v for k, v in row.items()} for row in rows)
    return text.getvalue().encode()


def _summary(out: Path) -> Summary:
    found = read_json(out / RECORD, _OURS, {"summary": SUMMARY})["summary"]
    measured = found.get("measured", 0)  # earlier versions' records have none
    return Summary(**{name: found[name] for name in SUMMARY}, measured=measured if isinstance(measured, int) else 0)


def _remove(out: Path) -> None:
    """Leave nothing of an import that came to nothing."""
    shutil.rmtree(out / "images", ignore_errors=True)
    (out / RECORD).unlink()
    if not any(out.iterdir()):
        out.rmdir()
