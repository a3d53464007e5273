"""Work on very many files, in parts, by the actors of a Ray cluster: each part becomes one parquet file, whole."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mien.errors import missing
from mien.files import make_folder, remove_parts_in, write_whole
from mien.progress import Tell, untold

if TYPE_CHECKING:
    import pandas as pd

SIZE = 64  # files of a part: some seconds' work, which is what a kill costs
_NAME = re.compile(r"part-[0-9]{6}-[0-9a-f]{16}\.parquet")

Rows = list[dict[str, Any]]


class Order(Protocol):
    """What is done to every file; it goes to the actors by pickle."""

    def open(self) -> Callable[[str], Rows]:
        """Return what makes rows of a file's name, with the model loaded; one that cannot be used gives a row too."""
        ...

    def frame(self, rows: Rows) -> pd.DataFrame:
        """Return rows as a table whose columns and types are the same for every part."""
        ...


@dataclass(frozen=True)
class Part:
    """Files that are done together, and the name of their table."""

    name: str
    files: tuple[str, ...]


def parts_of(marks: Mapping[str, str], made_by: Mapping[str, Any], size: int = SIZE) -> list[Part]:
    """Return files in parts; `marks` say of each what it is now. A part's name changes with them and `made_by`."""
    files, parts = list(marks), []
    for k in range(0, len(files), size):
        here = tuple(files[k : k + size])
        said = json.dumps([made_by, [marks[file] for file in here]], sort_keys=True, default=str)
        parts.append(Part(f"part-{k // size:06d}-{hashlib.sha256(said.encode()).hexdigest()[:16]}.parquet", here))
    return parts


def done_in(folder: Path, parts: Sequence[Part]) -> set[str]:
    """Return the names of the parts that are done; tables of other files or orders, and halves, are removed."""
    make_folder(folder)
    remove_parts_in(folder)
    names = {part.name for part in parts}
    found = {path.name for path in folder.iterdir() if _NAME.fullmatch(path.name)}
    for name in found - names:
        (folder / name).unlink(missing_ok=True)
    return found & names


class Actor:
    """A process of the cluster that holds a model, and does part after part."""

    def __init__(self, order: Order, folder: str):
        self._order, self._folder = order, Path(folder)
        self._work = order.open()

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Do the parts of a batch; return their names, and how many rows they have and how many files failed."""
        found: dict[str, list[Any]] = {"name": [], "rows": [], "failed": []}
        for name, files in zip(batch["name"], batch["files"], strict=True):
            rows = [row for file in json.loads(str(files)) for row in self._work(file)]
            data = io.BytesIO()
            self._order.frame(rows).to_parquet(data, index=False)
            write_whole(self._folder / str(name), data.getvalue())
            failed = sum(row.get("error") is not None for row in rows)
            for key, value in zip(found, (str(name), len(rows), failed), strict=True):
                found[key].append(value)
        return found


def do_parts(
    parts: Sequence[Part], order: Order, folder: Path, workers: int | None = None, tell: Tell = untold
) -> Iterator[tuple[int, int]]:
    """Do the parts that are not done yet; yield of each, as it ends, its rows and how many files failed.

    The cluster is the one that RAY_ADDRESS names or that runs here, else one is begun. `workers` actors at most, by
    default one for each processor; each has one. What a killed actor held is done again by another. All must see
    `folder` at the same place. Raises InputError where Ray is not installed.
    """
    try:
        import ray
        from ray.data import ActorPoolStrategy, DataContext, from_items
    except ModuleNotFoundError as error:
        raise missing("--ray", error) from error
    done = done_in(folder, parts)
    left = [part for part in parts if part.name not in done]
    if not left:
        return
    logging.getLogger("ray").setLevel(logging.ERROR)
    begun = not ray.is_initialized()
    if begun:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    try:
        DataContext.get_current().enable_progress_bars = False
        most = max(1, min(workers or int(ray.cluster_resources().get("CPU", 1)), len(left)))
        items = [{"name": part.name, "files": json.dumps(part.files)} for part in left]
        made = from_items(items, override_num_blocks=len(items)).map_batches(
            Actor, fn_constructor_args=(order, str(folder.absolute())), batch_size=1, batch_format="numpy",
            compute=ActorPoolStrategy(min_size=1, max_size=most), num_cpus=1,
        )  # fmt: skip
        for k, row in enumerate(made.iter_rows(), 1):
            tell(k, len(left))
            yield int(row["rows"]), int(row["failed"])
    finally:
        if begun:
            ray.shutdown()
