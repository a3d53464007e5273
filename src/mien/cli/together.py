"""Which options go together: none is given without what it needs, or beside one that leaves it nothing to do."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from typer.core import TyperCommand

from mien.errors import InputError

log = logging.getLogger(__name__)

OF_TRAINING = ("--parts", "--preset", "--set", "--start", "--seed")
"""Options of `mien evaluate reading` that say how a model is trained for every fold."""

NEEDS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "": {"--like-face": ["--like"], "--ray-workers": ["--ray"]},
    "animate": {"--seed": ["--blinks"]},
    "augment": {"--all-people": ["--data"]},
    "edit": {"--intensity": ["--expression", "--say", "--au", "--blendshape", "--like"]},
    "models": {"--preset": ["MODEL"]},
    "reading": {name: ["--folds"] for name in OF_TRAINING},
}
"""By verb, "" for all, options that do nothing without one of others."""

CLASHES: Mapping[str, Sequence[tuple[str, str]]] = {
    "": [
        ("--all", "--face"),
        ("--aligned", "--landmarker"),
        ("--aligned", "--face"),
        ("--aligned", "--like-face"),
        ("--json", "--csv"),
        ("--json", "--ray"),
        ("--csv", "--ray"),
    ],
    "reading": [("--all-people", "--folds"), *((name, "--run-of-fold") for name in OF_TRAINING)],
    "recognition": [("--folds", "--official")],
    "train": [(name, "--adapt") for name in ("--preset", "--set", "--config", "--validation", "--logger")],
}
"""By verb, "" for all, pairs of options of which the first would be passed over."""


class Verb(TyperCommand):
    """A command that refuses options which do not go together; of one given twice the last counts, and it says so."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of a command. Raises InputError in one line for options that do not go together."""
        typed = list(args)
        rest = super().parse_args(ctx, args)  # where --help ends it
        values, _, order = self.make_parser(ctx).parse_args(typed)
        tell_twice([one.opts[0] for one in order if one.param_type_name == "option" and not one.multiple])
        given = [one for one in order if values.get(one.name) not in (None, False, (), [])]
        options = {name for one in given if one.param_type_name == "option" for name in one.opts}
        arguments = {str(one.name).upper() for one in given if isinstance(values[one.name], str)}
        check_together(self.name or "", options | arguments)
        return rest


def words(names: Sequence[str]) -> str:
    """Return names as "--a, --b or --c"."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def tell_twice(names: Sequence[str]) -> None:
    """Say where a name stands twice, as after a shell's alias that has it: the last counts."""
    for name, count in Counter(names).items():
        if count > 1:
            log.warning("%s: is given %d times; the last counts", name, count)


def check_together(verb: str, given: set[str]) -> None:
    """Raise InputError where an option of a verb lacks the one that it needs, or stands beside one that excludes it."""
    for option, needed in [*NEEDS[""].items(), *NEEDS.get(verb, {}).items()]:
        if option in given and not given.intersection(needed):
            raise InputError(f"{option}: does nothing without {words(needed)}; give that too, or leave it out")
    for one, other in [*CLASHES[""], *CLASHES.get(verb, ())]:
        if {one, other} <= given:
            raise InputError(f"{one} and {other}: choose one of them")
