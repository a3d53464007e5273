"""Who stands in the studio: everything about a person that stays when the expression changes, drawn from a seed."""

from dataclasses import dataclass, fields

import numpy as np

from mien.errors import InputError

BEARDS = ("none", "stubble", "moustache", "goatee", "short", "full")
GLASSES = ("none", "round", "square", "browline", "sun")

MELANIN = np.array(  # sRGB of skin from the lightest to the darkest, evenly spaced in `tone`
    [[238, 206, 191], [225, 187, 168], [205, 160, 138], [174, 127, 103], [135, 95, 75], [97, 66, 52], [64, 45, 38]]
)
HAIR_COLORS = {
    "black": (22, 18, 17), "dark brown": (45, 30, 22), "brown": (78, 52, 34), "light brown": (118, 84, 54),
    "blond": (176, 140, 90), "red": (128, 58, 28), "grey": (150, 147, 143), "white": (208, 205, 200),
}  # fmt: skip
EYE_COLORS = {
    "dark brown": (46, 27, 17), "brown": (84, 52, 28), "hazel": (108, 84, 44), "green": (94, 112, 76),
    "blue": (96, 130, 158), "grey": (122, 134, 140),
}  # fmt: skip
LIGHT_HAIRED = dict(zip(HAIR_COLORS, (0.12, 0.24, 0.25, 0.17, 0.15, 0.05, 0.02, 0.0), strict=True))
DARK_HAIRED = dict(zip(HAIR_COLORS, (0.72, 0.22, 0.05, 0.01, 0, 0, 0, 0), strict=True))
LIGHT_EYED = dict(zip(EYE_COLORS, (0.16, 0.24, 0.16, 0.12, 0.22, 0.10), strict=True))
DARK_EYED = dict(zip(EYE_COLORS, (0.7, 0.27, 0.03, 0, 0, 0), strict=True))


@dataclass(frozen=True)
class Shape:
    """The build of the face; every number is about -2.5 to 2.5 standard deviations from the mean adult."""

    face_width: float = 0.0
    face_length: float = 0.0
    forehead_height: float = 0.0
    forehead_slope: float = 0.0
    temple: float = 0.0
    cheekbone: float = 0.0
    cheek_fullness: float = 0.0
    jaw_width: float = 0.0
    jaw_drop: float = 0.0
    chin_width: float = 0.0
    chin_length: float = 0.0
    chin_forward: float = 0.0
    neck_width: float = 0.0
    brow_ridge: float = 0.0
    brow_height: float = 0.0
    eye_open: float = 0.0
    eye_width: float = 0.0
    eye_tilt: float = 0.0
    eye_depth: float = 0.0
    eye_roundness: float = 0.0
    lid_fold: float = 0.0
    lid_bags: float = 0.0
    nose_length: float = 0.0
    nose_width: float = 0.0
    nose_forward: float = 0.0
    nose_bridge: float = 0.0
    bridge_width: float = 0.0
    nose_hump: float = 0.0
    nose_tip: float = 0.0
    nose_turn: float = 0.0
    mouth_width: float = 0.0
    mouth_height: float = 0.0
    upper_lip: float = 0.0
    lower_lip: float = 0.0
    cupid: float = 0.0
    lip_forward: float = 0.0
    corner_lift: float = 0.0
    ear_size: float = 0.0
    ear_spread: float = 0.0
    nose_side: float = 0.0  # the last three make the halves of the face differ
    mouth_side: float = 0.0
    brow_side: float = 0.0


@dataclass(frozen=True)
class Brows:
    """The eyebrows: lengths in eye distances, `density` and `strength` 0-1."""

    thickness: float
    arch: float
    tilt: float
    density: float
    strength: float


