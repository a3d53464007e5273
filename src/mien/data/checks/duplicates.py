"""The same picture twice, on two sides: copied, compressed anew, scaled, mirrored, or augmented before the split.

Two steps. First pictures get a code that hardly changes by augmentation, which is learned from the data set itself, and
those with near codes may be copies. Then the two are laid over each other to a fraction of a pixel, and compared. Only
pairs across sides matter: of `split`, `test` or `fold`, and of two unrelated people, who may come into different folds.

Measured by `benchmarks/duplicates.py` on 9,656 photographed faces (docs/data.md): 98.7 to 100 % of planted copies are
found, by kind, and no pair of unrelated people is taken for one. Of one person's pictures in two strong expressions,
0.4 % are; of two at intensity 0.25 or less, which hardly differ, 22 %. The limits were chosen on
these photographs, so elsewhere it will find somewhat less. It takes half a minute to a minute on one core.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from scipy.linalg import eigh

from mien.data.checks.face_alignment import SMALL, Poses, Straightener, matrix, standard, warped
from mien.data.checks.leaks import sides
from mien.data.checks.registration import fit
from mien.data.images import map_images, read_image
from mien.data.manifest import Manifest
from mien.data.relatives import relatives_of
from mien.data.sampling.augment import Augmentation, apply
from mien.progress import Tell, untold

SIZE = 64
"""Pixels at which two pictures are laid over each other."""

ALIKE, WORST = 0.985, 0.3
"""A copy correlates at least so well, and its worst patch is off by at most this share of the contrast.

No pictures of unrelated people correlated above 0.957. The hardest to find is a copy 20 % brighter, cut off at white.
"""

CODE, INSET, GRID = 48, 4, 12
SAMPLE, COPIES = 600, 6
SIMULATED = Augmentation(flip=False, colour=0.2, scale=0.05)
"""The augmentation that a code should not notice. Mirrored pictures are looked for on their own."""

REACH, NEAREST = 3.0, 5
"""Pairs are compared if their codes differ by up to three times what copies' do; at most five of each picture."""

FEW = 400
"""From so few pictures a code learns little: each is compared with its nearest five, however far those are."""

BLOCK = 512


@dataclass(frozen=True)
class Copy:
    """Two rows of a manifest that hold one picture."""

    first: int
    second: int
    mirrored: bool
    likeness: float  # correlation, -1 to 1


@dataclass(frozen=True, eq=False)
class Codes:
    """The codes by which N pictures are looked up, and how each lies in its frame."""

    code: np.ndarray  # (N, 48) float32; copies differ by about 1 in root mean square
    poses: Poses


def duplicates(manifest: Manifest, tell: Tell = untold, seed: int = 0) -> list[Copy]:
    """Return the pairs across sides that hold the same picture, the likest first; every image is decoded.

    Raises InputError for an image that cannot be decoded or is not square.
    """
    return copies_among(read_grey(manifest, tell), manifest, tell, seed)


def copies_among(grey: np.ndarray, manifest: Manifest, tell: Tell = untold, seed: int = 0) -> list[Copy]:
    """Return the pairs across sides among pictures (N, 64, 64) uint8 grey, the manifest's rows."""
    if len(grey) < 2:
        return []
    across, best = Across(manifest), dict[tuple[int, int], Copy]()
    upright, mirrored = codes_of(grey, seed)
    for flipped, theirs in ((False, upright), (True, mirrored)):
        first, second = near_pairs(upright.code, theirs.code, across, tell)
        start = theirs.poses.take(second).after(upright.poses.take(first).inverse())
        for k, (i, j) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
            other = np.ascontiguousarray(grey[j, :, ::-1]) if flipped else grey[j]
            found = fit(grey[i], other, matrix(start.turn[k], start.shift[k], SIZE))
            known = best[i, j].likeness if (i, j) in best else ALIKE  # a face may be its own mirror image
            if found.likeness >= known and found.worst <= WORST:
                best[i, j] = Copy(i, j, flipped, found.likeness)
            tell(k + 1, len(first), "comparing")
    return sorted(best.values(), key=lambda copy: -copy.likeness)


def read_grey(manifest: Manifest, tell: Tell = untold) -> np.ndarray:
    """Return all images as (N, 64, 64) uint8 grey."""
    out, done = np.empty((len(manifest), SIZE, SIZE), np.uint8), 0
    for chunk in map_images(partial(read_image, size=SIZE), map(manifest.path, range(len(manifest)))):
        for rgb in chunk:
            out[done] = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
            done += 1
        tell(done, len(manifest), "reading")
    return out


def codes_of(grey: np.ndarray, seed: int = 0) -> tuple[Codes, Codes]:
    """Return the codes of pictures (N, 64, 64) and of their mirror images."""
    small = _resize_small(grey)
    straightener = Straightener(small, seed)
    projection = _learn_projection(grey, straightener, seed)
    mirrored = np.ascontiguousarray(small[:, :, ::-1])
    upright, flipped = (
        Codes(_features(pictures, poses) @ projection, poses)
        for pictures in (small, mirrored)
        for poses in (straightener.poses(pictures),)
    )
    return upright, flipped


