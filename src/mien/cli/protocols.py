"""Verbs for the papers' protocols: evaluate recognition, transfer, identity, gaze; a table, and JSON with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.evaluation import AllPeople, Judge, Models, Out, appointed, by_name, test_people, told
from mien.cli.terminal import DataDirs, SamePeople, bar, known_precision, out, parse_setting, print_frame, sets_of
from mien.errors import InputError

if TYPE_CHECKING:
    from mien.data.dataset import Data
    from mien.data.sets import Sets
    from mien.evaluate.evaluators.base import Evaluator as JudgeOf
    from mien.evaluate.trials import Trials
    from mien.models.contract import Family

Partners = Annotated[
    int,
    typer.Option(
        min=0,
        help="Pair every picture with so many random ones of other people; 0: neutral faces, whose truth is known.",
    ),
]
Size = Annotated[int, typer.Option(help="Side to compare at.")]


def evaluate_recognition(
    data: DataDirs,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables.")],
    model: str = "ter_gan",
    preset: str = "small",
    folds: int = 8,
    official: Annotated[bool, typer.Option(help="Take the data's own split in place of folds.")] = False,
    word: Annotated[list[str] | None, typer.Option("--class", help="Classes; else the six basic ones.")] = None,
    least: Annotated[float, typer.Option(help="Intensity from which a picture counts, 0-1.")] = 0.5,
    seed: Annotated[list[int] | None, typer.Option(help="Give it again for more trainings.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Change a setting, as steps=500.")] = None,
    precision: str = "auto",
    device: str = "auto",
    same_people: SamePeople = False,
) -> None:
    """Train and test by subject folds: a model's recogniser against the CNN baseline. Resumes if killed.

    Example: `mien evaluate recognition --data photofaces -o out/recognition --folds 8`
    """
    from mien.evaluate.protocols.recognition import by_folds, fold_table, official_hash, summary
    from mien.evaluate.protocols.recognition_record import difference_line, figures_frame, write_recognition
    from mien.evaluate.record import data_facts
    from mien.labels import BASIC, CLASSES
    from mien.models.registry import preset_config
    from mien.training.settings import Settings
    from mien.training.start import typed_changes

    if wrong := set(word or ()) - set(CLASSES):
        raise InputError(f"--class {sorted(wrong)[0]}: expected one of {', '.join(CLASSES)}")
    changes = typed_changes(model, preset, dict(map(parse_setting, set_ or ())))
    size = changes.get("image_size", preset_config(model, preset).image_size)
    joined = sets_of(data, same_people).open(size)
    settings = Settings(0, known_precision(precision, device), device)
    with bar(model) as progress:
        found = by_folds(
            joined, output, model, preset, None if official else folds, seed or [0], settings, changes, word or BASIC,
            least, lambda fold, p: progress(p.done, p.total, f"fold {fold} {p.faces_per_second:.0f}/s"),
        )  # fmt: skip
    table = fold_table(found)
    table.round(4).to_csv(output / "folds.csv", index=False)
    print_frame(table)
    figures = write_recognition(
        found, output, model, preset, changes, word or BASIC, least, settings.precision,
        official_hash(joined, word or BASIC, least) if official else "", data_facts(joined),
    )  # fmt: skip
    print_frame(summary(table).reset_index())
    out.print("")
    print_frame(figures_frame(figures))
    out.print(difference_line(figures), markup=False, highlight=False, soft_wrap=True)


def evaluate_transfer(
    data: DataDirs,
    output: Out,
    model: Models,
    judge: Judge = "judge",
    partners: Partners = 0,
    seed: int = 0,
    all_people: AllPeople = False,
    size: Size = 256,
    same_people: SamePeople = False,
) -> None:
    """Measure whether the expression arrives: action units and class by the judge, distance to the true picture.

    Example: `mien evaluate transfer --data photofaces --model ter_gan -o out/transfer`
    """
    from mien.evaluate.protocols.transfer import by_transfer
    from mien.evaluate.record import frame_of

    sets = sets_of(data, same_people)
    nets, who, chosen, t = asked_for(sets, model, judge, partners, seed, all_people, size, geometry=True)
    with bar("transferring") as progress:
        figures = by_transfer(nets, who, chosen, t, output, progress)
    print_frame(frame_of(figures, ["icc", "au_mse", "expression", "l1_face", "psnr_face", "ssim_face"]))
    told(output / "transfer.json")


def evaluate_identity(
    data: DataDirs,
    output: Out,
    model: Models,
    judge: Judge = "judge",
    partners: Partners = 0,
    seed: int = 0,
    all_people: AllPeople = False,
    crowd: Annotated[
        bool, typer.Option("--crowd", help="Let the data's other people stand in the gallery too.")
    ] = False,
    size: Size = 256,
    same_people: SamePeople = False,
) -> None:
    """Measure whether it is still the same person: rank-1, verification, true accepts at 1 % and 0.1 % false ones.

    Example: `mien evaluate identity --data photofaces --model ter_gan -o out/identity`
    """
    from mien.data.sets import training_data
    from mien.evaluate.protocols.identity import FALSE_ACCEPTS, by_identity
    from mien.evaluate.record import frame_of

    sets = sets_of(data, same_people)
    nets, who, chosen, t = asked_for(sets, model, judge, partners, seed, all_people, size, geometry=False)
    others = training_data(sets, size) if crowd else None
    with bar("comparing people") as progress:
        figures = by_identity(nets, who, chosen, t, output, progress, crowd=others)
    print_frame(frame_of(figures, ["rank_1", "own", "accuracy", *FALSE_ACCEPTS]))
    told(output / "identity.json")


def asked_for(
    sets: Sets,
    model: list[str],
    judge: str,
    partners: int,
    seed: int,
    all_people: bool,
    size: int,
    geometry: bool,
) -> tuple[dict[str, Family], JudgeOf, Data, Trials]:
    """Return the models, who judges, the people and the trials that a verb asks for."""
    from mien.evaluate.trials import random_pairs, trials

    nets, chosen = by_name(model), test_people(sets, size, all_people)
    t = random_pairs(chosen, partners, seed) if partners else trials(chosen, seed, geometry)
    return nets, appointed(judge, chosen, nets), chosen, t


def evaluate_gaze(
    data: DataDirs,
    output: Out,
    model: Models,
    judge: Annotated[
        str | None,
        typer.Option(help="Who reads gaze, as openface:FILE.csv; else eyes of the data's other people teach."),
    ] = None,
    partners: Annotated[int, typer.Option(min=1, help="Neutral faces for every example that looks aside.")] = 5,
    seed: int = 0,
    size: Size = 256,
    same_people: SamePeople = False,
) -> None:
    """Measure whether results look where the example looks: left, ahead or right.

    Example: `mien evaluate gaze --data photofaces --model eet -o out/gaze`
    """
    from mien.data.sets import training_data
    from mien.evaluate.evaluators.eye_gaze import learn_eye_gaze
    from mien.evaluate.protocols.gaze import by_gaze
    from mien.evaluate.record import frame_of
    from mien.evaluate.trials import gaze_trials

    sets = sets_of(data, same_people)
    nets, chosen = by_name(model), test_people(sets, size, False)
    t = gaze_trials(chosen, partners, seed)
    who = appointed(judge, chosen, nets) if judge else None
    if who is None or "gaze" not in who.gives:
        who = learn_eye_gaze(training_data(sets, size))
    with bar("looking") as progress:
        figures = by_gaze(nets, who, chosen, t, output, progress)
    print_frame(frame_of(figures, ["gaze", "left", "right"]))
    out.print(f"\nGaze as read by {who.name}; of a true gaze it sees what stands beside 'example copied'", markup=False)
    told(output / "gaze.json")
