"""The shell's verbs."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

import mien
from mien.errors import InputError

# Heavy imports (torch, numba, scikit-learn) stand inside the verbs that need them: --help must not wait for them.

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Transfer, edit and recognise facial expressions.",
)
data_app = typer.Typer(no_args_is_help=True, help="Look after data sets.")
evaluate_app = typer.Typer(no_args_is_help=True, help="Measure models the way the papers do.")
app.add_typer(data_app, name="data")
app.add_typer(evaluate_app, name="evaluate")

out = Console()
errors = Console(stderr=True, soft_wrap=True, highlight=False)

INTERRUPTED = 130  # the shell's exit code for Ctrl-C
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}

Model = Annotated[str, typer.Option(help="Name of weights that come with mien, a file, a run's folder, or a hub id.")]
Number = Annotated[int | None, typer.Option("--face", help="Which face, if there are several: 1 is the leftmost.")]
Aligned = Annotated[bool, typer.Option(help="The pictures are aligned crops already: look for no face.")]
Output = Annotated[Path, typer.Option("-o", "--output", help="The picture to write: .png, .jpg or .webp.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …")]
DataDirs = Annotated[
    list[Path], typer.Option("--data", help="Folder with metadata.csv; give it again to join several.")
]


def main() -> None:
    """Run the shell's verbs; a user's mistake is one line and exit code 2, Ctrl-C is one line and 130."""
    try:
        code = app(standalone_mode=False)  # a verb's own exit code comes back as a value
        if code == INTERRUPTED:  # typer takes Ctrl-C for itself
            raise KeyboardInterrupt
        sys.exit(code if isinstance(code, int) else 0)
    except InputError as error:
        errors.print(f"mien: {error}", markup=False)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        errors.print("mien: stopped; files are whole, nothing is half-written", markup=False)
        sys.exit(INTERRUPTED)
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")) and hasattr(error, "format_message"):
            errors.print(f"mien: {error.format_message()}", markup=False)
            sys.exit(2)
        if isinstance(error, ModuleNotFoundError):
            errors.print(f"mien: this verb needs the package {error.name}; pip install 'mien[all]'", markup=False)
            sys.exit(2)
        raise


class Show(Protocol):
    """Tells how far long work is."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Say that `done` of `total` is done."""
        ...


@contextmanager
def bar(text: str) -> Iterator[Show]:
    """Show a progress bar with the time left; where nobody watches, a line every half minute."""
    if not errors.is_terminal:
        yield lines(text)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Bar(*columns, console=errors, transient=True) as progress:
        task = progress.add_task(text, total=None, note="")

        def show(done: int, total: int, note: str = "") -> None:
            progress.update(task, completed=done, total=total, note=note)

        yield show


def lines(text: str, seconds: float = 30.0) -> Show:
    """Return what prints a line with the time left, at most every `seconds`."""
    begin = said = time.monotonic()
    first: int | None = None

    def show(done: int, total: int, note: str = "") -> None:
        nonlocal said, first
        now = time.monotonic()
        first = done if first is None else first
        if now - said < seconds:
            return
        said = now
        left = (now - begin) / max(done - first, 1) * (total - done)
        errors.print(f"{text} {done}/{total}, about {left / 60:.1f} minutes left {note}", markup=False)

    return show


