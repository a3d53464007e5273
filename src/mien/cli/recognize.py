"""Verbs that read faces: recognize, aus, embed."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.about import DEFAULT
from mien.cli import clips
from mien.cli.output import check_outputs, say_left_out
from mien.cli.terminal import Aligned, LandmarkerName, Model, Number, bar, errors, out
from mien.cli.values import Device
from mien.errors import InputError

if TYPE_CHECKING:
    from mien.faces.crop import Which


def recognize(
    paths: list[Path],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A table to write: .csv, .json or .parquet.")
    ] = None,
    model: Model = DEFAULT,
    number: Number = None,
    every: Annotated[bool, typer.Option("--all", help="Every face, with its place; -o does so by itself.")] = False,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    device: Device = "cpu",
) -> None:
    """Name the expression in pictures or folders of pictures, or in every frame of clips.

    With `-o` or `--all` every face gives a row with its place, probabilities and, where the model has them, action
    units; a file that cannot be used gives a row that says why. Killed, the same command goes on where it stopped.

    Example: `mien recognize holiday/ --csv > expressions.csv`

    Example: `mien recognize 2023/ 2024/ -o faces.parquet --model evaluator`
    """
    from mien.files import hidden
    from mien.recognition.photos import find_rows
    from mien.recognition.table import check_table, write_table

    if clips.any_clip(*paths):
        if output or every:
            raise InputError(f"{'-o' if output else '--all'}: for pictures; clips take --csv or --json and --face N")
        form = "json" if as_json else "csv" if as_csv else "text"
        return clips.recognize(paths, form, clips.Tool(model, aligned, device, number, landmarker=landmarker))

    which: Which = "all" if number is None and (every or output) else number
    if output:
        check_table(output)
        check_outputs({f"the picture {path}": path for path in paths}, {"-o": output})
    journal = hidden(output, "part") if output else None
    from mien.editing.editor import Editor

    tool = Editor(model, device, aligned, landmarker=landmarker)
    with bar("looking") as tell:
        rows = find_rows(tool, paths, which, tell, journal)
    if output and journal:
        write_table(rows, output)
        journal.unlink(missing_ok=True)
    if print_rows(rows, output, every, as_json, as_csv):
        raise typer.Exit(2)


def print_rows(rows: Sequence[dict[str, Any]], output: Path | None, every: bool, as_json: bool, as_csv: bool) -> int:
    """Print the table in the form that is wanted, and return how many files failed."""
    from mien.recognition.table import csv_text, json_text

    good, bad = [row for row in rows if "error" not in row], [row for row in rows if "error" in row]
    if output:
        failed = f", {len(bad)} file{'s' * (len(bad) > 1)} failed" if bad else ""
        out.print(f"{len(good)} faces in {output}{failed}", markup=False, soft_wrap=True)
        if bad:
            errors.print(f"mien: {bad[0]['error']}{' (rows tell of the others)' * (len(bad) > 1)}", markup=False)
    else:
        for row in bad:
            errors.print(f"mien: {row['error']}", markup=False)
    for row in good:
        if others := row.get("left_out"):
            say_left_out(row["path"], row["number"], others)
    if as_json:
        print(json_text(rows).rstrip() if every else json.dumps([likeliest_first(row) for row in good], indent=2))
    elif as_csv and every:
        sys.stdout.write(csv_text(rows))
    elif as_csv:
        print_words(good)
    elif not output:
        print_lines(good, every)
    return len(bad)


def probabilities(row: dict[str, Any]) -> dict[str, float]:
    """Return a row's probability of every word, the likeliest first."""
    from mien.labels import CLASSES

    return dict(sorted(((word, row[word]) for word in CLASSES), key=lambda pair: -pair[1]))


