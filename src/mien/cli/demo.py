"""The verb demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.about import DEFAULT
from mien.cli.terminal import Model, out, print_frame


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path("demo_out"), model: Model = DEFAULT
) -> None:
    """Show all of it on faces that come with the package: a sheet to look at, a table to read.

    Example: `mien demo`
    """
    from mien.evaluate.demo import demo as show

    table = show(folder, model, say=lambda text: out.print(text, markup=False))
    out.print("\nTransfer to people never trained on, against the true picture (full and three-quarter expressions):")
    print_frame(table.reset_index())
    out.print(f"\nLook at {folder / 'people.png'} and {folder / 'photograph.png'}", markup=False)
