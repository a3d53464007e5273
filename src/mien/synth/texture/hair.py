"""Hair and beard: where they grow, how thick they lie, and the ragged shells and curtains that show them."""

from dataclasses import dataclass

import cv2
import numpy as np

from mien.synth.geometry.bumps import bell, step
from mien.synth.geometry.chart import Chart, quads
from mien.synth.person import Person
from mien.synth.texture.atlas import HAIR_HEIGHT, SKIN_SIDE, hair_uv, noise, polyline_distance, skin_uv, texels
from mien.synth.texture.skin import beard_map

HAIRLINE = np.array(  # s, t from the middle of the forehead over temple and sideburn round the ear to the nape
    [[0, 1.03], [0.35, 1.05], [0.60, 1.0], [0.80, 0.84], [0.93, 0.60], [1.02, 0.42], [1.10, 0.16], [1.22, -0.06],
     [1.40, -0.22], [1.56, -0.18], [1.72, 0.08], [1.95, 0.24], [2.45, 0.22], [2.72, -0.2], [2.9, -0.9], [3.3, -1.35],
     [4.3, -1.5]]
)  # fmt: skip
THICKNESS = {
    "short": 0.13, "swept": 0.19, "fringe": 0.13, "bun": 0.075, "bob": 0.14, "long": 0.12,
    "curly": 0.24, "afro": 0.5,
}  # fmt: skip
LAYERS = {"bun": 2, "bob": 2, "long": 2, "curly": 4, "afro": 5}
BEARD_LENGTH = {"moustache": 0.04, "goatee": 0.06, "short": 0.05, "full": 0.13}


@dataclass(frozen=True)
class Shell:
    """A layer of hair over the skin: vertex i stands `lift[i]` over skin vertex `source[i]` along its normal."""

    source: np.ndarray
    lift: np.ndarray
    cover: np.ndarray
    uv: np.ndarray
    faces: np.ndarray


@dataclass(frozen=True)
class Curtain:
    """Hair that hangs free of the skin and keeps its place on the head."""

    points: np.ndarray
    cover: np.ndarray
    uv: np.ndarray
    faces: np.ndarray


def hair_edge(person: Person, rng: np.random.Generator) -> np.ndarray:
    """Return (h, w): how far each point of the skin's chart lies inside the hairline, in eye distances."""
    map_ = texels()
    if person.hair == "bald":
        return np.full(map_.s.shape, -9.0, np.float32)
    line = HAIRLINE.copy()
    line[:, 1] += np.interp(line[:, 0], [0, 0.5, 0.75, 1.0, 1.1], [0.10, 0.30, 0.32, 0.10, 0]) * person.recession
    if person.gender == "female":
        line[:, 1] += np.interp(line[:, 0], [0.9, 1.1, 1.22, 1.5, 1.7], [0, 0.02, 0.12, 0.16, 0])
    if person.hair == "fringe":
        line[:5] = [[0, 0.52], [0.35, 0.53], [0.60, 0.50], [0.82, 0.42], [0.95, 0.34]]
        line[5:8, 1] = [0.24, 0.1, -0.06]
    small = texels(160)
    s = np.abs(small.s)
    inside = small.t > np.interp(s, line[:, 0], line[:, 1])
    distance = polyline_distance(s, small.t, line)
    signed = np.where(inside, distance, -distance).astype(np.float32)
    signed += 0.02 * noise(rng, signed.shape, 6)
    return cv2.resize(signed, (SKIN_SIDE, SKIN_SIDE), interpolation=cv2.INTER_LINEAR)


def strands(person: Person, rng: np.random.Generator) -> np.ndarray:
    """Return the hair's chart (HAIR_HEIGHT, SKIN_SIDE): strands as values spread evenly over 0-1."""
    shape = (HAIR_HEIGHT, SKIN_SIDE)
    if person.hair in ("curly", "afro"):
        field = noise(rng, shape, 1.3) + 0.8 * noise(rng, shape, 3.0)
    elif person.hair == "buzz":
        field = noise(rng, shape, 0.6, 0.9) + 0.5 * noise(rng, shape, 2.5, 3)
    elif person.hair == "short":
        field = noise(rng, shape, 0.7, 4) + 0.7 * noise(rng, shape, 2.2, 10)
    else:
        field = noise(rng, shape, 0.7, 14) + 0.55 * noise(rng, shape, 2.2, 26)
    split = int(HAIR_HEIGHT * 0.56)
    whiskers = noise(rng, shape, 0.55, 1.1) + 0.25 * noise(rng, shape, 1.5, 3)
    field[split:] = (
        whiskers[split:] if person.hair not in ("long", "bob") else 0.6 * field[split:] + 0.6 * whiskers[split:]
    )
    order = np.empty(field.size, np.float32)
    order[np.argsort(field, axis=None, kind="stable")] = np.linspace(0, 1, field.size, dtype=np.float32)
    return order.reshape(shape)