def editor(model: str, aligned: bool, device: str) -> Any:
    """Return an Editor, with whatever it needs imported only now."""
    return mien.Editor(model, device, aligned)


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Transfer, edit and recognise facial expressions."""
    if show:
        out.print(mien.__version__)


@app.command()
def transfer(
    face: Path,
    like: Annotated[Path, typer.Option(help="The picture whose expression to take.")],
    output: Output,
    model: Model = "ter_gan",
    number: Number = None,
    like_number: Annotated[int | None, typer.Option("--like-face", help="Which face of --like.")] = None,
    aligned: Aligned = False,
    device: Device = "cpu",
) -> None:
    """Give FACE the expression of another picture.

    Example: `mien transfer me.jpg --like grin.jpg -o grinning-me.png`
    """
    tool = prepared(model, aligned, device, output)
    tool.save(tool.transfer(face, like, number, like_number), output, f"transfer from {like.name}", face.name)


@app.command()
def edit(
    face: Path,
    output: Output,
    expression: Annotated[str | None, typer.Option(help="neutral, happiness, sadness, surprise, fear, …")] = None,
    intensity: Annotated[float, typer.Option(help="0 (neutral) to 1 (full).")] = 1.0,
    au: Annotated[list[str] | None, typer.Option(help="An action unit and its intensity 0-5, as 12=3.")] = None,
    like: Annotated[Path | None, typer.Option(help="A picture whose expression to take.")] = None,
    model: Model = "ter_gan",
    number: Number = None,
    aligned: Aligned = False,
    device: Device = "cpu",
) -> None:
    """Change FACE's expression: to a class, to action units, or towards another picture.

    Example: `mien edit me.jpg --expression happiness --intensity 0.7 -o happier.png`
    """
    aus = dict(map(parse_au, au)) if au else None
    tool = prepared(model, aligned, device, output)
    wanted = expression or (f"like {like.name}" if like else ", ".join(au or ()))
    photo = tool.edit(face, expression, intensity, aus, like, number)
    tool.save(photo, output, f"edit: {wanted} {intensity:.2f}", face.name)


@app.command()
def neutralize(
    face: Path,
    output: Output,
    model: Model = "ter_gan",
    number: Number = None,
    aligned: Aligned = False,
    device: Device = "cpu",
) -> None:
    """Take the expression off FACE.

    Example: `mien neutralize grin.jpg -o calm.png`
    """
    tool = prepared(model, aligned, device, output)
    tool.save(tool.neutralize(face, number), output, "neutralize", face.name)


@app.command()
def recognize(
    paths: list[Path],
    model: Model = "ter_gan",
    number: Number = None,
    aligned: Aligned = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    device: Device = "cpu",
) -> None:
    """Name the expression in pictures or folders of pictures.

    Example: `mien recognize holiday/ --csv > expressions.csv`
    """
    tool = editor(model, aligned, device)
    rows, failed = each_picture(paths, lambda path: tool.recognize(path, number))
    if as_json:
        print(json.dumps([{"file": str(path)} | found for path, found in rows], indent=2))
    elif as_csv and rows:
        words = sorted(rows[0][1])
        writer = csv.writer(sys.stdout)
        writer.writerow(["file", "expression", *words])
        writer.writerows([path, next(iter(found)), *(f"{found[w]:.4f}" for w in words)] for path, found in rows)
    else:
        for path, found in rows:
            out.print(f"{path}: " + ", ".join(f"{word} {p:.2f}" for word, p in list(found.items())[:3]), markup=False)
    if failed:
        raise typer.Exit(2)


@app.command()
def embed(
    paths: list[Path],
    output: Annotated[Path, typer.Option("-o", "--output", help="The .npz file to write.")],
    model: Model = "ter_gan",
    number: Number = None,
    aligned: Aligned = False,
    device: Device = "cpu",
) -> None:
    """Write the expression and identity codes of pictures or folders of pictures.

    Example: `mien embed holiday/ -o codes.npz`
    """
    import numpy as np

    if output.suffix != ".npz":
        raise InputError(f"{output}: expected a file name ending in .npz")
    tool = editor(model, aligned, device)
    rows, failed = each_picture(paths, lambda path: tool.embed(path, number))
    if not rows:
        raise InputError(f"no face was embedded; {output} was not written")
    beside = output.with_name(f".{output.name}.part.npz")
    try:
        np.savez(
            beside,
            path=np.array([str(p) for p, _ in rows]),
            expression=np.stack([c["expression"] for _, c in rows]),
            identity=np.stack([c["identity"] for _, c in rows]),
        )
        beside.replace(output)
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}); nothing was changed") from error
    finally:
        beside.unlink(missing_ok=True)
    out.print(f"{len(rows)} faces in {output}", markup=False)
    if failed:
        raise typer.Exit(2)


@app.command()
def synth(folder: Path, people: int = 100, per_person: int = 36, size: int = 128, seed: int = 0, jobs: int = 2) -> None:
    """Render people who do not exist, with exact labels, into FOLDER. Called again, it goes on where it stopped.

    Example: `mien synth faces --people 200 --jobs 4`
    """
    from mien.synth.generate import generate

    with bar("rendering") as progress:
        generate(folder, people=people, per_person=per_person, size=size, seed=seed, jobs=jobs, progress=progress)
    out.print(f"{folder}: {people} people, {people * per_person} pictures, labels in metadata.csv", markup=False)


@app.command()
def train(
    model: str,
    data: DataDirs,
    run: Annotated[Path, typer.Option(help="Folder for the run; if it holds one, it goes on.")],
    preset: str = "small",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting of the model, as steps=500.")
    ] = None,
    seed: int = 0,
    precision: Annotated[str, typer.Option(help="32-true or bf16-mixed.")] = "bf16-mixed",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    devices: int = 1,
    nodes: int = 1,
    checkpoint_every: int = 500,
    sheet_every: int = 1000,
    minutes: Annotated[float | None, typer.Option(help="Stop at a checkpoint after this time.")] = None,
    all_people: Annotated[bool, typer.Option(help="Train on rows marked test too.")] = False,
) -> None:
    """Train MODEL on data sets. Kill it at any moment; the same command goes on as if it had not stopped.

    Example: `mien train ter_gan --data faces --run runs/ter_gan --preset small --set steps=3000`
    """
    from mien.run import begin
    from mien.train import Progress, Settings

    settings = Settings(
        seed,
        known_precision(precision),
        device,
        devices,
        nodes,
        checkpoint_every,
        sheet_every=sheet_every,
        stop_after=60 * minutes if minutes else None,
    )
    with bar(model) as progress:

        def show(p: Progress) -> None:
            losses = " ".join(f"{name.split('/')[-1]} {value:.3g}" for name, value in p.losses.items())
            progress(p.done, p.total, f"{p.stage} {p.faces_per_second:.0f}/s {losses}")

        finished = begin(model, preset, dict(map(parse_setting, set_ or ())), data, run, settings, all_people, show)
    out.print(
        f"{run}: " + ("finished" if finished else "stopped at a checkpoint; the same command goes on"), markup=False
    )


def prepared(model: str, aligned: bool, device: str, output: Path) -> Any:
    """Return an Editor, once the output is known to be writable."""
    from mien.faces.photo import check_target

    check_target(output)
    return editor(model, aligned, device)


def known_precision(text: str) -> Any:
    """Return a precision's name as it is. Raises InputError for one that is not known."""
    if text not in ("32-true", "bf16-mixed"):
        raise InputError(f"--precision {text}: choose 32-true or bf16-mixed")
    return text


