"""The atlas's small tiles - iris, teeth, ears - and the assembly of a person's whole atlas."""

import numpy as np

from mien.synth.geometry.bumps import bell, step
from mien.synth.geometry.eyes import BALL_EXTENT, BALL_RADIUS, IRIS_RADIUS
from mien.synth.person import Person
from mien.synth.texture.atlas import (
    ATLAS_HEIGHT,
    ATLAS_WIDTH,
    HAIR_HEIGHT,
    HAIR_TOP,
    SKIN_SIDE,
    TILES,
    noise,
    to_linear,
)
from mien.synth.texture.hair import hair_edge, strands
from mien.synth.texture.skin import paint_skin

TOOTH_EDGES = (0.0, 0.135, 0.245, 0.36, 0.46, 0.56, 0.68, 0.9)  # from the midline, share of half the arch: 7 teeth


def paint_eye(person: Person, rng: np.random.Generator) -> np.ndarray:
    """Return the eyeball as a disc (h, w, 4): polar angle from the pupil over radius."""
    _, _, width, height = TILES["eye"]
    y, x = (np.mgrid[0:height, 0:width].astype(np.float32) + 0.5) / height * 2 - 1
    distance = np.hypot(x, y) * BALL_EXTENT * BALL_RADIUS  # along the ball, eye distances
    turn = np.arctan2(y, x)
    iris = to_linear(np.array(person.eye_color) / 255)
    fibres = np.zeros_like(turn)
    for k in (11, 17, 29, 41):
        fibres += np.sin(k * turn + rng.uniform(0, 6.3)) / 4
    bright = 0.80 + 0.35 * fibres + 0.75 * step(distance, 0.035, 0.075) * step(distance, 0.10, 0.07)
    bright = bright * (1 - 0.85 * step(distance, 0.074, 0.094))
    collar = 1 + 0.5 * bell(distance, 0.042, 0.012)
    color = iris * (bright * collar)[..., None] + 0.012
    pupil = step(distance, 0.040, 0.033)
    color = color * (1 - pupil[..., None]) + 0.003 * pupil[..., None]
    old = person.wrinkled
    white = np.array([0.66, 0.62, 0.58]) - old * np.array([0.04, 0.07, 0.11])
    veins = np.clip(noise(rng, x.shape, 0.7, 2.0) - 1.3, 0, 1) * step(distance, 0.13, 0.3)
    white = white * (1 - (0.2 + 0.3 * old) * veins[..., None] * np.array([0.1, 1, 1]))
    red = step(distance, 0.15, 0.30)[..., None]
    white = white * (1 - red * np.array([0.12, 0.38, 0.36]))
    edge = step(distance, IRIS_RADIUS - 0.010, IRIS_RADIUS + 0.010)[..., None]
    tile = np.concatenate([color * (1 - edge) + white * edge, np.ones_like(edge)], -1)
    return tile


def paint_teeth(person: Person, upper: bool) -> np.ndarray:
    """Return one row of teeth (h, w, 4): along the arch, from gum to cutting edge; the gaps fall off to the back."""
    _, _, width, height = TILES["upper teeth"]
    v, u = np.mgrid[0:height, 0:width].astype(np.float32)
    a, v = np.abs((u + 0.5) / width * 2 - 1), (v + 0.5) / height
    edges = np.array(TOOTH_EDGES) * (1.0 if upper else 0.8)
    tooth = np.clip(np.searchsorted(edges, a) - 1, 0, len(edges) - 2)
    middle, size = (edges[tooth] + edges[tooth + 1]) / 2, np.diff(edges)[tooth]
    off = np.abs(a - middle) / (size / 2)
    gum_line = 0.40 + 0.07 * off**2 + (0.03 if upper else 0.0) * (tooth % 2)
    stain = 0.06 + 0.20 * person.wrinkled + 0.06 * (person.seed % 3)
    enamel = np.array([0.72, 0.68, 0.60]) * (1 - stain * np.array([0.25, 0.45, 1.0]))
    gap = 1 - 0.55 * step(off, 0.80, 1.0)
    shade = gap * (0.75 + 0.25 * step(v, 0.35, 0.7)) * (1 - 0.2 * step(v, 0.93, 1.0))
    gum = np.array([0.42, 0.14, 0.13]) * (1 - 0.35 * person.tone)
    share = step(v - gum_line, -0.03, 0.03)
    color = gum * (1 - share[..., None]) + share[..., None] * enamel * shade[..., None]
    color = color * (1 - 0.75 * step(a, 0.35, 0.95))[..., None]
    return np.concatenate([color, np.ones_like(a)[..., None]], -1)


def paint_ear(person: Person) -> np.ndarray:
    """Return the ear's skin (h, w, 4): redder than the face, dark in its hollow."""
    _, _, width, height = TILES["ear"]
    y, x = (np.mgrid[0:height, 0:width].astype(np.float32) + 0.5) / height * 2 - 1
    base = to_linear(person.skin_color) * (
        1 - (1 - 0.6 * person.tone) * np.array([0.02, 0.20, 0.18]) * (0.4 + 0.6 * person.redness)
    )
    hollow = np.exp(-(((x + 0.25) / 0.28) ** 2 + ((y - 0.12) / 0.32) ** 2))
    groove = bell(np.hypot(x, y * 0.96), 0.74, 0.08) * step(y, 0.75, 0.4)
    color = base * (1 - 0.80 * hollow - 0.5 * groove)[..., None]
    return np.concatenate([color, np.full_like(x, 0.6)[..., None]], -1)


def paint_atlas(person: Person) -> tuple[np.ndarray, np.ndarray]:
    """Return a person's atlas (ATLAS_HEIGHT, ATLAS_WIDTH, 5) and the map of the hair's edge on the skin's chart."""
    rng = np.random.default_rng((person.seed, 0x5EED))
    atlas = np.ones((ATLAS_HEIGHT, ATLAS_WIDTH, 5), np.float32)
    atlas[..., 4] = 0.5
    edge = hair_edge(person, rng)
    color, gloss = paint_skin(person, edge, rng)
    atlas[:SKIN_SIDE, :SKIN_SIDE, :3], atlas[:SKIN_SIDE, :SKIN_SIDE, 3] = color, gloss
    atlas[HAIR_TOP : HAIR_TOP + HAIR_HEIGHT, :SKIN_SIDE, 4] = strands(person, rng)
    for name, tile in (
        ("eye", paint_eye(person, rng)), ("upper teeth", paint_teeth(person, True)),
        ("lower teeth", paint_teeth(person, False)), ("ear", paint_ear(person)),
    ):  # fmt: skip
        left, top, width, height = TILES[name]
        atlas[top : top + height, left : left + width, :4] = tile
    return atlas, edge
