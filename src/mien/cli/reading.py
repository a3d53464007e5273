"""What recognize and aus have in common: which files and faces, how they are read, and where the table goes."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.output import check_outputs, say_left_out
from mien.cli.terminal import bar, errors, out
from mien.errors import InputError

if TYPE_CHECKING:
    from mien.faces.crop import Which

Row = dict[str, Any]

Table = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="A table to write: .csv, .json or .parquet, a row a face with its place."),
]
EveryFace = Annotated[bool, typer.Option("--all", help="Every face, with its place; -o does so by itself.")]
Smooth = Annotated[bool, typer.Option("--smooth", help="Smooth what clips show over time.")]
Columns = Annotated[
    str, typer.Option("--columns", metavar="WORDS", help="The table in other tools' columns: pyfeat, openface, arkit.")
]
ReaderName = Annotated[
    str | None, typer.Option("--reader", help="Who reads units, head and gaze, if not the model: mediapipe:FILE.task.")
]
Plot = Annotated[Path | None, typer.Option(help="Draw a clip's units and expressions over time: .png, .svg or .pdf.")]
Elan = Annotated[Path | None, typer.Option(help="Write from when to when a clip shows what, as CSV that ELAN imports.")]
Osc = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Send faces live as blendshapes, by OSC.")]
PICTURES = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class Request:
    """What is to be read, how, and where it goes."""

    paths: list[Path]
    needs: str  # ability
    model: str
    output: Path | None = None
    number: int | None = None
    every: bool = False
    aligned: bool = False
    landmarker: str = "net"
    device: str = "cpu"
    form: str = "text"  # or csv, json: what is printed
    smooth: bool = False
    least: float | None = None
    columns: str = "mien"
    reader: str | None = None
    plot: Path | None = None
    elan: Path | None = None
    osc: str | None = None
    saved: Path | None = None  # where the expression of the one face goes
    ray: bool = False  # on a cluster; `output` is a folder then
    workers: int | None = None
    backend: str = "auto"

    @property
    def full(self) -> bool:
        """Whether every face is wanted with all that is known of it."""
        return bool(self.every or self.output or self.columns != "mien")

    @property
    def which(self) -> Which:
        """Which faces are read."""
        return "all" if self.number is None and self.full else self.number

    def check(self) -> None:
        """Raise InputError, before long work, for what does not fit together or cannot be written."""
        from mien.expressions import check_expression
        from mien.files import check_place
        from mien.media.video.ffmpeg import is_clip
        from mien.recognition.table import check_table
        from mien.recognition.vocabularies import check_vocabulary
        from mien.runtime.blendshape_reader import check_reader

        check_vocabulary(self.columns)
        if self.reader:
            check_reader(self.reader)
        if self.output:
            check_table(self.output)
        for name, path in (("--plot", self.plot), ("--elan", self.elan)):
            if path and not (len(self.paths) == 1 and is_clip(self.paths[0])):
                raise InputError(f"{name} {path}: is of one clip; give one, and no picture or folder")
            if path:
                check_place(path)
        if self.saved:
            if len(self.paths) != 1 or self.paths[0].is_dir() or is_clip(self.paths[0]):
                raise InputError(
                    f"--save-expression {self.saved}: is of one face; give one photograph, and no other file"
                )
            check_expression(self.saved)
        if self.plot:
            if self.plot.suffix.lower() not in PICTURES:
                raise InputError(f"--plot {self.plot}: unknown suffix; name the picture {', '.join(PICTURES)}")
            import matplotlib  # noqa: F401 - where it is missing, say so before the work
        read = {f"the picture {path}": path for path in self.paths}
        read |= {"--reader": Path((self.reader or "").partition(":")[2])}
        written = {"-o": self.output, "--plot": self.plot, "--elan": self.elan, "--save-expression": self.saved}
        check_outputs(read, written)

    def rows(self, journal: Path | None) -> Generator[Row, None, None]:
        """Yield rows as they are read; what `osc` names hears them."""
        from mien.editing.editor import Editor
        from mien.recognition.face import How
        from mien.recognition.osc import Sender
        from mien.recognition.read import each_row
        from mien.runtime.blendshape_reader import find_reader

        reader = find_reader(self.reader) if self.reader else None
        points = self.columns in ("pyfeat", "openface")
        how = How(reader, self.least, self.smooth, points, self.needs)  # type: ignore[arg-type]
        editor = Editor(self.model, self.device, self.aligned, landmarker=self.landmarker, backend=self.backend)
        with bar("looking") as tell, ExitStack() as held:
            sender = held.enter_context(closing(Sender(self.osc, self.which == "all"))) if self.osc else None
            for row in each_row(editor, self.paths, self.which, tell, journal, how, self.output):
                if sender:
                    sender.send(row)
                yield row

    def deliver(self, short: Callable[[Row, bool], Row], describe: Callable[[Row], str]) -> None:
        """Read, write and print. Exits with 2 where a file failed.

        `short` makes the row that is printed of a face where not every face is wanted, in a clip or not; `describe` the
        words of one.
        """
        from mien.files import hidden

        if self.ray:
            return self.deliver_parts()
        self.check()
        several = len(self.paths) > 1 or not self.paths[0].is_file()  # a journal keeps whole files
        journal = hidden(self.output, "part") if self.output and several else None
        kept = self.full or self.plot or self.elan or self.saved or self.form != "csv"
        with closing(self.rows(journal)) as rows:
            if kept:
                found = list(rows)
                bad = say_errors(found, bool(self.output) and self.columns == "mien")
                self.write(found)
                if journal:
                    journal.unlink(missing_ok=True)
                self.show(found, short, describe)
            else:
                bad = print_short(rows, short, self.timed())
        if bad:
            raise typer.Exit(2)

    def deliver_parts(self) -> None:
        """Read on a cluster into a folder of tables, and print how many faces were read. Exits with 2 for failures."""
        from functools import partial

        from mien.editing.editor import Editor
        from mien.files import check_folder
        from mien.recognition.many import ReadOrder, all_marks
        from mien.recognition.table import TABLES
        from mien.runtime.many import do_parts, done_in, parts_of

        given = {"--plot": self.plot, "--elan": self.elan, "--osc": self.osc, "--save-expression": self.saved}
        given["--columns"] = self.columns if self.columns != "mien" else None
        for name, value in given.items():
            if value:
                raise InputError(f"{name} {value}: there is none with --ray, which writes a folder of tables")
        if self.output is None or self.output.suffix.lower() in TABLES[:2]:
            raise InputError("--ray: name the folder to write by -o; what reads parquet reads all of it as one table")
        check_folder(self.output)
        editor = partial(
            Editor, self.model, self.device, self.aligned, landmarker=self.landmarker, backend=self.backend
        )
        needs: Any = self.needs
        which: Which = "all" if self.number is None else self.number
        order = ReadOrder(editor, which, self.reader, self.least, self.smooth, needs)
        parts = parts_of(all_marks(self.paths), order.made_by())
        before = len(done_in(self.output, parts))
        with bar("looking") as tell:
            found = list(do_parts(parts, order, self.output, self.workers, tell))
        rows, failed = (sum(counts) for counts in zip(*found, strict=True)) if found else (0, 0)
        also = f"; {before} of {len(parts)} parts were done before" if before else ""
        out.print(f"{self.output}: {rows} rows, {failed} files failed{also}", markup=False, soft_wrap=True)
        if failed:
            raise typer.Exit(2)

    def timed(self) -> bool:
        """Whether there are clips among the files."""
        from mien.media.sources import files_in
        from mien.media.video.ffmpeg import is_clip

        return any(map(is_clip, files_in(self.paths)))

    def write(self, rows: Sequence[Row]) -> None:
        """Write what is wanted: the table, the plot, ELAN's file."""
        from mien.files import write_whole
        from mien.recognition.table import write_table
        from mien.recognition.vocabularies import spoken

        self.save(rows)
        if self.output:
            told, columns = spoken(rows, self.columns)
            write_table(told, self.output, columns)
            failed = sum("error" in row for row in rows)
            faces = sum("number" in row for row in rows)
            also = f", {failed} file{'s' * (failed > 1)} failed" if failed else ""
            out.print(f"{faces} faces in {self.output}{also}", markup=False, soft_wrap=True)
        if self.plot:
            from mien.recognition.plot import draw_clip

            draw_clip(rows, self.plot, self.paths[0].name)
        if self.elan:
            from mien.recognition.spans import elan_text

            write_whole(self.elan, elan_text(rows))

    def save(self, rows: Sequence[Row]) -> None:
        """Write the expression of the one face that was read, if it is to be saved; none where the file failed."""
        from mien.expressions import expression_of, write_expression

        faces = [row for row in rows if "error" not in row]
        if not self.saved or not faces:
            return
        if len(faces) > 1:
            raise InputError(f"--save-expression {self.saved}: {len(faces)} faces were read; choose one with --face N")
        who = self.reader.partition(":")[0] if self.reader else self.model
        origin = f"read from {self.paths[0].name} by {Path(who).name}"
        write_expression(self.saved, expression_of(faces[0], self.saved.stem, origin))

    def show(self, rows: Sequence[Row], short: Callable[[Row, bool], Row], describe: Callable[[Row], str]) -> None:
        """Print rows in the form that is wanted."""
        from mien.recognition.table import csv_text, json_text
        from mien.recognition.vocabularies import spoken

        if self.form == "text":
            if not (self.output or self.columns != "mien"):
                print_lines(rows, self.every, describe)
            elif not self.output:
                sys.stdout.write(csv_text(*spoken(rows, self.columns)))
        elif self.full:
            told = spoken(rows, self.columns)
            sys.stdout.write(csv_text(*told) if self.form == "csv" else json_text(*told))
        elif self.form == "json":
            good = [row for row in rows if "error" not in row]
            print(json.dumps([short(row, "frame" in row) for row in good], indent=2))
        else:
            print_short(iter(rows), short, any("frame" in row for row in rows), told=True)


