"""Trains the net that says whether there is a face, and writes it: the recipe of the package's own.

    mien synth studio --people 70 --per-person 8 --size 256 --sessions 2 --occluded 0.3 --seed 707
    python benchmarks/train_face_check.py --data photofaces --data photofaces_extra --data studio

Faces: all data folders' people but those marked test, with eyes on the template, put before something else, turned,
moved and scaled as a proposed box is off, dark, blurred, small, grey, with glasses, something in front. No faces: what
`proposals.py` proposes in `no_faces.py`'s training part, and where the landmarks' net then puts the eyes; the same
around faces, off by more than half; random places. Some three minutes of one core.
"""

from __future__ import annotations

import argparse
import time
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from no_faces import picture
from small_net import export
from torch import nn

from mien.data.images import read_image
from mien.data.manifest import read_manifest
from mien.faces.align import align, similarity, template
from mien.faces.finding.boxes import Box, distinct
from mien.faces.finding.face_check import SIDE, levelled
from mien.faces.finding.proposals import propose
from mien.faces.landmarks import eyes_of
from mien.runtime.landmarker import own_landmarker

WIDTHS = (16, 24, 32, 48)
STRIDES = (2, 2, 1, 2)
LEAK = 0.1
HIDDEN = 32
FACE = 128  # pixels of a face's picture, with eyes on the template
PAGE = 2 * FACE  # of what it is put on
EYES = template(FACE) + FACE / 2


