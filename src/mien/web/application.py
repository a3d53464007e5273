"""The page put together: models, what browsers have, where it lies, and the guard before it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mien.media.credentials import Signer
from mien.web.answers.api import Api
from mien.web.answers.routes import application
from mien.web.desk import Desks
from mien.web.door.guard import Guard
from mien.web.door.origins import Origins
from mien.web.door.store import Store
from mien.web.studio import Studio

SWEEP = 60  # seconds between two looks for what nobody asked for within an hour


class Application:
    """What answers browsers; things lie below `folder`."""

    def __init__(self, studio: Studio, folder: Path, model: str, signer: Signer | None = None):
        self.studio, self.store = studio, Store(folder)
        self.desks = Desks(self._forget)
        self.api = Api(studio, self.store, self.desks, model, signer)

    def guarded(
        self, origins: Origins, accounts: Mapping[str, str] | None = None, prefix: str = "", port: int = 7860,
        frames: Sequence[str] = (),
    ) -> Guard:  # fmt: skip
        """Return the ASGI application, behind its guard."""
        app = application(self.api, prefix)
        return Guard(app, origins, accounts, prefix, f"mien-{port}", frames)

    @contextmanager
    def swept(self) -> Iterator[None]:
        """Meanwhile, clear away what nobody asked for within an hour."""
        ended = threading.Event()

        def sweep() -> None:
            while not ended.wait(SWEEP):
                self.desks.sweep()

        threading.Thread(target=sweep, daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def close(self) -> None:
        """Begin nothing any more, and delete all that was sent and made at once."""
        self.studio.turns.closed = True
        self.desks.close()
        self.store.clear()

    def wait(self) -> None:
        """Let what is being worked on end, so that nothing is written any more."""
        self.studio.turns.take(at_the_end=True)
        self.store.clear()

    def _forget(self, owner: str, photos: set[Path]) -> None:
        self.store.forget(owner)
        self.studio.forget(photos)