def likeliest_first(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row's file and probabilities."""
    return {"file": row["path"]} | probabilities(row)


def print_words(rows: Sequence[dict[str, Any]]) -> None:
    """Print file, expression and probabilities as CSV."""
    if not rows:
        return
    words = sorted(probabilities(rows[0]))
    writer = csv.writer(sys.stdout)
    writer.writerow(["file", "expression", *words])
    writer.writerows([row["path"], row["expression"], *(f"{row[w]:.4f}" for w in words)] for row in rows)


def print_lines(rows: Sequence[dict[str, Any]], numbered: bool) -> None:
    """Print the three likeliest words of every face, a line each."""
    for row in rows:
        which = f" face {row['number']}" if numbered else ""
        found = ", ".join(f"{word} {p:.2f}" for word, p in list(probabilities(row).items())[:3])
        out.print(f"{row['path']}{which}: {found}", markup=False)


def aus(
    paths: list[Path],
    model: Model = DEFAULT,
    number: Number = None,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    device: Device = "cpu",
) -> None:
    """Measure action units, 0-5, in pictures or folders of pictures.

    Example: `mien aus holiday/ --csv > aus.csv`
    """
    from mien.editing.editor import Editor
    from mien.files import path_text
    from mien.labels import au_name

    tool = Editor(model, device, aligned, landmarker=landmarker)
    tool.engine.require("estimate_aus")  # once, not for every picture
    rows, failed = each_picture(paths, lambda path: tool.estimate_aus(path, number))
    if as_json:
        files = [{"file": path_text(path)} | {au_name(k): v for k, v in found.items()} for path, found in rows]
        print(json.dumps(files))
    elif as_csv and rows:
        writer = csv.writer(sys.stdout)
        writer.writerow(["file", *(au_name(k) for k in rows[0][1])])
        writer.writerows([path, *(f"{v:.3f}" for v in found.values())] for path, found in rows)
    else:
        for path, found in rows:
            strong = sorted(((v, k) for k, v in found.items() if v >= 0.5), reverse=True)
            out.print(f"{path}: " + (", ".join(f"AU{k} {v:.1f}" for v, k in strong) or "none"), markup=False)
    if failed:
        raise typer.Exit(2)


def embed(
    paths: list[Path],
    output: Annotated[Path, typer.Option("-o", "--output", help="The .npz file to write.")],
    model: Model = DEFAULT,
    number: Number = None,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    device: Device = "cpu",
) -> None:
    """Write the expression and identity codes of pictures or folders of pictures.

    Example: `mien embed holiday/ -o codes.npz`
    """
    import numpy as np

    from mien.files import check_place, path_text, write_whole

    if output.suffix != ".npz":
        raise InputError(f"{output}: expected a file name ending in .npz")
    check_place(output)
    check_outputs({f"the picture {path}": path for path in paths}, {"-o": output})
    from mien.editing.editor import Editor

    tool = Editor(model, device, aligned, landmarker=landmarker)
    tool.engine.require("embed")  # once, not for every picture
    rows, failed = each_picture(paths, lambda path: tool.embed(path, number))
    if not rows:
        raise InputError(f"no face was embedded; {output} was not written")
    expression, identity = (np.stack([codes[name] for _, codes in rows]) for name in ("expression", "identity"))
    data = io.BytesIO()
    np.savez(data, path=np.array([path_text(path) for path, _ in rows]), expression=expression, identity=identity)
    write_whole(output, data.getvalue())
    out.print(f"{len(rows)} faces in {output}", markup=False)
    if failed:
        raise typer.Exit(2)


def each_picture(paths: list[Path], work: Callable[[Path], Any]) -> tuple[list[tuple[Path, Any]], int]:
    """Return what `work` makes of every picture and of every picture in folders; what fails is printed and counted."""
    from mien.recognition.photos import pictures

    files = pictures(paths)
    rows, failed = [], 0
    with bar("looking") as tell:
        for k, path in enumerate(files):
            try:
                rows.append((path, work(path)))
            except InputError as error:
                failed += 1
                errors.print(f"mien: {error}", markup=False)
            tell(k + 1, len(files))
    return rows, failed
