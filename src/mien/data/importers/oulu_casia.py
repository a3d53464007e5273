"""Oulu-CASIA NIR&VIS: clips from neutral to peak, six expressions, three lights, two cameras (Zhao et al. 2011).

    ROOT/VIS/Strong/P001/Anger/000.jpeg …     VL in place of VIS, and OriginalImg/ above them, are found too

Protocol of TER-GAN 4.1, REL-GAN 4.2 and ExprGAN ("Dataset"): VIS camera, strong light, the last three frames (80
people, 480 clips, 1,440 images); the first frame is neutral besides (`--no-neutral` leaves it out). The near-infrared
camera and the other lights are left aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mien.data.importers.support.clip_frames import rising, shown
from mien.data.importers.support.corpus_folder import folders, number, pictures, stem, wrong_layout
from mien.data.importers.support.sample import Importer, Options, Sample, Skip
from mien.labels import expression_word

EXPECTS = "the Oulu-CASIA folder that holds VIS/Strong/P001/Anger/*.jpeg"
LIGHTS = ("Strong", "*/Strong", "*/*/Strong")


def strong(root: Path) -> Path:
    """Return the folder of the strong light seen by the visible-light camera. Raises InputError where there is none."""
    for pattern in LIGHTS:
        for folder in sorted(root.glob(pattern)):
            camera = folder.parent.name.upper()
            if not camera.startswith("NI") and any(p.name.startswith("P") for p in folders(folder)):
                return folder
    raise wrong_layout(root, "VIS/Strong/P001", EXPECTS)


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield the frames of every clip."""
    base = strong(root)
    for person in folders(base):
        for clip in folders(person):
            word, files = expression_word(clip.name), pictures(clip)
            if word is None or not files:
                yield Skip(str(clip), "folder without pictures" if word else "folder named after no expression")
                continue
            for k, level in rising(len(files), options):
                labels = {"subject": person.name, "sequence": f"{person.name}_{clip.name}"}
                place = {"frame": n if (n := number(files[k])) is not None else k}
                yield Sample(stem(files[k], base), files[k], {**labels, **place, **shown(word, level)})


IMPORTER = Importer(
    "Oulu-CASIA, VIS camera, strong light",
    samples,
    EXPECTS,
    "CMVS, University of Oulu (agreement, research only)",
    options=("all_frames", "neutral"),
)
