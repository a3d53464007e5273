"""Tables and figures as files, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mien.files import whole, write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_csv(table: pd.DataFrame, path: Path, index: bool = True) -> None:
    """Write a table as CSV; its folder is made. Raises InputError as `mien.files.whole` does."""
    write_whole(path, table.to_csv(index=index, lineterminator="\n"))


def write_figure(figure: Figure, path: Path, dpi: int = 80) -> None:
    """Write a figure as PNG, and close it; its folder is made. Raises InputError as `mien.files.whole` does."""
    import matplotlib.pyplot as plt

    try:
        with whole(path) as beside:
            figure.savefig(beside, dpi=dpi, format="png")
    finally:
        plt.close(figure)