@dataclass(frozen=True)
class Person:
    """One procedural person. Colours are sRGB 0-255; shares (tone, redness, …) are 0-1."""

    seed: int
    age: int
    gender: str  # "female" or "male"
    tone: float  # melanin, 0 lightest
    shape: Shape
    brows: Brows
    undertone: float  # -1 pink … 1 olive
    redness: float
    freckles: float
    spots: float
    gloss: float
    hair: str
    hair_color: tuple[int, int, int]
    hair_volume: float
    hair_part: float  # -1 the person's right … 1 left
    recession: float
    beard: str
    beard_density: float
    eye_color: tuple[int, int, int]
    lipstick: float
    lip_color: tuple[int, int, int]
    eyeliner: float
    lashes: float
    glasses: str
    cloth_color: tuple[int, int, int]

    @property
    def skin_color(self) -> np.ndarray:
        """sRGB 0-1 of the skin, (3,)."""
        place = self.tone * (len(MELANIN) - 1)
        i = min(int(place), len(MELANIN) - 2)
        color = MELANIN[i] + (place - i) * (MELANIN[i + 1] - MELANIN[i])
        shift = np.array([-2, -1, -8]) if self.undertone > 0 else np.array([2, -4, 2])
        return np.clip(color + abs(self.undertone) * shift, 0, 255) / 255

    @property
    def wrinkled(self) -> float:
        """How far the skin has aged, 0 at 25 years or less, 1 at 75."""
        return float(np.clip((self.age - 25) / 50, 0, 1))


def _choice(rng: np.random.Generator, shares: dict[str, float]) -> str:
    p = np.array(list(shares.values()), float)
    return str(rng.choice(list(shares), p=p / p.sum()))


def _sample_shape(rng: np.random.Generator, male: bool, tone: float, age: int) -> Shape:
    """Draw the build; sex, ancestry (by tone, loosely) and age shift the means, the spread stays wide."""
    z = {f.name: float(np.clip(rng.normal(), -2.2, 2.2)) * 0.85 for f in fields(Shape)}
    side = 1.0 if male else -1.0
    for name, shift in (
        ("jaw_width", 0.6), ("chin_width", 0.7), ("chin_length", 0.35), ("neck_width", 0.8), ("brow_ridge", 0.8),
        ("brow_height", -0.5), ("eye_open", -0.5), ("nose_width", 0.3), ("nose_length", 0.3), ("upper_lip", -0.45),
        ("lower_lip", -0.4), ("cheek_fullness", -0.2), ("cheekbone", -0.15), ("face_length", 0.3), ("nose_turn", -0.3),
    ):  # fmt: skip
        z[name] += shift * side
    dark = max(0.0, tone - 0.4) / 0.6
    for name, shift in (
        ("nose_width", 1.7), ("nose_bridge", -1.4), ("upper_lip", 1.5), ("lower_lip", 1.2), ("lip_forward", 1.0),
        ("nose_forward", -0.6), ("bridge_width", 0.5),
    ):  # fmt: skip
        z[name] += shift * dark
    old = max(0, age - 35) / 40
    for name, shift in (
        ("lid_bags", 1.2), ("upper_lip", -0.8), ("lower_lip", -0.5), ("eye_open", -0.7), ("corner_lift", -0.6),
        ("ear_size", 0.8), ("nose_length", 0.4), ("jaw_drop", 0.8), ("lid_fold", -0.6),
    ):  # fmt: skip
        z[name] += shift * old
    return Shape(*[float(np.clip(z[f.name], -2.6, 2.6)) for f in fields(Shape)])


def _sample_hair(
    rng: np.random.Generator, male: bool, tone: float, age: int
) -> tuple[str, tuple[int, int, int], float]:
    """Return style, colour and recession of the hair."""
    old = max(0.0, (age - 35) / 40)
    if male:
        styles = {"bald": 0.06 + 0.2 * old, "buzz": 0.22, "short": 0.4, "swept": 0.2, "fringe": 0.1, "long": 0.05}
    else:
        styles = {"short": 0.06, "swept": 0.05, "fringe": 0.06, "bun": 0.27, "bob": 0.2, "long": 0.36}
    curly = 0.1 + (0.6 * tone if tone > 0.5 else 0)
    styles |= {"curly": curly, "afro": max(0.0, tone - 0.55) * (0.5 if male else 0.9)}
    name = _choice(rng, DARK_HAIRED if tone > 0.38 else LIGHT_HAIRED)
    color = np.array(HAIR_COLORS[name], float) * rng.uniform(0.85, 1.15)
    if rng.random() < old * 1.1:
        grey = np.array(HAIR_COLORS["white" if age > 65 and rng.random() < 0.5 else "grey"], float)
        color += rng.uniform(0.3, 0.95) * (grey - color)
    r, g, b = (int(v) for v in np.clip(color, 8, 235))
    recession = float(rng.uniform(0, 0.25) + (old * rng.uniform(0, 1) if male else 0))
    return _choice(rng, styles), (r, g, b), recession