def _learn_projection(grey: np.ndarray, straightener: Straightener, seed: int) -> np.ndarray:
    """Return the (144, 48) projection in which copies differ least by how much pictures differ: Fisher's.

    It is scaled so that simulated copies of some of the pictures differ by 1 in root mean square.
    """
    rng = np.random.default_rng(seed)
    some = grey[rng.choice(len(grey), min(SAMPLE, len(grey)), replace=False)]
    copies = _resize_small(np.stack([_simulate_copy(g, rng) for g in some for _ in range(COPIES)]))
    raw = _features(copies, straightener.poses(copies)).reshape(len(some), COPIES, -1)
    apart = (raw - raw.mean(1, keepdims=True)).reshape(-1, raw.shape[-1])
    within = apart.T @ apart / (len(some) * (COPIES - 1))
    within += (1e-3 * np.trace(within) / len(within) + 1e-9) * np.eye(len(within))
    everybody = raw.reshape(-1, raw.shape[-1])
    _, axes = eigh(np.cov(everybody.T), within)
    return (axes[:, ::-1][:, :CODE] / np.sqrt(2 * CODE)).astype(np.float32)


def _simulate_copy(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an augmented copy of a picture (64, 64), compressed anew."""
    copy = apply(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), SIMULATED.draw(rng), SIZE)[..., 1]
    _, data = cv2.imencode(".jpg", copy, [cv2.IMWRITE_JPEG_QUALITY, 50])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))


def _resize_small(grey: np.ndarray) -> np.ndarray:
    """Return pictures (N, 64, 64) as (N, 32, 32)."""
    return np.stack([cv2.resize(g, (SMALL, SMALL), interpolation=cv2.INTER_AREA) for g in grey])


def _features(small: np.ndarray, poses: Poses) -> np.ndarray:
    """Return what codes are made of, (N, 144): straightened pictures, their light and contrast taken out."""
    return standard(warped(small, poses), INSET, GRID)


class Across:
    """Tells which pairs of a manifest's rows lie on two sides of something."""

    def __init__(self, manifest: Manifest):
        self.sides = [np.unique(names, return_inverse=True) for names in sides(manifest).values()]
        self.person, self.relatives = manifest.subject, relatives_of(manifest)

    def __call__(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return (P,) bool for rows (P,) and (P,)."""
        two_people = ~self.relatives.related(self.person[first], self.person[second])
        out = two_people & (self.person[first] >= 0) & (self.person[second] >= 0)
        for names, side in self.sides:
            a, b = side[first], side[second]
            out |= (a != b) & (names[a] != "") & (names[b] != "")
        return out


def near_pairs(ours: np.ndarray, theirs: np.ndarray, across: Across, tell: Tell) -> tuple[np.ndarray, np.ndarray]:
    """Return rows (P,) and (P,), first < second, of pairs across sides whose codes lie within REACH."""
    found = list(_near_blocks(ours, theirs, across, tell))
    return np.concatenate([first for first, _ in found]), np.concatenate([second for _, second in found])


def _near_blocks(
    ours: np.ndarray, theirs: np.ndarray, across: Across, tell: Tell
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    norm, reach = np.square(theirs).sum(1), REACH if len(ours) > FEW else np.inf
    for begin in range(0, len(ours), BLOCK):
        block = ours[begin : begin + BLOCK]
        # ‖a − b‖² ≤ REACH² without the square of a, so that a row takes one product and one comparison
        apart = norm[begin:] - 2 * block @ theirs[begin:].T  # (B, N - begin)
        limit = reach**2 - np.square(block).sum(1)
        first, second = np.nonzero(apart <= limit[:, None])
        keep = second > first
        first, second = first[keep], second[keep]
        distance = apart[first, second]
        keep = across(first + begin, second + begin)
        first, second, distance = first[keep], second[keep], distance[keep]
        order = np.lexsort((distance, first))
        first, second = first[order], second[order]
        rank = np.arange(len(first)) - np.searchsorted(first, first)
        chosen = rank < NEAREST
        yield first[chosen] + begin, second[chosen] + begin
        tell(min(begin + BLOCK, len(ours)), len(ours), "looking for copies")


def describe_copies(manifest: Manifest, copies: list[Copy], most: int = 50) -> list[str]:
    """Return a line a pair: which files, what lies between them; after `most` the rest is counted."""
    columns, lines = sides(manifest), []
    for copy in copies[:most]:
        i, j = copy.first, copy.second
        between = [f"{s[i]} and {s[j]}" for s in columns.values() if s[i] != s[j] and s[i] and s[j]]
        if manifest.subject[i] != manifest.subject[j] and min(manifest.subject[i], manifest.subject[j]) >= 0:
            between.append(f"{manifest.subjects[manifest.subject[i]]} and {manifest.subjects[manifest.subject[j]]}")
        how = "mirrored " if copy.mirrored else ""
        lines.append(f"{manifest.files[i]} and {manifest.files[j]}: {how}copies ({', '.join(between)})")
    if len(copies) > most:
        lines.append(f"… and {len(copies) - most} more")
    return lines
