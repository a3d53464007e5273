"""The verb that serves the page."""

from __future__ import annotations

from typing import Annotated

import typer

from mien.cli.terminal import out
from mien.cli.values import Device


def page(
    port: Annotated[int, typer.Option(help="Where it is served on this computer.", min=1, max=65_535)] = 7860,
    model: Annotated[
        list[str] | None, typer.Option(help="A run's folder or weights to offer too; give it again for each.")
    ] = None,
    device: Device = "cpu",
) -> None:
    """Serve a page on this computer: give it a photograph, change the expression, download the result.

    Example: `mien app --port 7860`
    """
    from mien.web.server import serve

    out.print("loading the models …", markup=False)
    serve(port, model or (), device, lambda at: out.print(f"open {at} in a browser; Ctrl-C stops it", markup=False))
