"""A person's skin, painted once into the atlas: tone, redness, freckles, lips, brows, beard, the edge of the hair.

Where things lie is the same for all people (the skin's chart is canonical), so those masks are made once a process.
"""

from functools import lru_cache

import cv2
import numpy as np

from mien.synth.geometry.anatomy import lower_border, upper_border
from mien.synth.geometry.bumps import bell, spot, step
from mien.synth.geometry.chart import EYE_HALF, EYE_X, MOUTH_HALF, MOUTH_T
from mien.synth.person import Person
from mien.synth.texture.atlas import SKIN_SIDE, noise, polyline_distance, skin_uv, texels, to_linear

BROW_LINE = np.array([[0.19, 0.285], [0.33, 0.335], [0.52, 0.38], [0.72, 0.375], [0.93, 0.27]])
STROKE_SCALE = 3  # brow hairs are drawn finer than the atlas


def _darken(image: np.ndarray, share: np.ndarray, amount: tuple[float, float, float]) -> None:
    """Take `amount` (per channel, at most 1) times `share` (h, w) of the light from image (h, w, 3), in place."""
    for channel, part in enumerate(amount):
        if part:
            image[..., channel] *= 1 - np.float32(part) * share


def _cover(image: np.ndarray, color: np.ndarray, share: np.ndarray) -> None:
    """Lay `color` over the image by `share` (h, w) 0-1, in place."""
    for channel in range(3):
        image[..., channel] += share * (np.float32(color[channel]) - image[..., channel])


@lru_cache(maxsize=1)
def masks() -> dict[str, np.ndarray]:
    """Return canonical masks (h, w) float32 of the skin's chart by name."""
    m = texels()
    a, y, s, over = np.abs(m.x), m.y, np.abs(m.s), m.t - MOUTH_T
    front = (m.z > -0.3).astype(np.float32)
    blood = spot(a, y, (0.62, -0.52), (0.34, 0.28)) + 0.9 * spot(a, y, (0.06, -0.55), (0.2, 0.14))
    blood += 0.35 * spot(a, y, (0, -1.62), (0.3, 0.16)) + 0.25 * bell(y, 0.7, 0.3) + 0.8 * step(s, 1.7, 2.0)
    socket = np.clip(spot(a, y, (0.46, 0.03), (0.30, 0.17)) + 0.6 * spot(a, y, (0.36, -0.15), (0.2, 0.07)), 0, 1)
    wing = polyline_distance(a, y, np.array([[0.26, -0.5], [0.285, -0.6], [0.27, -0.69]]))
    u = (a - EYE_X) / EYE_HALF
    arc = np.clip(1 - (u * 0.92) ** 2, 0, 1)
    near = front * step(u, 1.25, 1.0) * step(u, -1.25, -1.0)
    inside = front * step(np.abs(u), 1.12, 0.98)
    red = np.where(over > 0, upper_border(m.x) - over, lower_border(m.x) + over)
    line = polyline_distance(m.x, over, np.array([[-MOUTH_HALF - 0.03, -0.004], [MOUTH_HALF + 0.03, -0.004]]))
    lips = step(red, -0.012, 0.022) * (a < MOUTH_HALF + 0.01) * front
    oil = 0.65 + 0.35 * spot(a, y, (0, 0.65), (0.6, 0.35)) + 0.4 * spot(a, y, (0, -0.35), (0.14, 0.4))
    oil += 0.2 * spot(a, y, (0.65, -0.35), (0.25, 0.2))
    result = {
        "blood": blood, "socket": socket, "wing": np.exp(-((wing / 0.022) ** 2)) * front, "lips": lips,
        "lip rim": bell(np.where(over > 0, upper_border(m.x) - over, 1), 0.0, 0.02) * lips,
        "lip line": np.exp(-((line / 0.015) ** 2)) * front,
        "lip outside": 1 - step(red, -0.03, 0.0) * (a < MOUTH_HALF + 0.02),
        "lid fold": bell(y, 0.03 + 0.115 * arc**0.6 - 0.01 * u, 0.014) * near * step(u, -1.1, -0.6),
        "lash": np.where(y > 0, np.exp(-((y / 0.024) ** 2)), 0.0) * inside,
        "lash below": np.where(y <= 0, np.exp(-((y / 0.016) ** 2)), 0.0) * inside,
        "liner": np.where(y > 0, np.exp(-((y / 0.045) ** 2)), 0.0) * inside,
        "tear": spot(a, y, (EYE_X - EYE_HALF - 0.005, 0), (0.03, 0.02)),
        "freckled": spot(a, y, (0.42, -0.35), (0.6, 0.42)), "oil": oil, "cloth": step(m.t, -2.66, -2.70),
    }  # fmt: skip
    return {name: mask.astype(np.float32) for name, mask in result.items()} | _beard_masks()