def parse_au(text: str) -> tuple[int, float]:
    """Return the number and the intensity of "12=3"."""
    number, _, value = text.upper().removeprefix("AU").partition("=")
    try:
        return int(number), float(value)
    except ValueError as error:
        raise InputError(f"--au {text}: expected an action unit and its intensity 0-5, as 12=3") from error


def parse_setting(text: str) -> tuple[str, str]:
    """Return the name and the value of "steps=500"."""
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set {text}: expected name=value, as steps=500")
    return name, value


def each_picture(paths: list[Path], work: Callable[[Path], Any]) -> tuple[list[tuple[Path, Any]], int]:
    """Return what `work` makes of every picture and of every picture in folders; what fails is told and counted."""
    files: list[Path] = []
    for path in paths:
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in PICTURES) if path.is_dir() else [path]
        if not found:
            raise InputError(f"{path}: the folder holds no picture ({', '.join(sorted(PICTURES))})")
        files += found
    rows, failed = [], 0
    with bar("looking") as progress:
        for k, path in enumerate(files):
            try:
                rows.append((path, work(path)))
            except InputError as error:
                failed += 1
                errors.print(f"mien: {error}", markup=False)
            progress(k + 1, len(files))
    return rows, failed


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path("demo_out"), model: Model = "ter_gan"
) -> None:
    """Show all of it on faces that come with the package: a sheet to look at, a table to read.

    Example: `mien demo`
    """
    from mien.demo import demo as show

    table = show(folder, model, say=lambda text: out.print(text, markup=False))
    out.print("\nTransfer to people never trained on, against the true picture (full and three-quarter expressions):")
    print_frame(table.reset_index())
    out.print(f"\nLook at {folder / 'people.png'} and {folder / 'photograph.png'}", markup=False)


