"""One person in front of the camera: parts, pose, light in; picture, landmarks and exact geometry out."""

from dataclasses import dataclass

import numpy as np

from mien.errors import InputError
from mien.labels import AUS
from mien.synth import actions, eyes, mouth, wrinkles
from mien.synth.anatomy import neutral_skin
from mien.synth.assembly import INSIDE, MATERIAL_NAMES, MATERIALS, Mesh, MeshBuilder
from mien.synth.atlas import RELIEF_SCALE, skin_uv, tile_uv, to_linear
from mien.synth.chart import MOUTH_T, chart
from mien.synth.ears import ear
from mien.synth.hair import Shell, beard_shells, curtain, scalp_shells
from mien.synth.landmarks import landmark_vertices
from mien.synth.light import Light
from mien.synth.occlusion import sky_share, view_axes
from mien.synth.person import Person
from mien.synth.raster import rasterize, shade, trace_back, vertex_normals
from mien.synth.tiles import paint_atlas

EYES_AT = ((0.35, 0.40), (0.65, 0.40))  # of the neutral frontal frame: image left, image right
CAMERA = 13.0  # distance of the camera, eye distances
PIVOT = np.array([0.0, -0.45, -1.0])  # the head turns about its joint with the neck
OVERSAMPLE = 2
SHADOW_SIDE = 224
GRID = 64  # cells of flow and mouth mask


@dataclass(frozen=True)
class Shot:
    """One picture: image (S, S, 3) uint8; landmarks (68, 2) in its pixels; flow (64, 64, 2) in its pixels; mouth (64, 64)."""

    image: np.ndarray
    landmarks: np.ndarray
    flow: np.ndarray
    mouth: np.ndarray
    filled: np.ndarray  # (S·2, S·2) bool: where the renderer hit the person


@dataclass(frozen=True)
class Camera:
    """Maps the head to the frame: `scale` and `offset` bring the neutral eyes to EYES_AT."""

    scale: float
    offset: np.ndarray

    def project(self, points: np.ndarray, side: float) -> np.ndarray:
        """Return screen places (n, 3) in pixels, z growing towards the viewer, of points in camera axes."""
        near = CAMERA / (CAMERA - points[:, 2:3])
        flat = points[:, :2] * near * (self.scale, -self.scale) + self.offset
        return np.concatenate([flat * side, points[:, 2:3]], axis=1).astype(np.float32)


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Return the rotation (3, 3) of the head; yaw > 0 turns the nose to the image's right, pitch > 0 down, roll > 0 clockwise."""
    a, b, c = np.radians([yaw, pitch, -roll])
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    nod = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    tilt = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return tilt @ turn @ nod


