"""Data folders that are used together, and whether their people are the same: opened here for every use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mien.data.dataset import Data, concat, open_data
from mien.data.joining import join, namesakes, united
from mien.data.manifest import Manifest, read_manifest
from mien.data.shards import Shards, are_shards, open_shards
from mien.errors import InputError


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
        return join(self._declared([read_manifest(folder) for folder in self._once()]))

    def open(self, size: int) -> Data:
        """Return the images of all folders at `size` pixels as one. Raises InputError as `open_data` and `join` do."""
        parts = [open_data(folder, size) for folder in self._once()]
        manifests = self._declared([part.manifest for part in parts])
        return concat([replace(part, manifest=m) for part, m in zip(parts, manifests, strict=True)])

    def _once(self) -> tuple[Path, ...]:
        """Return the folders. Raises InputError for one that is there twice."""
        places = [folder.resolve() for folder in self.folders]
        for folder, place in zip(self.folders, places, strict=True):
            if places.count(place) > 1:
                raise InputError(f"{folder}: is given twice, and its pictures would count twice; give it once")
        return self.folders

    def doubt(self) -> str:
        """Return a line where many people of two folders have the same names, and nothing says who they are; or ''."""
        if self.same_people or len(self.folders) < 2:
            return ""
        return namesakes([read_manifest(folder) for folder in self.folders])

    def _declared(self, manifests: list[Manifest]) -> list[Manifest]:
        return united(manifests) if self.same_people else manifests


def training_data(sets: Sets, size: int, all_people: bool | None = None) -> Data:
    """Return the folders' rows whose person is known, without those marked test unless `all_people`.

    Raises InputError where none is left; `all_people` is None where there is no taking those marked test.
    """
    data = sets.open(size)
    kept = (data.manifest.subject >= 0) & (bool(all_people) | ~data.manifest.test)
    if not kept.any():
        other = "; --all-people takes those marked test too" if all_people is False else ""
        raise InputError(f"{sets}: every row is marked test or has no subject; nothing to train on{other}")
    return data.select(kept)


def training_shards(sets: Sets, all_people: bool = False) -> Shards | None:
    """Return the rows that `training_data` does of a folder of shards, to be streamed; None where there is none."""
    packed = [folder for folder in sets.folders if are_shards(folder)]
    if not packed:
        return None
    if len(sets.folders) > 1:
        raise InputError(f"{packed[0]}: shards are streamed alone; join the data sets in a folder, and shard that")
    shards = open_shards(packed[0])
    kept = (shards.manifest.subject >= 0) & (all_people | ~shards.manifest.test)
    if not kept.any():
        raise InputError(f"{sets}: every row is marked test or has no subject; nothing to train on")
    return shards.select(kept)


def held_out(sets: Sets, size: int, all_people: bool | None = False) -> Data:
    """Return the folders' rows marked test, or all. Raises InputError where none is marked.

    `all_people` is None where the others are learnt from, so that there is no taking everybody.
    """
    data = sets.open(size)
    if all_people:
        return data
    if not data.manifest.test.any():
        other = "" if all_people is None else ", or take everybody with --all-people"
        raise InputError(
            f"{sets}: no row is marked test=1; mark the people never trained on (mien synth --test 0.2 does){other}"
        )
    return data.select(data.manifest.test)
