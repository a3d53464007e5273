"""The data folders somebody names, and how their people belong together: opened in one place for every use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mien.data.cache import Data, concat, open_data
from mien.data.joining import join, namesakes, united
from mien.data.manifest import Manifest, read_manifest


@dataclass(frozen=True)
class Sets:
    """Folders to be joined. With `same_people`, those that share names share people, relatives and expressions.

    Without it, those do whose dataset.json names the same people.
    """

    folders: tuple[Path, ...]
    same_people: bool = False

    def __str__(self) -> str:
        return ", ".join(map(str, self.folders))

    def manifest(self) -> Manifest:
        """Return the labels of all folders as one. Raises InputError as `read_manifest` and `join` do."""
        return join(self._declared([read_manifest(folder) for folder in self.folders]))

    def open(self, size: int) -> Data:
        """Return the images of all folders at `size` pixels as one. Raises InputError as `open_data` and `join` do."""
        parts = [open_data(folder, size) for folder in self.folders]
        manifests = self._declared([part.manifest for part in parts])
        return concat([replace(part, manifest=m) for part, m in zip(parts, manifests, strict=True)])

    def doubt(self) -> str:
        """Return a line where many people of two folders have the same names, and nothing says who they are; or ''."""
        if self.same_people or len(self.folders) < 2:
            return ""
        return namesakes([read_manifest(folder) for folder in self.folders])

    def _declared(self, manifests: list[Manifest]) -> list[Manifest]:
        return united(manifests) if self.same_people else manifests
