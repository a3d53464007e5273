"""The one way in which long work says how far it is."""

from typing import Protocol


class Tell(Protocol):
    """Is called now and then with how many pieces are done, of how many, and perhaps what is being worked on."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Say that `done` of `total` is done."""
        ...


def untold(done: int, total: int, note: str = "") -> None:
    """Tell nobody."""