def _beard_masks() -> dict[str, np.ndarray]:
    """Return where beards grow: whole parts, and the faint shadow of a shaven one."""
    m = texels()
    a, s, over = np.abs(m.x), np.abs(m.s), m.t - MOUTH_T
    edge = np.interp(s, [0, 0.35, 0.6, 0.9, 1.25, 1.5], [-1.30, -1.20, -1.02, -0.80, -0.35, -0.05])
    below = step(m.t, -2.22, -1.95) * (m.t < -0.02)
    cheeks = step(m.t, edge + 0.16, edge - 0.24) * step(s, 1.75, 1.45)
    lip = step(over, 0.09, 0.19) * step(over, 0.38, 0.24) * step(a, 0.60, 0.34) * (1 - 0.5 * bell(a, 0, 0.05))
    side = np.clip(1.7 * spot(a, over, (0.50, -0.12), (0.085, 0.26)), 0, 1)
    chin = np.clip(1.7 * spot(a, over, (0, -0.57), (0.34, 0.24)) + 1.4 * spot(a, over, (0, -0.27), (0.10, 0.08)), 0, 1)
    shaven = np.maximum(
        step(m.t, edge + 0.2, edge - 0.2), step(over, 0.10, 0.17) * step(over, 0.36, 0.25) * step(a, 0.56, 0.40)
    )
    parts = {"beard cheeks": cheeks, "beard lip": lip, "beard side": side, "beard chin": chin, "beard shaven": shaven}
    return {name: (mask * below).astype(np.float32) for name, mask in parts.items()}


BEARD_PARTS: dict[str, tuple[str, ...]] = {
    "none": (), "stubble": ("lip", "cheeks"), "moustache": ("lip",), "goatee": ("lip", "side", "chin"),
    "short": ("lip", "cheeks", "side"), "full": ("lip", "cheeks", "side"),
}  # fmt: skip


def beard_map(person: Person) -> np.ndarray:
    """Return where and how densely (h, w) 0-1 the person's beard grows."""
    grows = np.zeros((SKIN_SIDE, SKIN_SIDE), np.float32)
    for part in BEARD_PARTS[person.beard]:
        grows = np.maximum(grows, masks()[f"beard {part}"])
    return grows * masks()["lip outside"]


def _tone(person: Person, rng: np.random.Generator) -> np.ndarray:
    """Return the bare skin (h, w, 3): uneven pigment, blood near the surface, darker sockets."""
    m, shape, d = masks(), (SKIN_SIDE, SKIN_SIDE), texels().density
    image = np.empty((*shape, 3), np.float32)
    image[:] = to_linear(person.skin_color)
    mottle = 0.5 * noise(rng, shape, 0.22 * d) + 0.4 * noise(rng, shape, 0.06 * d) + 0.35 * noise(rng, shape, 1.0)
    _darken(image, -0.035 * mottle, (0.7, 1.0, 1.1))
    blood = np.clip(m["blood"] + 0.12 * noise(rng, shape, 0.12 * d), 0, 1.2) * (0.35 + 0.65 * person.redness)
    _darken(image, (1 - 0.6 * person.tone) * blood, (0.01, 0.20, 0.17))
    _darken(image, (0.6 + 0.5 * person.wrinkled) * m["socket"], (0.10, 0.15, 0.12))
    _darken(image, m["wing"], (0.22, 0.30, 0.30))
    nostril = spot(
        np.abs(texels().x), texels().y, (0.092 * (1 + 0.13 * person.shape.nose_width), -0.682), (0.042, 0.022)
    )
    _darken(image, nostril, (0.68, 0.80, 0.80))
    return image


