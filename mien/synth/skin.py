"""A person's skin, painted once into the atlas: tone, redness, freckles, lips, brows, stubble, the edge of the hair."""

import cv2
import numpy as np

from mien.synth.anatomy import lower_border, upper_border
from mien.synth.atlas import SKIN_SIDE, Texels, noise, polyline_distance, skin_uv, texels, to_linear
from mien.synth.chart import EYE_HALF, EYE_X, MOUTH_HALF, MOUTH_T
from mien.synth.fields import bell, spot, step
from mien.synth.person import Person

BROW_LINE = np.array([[0.19, 0.285], [0.33, 0.335], [0.52, 0.38], [0.72, 0.375], [0.93, 0.27]])


def _mix(image: np.ndarray, color: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return image (h, w, 3) with `color` laid over it by `share` (h, w) 0-1."""
    return image + share[..., None] * (color - image)


def _tone(person: Person, map_: Texels, rng: np.random.Generator) -> np.ndarray:
    """Return the bare skin (h, w, 3): uneven pigment, blood near the surface, darker sockets."""
    base = to_linear(person.skin_color)
    shape, d = map_.x.shape, map_.density
    a, y = np.abs(map_.x), map_.y
    mottle = 0.5 * noise(rng, shape, 0.22 * d) + 0.4 * noise(rng, shape, 0.06 * d) + 0.35 * noise(rng, shape, 1.0)
    image = base * (1 + 0.035 * mottle[..., None] * np.array([0.7, 1.0, 1.1]))
    blood = spot(a, y, (0.62, -0.52), (0.34, 0.28)) + 0.9 * spot(a, y, (0.06, -0.55), (0.2, 0.14))
    blood += 0.35 * spot(a, y, (0, -1.62), (0.3, 0.16)) + 0.25 * bell(y, 0.7, 0.3) + 0.8 * step(np.abs(map_.s), 1.7, 2.0)
    blood = np.clip(blood + 0.12 * noise(rng, shape, 0.12 * d), 0, 1.2) * (0.35 + 0.65 * person.redness)
    image *= 1 - (1 - 0.6 * person.tone) * blood[..., None] * np.array([0.01, 0.20, 0.17])
    socket = spot(a, y, (0.46, 0.03), (0.30, 0.17)) + 0.6 * spot(a, y, (0.36, -0.15), (0.2, 0.07))
    tired = 0.6 + 0.5 * person.wrinkled
    image *= 1 - tired * np.clip(socket, 0, 1)[..., None] * np.array([0.10, 0.15, 0.12])
    pits = 1 - 0.30 * np.exp(-((polyline_distance(a, y, np.array([[0.26, -0.5], [0.285, -0.6], [0.27, -0.69]])) / 0.022) ** 2))
    pits -= 0.80 * spot(a, y, (0.092 * (1 + 0.13 * person.shape.nose_width), -0.682), (0.042, 0.022))
    return image * pits[..., None] ** np.array([0.8, 1.0, 1.0])


def _marks(image: np.ndarray, person: Person, map_: Texels, rng: np.random.Generator) -> np.ndarray:
    """Return the skin with freckles, moles and the spots of age."""
    shape = map_.x.shape
    if person.freckles > 0:
        fleck = np.clip(noise(rng, shape, 1.2) - 1.3, 0, 1) * spot(np.abs(map_.x), map_.y, (0.42, -0.35), (0.6, 0.42))
        image = image * (1 - np.clip(person.freckles * fleck, 0, 0.7)[..., None] * np.array([0.35, 0.55, 0.6]))
    old = np.clip(noise(rng, shape, 2.4) - 1.9, 0, 1) * person.wrinkled * person.spots
    image = image * (1 - 0.55 * old[..., None] * np.array([0.5, 0.7, 0.8]))
    for _ in range(int(rng.integers(0, 4) * person.spots + 0.5)):
        x, y = rng.uniform(-0.9, 0.9), rng.uniform(-1.6, 0.9)
        mole = np.exp(-(((map_.x - x) ** 2 + (map_.y - y) ** 2) / rng.uniform(0.010, 0.018) ** 2) ** 2)
        image = image * (1 - 0.6 * (mole * (map_.z > -0.5))[..., None] * np.array([0.8, 0.95, 1.0]))
    return image


def lip_mask(map_: Texels) -> np.ndarray:
    """Return how red (h, w) 0-1 the skin is as part of the lips, with a soft border."""
    over = map_.t - MOUTH_T
    inside = np.where(over > 0, upper_border(map_.x) - over, lower_border(map_.x) + over)
    return step(inside, -0.012, 0.022) * (np.abs(map_.x) < MOUTH_HALF + 0.01) * (map_.z > -0.3)


def _lips(image: np.ndarray, person: Person, map_: Texels, rng: np.random.Generator) -> np.ndarray:
    """Return the skin with lips and the dark line between them."""
    mask = lip_mask(map_)
    base = to_linear(person.skin_color)
    natural = base * (np.array([0.80, 0.50, 0.52]) + person.tone * np.array([-0.02, 0.12, 0.16])) + np.array([0.05, 0.0, 0.006])
    color = natural + person.lipstick * (to_linear(np.array(person.lip_color) / 255) - natural)
    fine = 1 + 0.05 * noise(rng, map_.x.shape, 0.8, 5.0)
    over = map_.t - MOUTH_T
    rim = 1 - 0.14 * bell(np.where(over > 0, upper_border(map_.x) - over, 1), 0.0, 0.02) * mask
    image = _mix(image, color * (fine * rim)[..., None], mask * (0.72 + 0.25 * person.lipstick))
    line = polyline_distance(map_.x, over, np.array([[-MOUTH_HALF - 0.03, -0.004], [MOUTH_HALF + 0.03, -0.004]]))
    return image * (1 - 0.5 * np.exp(-((line / 0.015) ** 2)) * (map_.z > -0.3))[..., None]


def _lid_lines(image: np.ndarray, person: Person, map_: Texels) -> np.ndarray:
    """Return the skin with the fold of the upper lid, the roots of the lashes, and the liner."""
    a, y = np.abs(map_.x), map_.y
    u = (a - EYE_X) / EYE_HALF
    arc = np.clip(1 - (u * 0.92) ** 2, 0, 1)
    near = (map_.z > -0.3) * step(np.abs(u), 1.25, 1.0)
    fold = bell(y, 0.03 + 0.115 * arc**0.6 - 0.01 * u, 0.014) * near * step(u, -1.1, -0.6)
    image = image * (1 - 0.42 * fold[..., None] * np.array([0.8, 1, 1]))
    lash = np.where(y > 0, np.exp(-((y / (0.02 + 0.02 * person.eyeliner)) ** 2)), 0.0)
    below = np.where(y <= 0, np.exp(-((y / 0.016) ** 2)), 0.0)
    inside = step(np.abs(u), 1.12, 0.98)
    image = image * (1 - near * inside * (0.55 + 0.4 * person.eyeliner) * lash)[..., None]
    image = image * (1 - near * inside * (0.22 + 0.45 * person.eyeliner) * below)[..., None]
    tear = spot(a, y, (EYE_X - EYE_HALF - 0.005, 0), (0.03, 0.02))
    return image * (1 - tear[..., None] * np.array([0.0, 0.25, 0.22]))


def _brow_strokes(person: Person, rng: np.random.Generator) -> np.ndarray:
    """Return how much brow hair (h, w) 0-1 covers the skin: single hairs, fanned from the inner end outwards."""
    scale = 3
    canvas = np.zeros((SKIN_SIDE * scale, SKIN_SIDE * scale), np.uint8)
    brow = person.brows
    line = BROW_LINE + np.array([0, 1]) * (np.array([0, 0.2, 0.8, 1, 0.1])[:, None] * brow.arch + np.array([-0.4, -0.2, 0, 0.2, 0.4])[:, None] * brow.tilt)
    knots = np.linspace(0, 1, len(line))
    for side in (-1, 1):
        for place in rng.uniform(0, 1, int(700 * brow.density)):
            center = np.array([np.interp(place, knots, line[:, k]) for k in (0, 1)])
            ahead = np.array([np.interp(min(1.0, place + 0.05), knots, line[:, k]) for k in (0, 1)])
            along = (ahead - center) if place < 0.95 else np.array([0.5, -0.35])
            along = along / (np.linalg.norm(along) + 1e-9)
            normal = np.array([-along[1], along[0]])
            body = brow.thickness * (0.62 + 0.5 * step(place, 0, 0.2)) * (1 - 0.72 * step(place, 0.5, 1.0))
            root = center + normal * rng.uniform(-0.5, 0.5) * body
            lean = np.radians(65 * (1 - place) ** 1.6 - 8 * place) + rng.normal(0, 0.14)
            hair = along * np.cos(lean) + normal * np.sin(lean)
            tip = root + hair * rng.uniform(0.04, 0.075)
            ends = skin_uv(*(np.array([root, tip]) * (side, 1)).T) * scale + scale / 2
            p, q = (tuple(np.round(e * 8).astype(int).tolist()) for e in ends)
            cv2.line(canvas, p, q, int(rng.uniform(70, 170)), 1, cv2.LINE_AA, 3)
    thin = cv2.resize(canvas, (SKIN_SIDE, SKIN_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.clip(1.9 * thin + 0.5 * cv2.GaussianBlur(thin, (0, 0), 1.6), 0, 1)


def beard_map(person: Person, map_: Texels) -> np.ndarray:
    """Return where and how densely (h, w) 0-1 the person's beard grows."""
    a, y, s = np.abs(map_.x), map_.y, np.abs(map_.s)
    over = map_.t - MOUTH_T
    edge = np.interp(s, [0, 0.35, 0.6, 0.9, 1.25, 1.5], [-1.30, -1.20, -1.02, -0.80, -0.35, -0.05])
    cheeks = step(map_.t, edge + 0.12, edge - 0.16) * step(s, 1.75, 1.45)
    neck = step(map_.t, -2.22, -1.95)
    lip = step(over, 0.10, 0.17) * step(over, 0.36, 0.27) * step(a, 0.56, 0.40) * (1 - 0.5 * bell(a, 0, 0.05))
    side = spot(a, over, (0.50, -0.06), (0.10, 0.24))
    chin = spot(a, over, (0, -0.55), (0.36, 0.28)) + spot(a, over, (0, -0.26), (0.10, 0.08))
    parts = {
        "none": 0 * a, "moustache": lip, "goatee": np.maximum(np.maximum(lip, side), chin),
        "stubble": np.maximum(lip, cheeks), "short": np.maximum(lip, cheeks), "full": np.maximum(lip, cheeks),
    }  # fmt: skip
    inside = np.where(over > 0, upper_border(map_.x) - over, lower_border(map_.x) + over)
    outside_lips = 1 - step(inside, -0.03, 0.0) * (a < MOUTH_HALF + 0.02)
    return np.clip(parts[person.beard], 0, 1) * neck * outside_lips * (map_.t < -0.02)


def paint_skin(person: Person, hair_edge: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the skin's chart (h, w, 3) linear and its gloss (h, w).

    `hair_edge` (h, w): how far a point lies inside the hairline, eye distances; far negative for bald heads.
    """
    map_ = texels()
    image = _lips(_marks(_tone(person, map_, rng), person, map_, rng), person, map_, rng)
    image = _lid_lines(image, person, map_)
    hair = to_linear(np.array(person.hair_color) / 255)
    beard = beard_map(person, map_)
    shadow = np.clip(0.30 * beard_map_of_all(person, map_), 0, 1)
    image = image * (1 - shadow[..., None] * np.array([0.32, 0.26, 0.20]) * (1 - 0.6 * person.tone))
    grain = np.clip(0.62 + 0.38 * noise(rng, beard.shape, 0.8), 0, 1)
    strength = {"none": 0.0, "stubble": 0.5}.get(person.beard, 0.85)
    image = _mix(image, 0.75 * hair + 0.06 * image, beard * grain * strength * (0.4 + 0.6 * person.beard_density))
    ragged = hair_edge + 0.022 * noise(rng, hair_edge.shape, 1.0, 7.0)
    under = step(ragged, -0.05, 0.09) * (0.6 if person.hair == "buzz" else 0.93)
    image = _mix(image, 0.7 * hair, under)
    brows = _brow_strokes(person, rng) * person.brows.strength
    image = _mix(image, 0.6 * hair + 0.004, np.clip(brows, 0, 0.95))
    cloth = to_linear(np.array(person.cloth_color) / 255)
    image = _mix(image, cloth * (1 + 0.06 * noise(rng, beard.shape, 1.0))[..., None], step(map_.t, -2.66, -2.70))
    gloss = _gloss(person, map_, rng) * (1 - 0.8 * np.clip(brows + beard * strength + under, 0, 1))
    return np.clip(image, 0.002, 1).astype(np.float32), gloss.astype(np.float32)


def beard_map_of_all(person: Person, map_: Texels) -> np.ndarray:
    """Return where a man's shaven beard shows as a faint shadow; zero for women."""
    if person.gender != "male":
        return np.zeros_like(map_.x)
    a, over = np.abs(map_.x), map_.t - MOUTH_T
    edge = np.interp(np.abs(map_.s), [0, 0.35, 0.6, 0.9, 1.25], [-1.25, -1.15, -0.98, -0.75, -0.4])
    lip = step(over, 0.10, 0.17) * step(over, 0.36, 0.25) * step(a, 0.56, 0.40)
    return np.maximum(step(map_.t, edge + 0.15, edge - 0.2), lip) * step(map_.t, -2.3, -1.9) * (map_.t < 0)


def _gloss(person: Person, map_: Texels, rng: np.random.Generator) -> np.ndarray:
    """Return how strongly (h, w) the skin shines: oily forehead, nose and lips."""
    a, y = np.abs(map_.x), map_.y
    oil = 0.65 + 0.35 * spot(a, y, (0, 0.65), (0.6, 0.35)) + 0.4 * spot(a, y, (0, -0.35), (0.14, 0.4))
    oil += 0.2 * spot(a, y, (0.65, -0.35), (0.25, 0.2))
    oil = oil + (0.5 + 0.9 * person.lipstick) * lip_mask(map_)
    return np.clip(person.gloss * oil * (1 + 0.16 * noise(rng, a.shape, 0.9)), 0, 2.5)
