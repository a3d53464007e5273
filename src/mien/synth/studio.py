"""One person in front of the camera: action units, pose, gaze and light in; picture, landmarks, exact geometry out."""

from dataclasses import dataclass

import numpy as np

from mien.errors import InputError
from mien.labels import AUS
from mien.synth.geometry import eyes
from mien.synth.geometry.wear import OCCLUDERS
from mien.synth.head import SIDES, Head, Outfit
from mien.synth.landmarks import landmark_vertices
from mien.synth.person import Person
from mien.synth.render.camera import PIVOT, develop, fit, rotation
from mien.synth.render.light import Light
from mien.synth.render.occlusion import view_axes
from mien.synth.render.raster import rasterize, trace_back, vertex_normals
from mien.synth.render.shading import shade
from mien.synth.texture import wrinkles
from mien.synth.texture.atlas import RELIEF_SCALE
from mien.synth.texture.tiles import paint_atlas

OVERSAMPLE = 2
SHADOW_SIDE = 224
SHADOW_OFFSET = 0.02  # along the normal, so that grazing light does not stripe the skin
SHADOW_REACH = 5.2  # width of the shadow map, eye distances
GRID = 64  # cells of flow and mouth mask
EYE_CORNERS = (36, 39, 42, 45)
LIMITS = {"yaw": 60.0, "pitch": 45.0, "roll": 45.0, "gaze_x": 40.0, "gaze_y": 30.0}


@dataclass(frozen=True)
class Shot:
    """One picture and its exact geometry; places are in pixels of the image, pixel centres at whole numbers.

    image (S, S, 3) uint8 RGB; landmarks (68, 2); flow (64, 64, 2): what cell (i, j) shows, with its middle at
    ((i + 0.5) · S / 64 - 0.5, …), lies at that place plus flow in the person's neutral frontal picture; mouth (64, 64)
    0-1: the share of a cell that shows the inside of the mouth; filled (2S, 2S) bool: where the person was drawn.
    """

    image: np.ndarray
    landmarks: np.ndarray
    flow: np.ndarray
    mouth: np.ndarray
    filled: np.ndarray


