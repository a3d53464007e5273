"""The benchmark's page: plain HTML tables and pictures, readable on a phone, without a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from mien.files import write_whole
from mien.labels import CLASSES, au_columns

OWN = "own"
"""The answer's name, on the page, of figures that are about the model and not about a picture it made."""

TABLES = {
    "Against the truth": (
        ("l1_face", "l1_brows", "l1_eyes", "l1_mouth", "ssim_face"),
        "Strong expressions (0.75 and more). L1 as a share of white, lower is nearer; SSIM, higher is nearer. "
        "An unchanged face scores well where little moves, so read this beside the next table.",
    ),
    "By the evaluator": (
        ("icc", "au_mse", "expression", "rank_1", "tar"),
        "Agreement of the action units with the example's labels: ICC(3,1), higher is better, and mean squared error, "
        "lower is better. Share of strong expressions named as the example's. Whether the person is known again among "
        "all neutral faces: rank-1, and TAR at FAR 1 %. The truth itself is the ceiling.",
    ),
    "Intensity": (
        ("spearman", "gain"),
        "Neutral faces edited to every class at nine intensities. Spearman: does more asked for give more? "
        "Gain: how much of the true full expression is added at 1.",
    ),
    "Fréchet distance": (
        ("frechet",),
        "Between true pictures of one half of the people and edited neutral faces of the other half, in the "
        "evaluator's features, mean over classes; lower is nearer. The truth itself is what is left at this number "
        "of pictures. This is no FID.",
    ),
    "What the model knows": (
        ("recognize", "own_icc", "own_mse", "probe", "leak", "retrieval"),
        "On the true pictures. Recognize: accuracy of its own recogniser, six classes. Own ICC and MSE: of its own "
        "action units. Probe: a linear probe on the expression code, for expression, on other people; leak: the same "
        "for the person, lower is better. Retrieval: mean average precision by the expression code.",
    ),
}
"""Heading -> metrics in columns, and what they mean."""

DETAILS = {
    "Action units, ICC, composited": ("icc", "composited"),
    "Spearman by class, composited": ("spearman", "composited"),
    "Gain by class, composited": ("gain", "composited"),
    "Fréchet distance by class, composited": ("frechet", "composited"),
}
"""Heading -> metric and answer of a table with a row a class or action unit and a column a model."""

LIMITS = (
    "Rendered people are not photographs: the studio set tells models apart, and says little of how they do on "
    "photographs. Take --data for that.",
    "Intervals are of a bootstrap over people (95 %). They say how far other people of the same kind would move a "
    "figure, not how far another training of the same model would.",
    "An evaluator that sees no difference between a result and the truth proves only that it sees none.",
    "Whoever trains on these pictures, or on the studio's seed of the benchmark, has seen the test.",
)

STYLE = """body{font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:70rem;margin:0 auto;
padding:1rem}
h1,h2,h3{line-height:1.2}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.85rem}th,td{border-bottom:1px solid #ddd;padding:.25rem .6rem;
white-space:nowrap;text-align:left}thead th{border-bottom:2px solid #888}img{max-width:100%;height:auto}
summary{cursor:pointer}p{max-width:46rem}code{overflow-wrap:anywhere}"""


def write_page(
    folder: Path,
    record: Mapping[str, Any],
    others: Mapping[str, Mapping[str, Any]],
    times: Mapping[str, float],
    careful: Sequence[str],
    drawn: Mapping[str, Sequence[str]],
) -> None:
    """Write index.html: a record, `others` by label beside it, `drawn` the file names of each set's pictures."""
    page = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>mien bench</title><style>{STYLE}</style><h1>The open benchmark of facial expressions</h1>",
        head(record, others, careful),
        *(about_set(name, record, others, drawn[name]) for name in record["sets"]),
        about_times(times),
        "<h2>Limits</h2><ul>" + "".join(f"<li>{escape(line)}" for line in LIMITS) + "</ul></html>",
    ]
    write_whole(folder / "index.html", "\n".join(page) + "\n")


