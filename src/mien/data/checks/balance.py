"""How many images of each expression lie on each side of a data set: a table and a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.data.checks.leaks import sides
from mien.data.manifest import Manifest
from mien.files import whole
from mien.labels import EXPRESSIONS

UNKNOWN = "unknown"


def balance(manifest: Manifest) -> tuple[list[str], list[str], np.ndarray]:
    """Return the expressions there are, "all" and the sides there are, and how many images have which (E, 1 + S)."""
    words = [*EXPRESSIONS, UNKNOWN]
    rows = np.where(manifest.expression < 0, len(EXPRESSIONS), manifest.expression)
    columns = {"all": np.ones(len(manifest), bool)}
    for side in sides(manifest).values():
        names = [name for name in np.unique(side).tolist() if name]
        if len(names) > 1:
            columns |= {name: side == name for name in sorted(names, key=lambda name: (len(name), name))}
    counts = np.stack([np.bincount(rows[mask], minlength=len(words)) for mask in columns.values()], 1)
    there = counts[:, 0] > 0
    return [w for w, has in zip(words, there, strict=True) if has], list(columns), counts[there]


def balance_lines(manifest: Manifest) -> list[str]:
    """Return the table as lines of text, with a last line of sums."""
    words, columns, counts = balance(manifest)
    rows = [["", *columns], *([w, *map(str, c)] for w, c in zip(words, counts, strict=True))]
    rows.append(["all", *map(str, counts.sum(0))])
    wide = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  ".join(cell.rjust(w) for cell, w in zip(row, wide, strict=True)) for row in rows]


def draw_balance(manifest: Manifest, path: Path) -> None:
    """Draw two panels: images by expression, and by person; the first in parts by side where there are any."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    words, columns, counts = balance(manifest)
    kind = next((name for name in ("split", "test", "fold") if any(c.startswith(f"{name}=") for c in columns)), "all")
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    below = np.zeros(len(words))
    for k, name in enumerate(columns):
        if name.startswith(kind):
            left.bar(words, counts[:, k], bottom=below, label=name)
            below += counts[:, k]
    left.legend(fontsize=8)
    left.tick_params(axis="x", rotation=45)
    left.set_ylabel("images")
    each = np.bincount(manifest.subject[manifest.subject >= 0], minlength=len(manifest.subjects))
    right.bar(np.arange(len(each)), np.sort(each)[::-1], width=1.0)
    right.set_xlabel("people, by how many images they have")
    right.set_ylabel("images")
    try:
        with whole(path) as beside:
            figure.savefig(beside, dpi=80, format=path.suffix[1:])
    finally:
        plt.close(figure)