def _marks(image: np.ndarray, person: Person, rng: np.random.Generator) -> None:
    """Add freckles, spots of age and moles."""
    shape, m = image.shape[:2], texels()
    if person.freckles > 0:
        fleck = np.clip(noise(rng, shape, 1.1) - 1.3, 0, 1) * masks()["freckled"]
        _darken(image, np.clip(person.freckles * fleck, 0, 0.7), (0.35, 0.55, 0.6))
    if person.wrinkled > 0.2:
        old = np.clip(noise(rng, shape, 2.0) - 1.9, 0, 1) * person.wrinkled * person.spots
        _darken(image, 0.55 * old, (0.5, 0.7, 0.8))
    for _ in range(int(rng.integers(0, 4) * person.spots + 0.5)):
        x, y = rng.uniform(-0.9, 0.9), rng.uniform(-1.6, 0.9)
        mole = np.exp(-((((m.x - x) ** 2 + (m.y - y) ** 2) / rng.uniform(0.010, 0.018) ** 2) ** 2)) * (m.z > -0.5)
        _darken(image, 0.6 * mole, (0.8, 0.95, 1.0))


def _lips(image: np.ndarray, person: Person, rng: np.random.Generator) -> None:
    """Add lips and the dark line between them."""
    m = masks()
    natural = to_linear(person.skin_color) * (
        np.array([0.82, 0.47, 0.49]) + person.tone * np.array([-0.02, 0.12, 0.16])
    )
    natural = natural + np.array([0.05, 0.0, 0.006])
    color = natural + person.lipstick * (to_linear(np.array(person.lip_color) / 255) - natural)
    _cover(image, color, m["lips"] * (0.85 + 0.14 * person.lipstick))
    _darken(image, m["lips"] * (0.05 * noise(rng, image.shape[:2], 0.8, 5.0)) + 0.14 * m["lip rim"], (1, 1, 1))
    _darken(image, 0.5 * m["lip line"], (1, 1, 1))


def _lid_lines(image: np.ndarray, person: Person) -> None:
    """Add the fold of the upper lid, the roots of the lashes, and the liner."""
    m = masks()
    _darken(image, m["lid fold"], (0.34, 0.42, 0.42))
    _darken(image, 0.55 * m["lash"] + 0.4 * person.eyeliner * m["liner"], (1, 1, 1))
    _darken(image, (0.22 + 0.45 * person.eyeliner) * m["lash below"], (1, 1, 1))
    _darken(image, m["tear"], (0.0, 0.25, 0.22))