def _look_up(chart: Chart, field: np.ndarray) -> np.ndarray:
    """Return a field of the skin's chart at the vertices (grid_size,)."""
    place = skin_uv(chart.s[: chart.grid_size], chart.t[: chart.grid_size])
    return cv2.remap(
        field.astype(np.float32), place[:, 0], place[:, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).ravel()


def _shell(chart: Chart, lift: np.ndarray, cover: np.ndarray, threshold: float) -> Shell:
    """Return the shell over all triangles of the skin that touch a vertex with cover over `threshold`."""
    skin = chart.faces[: chart.skin_faces]
    # nobody sees the back of the head
    kept = skin[(cover[skin] > threshold).any(axis=1) & (np.abs(chart.s[skin]) < 3.3).all(axis=1)]
    source, inverse = np.unique(kept, return_inverse=True)
    uv = hair_uv(chart.s[source], chart.t[source])
    faces = inverse.reshape(-1, 3).astype(np.int32)
    return Shell(source, lift[source].astype(np.float32), cover[source].astype(np.float32), uv, faces)


def scalp_shells(person: Person, chart: Chart, edge: np.ndarray) -> list[Shell]:
    """Return the layers of hair over the scalp, thin at the hairline, the inner ones denser."""
    if person.hair in ("bald", "buzz"):  # shorn hair is paint
        return []
    inside = _look_up(chart, edge)
    s, t = chart.s[: chart.grid_size], chart.t[: chart.grid_size]
    full = THICKNESS[person.hair] * person.hair_volume
    rise = step(inside, -0.06, 0.42 if full > 0.1 else 0.2)
    lump = 1 + 0.16 * np.sin(5 * s + 3 * t + person.seed % 7) * np.sin(4 * t + person.seed % 5)
    sides = (
        1 - 0.55 * step(np.abs(s), 0.9, 1.5) * step(t, 0.9, 0.3) if person.hair in ("short", "swept", "fringe") else 1.0
    )
    if person.hair in ("long", "bob", "bun"):
        sides = 1 - 0.75 * step(np.abs(s), 0.75, 1.2) * step(t, 0.7, 0.25)
    sweep = (
        1 + 0.5 * bell(s, 0.45 * np.sign(person.hair_part), 0.6) * bell(t, 1.1, 0.4) if person.hair == "swept" else 1.0
    )
    height = full * rise * lump * sides * sweep
    layers = LAYERS.get(person.hair, 3)
    shells = []
    for layer in range(layers):
        share = (layer + 1) / layers
        airy = 0.45 if person.hair in ("curly", "afro") else 0.12
        dense = step(inside, -0.03 + 0.03 * layer, 0.08 + 0.05 * layer) * (1.05 - airy * share * (layers > 1))
        shells.append(_shell(chart, np.maximum(height * share, 0.004), np.clip(dense, 0, 1.1), 0.0))
    return shells


def beard_shells(person: Person, chart: Chart) -> list[Shell]:
    """Return the layers of a beard long enough to stand off the skin."""
    length = BEARD_LENGTH.get(person.beard, 0.0) * (0.7 + 0.5 * person.beard_density)
    if length == 0:
        return []
    grows = _look_up(chart, beard_map(person))
    shells = []
    full = person.beard in ("full", "moustache")
    for share, dense in ((0.3, 0.95 if full else 0.75), (0.65, 0.8 if full else 0.5), (1.0, 0.55 if full else 0.25)):
        shells.append(_shell(chart, 0.006 + length * share * grows, grows**1.6 * dense, 0.05))
    return shells


def curtain(person: Person, rng: np.random.Generator) -> Curtain | None:
    """Return hair that falls beside the face and behind the neck, or None for styles without."""
    if person.hair not in ("long", "bob"):
        return None
    bottom = -2.9 if person.hair == "long" else float(rng.uniform(-1.75, -1.15))
    y = np.linspace(1.05, bottom, 34)
    across = np.linspace(-1, 1, 60)  # even: no column at 0, which would lie on the face
    front = np.radians(np.interp(-y, [-1.0, -0.4, 0, 0.4, 1.0, 2.4], [36, 41, 51, 57, 56, 50]))
    angle = np.sign(across) * (np.pi - np.abs(across)[None] * (np.pi - front[:, None]))
    volume = 0.10 * person.hair_volume
    half = np.interp(-y, [-1.05, -0.5, 0, 0.5, 1.2, 2.4], [1.10, 1.26, 1.28, 1.28, 1.26, 1.2]) + volume * step(
        y, 1.05, 0.3
    )
    wave = 0.03 * np.sin(across * 17 + person.seed % 11)[None] * step(y, 0.6, -0.6)[:, None]
    wave = wave + 0.035 * np.sin(y[:, None] * 3.1 + 4 * across[None] + person.seed % 5) * step(y, 0.4, -0.8)[:, None]
    if person.hair == "bob":
        half = half + 0.07 * person.hair_volume * step(y, 0.2, bottom) - 0.12 * step(y, bottom + 0.3, bottom)
    radius = half[:, None] + wave
    deep = np.where(np.abs(angle) > 1.6, 1.25, (1.12 - 0.14 * step(y, 0.0, 0.5))[:, None])
    x, z = np.sin(angle) * radius, -1.15 + np.cos(angle) * radius * deep
    points = np.stack([x, y[:, None] + 0 * x, z], -1).reshape(-1, 3)
    cover = (
        1.1
        * step(1 - np.abs(across), 0.0, 0.05)[None]
        * step(y, bottom, bottom + (0.5 if person.hair == "long" else 0.14))[:, None]
    )
    cover = np.broadcast_to(cover * step(y, 1.06, 0.9)[:, None], x.shape).reshape(-1)
    uv = hair_uv(4.0 * across[None] + 0 * x, np.linspace(1.6, -0.3, len(y))[:, None] + 0 * x).reshape(-1, 2)
    index = np.arange(x.size).reshape(x.shape)
    return Curtain(
        points.astype(np.float32), cover.astype(np.float32), uv, quads(index[:-1], index[1:]).astype(np.int32)
    )