class Studio:
    """Renders one person; everything that does not depend on the expression is prepared once."""

    def __init__(self, person: Person, size: int = 128):
        if not 32 <= size <= 1024 or size % 32:
            raise InputError(f"size: expected a multiple of 32 from 32 to 1024 pixels, got {size}")
        self.person, self.size = person, size
        self.atlas, hair_edge = paint_atlas(person)
        self.head = Head(person, hair_edge)
        self.calm_relief = wrinkles.resting(person)
        self.camera = fit(self.head.neutral[landmark_vertices()[list(EYE_CORNERS)]])
        self.neutral_screen = self.camera.project(self.head.neutral, size * OVERSAMPLE)[:, :2].copy()

    def render(
        self, aus: np.ndarray, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0,
        gaze: tuple[float, float] = (0.0, 0.0), light: Light | None = None, backdrop: np.ndarray | None = None,
        occluder: str = "none", glasses: bool = True,
    ) -> Shot:  # fmt: skip
        """Return the picture of action units `aus` (21, 2), left and right, 0-5.

        Angles in degrees within LIMITS; `backdrop` (S, S, 3) linear light, grey when None; `occluder` one of
        `wear.OCCLUDERS`; `glasses` False takes off the glasses the person has. The middle between the eyes stays where
        it is in the neutral frontal picture.
        """
        aus = _checked(aus, {"yaw": yaw, "pitch": pitch, "roll": roll, "gaze_x": gaze[0], "gaze_y": gaze[1]}, occluder)
        outfit = self.head.outfit(glasses, occluder)
        head = self.head.vertices(aus, gaze)
        turn = rotation(yaw, pitch, roll)
        points = ((head - PIVOT) @ turn.T + PIVOT).astype(np.float32)
        points += self.camera.hold_eyes(points[landmark_vertices()[list(EYE_CORNERS)]])
        side = self.size * OVERSAMPLE
        screen = self.camera.project(points, side)
        mesh = self.head.mesh
        depth = np.empty((side, side), np.float32)
        seen, bary = np.empty((side, side), np.int32), np.zeros((side, side, 2), np.float32)
        rasterize(screen, outfit.faces, outfit.ragged, mesh.cover, mesh.uv, self.atlas, depth, seen, bary)
        image = _canvas(backdrop, side)
        self._shade(points, head, aus, turn, light or Light(), outfit, seen, bary, image)
        flow, hollow = np.zeros((GRID, GRID, 2), np.float32), np.zeros((GRID, GRID), np.float32)
        trace_back(seen, bary, outfit.faces, self.neutral_screen, outfit.inside, flow, hollow)
        landmarks = screen[landmark_vertices(), :2] / OVERSAMPLE - 0.5
        return Shot(develop(image, OVERSAMPLE), landmarks, flow / OVERSAMPLE, hollow, seen >= 0)

    def _shade(
        self, points: np.ndarray, head: np.ndarray, aus: np.ndarray, turn: np.ndarray, light: Light, outfit: Outfit,
        seen: np.ndarray, bary: np.ndarray, image: np.ndarray,
    ) -> None:  # fmt: skip
        """Light what `seen` shows, into `image`."""
        mesh = self.head.mesh
        normals = np.empty_like(points)
        vertex_normals(points, outfit.faces, normals)
        sky = self.head.sky.copy()
        for _, side in SIDES:
            part = mesh.parts[f"eye {side}"].vertices
            sky[part] = eyes.lid_shadow(head[part], head, self.head.chart.eyes[side])
        in_map, shadow = self._shadow(points + np.float32(SHADOW_OFFSET) * normals, light, outfit)
        relief = wrinkles.relief(self.calm_relief, aus, self.person.wrinkled)
        frame = np.ascontiguousarray(turn.T[:2], np.float32)
        shade(
            seen, bary, outfit.faces, outfit.material, self.head.materials, normals, mesh.uv, sky, self.atlas, relief,
            np.float32(RELIEF_SCALE), frame, light.table(), shadow, in_map, int(1.5 + 1.5 * light.softness), image,
        )  # fmt: skip

    def _shadow(self, points: np.ndarray, light: Light, outfit: Outfit) -> tuple[np.ndarray, np.ndarray]:
        """Return the vertices (n, 3) as the key lamp sees them and its depth map."""
        mesh = self.head.mesh
        in_map = (points - points[: self.head.chart.grid_size].mean(axis=0)) @ view_axes(light.direction()).T.astype(
            np.float32
        )
        in_map[:, :2] = in_map[:, :2] * (SHADOW_SIDE / SHADOW_REACH) + SHADOW_SIDE / 2
        in_map = np.ascontiguousarray(in_map, np.float32)
        shadow = np.empty((SHADOW_SIDE, SHADOW_SIDE), np.float32)
        seen, bary = np.empty(shadow.shape, np.int32), np.empty((*shadow.shape, 2), np.float32)
        rasterize(in_map, outfit.casting, outfit.casting_ragged, mesh.cover, mesh.uv, self.atlas, shadow, seen, bary)
        return in_map, shadow


def _checked(aus: np.ndarray, angles: dict[str, float], occluder: str) -> np.ndarray:
    aus = np.asarray(aus, float)
    if aus.shape != (len(AUS), 2) or not np.isfinite(aus).all() or aus.min() < 0 or aus.max() > 5:
        raise InputError(f"aus: expected ({len(AUS)}, 2) numbers from 0 to 5, got shape {aus.shape}")
    for name, value in angles.items():
        if not abs(value) <= LIMITS[name]:
            raise InputError(f"{name}: expected at most ±{LIMITS[name]:g} degrees, got {value}")
    if occluder not in OCCLUDERS:
        raise InputError(f"occluder: expected one of {', '.join(OCCLUDERS)}, got {occluder!r}")
    return aus


def _canvas(backdrop: np.ndarray | None, side: int) -> np.ndarray:
    """Return a fresh frame (side, side, 3) float32 with the backdrop on it."""
    if backdrop is None:
        return np.full((side, side, 3), 0.32, np.float32)
    expected = (side // OVERSAMPLE, side // OVERSAMPLE, 3)
    if backdrop.shape != expected:
        raise InputError(f"backdrop: expected shape {expected}, got {backdrop.shape}")
    return np.ascontiguousarray(backdrop.repeat(OVERSAMPLE, 0).repeat(OVERSAMPLE, 1), np.float32)
