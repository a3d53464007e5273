"""Verbs that train in order to measure: recognition, reading by folds, augmentation, ablation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.early import OTHERS, check_asked, check_data, check_training, check_trains
from mien.cli.evaluate.options import (
    AllPeople,
    EvaluatorName,
    by_name,
    find_and_warn,
    print_record_path,
    test_people,
    warn,
)
from mien.cli.tables import print_frame
from mien.cli.terminal import DataDirs, SamePeople, bar, known_precision, out, parse_settings, sets_of
from mien.cli.values import Accelerator, Out, PrecisionName, Seed, Seeds, finite
from mien.errors import InputError

if TYPE_CHECKING:
    from mien.data.dataset import Data
    from mien.data.sets import Sets
    from mien.evaluate.reading.seen import Share
    from mien.training.settings import Precision


def evaluate_augmentation(
    data: DataDirs,
    output: Out,
    model: Annotated[str, typer.Option(help="Weights that never saw the people marked test.")] = "expr_gan",
    count: Annotated[
        list[int] | None, typer.Option(min=0, max=1_000_000, help="Synthesised faces a class; 0 500 1000 5000 10000.")
    ] = None,
    times: Annotated[
        list[float] | None,
        typer.Option(min=0, max=1000, help="The same as multiples of the true faces (JESRL: 0 1 2 3 4 5 6)."),
    ] = None,
    people: Annotated[
        int | None, typer.Option(min=1, help="Take the true faces of the first so many people alone.")
    ] = None,
    steps: Annotated[
        int, typer.Option(min=1, max=10**9, help="Batches a recogniser begins with; doubled while that helps.")
    ] = 1500,
    doublings: Annotated[int, typer.Option(min=0, max=20, help="How often they may be doubled.")] = 3,
    real: Annotated[float, typer.Option(min=0, max=1, help="Share of true faces in each batch.")] = 0.5,
    seed: Seeds = None,
    invented: Annotated[bool, typer.Option(help="Invent people from noise; else edit the training people.")] = False,
    same_people: SamePeople = False,
) -> None:
    """Train a plain recogniser on true faces and more and more synthesised ones; test it on the people marked test.

    Example: `mien evaluate augmentation --data faces --model runs/expr_gan -o out/augmentation`
    """
    if count and times:
        raise InputError("--count and --times: expected one of the two")
    check_asked(data, [model])

    from mien.data.sets import training_data
    from mien.evaluate.protocols.augmentation import COUNTS, Schedule, by_augmentation, of_times
    from mien.evaluate.record import frame_of

    ((name, net),) = by_name([model]).items()
    sets = sets_of(data, same_people)
    known = training_data(sets, net.config.image_size)
    if people:
        known = known.select(known.manifest.subject < people)
    held_out = test_people(sets, net.config.image_size, None)
    counts = of_times(known, times) if times else count or COUNTS
    schedule = Schedule(counts, steps, seed or [0], real=real, doublings=doublings)
    with bar("augmentation") as progress:
        table, figures = by_augmentation(
            net, name, known, held_out, output, schedule, invented,
            report=lambda what, done, total: progress(done, total, what),
        )  # fmt: skip
    print_frame(table)
    out.print("")
    print_frame(frame_of(figures, ["accuracy", "gain"]))
    print_record_path(output / "augmentation.json")


def evaluate_ablation(
    model: str,
    data: DataDirs,
    output: Out,
    preset: Annotated[list[str] | None, typer.Option(help="Presets side by side; else all small ones.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Change a setting of all, as steps=500.")] = None,
    seed: Seeds = None,
    precision: PrecisionName = "auto",
    device: Accelerator = "auto",
    evaluator: EvaluatorName = "evaluator",
    test: Annotated[list[Path] | None, typer.Option(help="Folders of the test people, where not in --data.")] = None,
    start: Annotated[Path | None, typer.Option(help="A run whose weights all begin with.")] = None,
    same_people: SamePeople = False,
) -> None:
    """Train a model's ablations alike, and measure each on the data's test people. Resumes if killed.

    Example: `mien evaluate ablation jesrl --data faces -o out/ablation`
    """
    from mien.models.presets import ablations

    presets = preset or ablations(model)
    looked_at = [check_training(model, name, set_) for name in presets]
    changes, size = looked_at[0]
    check_asked([*data, *(test or ())], [str(start)] if start else [], evaluator)
    check_trains()

    from mien.data.sets import training_data
    from mien.evaluate.protocols.ablation import ablate, spread
    from mien.training.settings import Settings
    from mien.training.start import Training

    settings = Settings(0, known_precision(precision, device), device)
    training = Training(model, presets[0], changes, settings, start)
    sets = sets_of([*data, *(folder for folder in test or () if folder not in data)], same_people)
    sets.manifest()  # nobody may be trained on in one folder and tested in another
    known = training_data(replace(sets, folders=tuple(data)), size)
    held_out = test_people(replace(sets, folders=tuple(test or data)), 256, None)
    who = find_and_warn(evaluator, held_out, {})
    with bar(model) as progress:
        table = ablate(
            training, presets, known, held_out, who, output, seed or [0],
            lambda name, p: progress(p.done, p.total, f"{name} {p.faces_per_second:.0f}/s"),
        )  # fmt: skip
    print_frame(table)
    if len(set(table.seed)) > 1:
        print_frame(spread(table))


def evaluate_recognition(
    data: DataDirs,
    output: Out,
    model: str = "ter_gan",
    preset: str = "small",
    folds: Annotated[str, typer.Option(help="How many; given: those of column fold; or a folds.json.")] = "8",
    official: Annotated[bool, typer.Option(help="Take the data's own split in place of folds.")] = False,
    split: Annotated[str, typer.Option(help="people; or variants: animations unseen as well.")] = "people",
    people: Annotated[int | None, typer.Option(min=1, help="At most so many people, and no morphs.")] = None,
    word: Annotated[list[str] | None, typer.Option("--class", help="Classes; else the six basic ones.")] = None,
    least: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Intensity from which a picture counts, 0-1; neutral always does.", callback=finite
        ),
    ] = 0.5,
    start: Annotated[
        str | None,
        typer.Option(help="Weights that all nets begin with, a run or a name; others: train on people left out first."),
    ] = None,
    seed: Seeds = None,
    seeds: Annotated[int | None, typer.Option(min=1, max=1000, help="Train with so many seeds, 0, 1 …")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Shorten all stages alike: a fold's nets take so long.", callback=finite)
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Change a setting, as steps=500.")] = None,
    precision: PrecisionName = "auto",
    device: Accelerator = "auto",
    same_people: SamePeople = False,
) -> None:
    """Train and test by subject folds: a model's recogniser against the CNN baseline. Resumes if killed.

    Beside both, of a model that is pre-trained: its recogniser on the encoder as it was before the model's own stages.

    Example: `mien evaluate recognition --data faces -o out/recognition --folds 4`
    """
    from mien.labels import BASIC, CLASSES

    if wrong := set(word or ()) - set(CLASSES):
        raise InputError(f"--class {sorted(wrong)[0]}: expected one of {', '.join(CLASSES)}")
    if split not in ("people", "variants"):
        raise InputError(f"--split {split}: expected people or variants")
    if seeds is not None and (seed or seeds < 1):
        raise InputError(f"--seeds {seeds}: expected 1 or more, and no --seed beside it")
    dealt = None if official else known_folds(folds)
    changes, size = check_training(model, preset, set_, start)
    check_data(data)
    check_trains()

    from mien.evaluate.protocols.recognition import Regime
    from mien.evaluate.protocols.recognition_record import by_recognition
    from mien.evaluate.protocols.recognition_tables import difference_lines, figures_frame, fold_table, summary
    from mien.evaluate.written import write_csv
    from mien.training.settings import Settings
    from mien.training.start import Training
    from mien.weights.resolve import resolve

    joined = sets_of(data, same_people).open(size)
    begun = resolve(start) if start and start != OTHERS else None
    training = Training(model, preset, changes, Settings(0, known_precision(precision, device), device), begun)
    trained = list(range(seeds)) if seeds else seed or [0]
    regime = Regime(
        dealt, split == "variants", people, trained, word or BASIC, least, minutes,
        pretrain=start == OTHERS,
    )  # fmt: skip
    with bar(model) as progress:
        findings, figures = by_recognition(
            joined, output, training, regime,
            lambda fold, p: progress(p.done, p.total, f"fold {fold} {p.faces_per_second:.0f}/s"),
        )  # fmt: skip
    table = fold_table(findings.predictions)
    write_csv(table.round(4), output / "folds.csv", index=False)
    print_frame(table)
    print_frame(summary(table).reset_index())
    out.print("")
    print_frame(figures_frame(figures))
    if minutes:
        out.print(f"{minutes:g} minutes a fold: every stage has {findings.factor:.3g} of its steps", markup=False)
    for line in difference_lines(figures):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def evaluate_reading(
    model: Annotated[
        str,
        typer.Argument(
            help="Who reads: weights, or an evaluator as onnx:FILE.onnx; with --folds alone, a model to be trained."
        ),
    ],
    data: DataDirs,
    output: Out,
    kind: Annotated[str, typer.Option(help="Of column kind: real, rendered; or all.")] = "all",
    folds: Annotated[
        str, typer.Option(help="none; or of people not marked test: how many; given: column fold; a folds.json.")
    ] = "none",
    parts: Annotated[
        int, typer.Option(min=2, max=100, help="Folds that are given become so many, by their numbers modulo it.")
    ] = 3,
    run_of_fold: Annotated[
        list[str] | None,
        typer.Option(metavar="FOLD=RUN", help="Weights learnt without a fold; one for each, as 0=RUN."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, max=10**6, help="Pictures of each kind for the curves over poor pictures; 0: none.")
    ] = 300,
    least: Annotated[
        float, typer.Option(min=0, max=1, help="Intensity from which a class counts, 0-1.", callback=finite)
    ] = 0.5,
    preset: str = "small",
    set_: Annotated[list[str] | None, typer.Option("--set", help="Change a setting of training, as steps=500.")] = None,
    start: Annotated[str | None, typer.Option(help="Weights that the folds' trainings begin with.")] = None,
    seed: Seed = 0,
    precision: PrecisionName = "auto",
    device: Accelerator = "auto",
    all_people: AllPeople = False,
    same_people: SamePeople = False,
) -> None:
    """Measure how well faces are read: class, action units, eyes, gaze, head; probabilities; and poor pictures.

    The people marked test, and whole folders in which nobody is, are read by MODEL. With --folds all others too, each
    by a net that was trained without them: the runs given, or MODEL trained for every fold, which resumes if killed.

    Example: `mien evaluate reading fields --data faces -o out/reading`
    """
    if kind not in ("all", "real", "rendered"):
        raise InputError(f"--kind {kind}: expected real, rendered or all")
    runs = parse_settings(run_of_fold, "--run-of-fold", "FOLD=RUN, as 0=runs/without_0")
    if folds == "none" and runs:
        raise InputError("--run-of-fold: says who reads a fold; give --folds too, as --folds given")
    dealt = 0 if folds == "none" else known_folds(folds)
    if folds == "none" or runs:
        check_asked(data, list(runs.values()), model)
    else:
        check_training(model, preset, set_, start)
        check_data(data)
        check_trains()

    from mien.evaluate.protocols.reading import by_reading
    from mien.evaluate.reading.tables import group_frames, lost_frame

    sets = sets_of(data, same_people)
    if folds == "none":
        chosen, shares = _read_by(model, sets, kind, all_people)
    elif runs:
        chosen, shares = _read_by_runs(model, sets, kind, dealt, runs, output)
    else:
        settings = parse_settings(set_)
        how = (preset, settings, start, seed, known_precision(precision, device), device)
        chosen, shares = _read_by_trained(model, sets, kind, dealt, parts, output, *how)
    with bar("reading") as progress:
        found = by_reading(model, chosen, shares, output, limit, least, progress)
    for frame in (*group_frames(found.figures), lost_frame(found.robustness)):
        if len(frame):
            print_frame(frame)
            out.print("")
    drawn = [name for name in ("confusion.png", "reliability.png", "robustness.png") if (output / name).exists()]
    out.print(f"Look at {output / drawn[0]}{''.join(f', {name}' for name in drawn[1:])}", markup=False, soft_wrap=True)
    print_record_path(output / "reading.json")


def _read_by(model: str, sets: Sets, kind: str, all_people: bool) -> tuple[Data, list[Share]]:
    """Return the data, and the people that no one is trained on, read by an evaluator."""
    from mien.evaluate.evaluators.registry import find_evaluator
    from mien.evaluate.reading.folds import of_kind, unseen_rows, unseen_share

    who = find_evaluator(model)
    chosen = sets.open(who.size)
    warn(who, chosen, {})
    return chosen, [unseen_share(chosen, who, unseen_rows(sets, chosen, all_people), of_kind(chosen, kind))]


def _read_by_runs(
    model: str, sets: Sets, kind: str, folds: int | str | Path, runs: dict[str, str], folder: Path
) -> tuple[Data, list[Share]]:
    """Return the data, and every fold read by its run; those marked test, if there are any, by an evaluator."""
    from mien.evaluate.evaluators.registry import find_evaluator
    from mien.evaluate.reading.folds import folds_of, of_kind, run_shares, unseen_share

    who = find_evaluator(model)
    chosen = sets.open(who.size)
    warn(who, chosen, {})
    measured, test = of_kind(chosen, kind), chosen.manifest.test
    shares = run_shares(folds_of(chosen, folds, folder, len(runs)), runs, measured)
    return chosen, shares + [unseen_share(chosen, who, test, measured)] * bool((test & measured).any())


def _read_by_trained(
    model: str, sets: Sets, kind: str, folds: int | str | Path, parts: int, folder: Path,
    preset: str, settings: dict[str, str], start: str | None, seed: int, precision: Precision, device: str,
) -> tuple[Data, list[Share]]:  # fmt: skip
    """Return the data at the model's size, and every fold read by a model that is trained without it."""
    from mien.evaluate.reading.folds import folds_of, of_kind, trained_shares
    from mien.models.presets import preset_config, typed_changes
    from mien.training.settings import Settings
    from mien.training.start import Training
    from mien.weights.resolve import resolve

    changes = typed_changes(model, preset, settings)
    chosen = sets.open(changes.get("image_size", preset_config(model, preset).image_size))
    measured, dealt = of_kind(chosen, kind), folds_of(chosen, folds, folder, parts)
    training = Training(model, preset, changes, Settings(seed, precision, device), resolve(start) if start else None)
    with bar(model) as progress:
        shares = trained_shares(
            chosen, dealt, training, folder, measured,
            lambda fold, p: progress(p.done, p.total, f"fold {fold} {p.faces_per_second:.0f}/s"),
        )  # fmt: skip
    return chosen, shares


def known_folds(text: str) -> int | str | Path:
    """Return a number of folds, GIVEN, or a folds file. Raises InputError for anything else."""
    from mien.data.folds import GIVEN
    from mien.whole_numbers import whole_number

    if text == GIVEN:
        return text
    if (number := whole_number(text)) is not None:
        return number
    if not Path(text).is_file():
        raise InputError(f"--folds {text}: expected a number, {GIVEN} for the data's column fold, or a folds.json")
    return Path(text)
