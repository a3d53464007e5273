"""What verbs that change faces do with several files, and with folders of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mien.about import VERSION
from mien.cli import clips
from mien.cli.output import Delivery, check_outputs, example_of
from mien.cli.terminal import bar, errors, out
from mien.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from mien.controls import Controls
    from mien.editing.folder import Done, Job
    from mien.progress import Tell

TABLES = "mien-edits"  # the folder in the folder, where what was done on a cluster is told


def are_several(faces: Sequence[Path], output: Path | None) -> bool:
    """Return whether files are changed into a folder: several, a folder or an address, or one into a folder."""
    from mien.media.remote import address_of

    several = len(faces) > 1 or faces[0].is_dir() or address_of(faces[0]) is not None
    return several or (output is not None and output.is_dir())


def change(
    faces: Sequence[Path],
    one: Delivery,
    asked: Controls,
    tool: clips.Tool,
    transfers: bool = False,
    ray: bool = False,
    workers: int | None = None,
) -> None:
    """Change several files as asked, whose example is a file, into a folder; print what became of them."""
    orders = Orders(tuple(faces), replace(one, several=True), asked, tool, transfers)
    if ray:
        orders.deliver_parts(workers)
    else:
        orders.deliver()


@dataclass(frozen=True)
class Orders:
    """What is done to every file alike; `one` has the folder as its output, and any FACE."""

    faces: tuple[Path, ...]
    one: Delivery
    asked: Controls  # whose example is a file
    tool: clips.Tool
    transfers: bool = False

    @property
    def folder(self) -> Path:
        """The folder that is written."""
        return self.one.output or Path()

    def check(self) -> list[Job]:
        """Return the jobs. Raises InputError, before long work, for what does not fit together or cannot be written."""
        from mien.editing.folder import jobs_of
        from mien.files import check_folder, identity
        from mien.media.photo import FORMATS
        from mien.media.video.ffmpeg import is_clip

        one = self.one
        for name, path in (("--preview", one.preview), ("--swap", one.swap)):
            if path:
                raise InputError(f"{name} {path}: is of one photograph; give one file, or leave it out")
        if one.force:
            raise InputError("--force: is for one file; a folder in its own place would be changed twice if it went on")
        if one.output is None:
            raise InputError("no -o: name the folder to write into")
        if not one.output.is_dir() and (one.output.suffix.lower() in FORMATS or is_clip(one.output)):
            given = f"{len(self.faces)} files are" if len(self.faces) > 1 else f"{self.faces[0]}, a folder, is"
            raise InputError(f"-o {one.output}: names one file, and {given} given; name a folder")
        one.check_options()
        one.signer()
        check_folder(one.output)
        if one.saved:
            check_outputs(one.read(), {"--save-expression": one.saved})
        jobs = jobs_of(self.faces, one.output, self.moving)
        kept = {identity(path): name for name, path in one.read().items() if path and path.name}
        for job in jobs:
            for path in (job.target, *([one.beside(job.target)] if one.report else [])):
                if other := kept.get(identity(path)):
                    told = f"would be written to {path}, which is {other}"
                    raise InputError(f"{job.source}: {told}; choose another folder")
            if one.report and one.beside(job.target).exists():
                one.check_report(job.target)
        return jobs

    @property
    def moving(self) -> bool:
        """Whether a clip drives the faces."""
        from mien.media.video.reader import is_moving

        return self.asked.like is not None and is_moving(self.asked.like)

    def open(self) -> Worker:
        """Return what does the jobs, with the model loaded. Raises InputError where it cannot do what is asked."""
        return Worker(self)

    def deliver(self) -> None:
        """Do all that is not done yet and print what became of it. Exits with 2 where a file failed."""
        from mien.editing.folder import each_done

        jobs = self.check()
        worker = self.open()
        found = []
        with bar("changing") as tell:
            for done in each_done(jobs, self.folder, worker, worker.made_by(), tell):
                if done.error:
                    errors.print(f"mien: {done.error}", markup=False)
                found.append(done)
        worker.save()
        self.sum_up(found)

    def deliver_parts(self, workers: int | None) -> None:
        """Do all that is not done yet on a cluster; tables in the folder tell of every file. Exits with 2 likewise."""
        from mien.media.remote import mark_of_any
        from mien.runtime.many import do_parts, parts_of

        jobs = self.check()
        marks = {str(job.source): f"{mark_of_any(job.source)} > {job.target}" for job in jobs}
        order = EditOrder(self, {str(job.source): job.target for job in jobs})
        with bar("changing") as tell:
            parts = parts_of(marks, self.open().made_by())
            found = list(do_parts(parts, order, self.folder / TABLES, workers, tell))
        done, failed = (sum(counts) for counts in zip(*found, strict=True)) if found else (0, 0)
        before = len(jobs) - done
        also = f", {before} were done before" if before else ""
        told = f"{done - failed} changed{also}, {failed} failed; {self.folder / TABLES} tells of each"
        out.print(f"{self.folder}: {told}", markup=False, soft_wrap=True)
        if failed:
            raise typer.Exit(2)

    def sum_up(self, found: Sequence[Done]) -> None:
        """Print how many files were done. Exits with 2 where one failed."""
        failed, before = sum(bool(done.error) for done in found), sum(done.before for done in found)
        words = [f"{len(found) - failed - before} changed"] + [f"{before} were done before"] * bool(before)
        words += [f"{failed} failed"] * bool(failed)
        out.print(f"{self.folder}: {', '.join(words)}", markup=False, soft_wrap=True)
        if failed:
            errors.print(
                f"mien: {failed} of {len(found)} files failed; the same command tries them again", markup=False
            )
            raise typer.Exit(2)


@dataclass(frozen=True)
class EditOrder:
    """Orders for `mien.runtime.many`, and where the result of each file goes."""

    orders: Orders
    targets: dict[str, Path]

    def open(self) -> Callable[[str], list[dict[str, Any]]]:
        """Return what changes a file and tells of it."""
        from mien.editing.folder import Job
        from mien.files import make_folder, path_text
        from mien.progress import untold

        worker = self.orders.open()

        def work(file: str) -> list[dict[str, Any]]:
            job, error = Job(Path(file), self.targets[file]), None
            try:
                make_folder(job.target.parent)
                worker(job, untold)
            except InputError as problem:
                error = path_text(str(problem))
            return [{"path": path_text(file), "output": None if error else path_text(job.target), "error": error}]

        return work

    def frame(self, rows: list[dict[str, Any]]) -> pd.DataFrame:
        """Return rows as a table."""
        import pandas as pd

        return pd.DataFrame(rows, columns=["path", "output", "error"]).astype("string")


class Worker:
    """Changes file after file by one model, in one process."""

    def __init__(self, orders: Orders):
        from mien.editing.editor import Editor

        one, tool = orders.one, orders.tool
        self.orders = orders
        self.editor = Editor(tool.model, tool.device, tool.aligned, one.crop, tool.landmarker, backend=tool.backend)
        self.editor.require(orders.asked, orders.transfers)
        example = orders.asked.like is not None and not orders.moving
        self.like = example_of(self.editor, orders.asked.like, tool.like_number) if example else None
        if orders.moving:
            clips.check_saved(one, orders.asked)
        asked = orders.asked if self.like is None else replace(orders.asked, like=self.like)
        self.expression = one.expression(self.editor, asked)

    def made_by(self) -> dict[str, Any]:
        """Return all that the results depend on but the files themselves."""
        from mien.reading import sha256_of

        one, tool, asked = self.orders.one, self.orders.tool, self.orders.asked
        like = None if asked.like is None else sha256_of(asked.like, "expected a picture or a clip")
        same = {"model": self.editor.fingerprint, "by": VERSION, "transfers": self.orders.transfers}
        same |= {"asked": asdict(asked) | {"like": like}}
        same |= {"number": one.which, "like_number": tool.like_number, "crop": one.crop, "aligned": tool.aligned}
        same |= {"landmarker": tool.landmarker, "keep_format": tool.keep_format, "report": one.report}
        return same | {"min_identity": one.min_identity, "sign": [str(path) for path in one.sign or ()]}

    def __call__(self, job: Job, tell: Tell) -> None:
        """Do a job. Raises InputError where that cannot be."""
        from mien.media.remote import at_hand
        from mien.media.video.ffmpeg import is_clip

        orders = self.orders
        with at_hand(job.source) as face:
            one = replace(orders.one, face=face, output=job.target)
            if is_clip(job.target):
                clips.change_one(one, orders.asked, orders.tool, self.editor, self.like, orders.transfers, tell)
            else:
                one.change(self.editor, one.faces(self.editor), orders.asked, self.like, orders.transfers)

    def save(self) -> None:
        """Write the expression, if it is to be saved."""
        self.orders.one.save(self.expression)
