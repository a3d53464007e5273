"""One person's head: all parts in one mesh, and where its vertices lie under an expression."""

from dataclasses import dataclass

import numpy as np

from mien.labels import AUS
from mien.synth.geometry import action_units, eyes, mouth, wear
from mien.synth.geometry.anatomy import neutral_skin
from mien.synth.geometry.assembly import INSIDE, MATERIALS, Mesh, MeshBuilder, is_made_of
from mien.synth.geometry.chart import MOUTH_T, chart
from mien.synth.geometry.ears import ear
from mien.synth.person import Person
from mien.synth.render.occlusion import sky_share
from mien.synth.render.raster import vertex_normals
from mien.synth.texture.atlas import skin_uv, tile_uv, to_linear
from mien.synth.texture.hair import Shell, beard_shells, curtain, scalp_shells

SIDES = ((0, 1), (1, -1))  # column of an AU array, sign of x: the person's left, right
NO_SHADOW = ("eye", "lash", "lining", "lid lining", "teeth", "tongue", "lens", "hand")


@dataclass(frozen=True)
class Outfit:
    """The triangles that show when certain things are worn."""

    faces: np.ndarray  # (m, 3) int32
    material: np.ndarray  # (m,) uint8
    ragged: np.ndarray  # (m,) uint8
    inside: np.ndarray  # (m,) uint8: the inside of the mouth
    casting: np.ndarray  # (c, 3) int32: those that throw a shadow
    casting_ragged: np.ndarray


