"""Measure the dentition that mouths are given: what teeth look like at each place of the dental arch.

    python benchmarks/measure_dentition.py --data photofaces --data photofaces_extra [-o src/mien/nn/dentition.npz]

From pictures of people not marked test whose folder has mouths.npz: the log of a tooth's brightness beside the
mouth's brighter teeth, sharpened as pictures of 256 pixels blur it, and the logit of a tooth (rather than gum or dark)
at each place; (2, 96, 200) float16 over CENTRE ± REACH.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from mien.data.dataset import open_data
from mien.data.sampling.mouths import HUNDREDTHS, LEFT, TOOTH, TOP, read_mouths
from mien.data.sampling.rendered import COLUMNS, ROWS
from mien.nn.teeth import CENTRE, REACH

HEIGHT, WIDTH = 96, 200
FEWEST = 60  # pixels of teeth
INSIDE = 1.35  # how many more teeth there are than of which the rim is left out
SHARPEN, SHARE = 0.8, 0.6


def texels(arch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of places (n, 2) on the arch."""
    across, up = (((arch[:, k] - CENTRE[k]) / REACH[k] + 1) / 2 for k in range(2))
    column = np.rint(across * WIDTH - 0.5).astype(int).clip(0, WIDTH - 1)
    return np.rint(up * HEIGHT - 0.5).astype(int).clip(0, HEIGHT - 1), column


def filled(total: np.ndarray, count: np.ndarray, empty: float, weight: float) -> np.ndarray:
    """Return means of cells, of those around where a cell has few; `empty` counts as so many pixels more."""
    near, far = (lambda x: cv2.GaussianBlur(x, (0, 0), 0.8)), (lambda x: 0.02 * cv2.GaussianBlur(x, (0, 0), 4))
    return (near(total) + far(total) + weight * empty) / (near(count) + far(count) + weight)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, action="append")
    parser.add_argument("-o", "--output", type=Path, default=Path("src/mien/nn/dentition.npz"))
    parser.add_argument("--most", type=int, default=1500, help="pictures of each folder")
    asked = parser.parse_args()
    light, seen, inside = np.zeros((3, HEIGHT, WIDTH))
    for folder in asked.data:
        data = open_data(folder, 256)
        mouths = read_mouths((folder,), [data.manifest.path(k) for k in range(len(data))])
        if mouths is None:
            raise SystemExit(f"{folder}: no mouths.npz")
        rows = np.random.default_rng(0).permutation(np.flatnonzero((mouths.row >= 0) & ~data.manifest.test))
        for k in rows[: asked.most].tolist():
            part, arch = mouths.part[mouths.row[k]], mouths.arch[mouths.row[k]] / HUNDREDTHS
            tooth = part == TOOTH
            if tooth.sum() < FEWEST:
                continue
            grey = data.images[k][TOP : TOP + ROWS, LEFT : LEFT + COLUMNS].mean(-1)
            core = cv2.erode(tooth.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            place = texels(arch[core])
            np.add.at(light, place, grey[core] / np.percentile(grey[tooth], 75))
            np.add.at(seen, place, 1)
            np.add.at(inside, texels(arch[part > 0]), 1)
    grain = np.log(filled(light, seen, 0.8, 1e-6).clip(0.15, 1.15))
    grain += SHARPEN * (grain - cv2.GaussianBlur(grain, (0, 0), 2))
    share = filled(INSIDE * seen, inside, 0.3, 1.0).clip(0.03, 0.97)
    logit = SHARE * np.log(share / (1 - share))
    np.savez_compressed(asked.output, texture=np.stack([grain, logit]).astype(np.float16))
    print(f"{asked.output}: {int(seen.sum())} pixels of teeth")


if __name__ == "__main__":
    main()
