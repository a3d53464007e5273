"""What the shell's verbs share: options, progress, tables."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from mien.errors import InputError
from mien.progress import Pace, Tell

if TYPE_CHECKING:
    from mien.data.sets import Sets

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tabs and new lines

WIDE = 10_000  # columns of what is no terminal


class Plain(Console):
    """Prints words; those in a file's name that would command the terminal are escaped.

    What goes into a pipe or a file keeps its lines, however wide.
    """

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does."""
        plain = (CONTROL.sub(lambda c: f"\\x{ord(c[0]):02x}", o) if isinstance(o, str) else o for o in objects)
        if not self.is_terminal:
            self.width = WIDE  # for tables, whatever COLUMNS says
            options = {"soft_wrap": True} | options
        super().print(*plain, **options)


out = Plain(emoji=False)  # a file may be named :smile:
errors = Plain(stderr=True, soft_wrap=True, highlight=False, emoji=False)


class _Careful(logging.Handler):
    """Prints what the package logs as a line that begins as all of ours do."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        errors.print(f"mien: careful: {record.getMessage()}", markup=False)


def log_to_terminal() -> None:
    """Print the package's warnings from now on; each is one line."""
    log = logging.getLogger("mien")
    if not any(isinstance(handler, _Careful) for handler in log.handlers):
        log.addHandler(_Careful(logging.WARNING))


Model = Annotated[str, typer.Option(help="Name of weights that come with mien, a file, a run's folder, or a hub id.")]
Number = Annotated[int | None, typer.Option("--face", help="Which face, if there are several: 1 is the leftmost.")]
LikeNumber = Annotated[int | None, typer.Option("--like-face", help="Which face of --like.")]
Aligned = Annotated[bool, typer.Option(help="The pictures are aligned crops already: look for no face.")]
Faces = Annotated[
    list[Path], typer.Argument(metavar="FACE...", help="A photograph or a clip; or several, and folders of them.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", help="The picture to write: .png, .jpg or .webp; the clip: .mp4 or .mkv; of several a folder."
    ),
]
Every = Annotated[bool, typer.Option("--all", help="Change every face.")]
Preview = Annotated[
    Path | None, typer.Option(help="Write FACE here with its faces boxed and numbered; -o may be left out.")
]
Crop = Annotated[bool, typer.Option("--crop", help="Write the aligned face alone, at the model's size.")]
Report = Annotated[
    bool, typer.Option("--report", "--receipt", help="Write figures of what changed beside the output, as .json.")
]
MinIdentity = Annotated[
    float | None, typer.Option(help="Write nothing if the evaluator sees the person less alike than this, -1 to 1.")
]
Sign = Annotated[
    tuple[Path, Path] | None, typer.Option(help="Sign with your C2PA certificate chain and key: CERT.pem KEY.pem.")
]
Intensity = Annotated[
    float, typer.Option(help="Of the expression that is asked for or taken: 0 (neutral) to 1 (all of it).")
]
Only = Annotated[
    list[str] | None,
    typer.Option(metavar="PART", help="Change brows, eyes or mouth alone; the rest keeps its own. Again for several."),
]
SaveExpression = Annotated[
    Path | None,
    typer.Option(metavar="FILE.json", help="Write the expression, to be asked for by --expression FILE.json."),
]
Force = Annotated[
    bool, typer.Option("--force", help="Let the output take the place of a picture or a clip that is given.")
]
OnRay = Annotated[
    bool, typer.Option("--ray", help="Work on a Ray cluster, RAY_ADDRESS's or this computer; -o is a folder all see.")
]
Workers = Annotated[
    int | None, typer.Option("--ray-workers", min=1, help="Processes of --ray at most; else as many as processors.")
]
KeepFormat = Annotated[
    bool, typer.Option("--keep-format", help="Of clips: keep depth, colours and odd sides, even if few players can.")
]
DataDirs = Annotated[
    list[Path], typer.Option("--data", help="Folder with metadata.csv; give it again to join several.")
]
SamePeople = Annotated[
    bool,
    typer.Option(
        "--same-people", help="Names that several of the data folders use are the same people; docs/data.md, Joining."
    ),
]


@contextmanager
def bar(text: str) -> Iterator[Tell]:
    """Show a progress bar with the time left; where nobody watches, a line every half minute."""
    if not errors.is_terminal:
        yield lines(text)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Bar(*columns, console=errors, transient=True) as progress:
        task = progress.add_task(text, total=None, note="")

        def tell(done: int, total: int, note: str = "") -> None:
            progress.update(task, completed=done, total=total, note=note)

        yield tell


def lines(text: str, seconds: float = 30.0) -> Tell:
    """Return what prints a line with the time left, at most every `seconds`."""
    printed, pace = time.monotonic(), Pace()

    def tell(done: int, total: int, note: str = "") -> None:
        nonlocal printed
        now = time.monotonic()
        left = pace.left(done, total, now)
        if now - printed < seconds:
            return
        printed = now
        about = "" if left is None else f", about {left / 60:.1f} minutes left"
        errors.print(f"{text} {done}/{total}{about} {note}", markup=False)

    return tell


def sets_of(folders: Sequence[Path], same_people: bool) -> Sets:
    """Return the folders as data to be joined; says on the screen where it is in doubt who their people are."""
    from mien.data.sets import Sets

    sets = Sets(tuple(folders), same_people)
    if line := sets.doubt():
        errors.print(f"mien: careful: {line}", markup=False)
    return sets


def known_precision(text: str, device: str) -> Any:
    """Return a precision's name, where "auto" is what suits the device."""
    from mien.training.settings import best_precision

    return best_precision(device) if text == "auto" else text


def parse_settings(
    texts: Sequence[str] | None, option: str = "--set", expected: str = "name=value, as steps=500"
) -> dict[str, str]:
    """Return names and values of name=value; where a name has two values the last counts, and it says so.

    Raises InputError for a text without "=".
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"{option} {text}: expected {expected}")
        if found.get(name, value) != value:
            errors.print(f"mien: careful: {option} {name}={found[name]}: gives way to {name}={value}", markup=False)
        found[name] = value
    return found
