"""DISFA: 27 people watching a film, every frame with the intensities of twelve action units (Mavadati et al. 2013).

    ROOT/ActionUnit_Labels/SN001/SN001_au1.txt …          lines "frame,intensity", frames from 1, intensities 0–5
    ROOT/Videos_LeftCamera/LeftVideoSN001_comp.avi        the left camera's video, or
    ROOT/<any folder>/SN001/*.jpg                         extracted frames, numbered as the labels or from 0

Protocol of EET IV-A: all frames, 18 people to train on and 9 to test. `every` takes one frame in so many. The paper
does not name the people: `fold` holds the three parts of nine that AU papers share (Shao et al., JAA-Net), and `test`
marks the first of them. No frame has an expression word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from mien.data.columns import WHOLE
from mien.data.importers.support.corpus_folder import folders, need, number, pictures, read_text, wrong_layout
from mien.data.importers.support.facs import au_cells
from mien.data.importers.support.sample import Importer, Options, Pixels, Sample, Skip
from mien.data.importers.support.video_frames import VIDEOS, Player

EXPECTS = "the DISFA folder that holds ActionUnit_Labels/SN001/SN001_au1.txt and Videos_LeftCamera"
LABELS = "ActionUnit_Labels"
FOLDS = ((3, 29, 23, 25, 8, 5, 7, 17, 4), (13, 18, 11, 28, 12, 6, 31, 21, 24), (2, 10, 1, 26, 27, 32, 30, 9, 16))
"""People tested together, fold by fold."""
FOLD_OF = {f"SN{person:03d}": k for k, people in enumerate(FOLDS) for person in people}


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield every labelled frame."""
    base = need(root, EXPECTS, LABELS)
    people = [folder for folder in folders(base) if any(folder.glob("*_au*.txt"))]
    if not people:
        raise wrong_layout(root, f"{LABELS}/SN001/SN001_au1.txt", EXPECTS)
    videos, stills = _videos(root), _stills(root)
    if not videos and not stills:
        raise wrong_layout(root, "Videos_LeftCamera/LeftVideoSN001_comp.avi", EXPECTS)
    player = Player()
    for folder in people:
        person = folder.name
        try:
            codes = _codes(folder)
        except (ValueError, LookupError):  # InputError is one too: the file cannot be read
            yield Skip(str(folder), "label file cannot be read")
            continue
        if person not in videos and person not in stills:
            yield Skip(str(folder), "person without a video or frames")
            continue
        for frame in sorted(codes)[:: options.every]:
            pixels: Pixels | None = stills[person].get(frame) if person in stills else None
            if person not in stills:
                pixels = partial(player.read, videos[person], frame - 1)
            if pixels is None:
                yield Skip(f"{person} frame {frame}", "labelled frame without a picture")
                continue
            labels = {**_who(person), "frame": frame, **au_cells(codes[frame], complete=False)}
            yield Sample(f"{person}/{frame:05d}", pixels, labels)


def _who(person: str) -> dict[str, str | int]:
    who: dict[str, str | int] = {"subject": person, "sequence": person}
    if person in FOLD_OF:
        who |= {"fold": FOLD_OF[person], "test": int(FOLD_OF[person] == 0)}
    return who


def _codes(folder: Path) -> dict[int, dict[int, float | None]]:
    """Return intensities by frame and action unit. Raises ValueError where a line is not "frame,intensity"."""
    codes: dict[int, dict[int, float | None]] = {}
    for path in sorted(folder.glob("*_au*.txt")):
        au = int(re.findall(r"\d+", path.stem)[-1])
        for line in filter(str.strip, read_text(path).splitlines()):
            frame, _, level = line.partition(",")
            if not (0 <= float(level) <= 5 and 0 <= int(frame) <= WHOLE["frame"][1]):
                raise ValueError(line)
            codes.setdefault(int(frame), {})[au] = float(level)
    return codes


def _videos(root: Path) -> dict[str, Path]:
    """Return the left camera's video by person; the right one's where there is no left."""
    found: dict[str, Path] = {}
    for side in ("Right", "Left"):
        for path in sorted(root.glob("*/*")):
            match = re.fullmatch(rf"{side}Video(SN\d{{3}}).*", path.stem)
            if match and path.suffix.lower() in VIDEOS:
                found[match.group(1)] = path
    return found


def _stills(root: Path) -> dict[str, dict[int, Path]]:
    """Return extracted frames by person and label number: files numbered from 0 are one behind their labels."""
    found: dict[str, dict[int, Path]] = {}
    for folder in sorted([*root.glob("SN*"), *root.glob("*/*SN*"), *root.glob("*/*/*SN*")]):
        match = re.search(r"SN\d{3}", folder.name)
        if not match or not folder.is_dir() or LABELS in folder.parts:
            continue
        numbered = {n: path for path in pictures(folder) if (n := number(path)) is not None}
        if numbered and match.group() not in found:
            shift = 1 if min(numbered) == 0 else 0
            found[match.group()] = {n + shift: path for n, path in numbered.items()}
    return found


IMPORTER = Importer(
    "DISFA, twelve action units frame by frame",
    samples,
    EXPECTS,
    "mohammadmahoor.com (agreement, research only)",
    options=("every",),
)
