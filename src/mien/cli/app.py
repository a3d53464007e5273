"""The verb that serves the page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.early import check_asked
from mien.cli.terminal import Sign, errors, out
from mien.cli.values import Device


def page(
    port: Annotated[int, typer.Option(help="Where it is served on this computer.", min=1, max=65_535)] = 7860,
    model: Annotated[
        list[str] | None, typer.Option(help="A run's folder or weights to offer too; give it again for each.")
    ] = None,
    device: Device = "auto",
    host: Annotated[
        str, typer.Option(help="The address to listen on; others than 127.0.0.1 let other computers in.")
    ] = "127.0.0.1",
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="An address under which your proxy shows it, https://faces.example."),
    ] = None,
    root_path: Annotated[
        str, typer.Option(help="The path below which your proxy shows it, or the whole address.")
    ] = "",
    auth: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ask for a name and a password; lines NAME:PASSWORD, for you alone to read."),
    ] = None,
    sign: Sign = None,
    frame: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="A website that may show the page within its own; needs TLS before it."),
    ] = None,
) -> None:
    """Serve a page on this computer: give it a photograph or a clip, change the expression, keep the result.

    Example: `mien app --port 7860`
    """
    check_asked([], model or ())

    from mien.web.server import serve, to_others

    if to_others(host) and auth is None:
        errors.print(f"mien: whoever reaches {host} can use the page; --auth FILE asks for a password", markup=False)
    tell = "open {} in a browser; Ctrl-C stops it"
    serve(
        port,
        model or (),
        device,
        lambda at: out.print(tell.format(at), markup=False),
        host,
        allow or (),
        root_path,
        auth,
        sign,
        frame or (),
        lambda: out.print("loading the models …", markup=False),
    )
