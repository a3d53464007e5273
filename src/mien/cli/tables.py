"""Tables on the screen: to read, or to take into a text, as Markdown, LaTeX or CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from mien.cli.terminal import out
from mien.errors import InputError

FORMS = ("text", "markdown", "latex", "csv")
_form = "text"  # of this call of the shell


def choose_tables(
    tables: Annotated[str, typer.Option(help=f"How tables are printed: {', '.join(FORMS)}.")] = "text",
) -> None:
    """Measure models the way the papers do."""
    global _form
    if tables not in FORMS:
        raise InputError(f"--tables {tables}: choose one of {', '.join(FORMS)}")
    _form = tables


def print_frame(frame: Any) -> None:
    """Print a pandas table, however wide, in the form that was chosen."""
    out.print(_WRITERS[_form](frame), markup=False, highlight=False, soft_wrap=True)


def text(frame: Any) -> str:
    """Return columns of even width."""
    return str(frame.to_string(index=False, float_format="{:.4f}".format, na_rep=""))


def csv(frame: Any) -> str:
    """Return comma-separated values, in full."""
    return str(frame.to_csv(index=False, lineterminator="\n")).rstrip("\n")


def markdown(frame: Any) -> str:
    """Return a table of GitHub's Markdown."""
    rows = [[cell.replace("|", "\\|") for cell in row] for row in _cells(frame)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def latex(frame: Any) -> str:
    """Return a tabular of LaTeX, with booktabs' rules."""
    rows = [" & ".join(map(_escaped, row)) + r" \\" for row in _cells(frame)]
    numbers = [frame.iloc[:, k].dtype.kind in "fiu" for k in range(frame.shape[1])]
    columns = "".join("r" if number else "l" for number in numbers)
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", rows[0], r"\midrule", *rows[1:], r"\bottomrule"]
    return "\n".join([*lines, r"\end{tabular}"])


def _cells(frame: Any) -> list[Sequence[str]]:
    """Return a table's titles and its rows, as words."""
    rows = [[_word(value) for value in row] for row in frame.itertuples(index=False)]
    return [[" ".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in frame.columns], *rows]


def _word(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4f}"
    return "" if value is None else str(value)


def _escaped(cell: str) -> str:
    for sign in "\\&%$#_{}":
        cell = cell.replace(sign, r"\textbackslash{}" if sign == "\\" else f"\\{sign}")
    return cell.replace("—", "---")


_WRITERS: dict[str, Callable[[Any], str]] = {"text": text, "markdown": markdown, "latex": latex, "csv": csv}