def _pick(
    rng: np.random.Generator, colors: dict[str, tuple[int, int, int]], shares: dict[str, float]
) -> tuple[int, int, int]:
    r, g, b = (int(np.clip(c * rng.uniform(0.88, 1.12), 5, 250)) for c in colors[_choice(rng, shares)])
    return r, g, b


def _sample_brows(rng: np.random.Generator, male: bool) -> Brows:
    return Brows(
        thickness=float(rng.uniform(0.075, 0.115) * (1.12 if male else 0.8)),
        arch=float(rng.normal(0, 0.02) + (-0.005 if male else 0.02)),
        tilt=float(rng.normal(0, 0.03)),
        density=float(rng.uniform(0.6, 1)),
        strength=float(rng.uniform(0.65, 0.95)),
    )


def _color(rng: np.random.Generator, low: tuple[int, int, int], high: tuple[int, int, int]) -> tuple[int, int, int]:
    r, g, b = (int(v) for v in rng.integers(low, high))
    return r, g, b


def sample_person(seed: int) -> Person:
    """Return the person of a seed; the same seed gives the same person on every machine."""
    if seed < 0:
        raise InputError(f"seed: expected a whole number from 0, got {seed}")
    rng = np.random.default_rng((seed, 0x9E3779B9))
    male = bool(rng.random() < 0.5)
    tone = float(np.clip(rng.beta(1.1, 1.5), 0.0, 1.0))
    decades = [rng.integers(18, 36), rng.integers(36, 60), rng.integers(60, 80)]
    age = int(rng.choice(decades, p=[0.55, 0.3, 0.15]))
    hair, hair_color, recession = _sample_hair(rng, male, tone, age)
    beards = dict(zip(BEARDS, (0.45, 0.22, 0.06, 0.09, 0.11, 0.07), strict=True))
    makeup = 0.0 if male else float(rng.random())
    freckled = tone < 0.3 and rng.random() < 0.35
    return Person(
        seed=seed,
        age=age,
        gender="male" if male else "female",
        tone=tone,
        shape=_sample_shape(rng, male, tone, age),
        brows=_sample_brows(rng, male),
        undertone=float(rng.uniform(-1, 1)),
        redness=float(rng.uniform(0.15, 1)),
        freckles=float(rng.random()) if freckled else 0.0,
        spots=float(rng.random() ** 2),
        gloss=float(rng.uniform(0.5, 1.1)),
        hair=hair,
        hair_color=hair_color,
        hair_volume=float(rng.uniform(0.6, 1.2)),
        hair_part=float(rng.uniform(-1, 1)),
        recession=recession,
        beard=_choice(rng, beards) if male else "none",
        beard_density=float(rng.uniform(0.45, 1)),
        eye_color=_pick(rng, EYE_COLORS, DARK_EYED if tone > 0.38 else LIGHT_EYED),
        lipstick=max(0.0, makeup - 0.45),
        lip_color=_color(rng, (130, 25, 45), (190, 70, 80)),
        eyeliner=max(0.0, makeup - 0.5),
        lashes=float(rng.uniform(0.3, 0.7) + 0.4 * makeup),
        glasses=_choice(rng, dict(zip(GLASSES, (0.84, 0.05, 0.05, 0.04, 0.02), strict=True))),
        cloth_color=_color(rng, (20, 20, 20), (230, 230, 230)),
    )
