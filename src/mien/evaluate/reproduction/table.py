"""Experiments and their results as Markdown: a table a paper, and its place in a page between two markers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.evaluate.reproduction.experiment import CORPORA, Experiment, Row
from mien.evaluate.reproduction.papers import PAPERS
from mien.evaluate.reproduction.runner import EXPECTED, SHAPE, Result, result_of
from mien.reading import read_json

BEGIN, END = "<!-- reproduce:begin -->", "<!-- reproduce:end -->"

HEAD = "| | data | paper | ours [95 %] | claim |\n|---|---|---|---|---|"

PRESETS = ("paper", "base", "small")


def shown(value: float, unit: str, digits: int = 1) -> str:
    """Return a figure as a table has it: shares as 73.1 %, others with two digits behind the point."""
    return f"{100 * value:.{digits}f} %" if unit == "%" else f"{value:.2f}"


def points(value: float, digits: int = 1) -> str:
    """Return a difference of shares."""
    return f"{100 * value:+.{digits}f} points"


def papers_figure(row: Row) -> str:
    """Return the paper's figure of a row, with as many digits as papers give; "" where it gives none."""
    if row.paper is None:
        return ""
    return points(row.paper, 2) if row.less and row.unit == "%" else shown(row.paper, row.unit, 2)


def figure(row: Row, kept: Mapping[str, Any]) -> str:
    """Return our figure of a row with its interval, of a share in %, "" where there is none."""
    if "value" not in kept:
        return ""
    scale, digits = (100.0, 1) if row.unit == "%" else (1.0, 2)
    ends = [kept["low"], kept["high"]]
    interval = "" if None in ends else " [" + ", ".join(f"{scale * end:.{digits}f}" for end in ends) + "]"
    return (points(kept["value"]) if row.less and row.unit == "%" else shown(kept["value"], row.unit)) + interval


def lines_of(experiment: Experiment, results: Sequence[Result]) -> list[str]:
    """Return the table's lines of an experiment: its title, and its rows on every data that it was run on."""
    title = f"**{experiment.title}.** {experiment.shows}"
    corpus = CORPORA.get(experiment.corpus, "")
    if experiment.measure is None:
        return [f"| {title} | {corpus} | | | {_nothing(experiment)} |"]
    others = f"; not built, so not compared: {', '.join(experiment.not_built)}" if experiment.not_built else ""
    lines = [f"| {title}{others} | {corpus} | | | {'' if results else _not_run(experiment)} |"]
    several: list[Result | None] = [*results] or [None]
    for result in several:
        if result is not None and result.missing:
            lines.append(f"| | {_where(result)} | | | not runnable without {result.missing} |")
            continue
        kept = {row["key"]: row for row in result.rows} if result else {}
        lines += [_line(experiment, row, result, kept.get(row.key, {})) for row in experiment.rows]
    return lines


def listed(experiments: Sequence[Experiment]) -> list[str]:
    """Return a line an experiment: what it is, its corpus, and whether other data can stand in."""
    lines = []
    for e in experiments:
        corpus = CORPORA.get(e.corpus, "any data")
        how = "nothing to measure" if e.measure is None else f"{corpus}{' alone' if e.alone else ''}"
        claims = sum(row.claim for row in e.rows)
        tail = f", {len(e.rows)} rows, {claims} claims" if e.rows else ""
        lines.append(f"{e.title:<20} {e.shows} ({how}{tail})")
    return lines


def _nothing(experiment: Experiment) -> str:
    if experiment.alone:
        return f"not runnable without {CORPORA[experiment.corpus]}"
    return "nothing to measure"


def _not_run(experiment: Experiment) -> str:
    return f"not runnable without {CORPORA[experiment.corpus]}" if experiment.alone else "not run yet"


def _where(result: Result) -> str:
    """Return on what data and how a row was made: all that differs from the plain preset is said."""
    about, words = result.about, [result.data or "—", f"`{result.preset}`"]
    if result.data and not result.corpus:
        words[0] += " (ours)"
    if result.weights:
        words[1] = f"weights `{result.weights}`"
    if len(about.get("seeds", ())) > 1:
        words.append(f"{len(about['seeds'])} seeds")
    if about.get("people"):
        words.append(f"at most {about['people']} people")
    if about.get("unseen_variants"):
        words.append("unseen animations")
    if about.get("minutes"):
        words.append(f"{about['minutes']:g} minutes a fold")
    if about.get("start") or about.get("pretrained_on_others"):
        words.append("pre-trained")
    words += [f"{name}={value}" for name, value in about.get("changes", {}).items()]
    return ", ".join(words)


def _line(experiment: Experiment, row: Row, result: Result | None, kept: Mapping[str, Any]) -> str:
    said, says = kept.get("verdict", ""), f"*{row.says}*" if row.claim else row.says
    if result and "value" not in kept:
        lost = row.posed and not result.corpus  # a pose that nobody shows
        said = f"not runnable without {CORPORA[experiment.corpus]}" if lost else "not measured"
    cells = (says, _where(result) if result else "", papers_figure(row), figure(row, kept), said)
    return f"| {' | '.join(cells)} |"


def table_of(paper: str, results: Sequence[Result]) -> str:
    """Return a paper's table, every experiment of it, those that were not run among them."""
    lines = [HEAD]
    for experiment in PAPERS[paper]:
        mine = [result for result in results if (result.paper, result.experiment) == (paper, experiment.name)]
        mine.sort(key=lambda r: (not r.corpus, r.data, PRESETS.index(r.preset) if r.preset in PRESETS else 9))
        lines += lines_of(experiment, mine)
    return "\n".join(lines) + "\n"


def kept_results(folder: Path) -> list[Result]:
    """Return the results whose JSON files lie in a folder, in the order of their names."""
    return [result_of(read_json(path, EXPECTED, SHAPE)) for path in sorted(folder.glob("*.json"))]


def placed(page: str, table: str, name: str = "the page") -> str:
    """Return a page with the table between its markers. Raises InputError for a page without both, once each."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise InputError(f"{name}: expected the lines {BEGIN} and {END}, once each and in this order")
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{table}{END}{rest.split(END)[1]}"
