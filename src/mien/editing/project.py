"""A photograph that is worked on: what was asked of its faces, step by step, to go back and forth in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mien.editing.look import Look
from mien.errors import InputError

KEPT = 100  # steps; of more, the oldest go


@dataclass(frozen=True)
class Step:
    """All that is asked after something was changed: looks by the number of their face, and by which model.

    What is made of it is made of the photograph's own pixels. `number` is its name, which no other step has.
    """

    number: int
    looks: Mapping[int, Look] = field(default_factory=dict)
    model: str = ""
    note: str = ""  # what was changed, in words

    def look(self, face: int) -> Look:
        """Return what is asked of a face."""
        return self.looks.get(face, Look())

    @property
    def changed(self) -> dict[int, Look]:
        """The looks of the faces of which anything is asked."""
        return {face: look for face, look in sorted(self.looks.items()) if not look.empty}


@dataclass(frozen=True)
class Project:
    """Steps, the first of which asks for nothing, and which of them is shown. What changes it makes a new one."""

    steps: tuple[Step, ...]
    at: int = 0
    count: int = 1  # steps that were ever made

    @classmethod
    def begin(cls, model: str) -> Project:
        """Return a project in which nothing was done."""
        return cls((Step(0, model=model, note="photograph"),))

    @property
    def now(self) -> Step:
        """The step that is shown."""
        return self.steps[self.at]

    def ask(self, face: int, look: Look, note: str = "", model: str | None = None) -> Project:
        """Return the project with a face's look changed, or the model; steps that were undone are gone."""
        looks = {**self.now.looks, face: look}
        step = Step(self.count, looks, self.now.model if model is None else model, note)
        if (step.changed, step.model) == (self.now.changed, self.now.model):
            return self
        kept = [*self.steps[: self.at + 1], step]
        kept = [kept[0], *kept[1:][-(KEPT - 1) :]]  # the photograph stays
        return Project(tuple(kept), len(kept) - 1, self.count + 1)

    def undo(self) -> Project:
        """Return the project a step back, if there is one."""
        return replace(self, at=max(0, self.at - 1))

    def redo(self) -> Project:
        """Return the project a step forth, if there is one."""
        return replace(self, at=min(len(self.steps) - 1, self.at + 1))

    def go(self, number: int) -> Project:
        """Return the project at the step of a number."""
        return replace(self, at=self.steps.index(self.step(number)))

    def step(self, number: int) -> Step:
        """Return the step of a number. Raises InputError where there is none."""
        for step in self.steps:
            if step.number == number:
                return step
        raise InputError(f"there is no step {number} any more; undo keeps the last {KEPT}")

    def as_json(self) -> dict[str, Any]:
        """Return all steps, for whoever shows them."""
        steps = [
            {
                "number": s.number,
                "model": s.model,
                "note": s.note,
                "looks": {f: k.as_json() for f, k in s.looks.items()},
            }
            for s in self.steps
        ]
        return {"at": self.at, "steps": steps}
