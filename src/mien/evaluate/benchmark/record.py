"""bench.json: what the benchmark found, in a form that others can cite, read and set beside their own.

docs/benchmark.md has the schema. A record that does not fit is refused in one line; so are figures of other pictures
or of another evaluator, which do not stand side by side. Records of schema 1 are read in the words of schema 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.evaluate.answers import FORMER
from mien.reading import misfit, read_json
from mien.weights.resolve import OLD_NAMES

SCHEMA = 2
"""Raise it when a reader of the old form would misread the new one."""

FIELDS: dict[str, Any] = {
    "schema": int,
    "versions": {"mien": str},
    "evaluator": {"name": str, "fingerprint": str},
    "sets": {"*": {"digest": str, "people": int, "pictures": int, "trials": int, "size": int, "labels": str}},
    "models": {"*": {"family": str, "fingerprint": str, "parameters": int, "image_size": int}},
    "figures": [
        {"set": str, "model": str, "answer": str, "metric": str, "of": str, "value": float, "low": float, "high": float}
    ],
}
"""What must be there, and of which kind; "*" is any name; float is a finite number or null. More may be there."""


def read_record(path: Path, beside: Mapping[str, Any]) -> dict[str, Any]:
    """Return another author's record, of which only the sets that `beside` has too are kept.

    `beside` has the "sets" and the "evaluator" of this run. Raises InputError where the file does not fit the schema,
    was measured by another evaluator, shares no set, or has a set of the same name with another digest.
    """
    record = read_json(Path(path), "expected a bench.json that mien bench wrote")
    schema = record.get("schema") if isinstance(record, dict) else None
    if schema == 1:
        record, schema = renewed(record), SCHEMA
    if schema != SCHEMA:
        raise InputError(f"{path}: has schema {schema!r}, expected {SCHEMA}; run mien bench of this version there")
    if problem := misfit(record, FIELDS, ""):
        raise InputError(f"{path}: {problem}; expected a bench.json that mien bench wrote")
    if stray := {f["set"] for f in record["figures"]} - set(record["sets"]):
        raise InputError(f"{path}: has figures of a set it does not describe ({sorted(stray)[0]}); it is not whole")
    return comparable(path, record, beside)


def renewed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of schema 1 in the words of schema 2; what does not fit stays, for `misfit` to name."""
    new = {"evaluator" if name == "judge" else name: value for name, value in record.items()} | {"schema": SCHEMA}
    if isinstance(who := new.get("evaluator"), dict):
        new["evaluator"] = who | {"name": OLD_NAMES.get(str(who.get("name")), who.get("name"))}
    figures = new.get("figures")
    if isinstance(figures, list):
        new["figures"] = [_renewed_figure(figure) for figure in figures]
    return new


def _renewed_figure(figure: Any) -> Any:
    if not isinstance(figure, dict) or not isinstance(figure.get("answer"), str):
        return figure
    return figure | {"answer": FORMER.get(figure["answer"], figure["answer"])}


def comparable(path: Path, record: dict[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record with the sets and figures that may stand beside this run's. Raises InputError for none."""
    theirs, ours = record["evaluator"], beside["evaluator"]
    if theirs != ours:
        raise InputError(
            f"{path}: was measured by {theirs['name']} ({theirs['fingerprint'][:12] or 'no fingerprint'}), here "
            f"{ours['name']} ({ours['fingerprint'][:12] or 'no fingerprint'}) measures; take the same --evaluator"
        )
    common = [name for name in record["sets"] if name in beside["sets"]]
    for name in common:
        digests = record["sets"][name]["digest"], beside["sets"][name]["digest"]
        if digests[0] != digests[1]:
            raise InputError(
                f"{path}: its set {name} has the digest {digests[0][:12]}, here it is {digests[1][:12]}: other "
                "pictures, whose figures do not stand side by side; take the same --people, data and versions"
            )
    if not common:
        raise InputError(f"{path}: has the sets {', '.join(record['sets'])}, here are {', '.join(beside['sets'])}")
    figures = [f for f in record["figures"] if f["set"] in common]
    return record | {"sets": {name: record["sets"][name] for name in common}, "figures": figures}