def _brow_hairs(person: Person, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return roots and tips (k, 2) of the left brow's hairs in canonical x and y, fanned from its inner end on."""
    brow = person.brows
    bend = np.array([0, 0.2, 0.8, 1, 0.1]) * brow.arch + np.array([-0.4, -0.2, 0, 0.2, 0.4]) * brow.tilt
    line = BROW_LINE + bend[:, None] * (0, 1)
    place = rng.uniform(0, 1, int(700 * brow.density))
    knots = np.linspace(0, 1, len(line))
    center = np.stack([np.interp(place, knots, line[:, k]) for k in (0, 1)], 1)
    ahead = np.stack([np.interp(place + 0.05, knots, line[:, k]) for k in (0, 1)], 1) - center
    ahead = np.where((place < 0.95)[:, None], ahead, (0.5, -0.35))
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    normal = np.stack([-ahead[:, 1], ahead[:, 0]], 1)
    body = brow.thickness * (0.62 + 0.5 * step(place, 0, 0.2)) * (1 - 0.72 * step(place, 0.5, 1.0))
    roots = center + normal * (rng.uniform(-0.5, 0.5, len(place)) * body)[:, None]
    lean = np.radians(65 * (1 - place) ** 1.6 - 8 * place) + rng.normal(0, 0.14, len(place))
    hair = ahead * np.cos(lean)[:, None] + normal * np.sin(lean)[:, None]
    return roots, roots + hair * rng.uniform(0.04, 0.075, len(place))[:, None]


def _brows(person: Person, rng: np.random.Generator) -> np.ndarray:
    """Return how much brow hair (h, w) 0-1 covers the skin."""
    bound = skin_uv(np.array([-1.15, 1.15]), np.array([0.75, 0.05])).astype(int)
    (left, top), (right, bottom) = bound
    canvas = np.zeros(((bottom - top) * STROKE_SCALE, (right - left) * STROKE_SCALE), np.uint8)
    for side in (-1, 1):
        ends = [skin_uv(p[:, 0] * side, p[:, 1]) for p in _brow_hairs(person, rng)]
        p, q = (np.round(((e - (left, top)) * STROKE_SCALE + STROKE_SCALE / 2) * 8).astype(int) for e in ends)
        for start, end, ink in zip(p.tolist(), q.tolist(), rng.integers(70, 170, len(p)).tolist(), strict=True):
            cv2.line(canvas, start, end, ink, 1, cv2.LINE_AA, 3)
    thin = cv2.resize(canvas, (right - left, bottom - top), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    result = np.zeros((SKIN_SIDE, SKIN_SIDE), np.float32)
    result[top:bottom, left:right] = np.clip(1.9 * thin + 0.5 * cv2.GaussianBlur(thin, (0, 0), 1.4), 0, 1)
    return result * person.brows.strength


def paint_skin(person: Person, hair_edge: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the skin's chart (h, w, 3) linear and its gloss (h, w), both float32.

    `hair_edge` (h, w): how far a point lies inside the hairline, eye distances; far negative for bald heads.
    """
    m, shape = masks(), (SKIN_SIDE, SKIN_SIDE)
    image = _tone(person, rng)
    _marks(image, person, rng)
    _lips(image, person, rng)
    _lid_lines(image, person)
    hair = to_linear(np.array(person.hair_color) / 255)
    beard, whiskers = beard_map(person), noise(rng, shape, 0.7)
    if person.gender == "male":
        _darken(image, (0.3 - 0.18 * person.tone) * m["beard shaven"], (0.32, 0.26, 0.20))
    full = {"none": 0.0, "stubble": 0.45}.get(person.beard, 1.25)
    grain = np.clip(0.75 + 0.3 * whiskers, 0, 1) * (0.45 + 0.55 * person.beard_density)
    grown = np.clip(beard * grain * full, 0, 0.95)
    _cover(image, 0.6 * hair + 0.003, grown)
    ragged = hair_edge + 0.022 * noise(rng, shape, 1.0, 7.0)
    under = 0.93 * step(ragged, -0.05, 0.09)
    if person.hair == "buzz":
        under = step(ragged, -0.04, 0.16) * np.clip(0.82 + 0.14 * whiskers, 0, 1)
    _cover(image, 0.7 * hair, under)
    brows = np.clip(_brows(person, rng), 0, 0.95)
    _cover(image, 0.42 * hair + 0.003, brows)
    _cover(image, to_linear(np.array(person.cloth_color) / 255), m["cloth"])
    oil = m["oil"] + (0.5 + 0.9 * person.lipstick) * m["lips"]
    gloss = np.clip(person.gloss * oil * (1 + 0.16 * noise(rng, shape, 0.9)), 0, 2.5)
    gloss *= 1 - 0.8 * np.clip(brows + grown + under, 0, 1)
    return np.clip(image, 0.002, 1), gloss.astype(np.float32)