def head(record: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]], careful: Sequence[str]) -> str:
    """Return who measured what, with which versions: all that a citation needs."""
    evaluator, versions = record["evaluator"], ", ".join(f"{k} {v}" for k, v in record["versions"].items())
    models = {name: _about_model(model, record) for name, model in record["models"].items()}
    models |= {
        f"{label}: {name}": _about_model(model, other)
        for label, other in others.items()
        for name, model in other["models"].items()
    }
    sets = pd.DataFrame(record["sets"]).T.rename(columns={"labels": "labelled by", "size": "pixels"})
    warned = "".join(f"<p><strong>Careful:</strong> {escape(line)}.</p>" for line in careful)
    return (
        f"<p>Evaluator: {escape(evaluator['name'])}, "
        f"fingerprint <code>{escape(evaluator['fingerprint'] or 'none')}</code>. {escape(versions)}. "
        f"The same figures, to cite: <a href=bench.json>bench.json</a>.</p>{warned}"
        f"<h2>Data</h2>{html(sets)}<h2>Models</h2>{html(pd.DataFrame(models).T)}"
        "<p>Two answers of each model: <em>generated</em> is the picture that it makes; <em>composited</em> is the "
        "photograph plus the change which that picture makes, as an editor gives it. Figures stand with their 95 % "
        "interval over people, where there is one.</p>"
    )


def _about_model(model: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, str]:
    return {
        "family": model["family"],
        "parameters": f"{model['parameters']:,}",
        "pixels": str(model["image_size"]),
        "fingerprint": model["fingerprint"][:16],
        "mien": record["versions"]["mien"],
    }


def about_set(
    name: str, record: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]], drawn: Sequence[str]
) -> str:
    """Return a set's tables and pictures."""
    figures = all_figures(record, others)
    figures = figures[figures["set"] == name]
    parts = [f"<h2>{escape(name)}</h2>"]
    for heading, (metrics, text) in TABLES.items():
        table = by_answer(figures, metrics)
        if len(table):
            parts.append(f"<h3>{escape(heading)}</h3><p>{escape(text)}</p>{html(table)}")
    for heading, (metric, answer) in DETAILS.items():
        table = by_part(figures, metric, answer)
        if len(table):
            parts.append(f"<details><summary>{escape(heading)}</summary>{html(table)}</details>")
    for file in drawn:
        kind = "What the models make: composited" if file.endswith("comparison.png") else "Asked, measured intensity"
        parts.append(f"<h3>{kind}</h3><p><img src='pictures/{quote(file)}' alt='{kind}'></p>")
    return "\n".join(parts)


def all_figures(record: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the figures of all records, others' models with their label; trivial answers are the same."""
    frames = [pd.DataFrame(record["figures"])]
    for label, other in others.items():
        theirs = pd.DataFrame(other["figures"])
        theirs = theirs[theirs.model.isin(list(other["models"]))]
        frames.append(theirs.assign(model=f"{label}: " + theirs.model))
    return pd.concat([frame for frame in frames if len(frame)], ignore_index=True)


def by_answer(figures: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Return a row a model and answer and a column a metric, in the order in which they come; text."""
    mine = figures[figures.metric.isin(metrics) & (figures["of"] == "")]
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for line in mine.to_dict("records"):
        rows.setdefault((line["model"], line["answer"] or OWN), {})[line["metric"]] = cell(line)
    table = pd.DataFrame(rows).T.reindex(columns=[m for m in metrics if m in set(mine.metric)])
    return table.rename_axis(["model", "answer"]) if len(table) else table


def by_part(figures: pd.DataFrame, metric: str, answer: str) -> pd.DataFrame:
    """Return a row a class or action unit and a column a model; text."""
    mine = figures[(figures.metric == metric) & (figures.answer == answer) & (figures["of"] != "")]
    columns: dict[str, dict[str, str]] = {}
    for line in mine.to_dict("records"):
        columns.setdefault(line["model"], {})[line["of"]] = cell(line)
    order = [*CLASSES, *au_columns()]
    table = pd.DataFrame(columns)
    return table.reindex([name for name in order if name in table.index])


def cell(line: Mapping[str, Any]) -> str:
    """Return a figure with its interval, as text."""
    if line["value"] is None or line["value"] != line["value"]:
        return ""
    known = all(line[end] is not None and line[end] == line[end] for end in ("low", "high"))
    return f"{line['value']:.3f}" + (f" [{line['low']:.3f}, {line['high']:.3f}]" if known else "")


def about_times(times: Mapping[str, float]) -> str:
    """Return the line about time, which no two runs share."""
    listed = ", ".join(f"{escape(name)} {value:.1f}" for name, value in times.items())
    return (
        f"<h2>Time</h2><p>Milliseconds of a transfer between two faces: {listed}. Measured on the machine that ran "
        "this and not part of bench.json: no two runs share them (<a href=times.json>times.json</a>).</p>"
    )


def html(table: pd.DataFrame) -> str:
    """Return a table as HTML that scrolls on a narrow screen."""
    return f"<div class=wide>{table.to_html(border=0, na_rep='', escape=True)}</div>"
