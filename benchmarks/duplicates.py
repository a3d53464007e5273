"""How many planted copies `mien data check` finds, and what it takes for a copy that is none.

    python benchmarks/duplicates.py photofaces

Copies of 300 pictures a kind are put under another person's name; then every picture is dealt to one of two sides, so
that a person's expressions lie across.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mien.data.checks.duplicates import SIZE, copies_among, read_grey
from mien.data.images import read_image
from mien.data.manifest import Manifest, read_manifest
from mien.data.relatives import relatives_of
from mien.data.sampling.augment import Augmentation, Warp, apply

COUNT = 300
PLAIN, COLOURED = Augmentation(flip=False), Augmentation(flip=False, colour=0.2, scale=0.05)
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def compressed(image: np.ndarray, quality: int) -> np.ndarray:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def scaled(image: np.ndarray, share: float) -> np.ndarray:
    side = round(len(image) * share)
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


KINDS: dict[str, Change] = {
    "the same file": lambda image, rng: image,
    "JPEG, quality 50": lambda image, rng: compressed(image, 50),
    "scaled to 70 %": lambda image, rng: scaled(image, 0.7),
    "mirrored": lambda image, rng: image[:, ::-1].copy(),
    "brighter or darker by 20 %": lambda image, rng: apply(
        image, Warp(contrast=1.0, brightness=float(rng.choice([-0.2, 0.2]))), len(image)
    ),
    "turned by up to 6°, shifted by up to 6 %": lambda image, rng: apply(image, PLAIN.draw(rng), len(image)),
    "also mirrored, recoloured, scaled, JPEG": lambda image, rng: compressed(
        apply(image[:, ::-1].copy(), COLOURED.draw(rng), len(image)), 75
    ),
}


def grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)


def planted(manifest: Manifest, pictures: np.ndarray, kind: str, seed: int) -> tuple[float, int, float]:
    """Return the share of copies found, how many pairs of unrelated people were taken for copies, and seconds."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(manifest), COUNT, replace=False)
    extra = np.stack([grey(KINDS[kind](read_image(manifest.path(int(i))), rng)) for i in rows])
    both = manifest.select(np.concatenate([np.arange(len(manifest)), rows]))
    subject = both.subject.copy()
    subject[len(manifest) :] = len(both.subjects)
    alone = np.full(len(both), -1)
    parents = np.where(subject < len(both.subjects), both.parents, "")
    both = replace(
        both, subject=subject, subjects=[*both.subjects, "thief"], parents=parents, fold=alone, test=alone > 0
    )
    begin = time.time()
    found = {(c.first, c.second) for c in copies_among(np.concatenate([pictures, extra]), both)}
    spent = time.time() - begin
    true = {(int(row), len(manifest) + k) for k, row in enumerate(rows)}
    kin = relatives_of(manifest)
    person = np.append(manifest.subject, manifest.subject[rows])  # a copy shows whom it was copied from
    wrong = [pair for pair in found - true if not kin.related(person[[pair[0]]], person[[pair[1]]])[0]]
    return len(found & true) / COUNT, len(wrong), spent


def one_person(manifest: Manifest, pictures: np.ndarray, seed: int) -> pd.DataFrame:
    """Return by kind of pair how many pairs of one person, dealt to two sides, are taken for copies."""
    rng = np.random.default_rng(seed)
    side = rng.integers(0, 2, len(manifest))
    dealt = replace(manifest, split=side.astype(str), fold=np.full(len(manifest), -1), test=side < 0)
    flagged = {(c.first, c.second) for c in copies_among(pictures, dealt)}
    rows = []
    for person in range(len(manifest.subjects)):
        mine = np.flatnonzero((manifest.subject == person) & (manifest.kind == "rendered"))
        for k, i in enumerate(mine):
            for j in mine[k + 1 :]:
                if side[i] != side[j]:
                    levels = np.nan_to_num(manifest.intensity[[i, j]], nan=1.0)
                    strong = (
                        "both 0.5 or more"
                        if levels.min() >= 0.5
                        else "both 0.25 or less"
                        if levels.max() <= 0.25
                        else "weak and strong"
                    )
                    word = "same" if manifest.expression[i] == manifest.expression[j] else "other"
                    rows.append((word, strong, (int(i), int(j)) in flagged))
    return (
        pd.DataFrame(rows, columns=["expression", "intensity", "taken"])
        .groupby(["expression", "intensity"])
        .taken.agg(["mean", "sum", "size"])
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a data set")
    asked = parser.parse_args()
    manifest = read_manifest(asked.data)
    pictures = read_grey(manifest)
    for kind in KINDS:
        share, other, seconds = planted(manifest, pictures, kind, seed=0)
        print(f"{kind:>45}  found {share:.3f}  of unrelated people {other}  {seconds:.0f} s", flush=True)
    print(one_person(manifest, pictures, seed=0))


if __name__ == "__main__":
    main()
