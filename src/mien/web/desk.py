"""What a browser has on the page: its photograph, what was done to it, examples, and clips; for an hour."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mien.editing.look import Look
from mien.editing.project import Project, Step
from mien.errors import InputError
from mien.web.door.store import UNKNOWN
from mien.web.jobs import Job
from mien.web.studio import Work
from mien.web.upload import Upload

HOUR = 3600  # seconds for which a browser's things are kept after it last asked for anything
DESKS = 100  # browsers whose things are kept; of more, the oldest begin anew
EXAMPLES = 8  # photographs of a browser that are kept open, and clips
JOBS = 12  # of a browser, the last


@dataclass
class Desk:
    """One browser's things. `lock` is held while they are changed."""

    owner: str
    photo: str = ""  # the name of the photograph that was opened last
    photos: dict[str, Upload] = field(default_factory=dict)  # by name, the newest last
    projects: dict[str, Project] = field(default_factory=dict)  # by photograph: what was done to those that were opened
    clips: dict[str, Path] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    used: float = field(default_factory=time.monotonic)
    newest: int = 0  # of the previews that were asked for
    lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, name: str, upload: Upload, model: str) -> None:
        """Work on a photograph: begin, or go on with what was done to it."""
        with self.lock:
            self.photo = name
            self.projects.setdefault(name, Project.begin(model))
            self.photos.pop(name, None)
            self._keep(name, upload)

    def add(self, name: str, upload: Upload) -> None:
        """Keep a photograph for its expression."""
        with self.lock:
            self._keep(name, upload)

    def _keep(self, name: str, upload: Upload) -> None:
        self.photos[name] = upload
        for old in [one for one in self.photos if one != self.photo][:-EXAMPLES]:
            del self.photos[old]
            self.projects.pop(old, None)

    def change(self, how: Callable[[Project], Project], photo: object = None) -> Project:
        """Bring a photograph's project a step on, or back. Raises InputError where there is none."""
        with self.lock:
            now = self.projects[self._name(photo)] = how(self.project(photo))
            return now

    def project(self, photo: object = None) -> Project:
        """Return what was done to a photograph, by default that which was opened last. Raises InputError without one.

        Windows of one browser may have different ones open.
        """
        found = self.projects.get(self._name(photo))
        if found is None:
            raise InputError(UNKNOWN if self.photo else "give a photograph first")
        return found

    def upload(self, photo: object = None) -> Upload:
        """Return a photograph, by default that which was opened last. Raises InputError for one that is not kept."""
        if photo is None:
            self.project()
        found = self.photos.get(self._name(photo))
        if found is None:
            raise InputError(UNKNOWN)
        return found

    def _name(self, photo: object) -> str:
        return self.photo if photo is None else photo if isinstance(photo, str) else ""

    def work(
        self, step: Step, face: int = 0, look: Look | None = None, model: str | None = None, photo: object = None
    ) -> Work:
        """Return what a step of a photograph asks for; with another look for a face, or another model, if given."""
        upload = self.upload(photo)
        looks = {**step.looks, face: look} if look is not None else dict(step.looks)
        for number, one in looks.items():
            upload.face(number)
            if one.like is not None:
                self.upload(one.like.photo).face(one.like.face)
        return Work(upload, looks, model or step.model, self.photos)

    def add_job(self, job: Job) -> None:
        """Keep a job. Raises InputError while another is at work."""
        with self.lock:
            if any(not one.over for one in self.jobs.values()):
                raise InputError("something is being made already; wait for it, or cancel it")
            self.jobs[job.name] = job
            for old in list(self.jobs)[:-JOBS]:
                del self.jobs[old]

    def job(self, name: str) -> Job:
        """Return a job. Raises InputError for one that is not there."""
        if name not in self.jobs:
            raise InputError(UNKNOWN)
        return self.jobs[name]

    def as_json(self) -> dict[str, Any]:
        """Return all of it, for its browser."""
        with self.lock:
            return {
                "photo": self.photo or None,
                "photos": {name: describe(upload) for name, upload in self.photos.items()},
                "clips": {name: path.name for name, path in self.clips.items()},
                "project": self.projects[self.photo].as_json() if self.photo else None,
                "projects": {name: project.as_json() for name, project in self.projects.items()},
                "jobs": [job.as_json() for job in self.jobs.values()],
            }


class Desks:
    """The desks of all browsers. `forget` is called with the owner and the photographs of one that is cleared away."""

    def __init__(self, forget: Callable[[str, set[Path]], None]):
        self._forget = forget
        self._desks: OrderedDict[str, Desk] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, owner: str) -> Desk:
        """Return a browser's desk."""
        with self._lock:
            desk = self._desks.pop(owner, None) or Desk(owner)
            desk.used = time.monotonic()
            self._desks[owner] = desk
            old = [self._desks.popitem(last=False)[1] for _ in range(len(self._desks) - DESKS)]
        self._clear(old)
        return desk

    def sweep(self) -> None:
        """Clear away what nobody asked for within an hour."""
        with self._lock:
            busy = [desk for desk in self._desks.values() if any(not job.over for job in desk.jobs.values())]
            limit = time.monotonic() - HOUR
            old = [desk for desk in self._desks.values() if desk.used < limit and desk not in busy]
            for desk in old:
                del self._desks[desk.owner]
        self._clear(old)

    def close(self) -> None:
        """Stop all that is being made."""
        with self._lock:
            for desk in self._desks.values():
                for job in desk.jobs.values():
                    job.cancel()

    def _clear(self, desks: list[Desk]) -> None:
        for desk in desks:
            for job in desk.jobs.values():
                job.cancel()
            self._forget(desk.owner, {upload.path for upload in desk.photos.values()})


def describe(upload: Upload) -> dict[str, Any]:
    """Return what the page tells of a photograph: boxes of faces are x, y, width, height in shares of its sides."""
    width, height = upload.size
    boxes = [[x / width, y / height, w / width, h / height] for x, y, w, h in (face.box for face in upload.faces)]
    return {
        "name": upload.path.name, "width": width, "height": height, "faces": boxes, "largest": upload.largest,
        "form": upload.form, "several": upload.several,
    }  # fmt: skip