class Head:
    """A person's head in head axes (eye distances); `atlas` and `hair_edge` come from `tiles.paint_atlas`."""

    def __init__(self, person: Person, hair_edge: np.ndarray):
        self.person = person
        self.chart = chart()
        self.rest = neutral_skin(self.chart, person.shape)
        self.balls = {side: eyes.ball_center(self.rest, self.chart.eyes[side]) for _, side in SIDES}
        self.lids = {side: eyes.lid_vertices(self.chart, side) for _, side in SIDES}
        margin = self.rest[self.chart.mouth.upper.margin]
        self.bite = margin[len(margin) // 2]
        self.over = self.chart.t - MOUTH_T
        near_mouth = (np.abs(self.over) < 0.3) & (np.abs(self.chart.mean[:, 0]) < 0.7) & (np.abs(self.chart.s) < 1.5)
        self.lip_zone = np.flatnonzero(near_mouth)
        rng = np.random.default_rng((person.seed, 0xA1))
        self.shells: list[Shell] = scalp_shells(person, self.chart, hair_edge) + beard_shells(person, self.chart)
        self.fixed: dict[str, np.ndarray] = {}
        self.mesh = self._assemble(rng)
        self.materials = self._materials()
        self.neutral = self.vertices(np.zeros((len(AUS), 2)))
        self.sky = self._sky()
        self._outfits: dict[tuple[bool, str], Outfit] = {}

    def _assemble(self, rng: np.random.Generator) -> Mesh:
        """Join the parts; `vertices` gives their positions in the same order."""
        build, c = MeshBuilder(), self.chart
        plain = tile_uv("plain", np.array([[0.5, 0.5]]))
        uv = skin_uv(c.s, c.t)
        uv[c.grid_size :] = plain
        eye_rows = np.concatenate([roll.rows.ravel() for s in c.eyes.values() for roll in (s.upper, s.lower)])
        names = np.where(np.isin(c.faces, eye_rows).any(axis=1), "lid lining", "lining").astype(object)
        names[: c.skin_faces] = "skin"
        build.add("skin", uv, c.faces, names)
        self.ball_points, disc, ball_faces = eyes.ball_mesh()
        for _, side in SIDES:
            build.add(f"eye {side}", tile_uv("eye", 0.5 + 0.5 * disc * (1, -1)), ball_faces, "eye")
        for name in ("upper teeth", "lower teeth"):
            build.add(name, tile_uv(name, mouth.arch_uv()), mouth.arch_faces(), "teeth")
        self.tongue_points, tongue_faces = mouth.tongue(self.bite)
        build.add("tongue", plain.repeat(len(self.tongue_points), 0), tongue_faces, "tongue")
        for i, shell in enumerate(self.shells):
            build.add(f"shell {i}", shell.uv, shell.faces, "hair", shell.cover)
        for _, side in SIDES:
            lash = np.arange(3 * eyes.LASHES)
            build.add(f"lashes {side}", plain.repeat(len(lash), 0), lash.reshape(-1, 3), "lash")
        self._add_fixed(build, plain, rng)
        return build.build()

    def _add_fixed(self, build: MeshBuilder, plain: np.ndarray, rng: np.random.Generator) -> None:
        """Add what no expression moves: ears, hanging hair, things worn."""
        for _, side in SIDES:
            points, faces, place = ear(self.person.shape, side, self._ear_root(side))
            self.fixed[f"ear {side}"] = points
            build.add(f"ear {side}", tile_uv("ear", place), faces, "ear")
        falling = curtain(self.person, rng)
        if falling is not None:
            self.fixed["curtain"] = falling.points
            build.add("curtain", falling.uv, falling.faces, "hair", falling.cover)
        bridged = wear.bridged_skin(self.chart, self.rest)
        worn = {
            "glasses": wear.glasses(self.person, self.rest, self.chart), "hat": wear.hat(self.chart, self.rest),
            "mask": wear.mask(self.chart, bridged), "hand": wear.hand(bridged, self.chart, rng),
        }  # fmt: skip
        for name, things in worn.items():
            for i, thing in enumerate(things):
                self.fixed[f"{name} {i}"] = thing.points
                build.add(f"{name} {i}", plain.repeat(len(thing.points), 0), thing.faces, thing.material)

    def _ear_root(self, side: int) -> np.ndarray:
        n = self.chart.grid_size
        at = np.argmin(np.abs(self.chart.s[:n] - side * 1.95) + np.abs(self.chart.t[:n] + 0.22))
        return self.rest[at] - (side * 0.03, 0, 0)

    def _materials(self) -> np.ndarray:
        """Return the shading table (k, 9) with this person's tints; see `shading.shade`."""
        hair = to_linear(np.array(self.person.hair_color) / 255)
        skin = to_linear(self.person.skin_color)
        cloth = to_linear(np.array(self.person.cloth_color) / 255)
        tints: dict[str, np.ndarray | tuple[float, ...]] = {
            "lining": np.array([0.30, 0.085, 0.08]) * (1 - 0.5 * self.person.tone), "tongue": (0.42, 0.15, 0.14),
            "lid lining": 0.6 * skin * (1.0, 0.82, 0.8),
            "hair": hair, "lash": 0.06 * hair + 0.003, "hat": cloth, "mask": (0.36, 0.55, 0.62), "hand": 0.92 * skin,
            "frame": 0.25 * cloth + 0.008, "lens": (0.012, 0.012, 0.014),
        }  # fmt: skip
        rows = [np.concatenate([tints.get(name, np.ones(3)), row]) for name, row in MATERIALS.items()]
        return np.array(rows, np.float32)

    def vertices(self, aus: np.ndarray, gaze: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
        """Return all vertices (n, 3) float32 under action units (21, 2) 0-5 and gaze in degrees."""
        skin = self._skin(aus, gaze)
        drop = float(np.mean(aus[AUS.index(26)])) / 5
        parts = [skin]
        parts += [eyes.turn_ball(self.ball_points * eyes.BALL_RADIUS, gaze) + self.balls[side] for _, side in SIDES]
        parts += [mouth.arch(self.bite, True), action_units.turn_jaw(mouth.arch(self.bite, False), 1.0, drop)]
        parts.append(action_units.turn_jaw(self.tongue_points, 1.0, 0.92 * drop))
        if self.shells:
            normals = np.empty((len(skin), 3), np.float32)
            vertex_normals(skin, self.chart.faces[: self.chart.skin_faces], normals)
            parts += [skin[shell.source] + shell.lift[:, None] * normals[shell.source] for shell in self.shells]
        length = 0.05 * self.person.lashes
        parts += [eyes.lashes(skin, self.chart.eyes[side], self.balls[side], length) for _, side in SIDES]
        return np.concatenate(parts + list(self.fixed.values())).astype(np.float32)

    def _skin(self, aus: np.ndarray, gaze: tuple[float, float]) -> np.ndarray:
        rows = [AUS.index(au) for au in action_units.FACE_AUS]
        level = np.concatenate([aus[rows, 0], aus[rows, 1]]).astype(np.float32) / 5
        points = self.rest.astype(np.float32)
        for k in np.flatnonzero(level):
            points += level[k] * action_units.displacement_basis()[k].reshape(-1, 3)
        drop = float(np.mean(aus[AUS.index(26)])) / 5
        if drop > 0:
            points = action_units.turn_jaw(points, action_units.jaw_weights(), drop)
        mouth.meet_lips(
            points, self.chart.mouth, self.over, self.chart.above, self.lip_zone, action_units.lip_pressure(aus)
        )
        shape = self.person.shape
        for column, side in SIDES:
            opening = action_units.lid_openings(aus, column, shape.eye_open, shape.eye_roundness, gaze[1])
            eyes.set_lids(points, self.chart, side, self.lids[side], self.balls[side], shape, opening)
            eyes.hang_lid_rolls(points, self.chart.eyes[side], self.balls[side])
        mouth.hang_lip_rolls(points, self.chart.mouth, action_units.JAW_ANGLE * drop)
        return points

    def _sky(self) -> np.ndarray:
        """Return how open to the sky (n,) each vertex is at rest; the insides get fixed values."""
        normals = np.empty_like(self.neutral)
        vertex_normals(self.neutral, self.mesh.faces, normals)
        solid = ~self.mesh.ragged.astype(bool)
        solid &= ~is_made_of(self.mesh, ("eye", "lash", "hat", "mask", "hand", "frame", "lens"))
        share = sky_share(self.neutral, normals, np.ascontiguousarray(self.mesh.faces[solid]))
        sky = 0.22 + 0.78 * np.clip(share * 1.15, 0, 1)
        parts = self.mesh.parts
        for name, value in (
            ("lashes 1", 0.6),
            ("lashes -1", 0.6),
            ("upper teeth", 0.85),
            ("lower teeth", 0.8),
            ("tongue", 0.45),
        ):
            sky[parts[name].vertices] = value
        if "curtain" in parts:
            sky[parts["curtain"].vertices] = 0.8
        for name, part in parts.items():
            if name.split()[0] in ("glasses", "hat", "mask", "hand"):
                sky[part.vertices] = np.clip(sky[part.vertices], 0.7, 1)
        deep = [(self.chart.mouth, (0.55, 0.38, 0.22, 0.05))] + [(s, (0.55, 0.5)) for s in self.chart.eyes.values()]
        for slit, depths in deep:
            for roll in (slit.upper, slit.lower):
                sky[roll.margin] = np.maximum(sky[roll.margin], 0.6)
                for row, value in zip(roll.rows, depths, strict=True):
                    sky[row] = value
        for i, shell in enumerate(self.shells):
            sky[parts[f"shell {i}"].vertices] = np.clip(
                sky[shell.source] * 0.3 + 0.55 + 0.25 * i / len(self.shells), 0.3, 1
            )
        return sky.astype(np.float32)

    def outfit(self, glasses: bool, occluder: str) -> Outfit:
        """Return the triangles to draw with or without the person's glasses, behind one of `wear.OCCLUDERS`."""
        key = (glasses, occluder)
        if key not in self._outfits:
            hidden = {name for name in wear.OCCLUDERS if name != occluder} | (set() if glasses else {"glasses"})
            shown = np.ones(len(self.mesh.faces), bool)
            for name, part in self.mesh.parts.items():
                under_hat = occluder == "hat" and name.startswith("shell") and int(name.split()[1]) < self.scalp_layers
                if name.split()[0] in hidden or under_hat:
                    shown[part.faces] = False
            casts = shown & ~is_made_of(self.mesh, NO_SHADOW)
            self._outfits[key] = Outfit(
                np.ascontiguousarray(self.mesh.faces[shown]), self.mesh.material[shown], self.mesh.ragged[shown],
                is_made_of(self.mesh, INSIDE)[shown].astype(np.uint8), np.ascontiguousarray(self.mesh.faces[casts]),
                self.mesh.ragged[casts],
            )  # fmt: skip
        return self._outfits[key]

    @property
    def scalp_layers(self) -> int:
        """How many of the shells are hair of the scalp; the rest are beard."""
        return len(self.shells) - len(beard_shells(self.person, self.chart))
