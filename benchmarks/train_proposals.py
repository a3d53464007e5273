"""Trains the net that proposes where faces may be, and writes it: the recipe of the package's own.

    mien synth studio --people 70 --per-person 8 --size 256 --sessions 2 --occluded 0.3 --seed 707
    python benchmarks/train_proposals.py --data photofaces --data photofaces_extra --data studio

Patches of 96×96 pixels with up to three faces, 12 to 130 pixels wide, at any turn: those of `train_face_check.py`, of
all data folders' people but those marked test, stretched, with hair around, whole or as a head before something else,
cut by the patch's rim, dim, faint, blurred, noisy. Faces between NARROW and WIDE are to be found, others of a like size
do not count. What else is there are `no_faces.py`'s pictures for training. Some forty minutes of one core; called
again, it goes on.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from small_net import export
from torch import nn
from train_face_check import EYES, FACE, PAGE, covered, faces_of, page

from mien.faces.finding.boxes import EYES_APART, box_of
from mien.faces.finding.proposals import STRIDE, UNIT, levelled

SIDE = 96  # pixels of a patch
CELLS = SIDE // STRIDE
NARROW, WIDE = 18.0, 44.0  # pixels of a face's width that are found; levels of half the size follow each other
CLEAR = 1.6  # times narrower or wider: what is still no face
FIRST, SECOND, DEEP, BLOCKS = 12, 24, 64, 3


class Block(nn.Module):
    """A convolution of each channel, one of each place, and what came."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, groups=width, bias=False), nn.BatchNorm2d(width),
            nn.Conv2d(width, width, 1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return it in the same shape."""
        return nn.functional.relu(x + self.layers(x))


class Net(nn.Module):
    """Levelled grey pictures (N, 1, H, W) -> log odds and eyes (N, 5, H / STRIDE, W / STRIDE)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for a, b, kernel in ((1, FIRST, 5), (FIRST, SECOND, 3), (SECOND, DEEP, 3)):
            layers += [nn.Conv2d(a, b, kernel, 2, kernel // 2, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
        self.body = nn.Sequential(*layers, *(Block(DEEP) for _ in range(BLOCKS)))
        self.said = nn.Conv2d(DEEP, 5, 1)
        nn.init.constant_(self.said.bias[:1], -4.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return log odds, and the eyes from there in UNITs."""
        return self.said(self.body(x))


def cast(rng: np.random.Generator) -> np.ndarray:
    """Return a matrix (2, 3) that puts a page's face somewhere in a patch, of any size, at any turn."""
    width = np.exp(rng.uniform(np.log(12), np.log(130))) if rng.random() < 0.4 else rng.uniform(NARROW, WIDE)
    apart = EYES[1, 0] - EYES[0, 0]
    angle = np.deg2rad(rng.uniform(-30, 30) if rng.random() < 0.75 else rng.uniform(-180, 180))
    scale = EYES_APART * width / apart
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wide, high = np.exp(rng.normal(0, 0.07, 2))
    turn = turn @ np.array([[wide, rng.normal(0, 0.06)], [0, high]])  # no two heads are alike
    if rng.random() < 0.5:
        turn[:, 0] *= -1  # mirrored
    at = rng.uniform(-4, SIDE + 4, 2)
    return np.column_stack([turn, at - turn @ np.full(2, (PAGE - 1) / 2)])


def surrounded(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a page with a face's picture (FACE, FACE, 3) in its middle; mirrored, its rim would show half faces."""
    if rng.random() < 0.45:
        return cv2.copyMakeBorder(face, *[FACE // 2] * 4, cv2.BORDER_REPLICATE)
    behind = page(rng)
    behind[FACE // 2 : -FACE // 2, FACE // 2 : -FACE // 2] = face
    return behind


def haired(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a page with hair, or a hood, around what is between brows, cheeks and chin, and over its rim."""
    inner, outer = np.ones((PAGE, PAGE), np.float32), np.zeros((PAGE, PAGE), np.float32)
    middle = (PAGE // 2 + int(rng.normal(0, 4)), PAGE // 2 + int(rng.uniform(2, 14)))
    axes = (int(rng.uniform(35, 52)), int(rng.uniform(44, 64)))
    cv2.ellipse(inner, middle, axes, rng.uniform(-12, 12), 0, 360, 0.0, -1, 16)
    wide, high = int(rng.uniform(54, 90)), int(rng.uniform(68, 105))
    cv2.ellipse(outer, (PAGE // 2, PAGE // 2), (wide, high), 0, 0, 360, 1.0, -1, 16)
    if rng.random() < 0.5:  # it falls on the shoulders
        cv2.rectangle(outer, (PAGE // 2 - wide, PAGE // 2), (PAGE // 2 + wide, PAGE), 1.0, -1)
    if rng.random() < 0.5:  # and the chin is free
        inner[middle[1] + axes[1] // 3 :] = np.minimum(inner[middle[1] + axes[1] // 3 :], rng.uniform(0, 0.3))
    share = cv2.GaussianBlur(inner * outer, (0, 0), rng.uniform(0.7, 6))[..., None]
    hair = page(rng).astype(np.float32)
    if rng.random() < 0.7:  # dark or fair, of one colour
        colour = rng.uniform(0, 90, 3) if rng.random() < 0.6 else np.array([200, 170, 120]) * rng.uniform(0.5, 1.1)
        hair = colour * (0.4 + 1.2 * hair.mean(2, keepdims=True) / 255)
    return np.clip(share * hair + (1 - share) * face, 0, 255).astype(np.uint8)


def head(rng: np.random.Generator) -> np.ndarray:
    """Return what of a page (PAGE, PAGE) is taken: all, the face's picture, or a head with soft or hard edges."""
    mask, kind = np.zeros((PAGE, PAGE), np.float32), rng.random()
    if kind < 0.3:
        mask[:] = 1
    elif kind < 0.45:
        mask[FACE // 2 : -FACE // 2, FACE // 2 : -FACE // 2] = 1
    else:
        axes = (int(rng.uniform(48, 72)), int(rng.uniform(62, 92)))
        cv2.ellipse(mask, (PAGE // 2, PAGE // 2 + int(rng.uniform(-2, 8))), axes, 0, 0, 360, 1.0, -1, 16)
        if kind < 0.8:  # with a neck and shoulders
            wide, low = int(rng.uniform(22, 36)), PAGE // 2 + 60
            cv2.rectangle(mask, (PAGE // 2 - wide, low), (PAGE // 2 + wide, PAGE), 1.0, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.6, 5))
    return mask


def patch(faces: list[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return a grey patch uint8 (SIDE, SIDE) and the eyes (2, 2) of its faces, in its pixels."""
    large = page(rng)
    shown = cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA) if rng.random() < 0.5 else large[:SIDE, :SIDE]
    shown, eyes = shown.astype(np.float32), []
    for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 3])):
        face, matrix = covered(surrounded(faces[rng.integers(len(faces))], rng), rng), cast(rng)
        if rng.random() < 0.6:
            face = haired(face, rng)
        true = EYES @ matrix[:, :2].T + matrix[:, 2]
        apart = float(np.linalg.norm(true[1] - true[0]))
        centre = box_of(true)
        if any(np.hypot(centre.x - o.x, centre.y - o.y) < 0.6 * max(centre.width, o.width) for o in map(box_of, eyes)):
            continue
        scale = apart / (EYES[1, 0] - EYES[0, 0])
        mask = head(rng)
        if scale < 1:
            blur = 0.45 * np.sqrt(1 / scale**2 - 1) + 1e-3
            face, mask = cv2.GaussianBlur(face, (0, 0), blur), cv2.GaussianBlur(mask, (0, 0), blur)
        over = cv2.warpAffine(face, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR).astype(np.float32)
        share = cv2.warpAffine(mask, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)[..., None]
        shown = share * over + (1 - share) * shown
        if np.linalg.det(matrix[:, :2]) < 0:
            true = true[::-1]
        eyes.append(true)
    return spoilt(shown, rng), eyes


def spoilt(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return it grey, uint8, mixed of its colours by chance, dim, faint, lit from a side, blurred, noisy, of a JPEG."""
    weights = np.array([0.3, 0.59, 0.11]) if rng.random() < 0.6 else rng.dirichlet([2, 2, 2])
    x = (rgb @ weights).astype(np.float32)
    if rng.random() < 0.3:
        angle = rng.uniform(0, 2 * np.pi)
        slope = np.cos(angle) * np.linspace(-1, 1, SIDE)[:, None] + np.sin(angle) * np.linspace(-1, 1, SIDE)
        x = x * (1 - rng.uniform(0.2, 0.9) / (1 + np.exp(-rng.uniform(0.5, 8) * slope)))
    x = 255 * (np.clip(x, 0, 255) / 255) ** np.exp(rng.normal(0, 0.4))
    if rng.random() < 0.5:
        x = (x - 128) * np.exp(rng.uniform(-1.8, 0.3)) + rng.uniform(60, 180)
    if rng.random() < 0.25:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.4:
        x = x + rng.normal(0, rng.uniform(1, 10), x.shape)
    x = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        x = cv2.imdecode(cv2.imencode(".jpg", x, [1, int(rng.integers(25, 90))])[1], 0)
    return x


def labels(eyes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return (CELLS, CELLS) 1 where a face is, 0 where none is, NaN where it does not count; eyes (4, CELLS, CELLS)."""
    true, where = np.zeros((CELLS, CELLS), np.float32), np.zeros((4, CELLS, CELLS), np.float32)
    y, x = np.mgrid[:CELLS, :CELLS] * STRIDE + (STRIDE - 1) / 2
    for pair in eyes:
        box = box_of(pair)
        away = np.hypot(x - box.x, y - box.y)
        inside = (pair >= 0).all() and (pair < SIDE).all()
        if NARROW <= box.width <= WIDE and inside:
            near = (away <= max(0.22 * box.width, 1.01 * away.min())) & (away < box.width)
            true[(away < 0.6 * box.width) & (true < 1)] = np.nan
            true[near] = 1
            for k, eye in enumerate(pair):
                where[2 * k, near], where[2 * k + 1, near] = (eye[0] - x[near]) / UNIT, (eye[1] - y[near]) / UNIT
        elif NARROW / CLEAR <= box.width <= WIDE * CLEAR:
            true[(away < 0.6 * box.width) & (true < 1)] = np.nan
    return true, where


def batch(faces: list[np.ndarray], count: int, rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
    """Return levelled patches (N, 1, SIDE, SIDE), labels (N, CELLS, CELLS) and eyes (N, 4, CELLS, CELLS)."""
    made = [patch(faces, rng) for _ in range(count)]
    said = [labels(eyes) for _, eyes in made]
    seen = np.stack([levelled(grey) for grey, _ in made])[:, None]
    return tuple(torch.from_numpy(a) for a in (seen, np.stack([a for a, _ in said]), np.stack([b for _, b in said])))


def loss_of(said: torch.Tensor, true: torch.Tensor, eyes: torch.Tensor) -> torch.Tensor:
    """Return the focal loss of the odds (Lin et al. 2017) and the distance of the eyes, a face."""
    known, faces = ~true.isnan(), true == 1
    odds, label = said[:, 0][known], true[known]
    right = torch.sigmoid(torch.where(label == 1, odds, -odds))
    focal = ((1 - right) ** 2 * nn.functional.softplus(torch.where(label == 1, -odds, odds))).sum()
    off = nn.functional.smooth_l1_loss(said[:, 1:], eyes, beta=0.1, reduction="none").sum(1)[faces].sum()
    return (focal + 2 * off) / faces.sum().clamp(min=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("-o", "--output", type=Path, default=Path("proposals.onnx"))
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--patches", type=int, default=64, help="a step")
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=Path, help="weights to begin with, a .pt of before")
    parser.add_argument("--mean-with", type=Path, help="weights, a .pt of before, that those written are averaged with")
    asked = parser.parse_args()
    torch.manual_seed(asked.seed)
    cv2.setNumThreads(1)
    faces = faces_of(asked.data, 1200, np.random.default_rng(asked.seed))
    kept = asked.output.with_suffix(".pt")
    net = Net().to(memory_format=torch.channels_last)
    if asked.start:
        net.load_state_dict(torch.load(asked.start, weights_only=True)["net"])
    optimizer = torch.optim.AdamW(net.parameters(), asked.lr, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, asked.lr, asked.steps, pct_start=0.05)
    begin = 0
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        begin = state["step"]
    numbers = sum(part.numel() for part in net.parameters())
    print(f"{len(faces)} pictures of faces; {numbers} numbers; from step {begin}", flush=True)
    running, begun = 0.0, time.time()
    net.train()
    for step in range(begin, asked.steps):
        seen, true, eyes = batch(faces, asked.patches, np.random.default_rng([asked.seed, step]))
        loss = loss_of(net(seen.contiguous(memory_format=torch.channels_last)), true, eyes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        running += (loss.item() - running) / min(step - begin + 1, 100)
        if step % 200 == 199 or step + 1 == asked.steps:
            left = (time.time() - begun) / (step + 1 - begin) * (asked.steps - step - 1) / 60
            print(f"step {step + 1} of {asked.steps}: loss {running:.4f}, {left:.0f} minutes left", flush=True)
            parts = {"net": net, "optimizer": optimizer, "schedule": schedule}
            torch.save({name: part.state_dict() for name, part in parts.items()} | {"step": step + 1}, kept)
            export(net, torch.zeros(1, 1, SIDE, SIDE), asked.output, {2: "down", 3: "across"})
            net.train()
    if asked.mean_with:
        here, there = net.state_dict(), torch.load(asked.mean_with, weights_only=True)["net"]
        net.load_state_dict({k: (v + there[k]) / 2 if v.is_floating_point() else v for k, v in here.items()})
        export(net, torch.zeros(1, 1, SIDE, SIDE), asked.output, {2: "down", 3: "across"})
    print(f"{asked.output}: {asked.output.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
