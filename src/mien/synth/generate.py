"""A labelled data set of procedural people: images, metadata.csv and geometry.npz in the layout of photofaces.

Every person is made in one piece by one process and kept in OUT/parts until all are there, so any number of jobs
gives the same bytes, and a run that was killed goes on where it stopped. `metadata.csv` comes last: where it exists,
the set is complete.
"""

from __future__ import annotations

import contextlib
import csv
import io
import multiprocessing
import os
import shutil
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mien.arrays import Wanted, read_npz
from mien.errors import InputError
from mien.files import alone, check_folder, is_new, make_folder, write_json, write_whole
from mien.labels import AUS, POINTS, au_columns
from mien.progress import Tell, untold
from mien.reading import read_json
from mien.synth.geometry.wear import OCCLUDERS
from mien.synth.person import Person, sample_person
from mien.synth.plan import PLANS, SHARED, Take, takes
from mien.synth.render.light import Light, sample_backdrop, sample_light

if TYPE_CHECKING:
    from mien.synth.studio import Shot

EDITION = 3  # raise when the same seed gives other pictures
FOLDS = 10
QUALITY = 92
REFERENCE = 256  # geometry.npz counts flow in quarter pixels of a frame of this size
COLUMNS = (
    "file_name", "subject", "source", "kind", "expression", "intensity", "yaw", "pitch", "roll", "gaze_x", "gaze_y",
    "fold", "test", "expr_id", "session", "age", "gender", "tone", "hair", "beard", "glasses", "occluder",
    "light_azimuth", "light_elevation", "light_key", "light_sky", "light_warmth",
    *au_columns(), *[name for pair in zip(au_columns("L"), au_columns("R"), strict=True) for name in pair],
)  # fmt: skip

PART = {
    "rows": Wanted("U", ("pictures", len(COLUMNS))),
    "landmarks": Wanted("f", ("pictures", POINTS, 2)),
    "flow": Wanted("i", ("pictures", 64, 64, 2)),
    "mouth": Wanted("u", ("pictures", 64, 64)),
}
"""The arrays of a person's part."""


@dataclass(frozen=True)
class Order:
    """What was asked for; two runs into one folder must agree in all of it."""

    people: int
    per_person: int
    size: int
    seed: int
    sessions: int
    occluded: float = 0.0
    edition: int = EDITION
    plan: str = "photofaces"
    test: float = 0.0


def generate(
    out: Path, people: int = 100, per_person: int = 36, size: int = 128, seed: int = 0, jobs: int = 1,
    sessions: int = 1, occluded: float = 0.0, plan: str = "photofaces", tell: Tell = untold, test: float = 0.0,
) -> None:  # fmt: skip
    """Render `people` people, each with `per_person` pictures of a plan (`plan.takes`) under each of `sessions` lights.

    `out` becomes an imagefolder with `metadata.csv` (columns: COLUMNS) and `geometry.npz`: file_name; landmarks
    (N, 68, 2) float16 in pixels of the frame; flow (N, 64, 64, 2) int8 in quarter pixels of a 256-pixel frame,
    whatever `size` is; mouth (N, 64, 64) uint8. `occluded` is the share of pictures, neutral ones apart, in which a
    hat, a mask or a hand hides part of the face; `test` the share of people marked test, the last ones. `tell` is
    called with images done and in all.
    """
    order = _checked(Order(people, per_person, size, seed, sessions, occluded, plan=plan, test=test), jobs)
    import mien.synth.studio  # noqa: F401 - where its compiler is missing, say so before the work

    out = Path(out)
    parts = out / "parts"
    check_folder(out)
    make_folder(out)
    with alone(out):
        _open_folder(out, order)
        if (out / "metadata.csv").exists():
            shutil.rmtree(parts, ignore_errors=True)
            return
        for folder in (parts, out / "images"):
            make_folder(folder)
        each = per_person * sessions
        missing = [i for i in range(people) if not (parts / f"{_subject(i)}.npz").exists()]
        done = (people - len(missing)) * each
        tell(done, people * each)
        for _ in _run(out, order, missing, jobs):
            done += each
            tell(done, people * each)
        _finish(out, order)


