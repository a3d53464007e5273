"""One task with one model as something to be called, in the form that the Hugging Face libraries give theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mien.about import DEFAULT
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.labels import au_name
from mien.media.photo import Photo

Scores = list[dict[str, Any]]  # [{"label": …, "score": …}], the highest first


class Pipeline:
    """A task that is called with a picture, or with a list of them, and then gives a list.

    Raises InputError as `Editor` does.
    """

    def __init__(self, task: str, editor: Editor):
        self.task, self.editor, self._do = task, editor, TASKS[task]

    def __call__(self, picture: Any, **asked: Any) -> Any:
        """Return what becomes of a picture: scores, or for tasks that make one a Photo."""
        if isinstance(picture, list):
            return [self._do(self.editor, one, **asked) for one in picture]
        return self._do(self.editor, picture, **asked)


def _recognition(editor: Editor, picture: Any, top_k: int | None = None) -> Scores:
    found = editor.recognize(picture)
    return [{"label": word, "score": score} for word, score in list(found.items())[:top_k]]


def _units(editor: Editor, picture: Any, top_k: int | None = None) -> Scores:
    found = sorted(editor.estimate_aus(picture).items(), key=lambda pair: -pair[1])
    return [{"label": au_name(unit), "score": value} for unit, value in found[:top_k]]


def _editing(editor: Editor, picture: Any, **asked: Any) -> Photo:
    return editor.edit(picture, **asked)


def _transfer(editor: Editor, picture: Any, **asked: Any) -> Photo:
    return editor.transfer(picture, **asked)


TASKS: dict[str, Callable[..., Any]] = {
    "expression-recognition": _recognition,
    "action-units": _units,
    "expression-editing": _editing,
    "expression-transfer": _transfer,
}
"""What a pipeline may be asked for: probabilities of words, intensities 0-5 of units, `Editor.edit`, its `transfer`."""


def pipeline(task: str, model: str = DEFAULT, device: str = "cpu") -> Pipeline:
    """Return a task ready to be called. Raises InputError for one that there is not.

    >>> pipeline("depth-estimation")
    Traceback (most recent call last):
    mien.errors.InputError: no task 'depth-estimation'; choose one of expression-recognition, action-units, ...
    """
    if not isinstance(task, str) or task not in TASKS:
        raise InputError(f"no task {task!r}; choose one of {', '.join(TASKS)}")
    return Pipeline(task, Editor(model, device))
