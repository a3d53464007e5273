"""The verb that writes models for other runtimes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli.early import check_asked, check_files
from mien.cli.terminal import out
from mien.errors import InputError


def export(
    model: Annotated[
        str, typer.Argument(help="Name of weights that come with mien, a file, a run's folder, a hub id.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The folder to write into.")],
    to: Annotated[str, typer.Option(help="onnx or openvino.")] = "onnx",
    face: Annotated[
        list[Path] | None, typer.Option(help="A photograph to check on instead of the demo's; again for several.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="USE", help="Write this use alone; again for several.")
    ] = None,
    half: Annotated[
        bool, typer.Option("--half", help="Write weights as half floats; computing stays in floats.")
    ] = False,
) -> None:
    """Write every use of MODEL as a graph that other runtimes run, checked against PyTorch on real faces.

    Example: `mien export fields -o exported --to onnx`
    """
    from mien.runtime.description import FORMATS

    if to not in FORMATS:
        raise InputError(f"--to {to}: choose {' or '.join(FORMATS)}")
    check_asked([], [model])
    check_files(*(face or ()))

    from mien.export.exporting import export

    def say(graph: str, rows: Sequence[dict[str, Any]]) -> None:
        for row in rows:
            out.print(
                f"{graph:>12}  {row['output']:<14} off by {row['mean']:.2g} on average, {row['most']:.2g} at most "
                f"({row['unit']})", markup=False, highlight=False, soft_wrap=True,
            )  # fmt: skip

    about = export(model, output, to, face or (), only or (), half, say)
    graphs = about.facts["graphs"]
    out.print(f"{output}: {about.name}, {len(graphs)} uses as {to}: {', '.join(graphs)}", markup=False, soft_wrap=True)
