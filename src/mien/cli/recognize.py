"""Verbs that read faces: recognize, aus, embed."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.about import DEFAULT
from mien.cli.output import check_outputs, say_left_out
from mien.cli.reading import Columns, Elan, EveryFace, Osc, Plot, ReaderName, Request, Smooth, Table, form_of
from mien.cli.terminal import Aligned, Model, Number, OnRay, SaveExpression, Workers, bar, errors, out
from mien.cli.values import Backend, Device, LandmarkerName
from mien.errors import InputError

if TYPE_CHECKING:
    import numpy as np

Json = Annotated[bool, typer.Option("--json", hidden=True, help="Print JSON, where `-o` writes it.")]
Csv = Annotated[bool, typer.Option("--csv", hidden=True, help="Print CSV, where `-o` writes it.")]


def recognize(
    paths: list[Path],
    output: Table = None,
    model: Model = DEFAULT,
    number: Number = None,
    every: EveryFace = False,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    as_json: Json = False,
    as_csv: Csv = False,
    least: Annotated[
        float | None, typer.Option("--min-confidence", help="Say unsure where no word is as likely as this, 0 to 1.")
    ] = None,
    smooth: Smooth = False,
    columns: Columns = "mien",
    reader: ReaderName = None,
    plot: Plot = None,
    elan: Elan = None,
    osc: Osc = None,
    save_expression: SaveExpression = None,
    ray: OnRay = False,
    ray_workers: Workers = None,
    device: Device = "auto",
    backend: Backend = "auto",
) -> None:
    """Name the expression in pictures, in every frame of clips, and in folders of both.

    With `-o` or `--all` every face gives a row with its place, probabilities and what else the model reads: action
    units, head, gaze (docs/reading.md); a file that cannot be used gives a row that says why. Killed, the same command
    goes on where it stopped.

    Example: `mien recognize holiday/ -o expressions.csv`

    Example: `mien recognize talk.mp4 2023/ -o faces.parquet --smooth --model evaluator`

    Example: `mien recognize s3://bucket/photos --ray -o faces/`
    """
    request = Request(
        paths, "recognize", model, output, number, every, aligned, landmarker, device, form_of(as_json, as_csv),
        smooth, least, columns, reader, plot, elan, osc, save_expression,
        ray, ray_workers, backend,
    )  # fmt: skip
    request.deliver(short_words if as_csv else likeliest_first, in_words)


def short_words(row: dict[str, Any], timed: bool) -> dict[str, Any]:
    """Return a row's file, in a clip its frame and time, its word and probabilities, as text for CSV."""
    from mien.labels import CLASSES

    shares = {word: _decimals(row.get(word), 4) for word in sorted(CLASSES)}
    return _whence(row, timed) | {"expression": row.get("expression")} | shares


def likeliest_first(row: dict[str, Any], timed: bool) -> dict[str, Any]:
    """Return a row's file and probabilities, in a picture the likeliest first."""
    from mien.labels import CLASSES

    if timed:
        words = {word: row.get(word) for word in sorted(CLASSES)}
        return _whence(row, False) | {"expression": row.get("expression")} | words
    return {"file": row["path"]} | probabilities(row)


def probabilities(row: dict[str, Any]) -> dict[str, float]:
    """Return a row's probability of every word, the likeliest first."""
    from mien.labels import CLASSES

    return dict(sorted(((word, row[word]) for word in CLASSES), key=lambda pair: -pair[1]))


def in_words(row: dict[str, Any]) -> str:
    """Return the three likeliest words, after a word of doubt."""
    found = ", ".join(f"{word} {p:.2f}" for word, p in list(probabilities(row).items())[:3])
    return f"unsure: {found}" if row.get("unsure") else found


def aus(
    paths: list[Path],
    output: Table = None,
    model: Model = DEFAULT,
    number: Number = None,
    every: EveryFace = False,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    as_json: Json = False,
    as_csv: Csv = False,
    smooth: Smooth = False,
    columns: Columns = "mien",
    reader: ReaderName = None,
    plot: Plot = None,
    elan: Elan = None,
    osc: Osc = None,
    save_expression: SaveExpression = None,
    ray: OnRay = False,
    ray_workers: Workers = None,
    device: Device = "auto",
    backend: Backend = "auto",
) -> None:
    """Measure action units, 0-5, in pictures, in every frame of clips, and in folders of both.

    The table of `-o` and `--all` is that of `mien recognize`.

    Example: `mien aus holiday/ -o aus.csv`

    Example: `mien aus talk.mp4 -o aus.csv --smooth --plot talk.png`

    Example: `mien aus grin.jpg --save-expression grin.json`
    """
    request = Request(
        paths, "estimate_aus", model, output, number, every, aligned, landmarker, device, form_of(as_json, as_csv),
        smooth, None, columns, reader, plot, elan, osc, save_expression,
        ray, ray_workers, backend,
    )  # fmt: skip
    request.deliver(short_units_text if as_csv else short_units, strong_units)