def form_of(as_json: bool, as_csv: bool) -> str:
    """Return what is printed, by the options."""
    return "json" if as_json else "csv" if as_csv else "text"


def say_errors(rows: Sequence[Row], in_table: bool) -> int:
    """Print what failed, and which faces were left out; return how many files failed."""
    bad = [row for row in rows if "error" in row]
    told = bad[:1] if in_table else bad
    for row in told:
        others = " (rows tell of the others)" * (len(told) < len(bad))
        errors.print(f"mien: {row['error']}{others}", markup=False)
    for row in rows:
        say_others(row)
    return len(bad)


def say_others(row: Row) -> None:
    """Print which faces were left out of a picture."""
    say_left_out(row["path"], row.get("number", 1), row.get("left_out", ()))


def print_short(rows: Iterator[Row], short: Callable[[Row, bool], Row], timed: bool, told: bool = False) -> int:
    """Print rows as CSV as they come, and, unless they were `told`, what failed; return how many files failed."""
    writer, bad = None, 0
    for row in rows:
        if "error" in row:
            bad += 1
            if not told:
                errors.print(f"mien: {row['error']}", markup=False)
            continue
        if not told:
            say_others(row)
        cells = short(row, timed)
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(cells), extrasaction="ignore")
            writer.writeheader()
        writer.writerow(cells)
    return bad


def print_lines(rows: Sequence[Row], numbered: bool, describe: Callable[[Row], str]) -> None:
    """Print a line of words for every face of a picture, and for the mean of every person in a clip."""
    good = [row for row in rows if "error" not in row]
    for path, found in groupby(good, key=lambda row: str(row["path"])):
        here = list(found)
        if "frame" not in here[0]:
            for row in here:
                which = f" face {row['number']}" if numbered else ""
                out.print(f"{path}{which}: {describe(row)}", markup=False)
            continue
        count = len({row["frame"] for row in here})
        for number in sorted({row["number"] for row in here if "number" in row}) or [None]:
            own = [row for row in here if number is not None and row.get("number") == number]
            which = f" person {number}" if numbered and number else ""
            words = describe(mean_row(own)) if own else "no face"
            seen = f"that person in {len(own)} of {count} frames"
            out.print(f"{path}{which}: {words}; {seen}", markup=False, soft_wrap=True)


def mean_row(rows: Sequence[Row]) -> Row:
    """Return the mean of every number in rows of one person."""
    names = [name for name, value in rows[0].items() if isinstance(value, float)]
    return {name: sum(row.get(name, 0.0) for row in rows) / len(rows) for name in names}