@data_app.command("check")
def data_check(folder: Path) -> None:
    """Say what a data set holds, and list all that is wrong with it.

    Example: `mien data check faces`
    """
    from mien.data.manifest import check_manifest, problems_error, read_manifest
    from mien.data.report import describe

    problems = check_manifest(folder)
    if problems:
        raise problems_error(folder, problems)
    for name, value in describe(read_manifest(folder)).items():
        out.print(f"{name:>28}  {value}", markup=False)


@evaluate_app.command("transfer")
def evaluate_transfer(
    data: DataDirs,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables.")],
    model: Model = "ter_gan",
    size: Annotated[int, typer.Option(help="Side to compare at.")] = 256,
) -> None:
    """Compare transfers with the true pictures of the data's test people, beside two trivial answers.

    Example: `mien evaluate transfer --data photofaces -o out/transfer`
    """
    from mien.evaluate.transfer import transfer_errors, transfer_table, write_transfer
    from mien.models import Transfers, able
    from mien.weights import load

    net = load(model)
    errors_ = transfer_errors(able(net, Transfers), test_people(data, size), net.config.image_size)
    write_transfer(errors_, output)
    for name, least in (("all intensities", 0.0), ("intensity 0.75 and 1", 0.75)):
        out.print(f"\n{name}")
        print_frame(transfer_table(errors_, least).reset_index())


@evaluate_app.command("disentangle")
def evaluate_disentangle(
    data: DataDirs,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables.")],
    model: Model = "ter_gan",
) -> None:
    """Probe both codes of the data's test people for person and for expression, and draw t-SNE.

    Example: `mien evaluate disentangle --data photofaces -o out/codes`
    """
    from mien.evaluate.disentangle import codes, draw_tsne, probes
    from mien.models import Embeds, able
    from mien.weights import load

    net = load(model)
    chosen = test_people(data, net.config.image_size)
    found = codes(able(net, Embeds), chosen)
    table = probes(found, chosen)
    draw_tsne(found, chosen, output / "tsne.png")
    table.round(4).to_csv(output / "probes.csv", index=False)
    print_frame(table)


@evaluate_app.command("recognition")
def evaluate_recognition(
    data: DataDirs,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables.")],
    model: str = "ter_gan",
    preset: str = "small",
    folds: int = 8,
    seed: int = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Change a setting, as steps=500.")] = None,
    precision: str = "bf16-mixed",
    device: str = "auto",
) -> None:
    """Train and test by subject folds: the detached expression encoder against the CNN baseline. Resumes if killed.

    Example: `mien evaluate recognition --data photofaces -o out/recognition --folds 8`
    """
    from mien.data.cache import concat, open_data
    from mien.evaluate.recognition import by_folds, summary
    from mien.models import create
    from mien.run import typed_changes
    from mien.train import Settings

    changes = typed_changes(model, preset, dict(map(parse_setting, set_ or ())))
    size = create(model, preset, **changes).config.image_size
    joined = concat([open_data(folder, size) for folder in data])
    with bar("fold 1") as progress:
        table = by_folds(
            joined,
            output,
            model,
            preset,
            folds,
            seed,
            Settings(seed, known_precision(precision), device),
            changes,
            report=lambda fold, p: progress(fold * p.total + p.done, folds * p.total),
        )
    print_frame(table)
    print_frame(summary(table).reset_index())


def test_people(folders: list[Path], size: int) -> Any:
    """Return the rows marked test. Raises InputError where there are none."""
    from mien.data.cache import concat, open_data

    data = concat([open_data(folder, size) for folder in folders])
    if not data.manifest.test.any():
        raise InputError(f"{', '.join(map(str, folders))}: no row is marked test=1; mark the people never trained on")
    return data.select(data.manifest.test)


def print_frame(frame: Any) -> None:
    """Print a pandas table."""
    table = Table(*map(str, frame.columns))
    for row in frame.itertuples(index=False):
        table.add_row(*(f"{value:.4f}" if isinstance(value, float) else str(value) for value in row))
    out.print(table)
