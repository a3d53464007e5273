"""The verb demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.about import DEFAULT
from mien.cli.early import check_asked
from mien.cli.tables import print_frame
from mien.cli.terminal import Model, out
from mien.cli.values import folder_name
from mien.errors import InputError
from mien.files import is_new


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to write.", callback=folder_name)] = Path("demo_out"),
    model: Model = DEFAULT,
) -> None:
    """Show all of it on faces that come with the package: a sheet to look at, a table to read.

    Example: `mien demo`
    """
    if not is_new(folder) and not (folder / "faces" / "studio.json").is_file():
        raise InputError(f"{folder}: not empty and no demo; give a new folder")
    check_asked([], [model])

    from mien.evaluate.demo import demo as show

    table = show(folder, model, say=lambda text: out.print(text, markup=False))
    out.print("\nTransfer to people never trained on, against the true picture (full and three-quarter expressions):")
    print_frame(table.reset_index())
    out.print(f"\nLook at {folder / 'people.png'} and {folder / 'photograph.png'}", markup=False)
