"""One person's parts joined into a single mesh: what stays the same in every picture of this person."""

from dataclasses import dataclass

import numpy as np

# specular, sharpness, wrap of the light per channel, flag (1 relief, 2 hair, 3 eye); the tint is the person's
MATERIALS = {
    "skin": (0.095, 26.0, 0.42, 0.26, 0.22, 1),
    "lining": (0.10, 30.0, 0.4, 0.3, 0.3, 0),
    "lid lining": (0.10, 40.0, 0.4, 0.3, 0.3, 0),
    "eye": (0.95, 260.0, 0.35, 0.35, 0.35, 3),
    "teeth": (0.16, 50.0, 0.5, 0.5, 0.5, 0),
    "tongue": (0.12, 24.0, 0.4, 0.3, 0.3, 0),
    "ear": (0.04, 20.0, 0.5, 0.3, 0.25, 0),
    "hair": (0.10, 12.0, 0.2, 0.2, 0.2, 2),
    "lash": (0.0, 10.0, 0.2, 0.2, 0.2, 0),
    "frame": (0.35, 60.0, 0.1, 0.1, 0.1, 0),
    "lens": (0.60, 90.0, 0.1, 0.1, 0.1, 0),
    "hat": (0.01, 8.0, 0.2, 0.2, 0.2, 0),
    "mask": (0.02, 10.0, 0.35, 0.35, 0.35, 0),
    "hand": (0.04, 18.0, 0.42, 0.26, 0.22, 0),
}
MATERIAL_NAMES = tuple(MATERIALS)
INSIDE = ("lining", "teeth", "tongue")


@dataclass(frozen=True)
class Part:
    """One connected piece: where its vertices and triangles lie in the joined mesh."""

    name: str
    vertices: slice
    faces: slice


@dataclass(frozen=True)
class Mesh:
    """The joined mesh: n vertices, m triangles."""

    faces: np.ndarray  # (m, 3) int32
    material: np.ndarray  # (m,) uint8, index into MATERIAL_NAMES
    ragged: np.ndarray  # (m,) uint8
    uv: np.ndarray  # (n, 2) float32, pixels of the atlas
    cover: np.ndarray  # (n,) float32
    parts: dict[str, Part]

    def __len__(self) -> int:
        return len(self.uv)


class MeshBuilder:
    """Collects parts in order."""

    def __init__(self) -> None:
        self.faces: list[np.ndarray] = []
        self.material: list[np.ndarray] = []
        self.ragged: list[np.ndarray] = []
        self.uv: list[np.ndarray] = []
        self.cover: list[np.ndarray] = []
        self.parts: dict[str, Part] = {}
        self.n = self.m = 0

    def add(
        self, name: str, uv: np.ndarray, faces: np.ndarray, material: str | np.ndarray, cover: np.ndarray | None = None
    ) -> None:
        """Add a part: atlas places `uv` (k, 2) of its vertices, its own triangles, ragged edges if `cover` is given."""
        if isinstance(material, str):
            code = np.full(len(faces), MATERIAL_NAMES.index(material), np.uint8)
        else:
            code = np.array([MATERIAL_NAMES.index(name) for name in material], np.uint8)
        self.parts[name] = Part(name, slice(self.n, self.n + len(uv)), slice(self.m, self.m + len(faces)))
        self.faces.append(faces + self.n)
        self.material.append(code)
        self.ragged.append(np.full(len(faces), cover is not None, np.uint8))
        self.uv.append(uv)
        self.cover.append(np.ones(len(uv)) if cover is None else cover)
        self.n += len(uv)
        self.m += len(faces)

    def build(self) -> Mesh:
        """Return the joined mesh."""
        return Mesh(
            np.concatenate(self.faces).astype(np.int32), np.concatenate(self.material).astype(np.uint8),
            np.concatenate(self.ragged), np.concatenate(self.uv).astype(np.float32),
            np.concatenate(self.cover).astype(np.float32), self.parts,
        )  # fmt: skip


def is_made_of(mesh: Mesh, names: tuple[str, ...]) -> np.ndarray:
    """Return which triangles (m,) bool are of one of these materials."""
    return np.isin(mesh.material, [MATERIAL_NAMES.index(name) for name in names])