def _checked(order: Order, jobs: int) -> Order:
    for name, low, high in (
        ("people", 1, 99999),
        ("per_person", 1, 999),
        ("size", 32, 1024),
        ("sessions", 1, 99),
        ("seed", 0, 2**31),
    ):
        value = getattr(order, name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise InputError(f"--{name.replace('_', '-')} {value}: expected a whole number from {low} to {high}")
    for name in ("occluded", "test"):
        if not 0 <= getattr(order, name) <= 1:
            raise InputError(f"--{name} {getattr(order, name)}: expected a share from 0 to 1")
    if order.plan not in PLANS:
        raise InputError(f"--plan {order.plan}: expected one of {', '.join(PLANS)}")
    if order.size % 32:
        raise InputError(f"--size {order.size}: expected a multiple of 32 pixels")
    if not isinstance(jobs, int) or jobs < 1:
        raise InputError(f"--jobs {jobs}: expected a whole number from 1")
    return order


def _open_folder(out: Path, order: Order) -> None:
    """Make the folder ours, or refuse one that holds something else."""
    record = out / "studio.json"
    if record.exists():
        found = read_json(record, "expected what mien synth writes; give a new folder")
        if {"plan": PLANS[0], "test": 0.0} | found != asdict(order):  # both came later than sets
            raise InputError(f"{out}: holds another set ({found}); give another folder or the same numbers")
    elif not is_new(out):
        raise InputError(f"{out}: not empty and not a set of the studio; give a new folder")
    else:
        write_json(record, asdict(order))


def _subject(index: int) -> str:
    return f"S{index + 1:05d}"


def _run(out: Path, order: Order, missing: list[int], jobs: int):
    """Render the missing people, yielding once a person."""
    if jobs == 1 or len(missing) < 2:
        for index in missing:
            yield render_person(out, order, index)
        return
    context = multiprocessing.get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    with ours, ProcessPoolExecutor(min(jobs, len(missing)), context, _follow, (theirs,)) as pool:
        futures = [pool.submit(render_person, out, order, index) for index in missing]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise InputError(f"{out}: a process was killed; the same command goes on, fewer --jobs help") from error
        except BaseException:
            ours.close()  # the workers leave; what they had begun is made again
            raise


def _follow(parent: Connection) -> None:
    """Let this worker end with the process that asked for it, which holds the other end of a pipe for as long.

    So it goes however that process ends, killed too. Signals of the terminal are for that process alone.
    """

    def follow() -> None:
        with contextlib.suppress(EOFError, OSError):
            parent.recv()  # nothing is ever sent
        os._exit(1)

    for name in ("SIGINT", "SIGHUP", "SIGQUIT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=follow, daemon=True).start()


def render_person(out: Path, order: Order, index: int) -> int:
    """Render one person's pictures, then leave their rows and geometry as a part; return the number of pictures."""
    person = sample_person(int(np.random.SeedSequence((order.seed, index)).generate_state(1)[0]))
    from mien.synth.studio import Studio

    studio = Studio(person, order.size)
    rows, landmarks, flows, mouths = [], [], [], []
    for session in range(order.sessions):
        scene = np.random.default_rng((order.seed, index, session, 0x11647))
        light, backdrop = sample_light(scene), sample_backdrop(scene, order.size)
        shots = takes(np.random.default_rng((order.seed, index, 0x7A4E)), order.per_person, order.plan)
        for k, take in enumerate(shots):
            hidden = take.expression != "neutral" and scene.random() < order.occluded
            occluder = str(scene.choice(OCCLUDERS[1:])) if hidden else "none"
            shot = studio.render(take.aus, take.yaw, take.pitch, take.roll, take.gaze, light, backdrop, occluder)
            name = _file_name(index, session * order.per_person + k, take)
            write_whole(out / name, _jpeg(shot.image))
            rows.append(_row(name, index, session, person, take, light, occluder, _is_test(order, index)))
            landmarks.append(shot.landmarks.astype(np.float16))
            flows.append(pack_flow(shot, order.size))
            mouths.append(np.round(shot.mouth * 255).astype(np.uint8))
    content = io.BytesIO()
    np.savez_compressed(content, rows=np.array(rows), landmarks=landmarks, flow=flows, mouth=mouths)
    write_whole(out / "parts" / f"{_subject(index)}.npz", content.getvalue())
    return len(rows)


def pack_flow(shot: Shot, size: int) -> np.ndarray:
    """Return the flow (64, 64, 2) int8 in quarter pixels of a 256-pixel frame, clipped at ±31.75 pixels."""
    return np.clip(np.round(shot.flow * (4 * REFERENCE / size)), -127, 127).astype(np.int8)


def _jpeg(image: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "JPEG", quality=QUALITY, subsampling=0)
    return content.getvalue()


def _file_name(index: int, number: int, take: Take) -> str:
    level = "" if np.isnan(take.intensity) or take.expression == "neutral" else f"_{round(take.intensity * 100):03d}"
    what = take.expr_id if take.expr_id in SHARED else take.expression
    return f"images/{_subject(index)}_{number:02d}_{what}{level}.jpg"


def _is_test(order: Order, index: int) -> int:
    """Return 1 for the last people of a set, of which the share is asked for; of some at least one."""
    count = max(1, round(order.people * order.test)) if order.test else 0
    return int(index >= order.people - count)


def _row(
    name: str, index: int, session: int, person: Person, take: Take, light: Light, occluder: str, test: int
) -> list[str]:  # fmt: skip
    """Return the cells of one picture in the order of COLUMNS."""
    intensity = "" if np.isnan(take.intensity) else take.intensity
    cells = [
        name, _subject(index), "studio", "rendered", take.expression, intensity, take.yaw, take.pitch, take.roll,
        take.gaze[0], take.gaze[1], index % FOLDS, test, take.expr_id, session, person.age, person.gender,
        round(person.tone, 3), person.hair, person.beard, person.glasses, occluder,
        round(light.azimuth, 1), round(light.elevation, 1), round(light.key, 3), round(light.sky, 3),
        round(light.warmth, 2),
    ]  # fmt: skip
    cells += [round(float(level), 3) for level in take.aus.max(axis=1)]
    cells += [round(float(level), 3) for level in take.aus.ravel()]
    assert len(cells) == len(COLUMNS) and take.aus.shape == (len(AUS), 2)
    return [str(cell) for cell in cells]


def _finish(out: Path, order: Order) -> None:
    """Join the parts, in the order of people, into geometry.npz and at last metadata.csv; remove the parts."""
    rows: list[list[str]] = []
    arrays: dict[str, list[np.ndarray]] = {"landmarks": [], "flow": [], "mouth": []}
    for index in range(order.people):
        part = read_npz(out / "parts" / f"{_subject(index)}.npz", PART, "remove it and go on: it is made anew")
        rows += part["rows"].tolist()
        for name, values in arrays.items():
            values.append(part[name])
    content = io.BytesIO()
    joined = {name: np.concatenate(values) for name, values in arrays.items()}
    np.savez_compressed(
        content,
        file_name=np.array([row[0] for row in rows]),
        landmarks=joined["landmarks"],
        flow=joined["flow"],
        mouth=joined["mouth"],
        size=order.size,
    )
    write_whole(out / "geometry.npz", content.getvalue())
    for stray in [*(out / "images").glob(".*.part"), *out.glob(".*.part")]:  # which killed processes left
        stray.unlink()
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    write_whole(out / "metadata.csv", table.getvalue().encode())
    shutil.rmtree(out / "parts")