class Studio:
    """Renders one person; everything that does not depend on the expression is prepared once."""

    def __init__(self, person: Person, size: int = 128):
        if not 32 <= size <= 1024:
            raise InputError(f"size: expected 32 to 1024 pixels, got {size}")
        self.person, self.size = person, size
        self.chart = chart()
        self.atlas, edge = paint_atlas(person)
        self.rest = neutral_skin(self.chart, person.shape)
        self.balls = {side: eyes.ball_center(self.rest, self.chart.eyes[side], side) for side in (1, -1)}
        self.lids = {side: eyes.lid_vertices(self.chart, side) for side in (1, -1)}
        margin = self.rest[self.chart.mouth.upper.margin]
        self.bite = margin[len(margin) // 2]
        over = self.chart.t - MOUTH_T
        self.lip_zone = np.flatnonzero((np.abs(over) < 0.3) & (np.abs(self.chart.mean[:, 0]) < 0.7) & (np.abs(self.chart.s) < 1.5))
        rng = np.random.default_rng((person.seed, 0xA1))
        self.shells: list[Shell] = scalp_shells(person, self.chart, edge, rng) + beard_shells(person, self.chart)
        self.fixed: dict[str, np.ndarray] = {}
        self.mesh = self._assemble(rng)
        self.materials = self._materials()
        self.pores = wrinkles.pores(person)
        calm = np.zeros((len(AUS), 2))
        neutral = self.vertices(calm)
        self.camera = self._fit(neutral)
        self.neutral_screen = self.camera.project(neutral, 1.0)[:, :2]
        self.sky = self._sky(neutral)
        self.inside = np.isin(self.mesh.material, [MATERIAL_NAMES.index(name) for name in INSIDE]).astype(np.uint8)
        casts = ~np.isin(self.mesh.material, [MATERIAL_NAMES.index(n) for n in ("eye", "lash", "lining", "teeth", "tongue", "lens")])
        self.casting = np.ascontiguousarray(self.mesh.faces[casts])
        self.casting_ragged = self.mesh.ragged[casts]

    def _assemble(self, rng: np.random.Generator) -> Mesh:
        """Join the parts; vertex positions follow in `vertices` in the same order."""
        build, c = MeshBuilder(), self.chart
        code = np.full(len(c.faces), MATERIAL_NAMES.index("lining"), np.uint8)
        code[: c.skin_faces] = MATERIAL_NAMES.index("skin")
        eye_rows = np.concatenate([roll.rows.ravel() for s in c.eyes.values() for roll in (s.upper, s.lower)])
        code[np.isin(c.faces, eye_rows).any(axis=1)] = MATERIAL_NAMES.index("lid lining")
        uv = skin_uv(c.s, c.t)
        uv[c.grid_size :] = tile_uv("plain", np.array([[0.5, 0.5]]))
        build.add("skin", uv, c.faces, code)
        self.ball_points, disc, ball_faces = eyes.ball_mesh()
        for side in (1, -1):
            build.add(f"eye {side}", tile_uv("eye", 0.5 + 0.5 * disc * (1, -1)), ball_faces, "eye")
        for name in ("upper teeth", "lower teeth"):
            build.add(name, tile_uv(name, mouth.arch_uv()), mouth.arch_faces(), "teeth")
        self.tongue_points, tongue_faces = mouth.tongue(self.bite)
        plain = tile_uv("plain", np.array([[0.5, 0.5]]))
        build.add("tongue", np.repeat(plain, len(self.tongue_points), 0), tongue_faces, "tongue")
        for side in (1, -1):
            root = self._ear_root(side)
            points, faces, place = ear(self.person.shape, side, root)
            self.fixed[f"ear {side}"] = points
            build.add(f"ear {side}", tile_uv("ear", place), faces, "ear")
        for i, shell in enumerate(self.shells):
            build.add(f"shell {i}", shell.uv, shell.faces, "hair", shell.cover)
        falling = curtain(self.person, rng)
        if falling is not None:
            self.fixed["curtain"] = falling.points
            build.add("curtain", falling.uv, falling.faces, "hair", falling.cover)
        for side in (1, -1):
            build.add(f"lashes {side}", np.repeat(plain, 3 * eyes.LASHES, 0), np.arange(3 * eyes.LASHES).reshape(-1, 3), "lash")
        return build.build()

    def _ear_root(self, side: int) -> np.ndarray:
        mean = self.chart.mean[: self.chart.grid_size]
        at = np.argmin(np.abs(self.chart.s[: len(mean)] - side * 1.95) + np.abs(self.chart.t[: len(mean)] + 0.22))
        return self.rest[at] - (side * 0.03, 0, 0)

    def _materials(self) -> np.ndarray:
        hair = to_linear(np.array(self.person.hair_color) / 255)
        skin = to_linear(self.person.skin_color)
        tints = {
            "lining": (0.30, 0.085, 0.08), "lid lining": 0.75 * skin * (1.0, 0.72, 0.7), "tongue": (0.42, 0.15, 0.14),
            "hair": hair, "lash": 0.25 * hair + 0.004,
        }  # fmt: skip
        rows = [(*tints.get(name, (1.0, 1.0, 1.0)), *MATERIALS[name]) for name in MATERIAL_NAMES]
        return np.array(rows, np.float32)

    def vertices(self, aus: np.ndarray, gaze: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
        """Return all vertices (n, 3) of the head under action units (21, 2), head axes."""
        skin = self._skin(aus, gaze)
        drop = float(np.mean(aus[AUS.index(26)])) / 5
        parts = [skin]
        parts += [eyes.turn_ball(self.ball_points * eyes.BALL_RADIUS, gaze) + self.balls[side] for side in (1, -1)]
        parts += [mouth.arch(self.bite, True), actions.turn_jaw(mouth.arch(self.bite, False), 1.0, drop)]
        parts += [actions.turn_jaw(self.tongue_points, 1.0, 0.92 * drop), self.fixed["ear 1"], self.fixed["ear -1"]]
        if self.shells:
            normals = np.empty((len(skin), 3), np.float32)
            vertex_normals(skin, self.chart.faces[: self.chart.skin_faces], normals)
            parts += [skin[shell.source] + shell.lift[:, None] * normals[shell.source] for shell in self.shells]
        if "curtain" in self.fixed:
            parts.append(self.fixed["curtain"])
        length = 0.05 * self.person.lashes
        parts += [eyes.lashes(skin, self.chart.eyes[side], self.balls[side], length)[0] for side in (1, -1)]
        return np.concatenate(parts).astype(np.float32)

    def _skin(self, aus: np.ndarray, gaze: tuple[float, float]) -> np.ndarray:
        rows = [AUS.index(au) for au in actions.FACE_AUS]
        level = np.concatenate([aus[rows, 0], aus[rows, 1]]).astype(np.float32) / 5
        active = np.flatnonzero(level)
        points = self.rest.astype(np.float32)
        if len(active):
            points += (level[active] @ actions.displacement_basis()[active]).reshape(-1, 3)
        drop = float(np.mean(aus[AUS.index(26)])) / 5
        if drop > 0:
            points = actions.turn_jaw(points, actions.jaw_weights(), drop)
        over = self.chart.t - MOUTH_T
        mouth.close_lips(points, self.chart.mouth, over, self.chart.above, self.lip_zone)
        shape = self.person.shape
        for column, side in ((0, 1), (1, -1)):
            opening = actions.lid_openings(aus, column, shape.eye_open, shape.eye_roundness, gaze[1])
            eyes.set_lids(points, self.chart, side, self.lids[side], self.balls[side], shape, opening)
            eyes.hang_lid_rolls(points, self.chart.eyes[side], self.balls[side])
        mouth.hang_lip_rolls(points, self.chart.mouth, actions.JAW_ANGLE * drop)
        return points

    def _fit(self, neutral: np.ndarray) -> Camera:
        corners = neutral[landmark_vertices()[[36, 39, 42, 45]]]
        flat = Camera(1.0, np.zeros(2)).project(corners, 1.0)[:, :2]
        right, left = flat[:2].mean(0), flat[2:].mean(0)
        scale = (EYES_AT[1][0] - EYES_AT[0][0]) / (left[0] - right[0])
        return Camera(float(scale), np.mean(EYES_AT, axis=0) - scale * (right + left) / 2)

    def _sky(self, neutral: np.ndarray) -> np.ndarray:
        """Return how open to the sky (n,) each vertex is, in rest."""
        normals = np.empty_like(neutral)
        vertex_normals(neutral, self.mesh.faces, normals)
        hidden = self.mesh.ragged.astype(bool) | np.isin(self.mesh.material, [MATERIAL_NAMES.index(n) for n in ("eye", "lash")])
        share = sky_share(neutral, normals, np.ascontiguousarray(self.mesh.faces[~hidden]))
        sky = 0.22 + 0.78 * np.clip(share * 1.15, 0, 1)
        parts = self.mesh.parts
        for side in (1, -1):
            sky[parts[f"lashes {side}"].vertices] = 0.6
        for name in ("upper teeth", "lower teeth"):
            sky[parts[name].vertices] = 0.85
        sky[parts["tongue"].vertices] = 0.45
        for slit in (self.chart.mouth,):
            for roll in (slit.upper, slit.lower):
                sky[roll.margin] = np.maximum(sky[roll.margin], 0.6)
                for row, value in zip(roll.rows, (0.55, 0.38, 0.22, 0.05), strict=True):
                    sky[row] = value
        for slit in self.chart.eyes.values():
            for roll in (slit.upper, slit.lower):
                sky[roll.margin] = np.maximum(sky[roll.margin], 0.6)
                sky[roll.rows.ravel()] = 0.55
        for i, shell in enumerate(self.shells):
            deep = parts[f"shell {i}"].vertices
            sky[deep] = np.clip(sky[shell.source] * 0.3 + 0.55 + 0.25 * i / max(1, len(self.shells)), 0.3, 1)
        return sky.astype(np.float32)

    def render(
        self, aus: np.ndarray, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0,
        gaze: tuple[float, float] = (0.0, 0.0), light: Light | None = None, backdrop: np.ndarray | None = None,
    ) -> Shot:  # fmt: skip
        """Return the picture of action units `aus` (21, 2) 0-5, left and right, under a pose and gaze in degrees."""
        aus = np.asarray(aus, float)
        if aus.shape != (len(AUS), 2) or not np.isfinite(aus).all() or aus.min() < 0 or aus.max() > 5:
            raise InputError(f"aus: expected ({len(AUS)}, 2) numbers from 0 to 5")
        light = light or Light()
        head = self.vertices(aus, gaze)
        turn = rotation(yaw, pitch, roll)
        points = ((head - PIVOT) @ turn.T + PIVOT).astype(np.float32)
        points += self._recenter(points)
        side = self.size * OVERSAMPLE
        screen = self.camera.project(points, side)
        depth = np.empty((side, side), np.float32)
        seen, bary = np.empty((side, side), np.int32), np.zeros((side, side, 2), np.float32)
        mesh = self.mesh
        rasterize(screen, mesh.faces, mesh.ragged, mesh.cover, mesh.uv, self.atlas, depth, seen, bary)
        linear = self._shade(points, head, aus, turn, light, seen, bary, backdrop)
        flow, hollow = np.zeros((GRID, GRID, 2), np.float32), np.zeros((GRID, GRID), np.float32)
        trace_back(seen, bary, mesh.faces, self.neutral_screen * np.float32(side), np.ones(len(mesh.faces), np.uint8), self.inside, flow, hollow)
        landmarks = screen[landmark_vertices(), :2] / OVERSAMPLE - 0.5
        return Shot(develop(linear, OVERSAMPLE), landmarks, flow / OVERSAMPLE, hollow, seen >= 0)

    def _recenter(self, points: np.ndarray) -> np.ndarray:
        """Return the shift (3,) that keeps the middle between the eyes in its place in the frame."""
        middle = points[landmark_vertices()[[36, 39, 42, 45]]].mean(0)
        near = CAMERA / (CAMERA - middle[2])
        target = (np.mean(EYES_AT, axis=0) - self.camera.offset) / (self.camera.scale, -self.camera.scale) / near
        return np.array([target[0] - middle[0], target[1] - middle[1], 0], np.float32)

    def _shade(self, points, head, aus, turn, light, seen, bary, backdrop) -> np.ndarray:
        mesh, side = self.mesh, seen.shape[0]
        normals = np.empty_like(points)
        vertex_normals(points, mesh.faces, normals)
        sky = self.sky.copy()
        for key in (1, -1):
            part = mesh.parts[f"eye {key}"].vertices
            sky[part] = eyes.lid_shadow(head[part], head, self.chart.eyes[key])
        toward = light.direction()
        in_map = (points - points.mean(0)) @ view_axes(toward).T.astype(np.float32)
        in_map *= np.array([1, 1, 1], np.float32)
        scale = SHADOW_SIDE / 5.2
        in_map[:, :2] = in_map[:, :2] * scale + SHADOW_SIDE / 2
        in_map = np.ascontiguousarray(in_map, np.float32)
        shadow = np.empty((SHADOW_SIDE, SHADOW_SIDE), np.float32)
        ids, weights = np.empty((SHADOW_SIDE, SHADOW_SIDE), np.int32), np.empty((SHADOW_SIDE, SHADOW_SIDE, 2), np.float32)
        rasterize(in_map, self.casting, self.casting_ragged, mesh.cover, mesh.uv, self.atlas, shadow, ids, weights)
        half = toward + (0, 0, 1)
        rim = np.array([-np.sign(toward[0] + 1e-6) * 0.8, 0.35, -0.5])
        tint = light.tint()
        lamp = np.stack([
            toward, light.key * tint, light.sky * (2 - tint), np.full(3, light.ground), rim / np.linalg.norm(rim),
            np.full(3, light.rim), half / np.linalg.norm(half),
        ]).astype(np.float32)  # fmt: skip
        if backdrop is None:
            image = np.full((side, side, 3), 0.32, np.float32)
        else:
            image = np.repeat(np.repeat(backdrop, side // len(backdrop), 0), side // len(backdrop), 1).astype(np.float32)
        shade(
            seen, bary, mesh.faces, mesh.material, self.materials, normals, mesh.uv, sky, self.atlas,
            wrinkles.relief(self.pores, aus, self.person.wrinkled), np.float32(RELIEF_SCALE),
            np.ascontiguousarray(turn.T[:2], np.float32), lamp, shadow, in_map, int(1 + 2 * light.softness), image,
        )  # fmt: skip
        return image


def develop(linear: np.ndarray, block: int) -> np.ndarray:
    """Return uint8 sRGB (S, S, 3) from linear light (S·block, S·block, 3), highlights rolled off."""
    side = len(linear) // block
    small = linear.reshape(side, block, side, block, 3).mean(axis=(1, 3))
    small = np.where(small < 0.6, small, 0.6 + 0.4 * np.tanh((small - 0.6) / 0.4))
    srgb = np.where(small <= 0.0031308, 12.92 * small, 1.055 * np.maximum(small, 1e-6) ** (1 / 2.4) - 0.055)
    return (np.clip(srgb, 0, 1) * 255 + 0.5).astype(np.uint8)