def short_units(row: dict[str, Any], timed: bool) -> dict[str, Any]:
    """Return a row's file, in a clip its frame and time, and its units."""
    from mien.labels import au_columns

    return _whence(row, False) | {name: row[name] for name in au_columns() if name in row}


def short_units_text(row: dict[str, Any], timed: bool) -> dict[str, Any]:
    """Return the same as text for CSV, units that are not known as empty cells."""
    from mien.labels import au_columns

    return _whence(row, timed) | {name: _decimals(row.get(name), 3) for name in au_columns()}


def strong_units(row: dict[str, Any]) -> str:
    """Return the units that are at least 0.5, the strongest first, in words."""
    from mien.labels import AUS, au_name

    strong = sorted(((row.get(au_name(au), 0.0), au) for au in AUS), reverse=True)
    return ", ".join(f"AU{au} {value:.1f}" for value, au in strong if value >= 0.5) or "none"


def _whence(row: dict[str, Any], timed: bool) -> dict[str, Any]:
    """Return a row's file and, of a clip or where `timed`, frame and time."""
    found = {"file": row["path"]}
    if timed or "frame" in row:
        found |= {"frame": row.get("frame"), "time": row.get("time")}
    return found


def _decimals(value: float | None, digits: int) -> str | None:
    return None if value is None else f"{value:.{digits}f}"


def embed(
    paths: list[Path],
    output: Annotated[Path, typer.Option("-o", "--output", help="The codes to write: .npz, .csv, .json or .parquet.")],
    model: Model = DEFAULT,
    number: Number = None,
    aligned: Aligned = False,
    landmarker: LandmarkerName = "net",
    device: Device = "auto",
    backend: Backend = "auto",
) -> None:
    """Write the expression and identity codes of pictures or folders of pictures.

    Example: `mien embed holiday/ -o codes.npz`

    Example: `mien embed holiday/ -o codes.parquet`
    """
    check_codes(output)
    check_outputs({f"the picture {path}": path for path in paths}, {"-o": output})
    from mien.editing.editor import Editor

    tool = Editor(model, device, aligned, landmarker=landmarker, backend=backend)
    tool.engine.require("embed")  # once, not for every picture

    def codes_of(path: Path) -> dict[str, np.ndarray]:
        cut = tool.crop(path, number)
        say_left_out(path, cut.number, cut.left_out, "--face N")
        return tool.embed(cut)

    rows, failed = each_picture(paths, codes_of)
    if not rows:
        raise InputError(f"no face was embedded; {output} was not written")
    write_codes(output, rows)
    out.print(f"{len(rows)} faces in {output}", markup=False)
    if failed:
        raise typer.Exit(2)


def check_codes(path: Path) -> None:
    """Raise InputError, before long work, where codes cannot be written."""
    from mien.files import check_place
    from mien.recognition.table import TABLES, check_table

    if path.suffix.lower() not in (".npz", *TABLES):
        raise InputError(f"{path}: unknown suffix '{path.suffix}'; name the file .npz, {', '.join(TABLES)}")
    if path.suffix.lower() == ".npz":
        check_place(path)
    else:
        check_table(path)


def write_codes(output: Path, rows: Sequence[tuple[Path, Mapping[str, np.ndarray]]]) -> None:
    """Write codes of pictures: arrays in an .npz, else a table with a column for each number."""
    import numpy as np

    from mien.files import path_text, write_whole
    from mien.recognition.table import write_table

    kinds, names = ("expression", "identity"), [path_text(path) for path, _ in rows]
    if output.suffix.lower() == ".npz":
        data = io.BytesIO()
        expression, identity = (np.stack([codes[kind] for _, codes in rows]) for kind in kinds)
        np.savez(data, path=np.array(names), expression=expression, identity=identity)
        return write_whole(output, data.getvalue())
    table: list[dict[str, Any]] = [
        {"path": name} | {f"{kind}_{k}": float(value) for kind in kinds for k, value in enumerate(codes[kind])}
        for name, (_, codes) in zip(names, rows, strict=True)
    ]
    write_table(table, output, list(table[0]))


def each_picture(paths: list[Path], work: Callable[[Path], Any]) -> tuple[list[tuple[Path, Any]], int]:
    """Return what `work` makes of every picture and of every picture in folders; what fails is printed and counted."""
    from mien.media.sources import pictures

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