class Net(nn.Module):
    """Levelled crops -> log odds; its batch norms are folded away as it is written."""

    def __init__(self) -> None:
        super().__init__()
        before = (3, *WIDTHS[:-1])
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride, 1, bias=False) for a, b, stride in zip(before, WIDTHS, STRIDES, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in WIDTHS)
        self.hidden = nn.Linear(WIDTHS[-1] * (SIDE // 8) ** 2, HIDDEN)
        self.odds = nn.Linear(HIDDEN, 1)
        self.drop = nn.Dropout(0.3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the log odds (N,) of levelled crops (N, 3, SIDE, SIDE)."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = nn.functional.leaky_relu(norm(convolution(x)), LEAK)
        x = self.drop(x).permute(0, 2, 3, 1).flatten(1)  # places first, as NumPy has them
        return self.odds(nn.functional.leaky_relu(self.hidden(x), LEAK)).squeeze(1)


def faces_of(folders: list[Path], each: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return at most `each` aligned pictures (FACE, FACE, 3) of every folder, none of them of people marked test."""
    found = []
    for folder in folders:
        manifest = read_manifest(folder)
        rows = np.flatnonzero(~manifest.test)
        real = [row for row in rows if manifest.files[row].startswith("real/")]  # always: they are few
        chosen = {*real, *rng.choice(rows, min(each, len(rows)), replace=False).tolist()}
        found += [read_image(manifest.folder / manifest.files[row], FACE) for row in sorted(chosen)]
    return found


@cache
def pages() -> list[np.ndarray]:
    """Return pictures (PAGE, PAGE, 3) without a face, to stand behind faces and before them."""
    rng = np.random.default_rng(3)
    return [picture("train", rng, PAGE) for _ in range(400)]


def page(rng: np.random.Generator) -> np.ndarray:
    """Return one of `pages`, or plain colour."""
    if rng.random() < 0.3:
        return np.full((PAGE, PAGE, 3), rng.integers(0, 256, 3), np.uint8)
    return pages()[rng.integers(len(pages()))].copy()


def before(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a picture (PAGE, PAGE, 3) with a face's picture (FACE, FACE, 3) in its middle."""
    kind = rng.random()
    if kind < 0.3:
        return cv2.copyMakeBorder(face, *[FACE // 2] * 4, cv2.BORDER_REPLICATE)
    if kind < 0.45:
        return cv2.copyMakeBorder(face, *[FACE // 2] * 4, cv2.BORDER_REFLECT)
    behind = page(rng)
    behind[FACE // 2 : 3 * FACE // 2, FACE // 2 : 3 * FACE // 2] = face
    return behind


def covered(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a picture of `before` with glasses, dark or clear, or with a piece of something before the face."""
    rgb = rgb.copy()
    kind = rng.random()
    if kind < 0.18:
        wide, dark = rng.uniform(12, 21), rng.random() < 0.35
        colour, high = (
            [int(v) for v in rng.integers(0, 256 if rng.random() < 0.3 else 70, 3)],
            wide * rng.uniform(0.6, 1.05),
        )
        glass = rgb.copy()
        for eye in EYES:
            centre, axes = (eye + rng.normal(0, 1, 2)).astype(int).tolist(), (int(wide), int(high))
            cv2.ellipse(glass, centre, axes, 0, 0, 360, colour, -1 if dark else int(rng.integers(1, 4)), 16)
        inner = [(int(EYES[0, 0] + wide), int(EYES[0, 1])), (int(EYES[1, 0] - wide), int(EYES[1, 1]))]
        cv2.line(glass, *inner, colour, int(rng.integers(1, 4)), 16)
        share = rng.uniform(0.6, 1)
        rgb = cv2.addWeighted(glass, share, rgb, 1 - share, 0)
    elif kind < 0.4:
        # hair, hands, masks, hats: a patch of something, of at most a third of the face, from one side
        patch, mask, side = page(rng), np.zeros((PAGE, PAGE), np.float32), rng.integers(4)
        at = ((128, 59), (128, 198), (62, 135), (194, 135))[side] + rng.normal(0, 6, 2)
        axes = rng.uniform(22, 52, 2) if side < 2 else rng.uniform([17, 25], [37, 70])
        cv2.ellipse(mask, at.astype(int).tolist(), axes.astype(int).tolist(), rng.uniform(-25, 25), 0, 360, 1.0, -1, 16)
        mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 3))[..., None]
        rgb = (mask * patch + (1 - mask) * rgb).astype(np.uint8)
    return rgb


def misplaced(eyes: np.ndarray, rng: np.random.Generator, shift: float, scale: float, turn: float) -> np.ndarray:
    """Return eyes (2, 2) moved by up to `shift` of their distance, scaled and turned by up to so much."""
    apart, angle = np.linalg.norm(eyes[1] - eyes[0]), np.deg2rad(rng.uniform(-turn, turn))
    size = np.exp(rng.uniform(-scale, scale))
    matrix = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (eyes - eyes.mean(0)) @ matrix.T + eyes.mean(0) + rng.uniform(-shift, shift, 2) * apart


def wrongly(eyes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return eyes (2, 2) that are off by more than half: beside, too large or small, or on their side or head."""
    kind, apart = rng.random(), np.linalg.norm(eyes[1] - eyes[0])
    if kind < 0.6:
        angle = rng.uniform(0, 2 * np.pi)
        moved = misplaced(eyes, rng, 0, 0.4, 30)
        return moved + rng.uniform(0.75, 2.2) * apart * np.array([np.cos(angle), np.sin(angle)])
    if kind < 0.8:
        moved = misplaced(eyes, rng, 0.3, 0, 25)
        return (moved - moved.mean(0)) * np.exp(rng.choice([-1, 1]) * rng.uniform(0.65, 1.4)) + moved.mean(0)
    angle = np.deg2rad(rng.uniform(60, 300))
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (eyes - eyes.mean(0)) @ matrix.T + eyes.mean(0) + rng.normal(0, 0.2, 2) * apart


def worsened(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a crop (SIDE, SIDE, 3) dark, lit from a side, grey, tinted, small, blurred, noisy, or out of a JPEG."""
    x = rgb.astype(np.float32)
    if rng.random() < 0.35:
        angle = rng.uniform(0, 2 * np.pi)
        slope = np.cos(angle) * np.linspace(-1, 1, SIDE)[:, None] + np.sin(angle) * np.linspace(-1, 1, SIDE)
        sharp = rng.uniform(0.5, 6)
        x *= (1 - rng.uniform(0.2, 0.8) / (1 + np.exp(-sharp * slope)))[..., None]
    if rng.random() < 0.4:
        x = np.repeat(x @ np.array([0.3, 0.59, 0.11], np.float32)[:, None], 3, 2)
    elif rng.random() < 0.5:
        x *= np.exp(rng.normal(0, 0.18, 3)).astype(np.float32)
    x = 255 * (np.clip(x, 0, 255) / 255) ** np.exp(rng.normal(0, 0.35))
    x = (x - 128) * np.exp(rng.uniform(-0.9, 0.3)) + 128 + rng.uniform(-50, 50)
    if rng.random() < 0.4:
        small = int(rng.uniform(18, 42))
        x = cv2.resize(
            cv2.resize(x, (small, small), interpolation=cv2.INTER_AREA), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC
        )
    if rng.random() < 0.25:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.2))
    if rng.random() < 0.3:
        x = x + rng.normal(0, rng.uniform(2, 12), x.shape)
    x = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        x = cv2.imdecode(cv2.imencode(".jpg", x, [1, int(rng.integers(25, 90))])[1], 1)
    return x[:, ::-1] if rng.random() < 0.5 else x


def cut(rgb: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    return align(rgb, similarity(eyes, SIDE), SIDE)


def positives(faces: list[np.ndarray], count: int, rng: np.random.Generator) -> np.ndarray:
    """Return crops of faces, half of them found as exactly as landmarks find them, half as roughly as boxes do."""
    found = []
    for _ in range(count):
        shown = covered(before(faces[rng.integers(len(faces))], rng), rng)
        off = (0.08, 0.08, 8) if rng.random() < 0.5 else (0.22, 0.2, 24)
        found.append(worsened(cut(shown, misplaced(EYES, rng, *off)), rng))
    return np.stack(found)


def beside_faces(faces: list[np.ndarray], count: int, rng: np.random.Generator) -> np.ndarray:
    """Return crops of hair, necks, cheeks and what is behind people."""
    shown = (before(faces[rng.integers(len(faces))], rng) for _ in range(count))
    return np.stack([worsened(cut(each, wrongly(EYES, rng)), rng) for each in shown])


def proposed(rgb: np.ndarray, rng: np.random.Generator, most: int) -> list[np.ndarray]:
    """Return eyes that the finder takes into account in a picture."""
    small = cv2.resize(rgb, None, fx=(scale := min(1.0, 300 / len(rgb))), fy=scale, interpolation=cv2.INTER_AREA)
    boxes = distinct([b.larger(1 / scale) for b in propose(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))], most)
    found = [box.eyes for box in boxes]
    for box in boxes[: most // 3]:
        points = own_landmarker().points(rgb, box.eyes)
        if points is not None:
            found.append(eyes_of(points))
    return found


def negatives(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return crops of what is proposed in pictures without a face, and of random places in them."""
    found: list[np.ndarray] = []
    while len(found) < count:
        rgb = picture("train", rng, int(rng.integers(240, 480)))
        eyes = proposed(rgb, rng, 30) if rng.random() < 0.6 else []
        eyes = [pair for pair in eyes if np.linalg.norm(pair[1] - pair[0]) > 2]
        for _ in range(40):
            box = Box(*rng.uniform(0, len(rgb), 2), np.exp(rng.uniform(3, 5)), 0, rng.uniform(-180, 180))
            eyes.append(box.eyes)
        found += [cut(rgb, pair) for pair in eyes]
    return np.stack([crop if rng.random() < 0.3 else worsened(crop, rng) for crop in found[:count]])


def train(
    net: Net, sets: list[np.ndarray], labels: list[float], steps: int, lr: float, rng: np.random.Generator
) -> None:
    """Train on as many crops of each set in every step."""
    optimizer = torch.optim.AdamW(net.parameters(), lr, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, steps)
    net.train()
    shares, running = [192 // len(sets)] * len(sets), 0.0
    true = torch.cat([torch.full((n,), label) for n, label in zip(shares, labels, strict=True)])
    weight = torch.where(true > 0.5, len(sets) / 2, len(sets) / 2 / (len(sets) - 1))
    for step in range(steps):
        crops = np.concatenate([s[rng.integers(0, len(s), n)] for s, n in zip(sets, shares, strict=True)])
        x = torch.from_numpy(levelled(crops)).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        loss = nn.functional.binary_cross_entropy_with_logits(net(x), true * 0.98 + 0.01, weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        running += (loss.item() - running) / min(step + 1, 100)
        if step % 200 == 199:
            print(f"step {step + 1} of {steps}: loss {running:.4f}", flush=True)
    net.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("-o", "--output", type=Path, default=Path("face_check.onnx"))
    parser.add_argument("--crops", type=int, default=7000, help="of faces, and as many of each kind of none")
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    torch.manual_seed(asked.seed)
    faces = faces_of(asked.data, 1200, rng)
    print(f"{len(faces)} pictures of faces", flush=True)
    sets = [f(faces, asked.crops, rng) for f in (positives, beside_faces)] + [negatives(asked.crops, rng)]
    print(f"crops are cut in {time.process_time():.0f} s of processor time", flush=True)
    net = Net().to(memory_format=torch.channels_last)
    train(net, sets, [1.0, 0.0, 0.0], asked.steps, 3e-3, rng)
    export(net, torch.zeros(2, 3, SIDE, SIDE), asked.output, {0: "crops"})
    print(f"{asked.output}: {asked.output.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
