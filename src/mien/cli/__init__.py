"""The shell's verbs, a file for each group of them.

Heavy imports (torch, numba, scikit-learn) stand inside the verbs that need them: --help must not wait for them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from mien.about import VERSION
from mien.cli import clips, edit, generate, recognize, train
from mien.cli.app import page
from mien.cli.bench import bench
from mien.cli.data import data_check, data_import, data_shards, data_unpack
from mien.cli.demo import demo
from mien.cli.evaluate import measures, training
from mien.cli.export import export
from mien.cli.info import info
from mien.cli.live import live
from mien.cli.reproduce import reproduce
from mien.cli.signals import Ending, endings
from mien.cli.streams import check_heard, lose_output, open_streams, place_of_error
from mien.cli.tables import choose_tables
from mien.cli.terminal import errors, log_to_terminal, out
from mien.cli.together import Verb
from mien.errors import InputError, missing
from mien.files import remove_empty

NO_MEMORY = ("can't allocate memory", "CUDA out of memory", "Insufficient memory")  # in torch's words, and OpenCV's
NEEDED = {
    "bench": "eval,synth",
    "demo": "eval,synth",
    "evaluate": "eval",
    "export": "export",
    "reproduce": "train,eval",
    "train": "train",
    "zoo": "train,eval",
}
"""The extras without which a verb does nothing: they are named at once where one package of them is missing."""
INTERRUPTED = 130  # the shell's exit code for Ctrl-C

shell = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Transfer, edit and recognise facial expressions.",
)
data_verbs = typer.Typer(no_args_is_help=True, help="Look after data sets.")
evaluate_verbs = typer.Typer(no_args_is_help=True, callback=choose_tables)
shell.add_typer(data_verbs, name="data")
shell.add_typer(evaluate_verbs, name="evaluate")

VERBS: tuple[Callable[..., None], ...] = (
    *(edit.transfer, edit.edit, edit.neutralize, clips.animate, live),
    *(recognize.recognize, recognize.aus, recognize.embed),
    *(generate.generate, info, generate.synth, generate.augment, train.train, train.models, demo, train.zoo, bench),
    *(export, reproduce),
)
DATA_VERBS: dict[str, Callable[..., None]] = {
    "check": data_check,
    "import": data_import,
    "shards": data_shards,
    "unpack": data_unpack,
}
EVALUATE_VERBS: dict[str, Callable[..., None]] = {
    "transfer": measures.evaluate_transfer,
    "disentanglement": measures.evaluate_disentanglement,
    "recognition": training.evaluate_recognition,
    "reading": training.evaluate_reading,
    "identity": measures.evaluate_identity,
    "gaze": measures.evaluate_gaze,
    "compare": measures.evaluate_compare,
    "intensity": measures.evaluate_intensity,
    "frechet": measures.evaluate_frechet,
    "retrieval": measures.evaluate_retrieval,
    "ablation": training.evaluate_ablation,
    "gallery": measures.evaluate_gallery,
    "augmentation": training.evaluate_augmentation,
}
for verb in VERBS:
    shell.command(cls=Verb)(verb)
shell.command("app", cls=Verb)(page)
shell.command("invent", cls=Verb, hidden=True)(generate.generate)  # generate's old name
for name, verb in DATA_VERBS.items():
    data_verbs.command(name, cls=Verb)(verb)
for name, verb in EVALUATE_VERBS.items():
    evaluate_verbs.command(name, cls=Verb)(verb)


def main() -> None:
    """Run the shell's verbs; a user's mistake is one line and exit code 2, Ctrl-C is one line and 130."""
    open_streams()
    log_to_terminal()
    with endings() as ending:
        _run(ending)


def _run(ending: Ending) -> None:
    try:
        check_words(sys.argv[1:])
        check_here()
        code = shell(standalone_mode=False)  # a verb's own exit code comes back as a value
        if code == INTERRUPTED:  # typer takes Ctrl-C for itself
            raise KeyboardInterrupt
        sys.stdout.flush()  # a full disk may show only here
        check_heard()
        sys.exit(code if isinstance(code, int) else 0)
    except InputError as error:
        errors.print(f"mien: {error}", markup=False)
        sys.exit(2)
    except OSError as error:  # a full disk, no permission, a file where a folder should be
        errors.print(f"mien: {place_of_error(error)}: {error.strerror or error}", markup=False)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        with suppress(OSError):  # the terminal may be gone
            errors.print("mien: stopped; files are whole, nothing is half-written", markup=False)
        sys.exit(ending.code)
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # which it has printed
            sys.exit(0)
        if type(error).__module__.startswith(("click", "typer")) and hasattr(error, "format_message"):
            errors.print(f"mien: {error.format_message()}{_count_of_values(error)}", markup=False)
            sys.exit(2)
        if isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY):
            said = str(error).strip().splitlines()[-1:] or ["it did not say how much"]
            errors.print(f"mien: out of memory ({said[0][:120]}); give smaller pictures, nets or batches", markup=False)
            sys.exit(2)
        if isinstance(error, ModuleNotFoundError):
            verb = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
            told = missing(f"mien {verb}", error, needed=NEEDED.get(verb, ""))
            errors.print(f"mien: {told}", markup=False)
            sys.exit(2)
        raise
    finally:
        remove_empty()
        lose_output()  # what cannot be printed any more is no further error


def _count_of_values(error: Exception) -> str:
    """Return what the parser does not say of an option with several values: one that lacks takes the next word."""
    option = getattr(error, "param", None)
    count = getattr(option, "nargs", 1)
    return f"; {option.opts[0]} takes {count} values, one after the other" if option and count > 1 else ""


def check_words(words: Sequence[str]) -> None:
    """Raise InputError where a word of the command is empty, which as a path would be the folder that one is in."""
    for before, word in zip(["", *words], words, strict=False):
        name, equals, value = word.partition("=")
        if not word or (equals and not value and name.startswith("--")):
            what = f"{name or before}: is given nothing" if name or before.startswith("-") else "a word is empty"
            raise InputError(f"{what}; is a variable of the shell not set?")


def check_here() -> None:
    """Raise InputError where the folder that one is in was removed, as the paths in a command are told from there."""
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise InputError("the folder that you are in was removed; change into another one, by cd") from error


@shell.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Transfer, edit and recognise facial expressions."""
    if show:
        out.print(VERSION)
