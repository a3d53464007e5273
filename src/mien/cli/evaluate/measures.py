"""Verbs that measure what models are like: side by side, their codes, intensities and sets of pictures."""

from __future__ import annotations

from typing import Annotated

import typer

from mien.cli.early import check_asked
from mien.cli.evaluate.options import (
    AllPeople,
    BothWays,
    EvaluatorName,
    Models,
    Partners,
    Size,
    asked_for,
    by_name,
    check_pairs,
    find_and_warn,
    print_record_path,
    test_people,
    warn,
)
from mien.cli.tables import print_frame
from mien.cli.terminal import DataDirs, Model, SamePeople, bar, out, sets_of
from mien.cli.values import Out, Seed
from mien.errors import InputError


def evaluate_disentanglement(
    data: DataDirs,
    output: Out,
    model: Model = "ter_gan",
    evaluator: EvaluatorName = "evaluator",
    all_people: AllPeople = False,
    same_people: SamePeople = False,
) -> None:
    """Probe both codes of the data's test people for person and expression; swap them, and see what comes with which.

    Example: `mien evaluate disentanglement --data faces -o out/codes`
    """
    check_asked(data, [model], evaluator)

    from mien.evaluate.evaluators.registry import find_evaluator
    from mien.evaluate.protocols.disentanglement import PROBED, SEEN, by_disentanglement
    from mien.evaluate.record import frame_of

    ((name, net),) = by_name([model]).items()
    who = find_evaluator(evaluator)
    chosen = test_people(sets_of(data, same_people), max(net.config.image_size, who.size), all_people)
    warn(who, chosen, {name: net})
    with bar("swapping") as progress:
        table, figures = by_disentanglement(net, name, who, chosen, output, tell=progress)
    print_frame(table)
    for asked in (SEEN, PROBED):
        out.print("")
        print_frame(frame_of(figures, asked))
    print_record_path(output / "disentanglement.json")


def evaluate_compare(
    data: DataDirs,
    output: Out,
    model: Models,
    evaluator: EvaluatorName = "evaluator",
    all_people: AllPeople = False,
    size: Size = 256,
    start: Annotated[str, typer.Option(help="What the faces show before: neutral, or other.")] = "neutral",
    same_people: SamePeople = False,
) -> None:
    """Put models side by side on the data's test people: against the truth, and by the evaluator.

    Example: `mien evaluate compare --data faces --model ter_gan --model runs/mine -o out/compare`
    """
    from mien.data.neutral import STARTS

    if start not in STARTS:
        raise InputError(f"--start {start}: expected one of {', '.join(STARTS)}")
    check_asked(data, model, evaluator)

    from mien.evaluate.protocols.comparison import compare

    nets, chosen = by_name(model), test_people(sets_of(data, same_people), size, all_people)
    who = find_and_warn(evaluator, chosen, nets)
    with bar("comparing") as progress:
        table = compare(nets, who, chosen, output, tell=progress, start=start)
    shown = ["l1_face", "ssim_face", "icc", "slope", "change_r", "expression", "rank_1"]
    print_frame(table[[c for c in shown if c in table]].reset_index())
    out.print(f"\nAll columns: {output / 'comparison.csv'}", markup=False)
    out.print(f"Look at {output / 'comparison.png'}", markup=False)


def evaluate_intensity(
    data: DataDirs,
    output: Out,
    model: Models,
    evaluator: EvaluatorName = "evaluator",
    all_people: AllPeople = False,
    same_people: SamePeople = False,
) -> None:
    """Sweep edits of the test people's neutral faces from 0 to 1, and let the evaluator measure how far they went.

    Example: `mien evaluate intensity --data faces --model expr_gan -o out/intensity`
    """
    check_asked(data, model, evaluator)

    from mien.evaluate.protocols.intensity import by_intensity
    from mien.evaluate.record import frame_of

    nets = by_name(model)
    chosen = test_people(sets_of(data, same_people), max(n.config.image_size for n in nets.values()), all_people)
    tables, figures = by_intensity(nets, find_and_warn(evaluator, chosen, nets), chosen, output)
    print_frame(tables.reset_index(["model", "answer"]))
    out.print("")
    print_frame(frame_of(figures, ["spearman", "gain"]))
    print_record_path(output / "intensity.json")


def evaluate_frechet(
    data: DataDirs,
    output: Out,
    model: Models,
    evaluator: EvaluatorName = "evaluator",
    all_people: AllPeople = False,
    same_people: SamePeople = False,
) -> None:
    """Give the Fréchet distance, class by class, between edited neutral faces and the same people's true pictures.

    Example: `mien evaluate frechet --data faces --model jesrl -o out/frechet`
    """
    check_asked(data, model, evaluator)

    from mien.evaluate.protocols.frechet import by_frechet

    nets = by_name(model)
    chosen = test_people(sets_of(data, same_people), max(n.config.image_size for n in nets.values()), all_people)
    tables = by_frechet(nets, find_and_warn(evaluator, chosen, nets), chosen, output)
    print_frame(tables.reset_index("model"))
    print_record_path(output / "frechet.json")


def evaluate_retrieval(
    data: DataDirs,
    output: Out,
    model: Model = "expr_gan",
    top: Annotated[int, typer.Option(min=1, max=100, help="Nearest pictures to draw beside each query.")] = 3,
    all_people: AllPeople = False,
    same_people: SamePeople = False,
) -> None:
    """Find other people who show the same expression: by code, by class, by pixels.

    Example: `mien evaluate retrieval --data faces --model expr_gan -o out/retrieval`
    """
    check_asked(data, [model])

    from mien.evaluate.protocols.retrieval import by_retrieval
    from mien.evaluate.record import frame_of

    ((name, net),) = by_name([model]).items()
    table, figures = by_retrieval(
        net, name, test_people(sets_of(data, same_people), net.config.image_size, all_people), output, top=top
    )
    print_frame(table.reset_index())
    out.print("")
    print_frame(frame_of(figures, ["mAP", "precision@1", "style@1"]))
    out.print(f"\nLook at {output / 'retrieval.png'}", markup=False)
    print_record_path(output / "retrieval.json")


def evaluate_gallery(
    data: DataDirs,
    output: Out,
    model: Model = "ter_gan",
    all_people: AllPeople = False,
    same_people: SamePeople = False,
) -> None:
    """Draw a sheet for every use a model has, with the data's test people.

    Example: `mien evaluate gallery --data faces --model eet -o out/eet`
    """
    check_asked(data, [model])

    from mien.evaluate.sheets import draw_gallery
    from mien.models.io import load

    net = load(model)
    for path in draw_gallery(net, test_people(sets_of(data, same_people), net.config.image_size, all_people), output):
        out.print(path, markup=False)


def evaluate_transfer(
    data: DataDirs,
    output: Out,
    model: Models,
    evaluator: EvaluatorName = "evaluator",
    partners: Partners = 0,
    both_ways: BothWays = False,
    seed: Seed = 0,
    all_people: AllPeople = False,
    size: Size = 256,
    same_people: SamePeople = False,
) -> None:
    """Measure whether the expression arrives: action units and class by the evaluator, distance to the true picture.

    Example: `mien evaluate transfer --data faces --model ter_gan -o out/transfer`
    """
    check_pairs(partners, both_ways)
    check_asked(data, model, evaluator)

    from mien.evaluate.protocols.transfer import by_transfer
    from mien.evaluate.record import frame_of

    sets = sets_of(data, same_people)
    nets, who, chosen, t = asked_for(sets, model, evaluator, partners, seed, all_people, size, True, both_ways)
    with bar("transferring") as progress:
        figures = by_transfer(nets, who, chosen, t, output, progress)
    print_frame(frame_of(figures, ["icc", "au_mse", "expression", "l1_face", "psnr_face", "ssim_face"]))
    print_record_path(output / "transfer.json")


def evaluate_identity(
    data: DataDirs,
    output: Out,
    model: Models,
    evaluator: EvaluatorName = "evaluator",
    partners: Partners = 0,
    both_ways: BothWays = False,
    seed: Seed = 0,
    all_people: AllPeople = False,
    crowd: Annotated[
        bool, typer.Option("--crowd", help="Let the data's other people stand in the gallery too.")
    ] = False,
    size: Size = 256,
    same_people: SamePeople = False,
) -> None:
    """Measure whether it is still the same person: rank-1, verification, true accepts at 1 % and 0.1 % false ones.

    Example: `mien evaluate identity --data faces --model ter_gan -o out/identity`
    """
    check_pairs(partners, both_ways)
    check_asked(data, model, evaluator)

    from mien.data.sets import training_data
    from mien.evaluate.protocols.identity import FALSE_ACCEPTS, by_identity
    from mien.evaluate.record import frame_of

    sets = sets_of(data, same_people)
    nets, who, chosen, t = asked_for(sets, model, evaluator, partners, seed, all_people, size, False, both_ways)
    others = training_data(sets, size) if crowd else None
    with bar("comparing people") as progress:
        figures = by_identity(nets, who, chosen, t, output, progress, crowd=others)
    print_frame(frame_of(figures, ["rank_1", "own", "accuracy", *FALSE_ACCEPTS]))
    print_record_path(output / "identity.json")


def evaluate_gaze(
    data: DataDirs,
    output: Out,
    model: Models,
    evaluator: Annotated[
        str | None,
        typer.Option(
            "--evaluator",
            "--judge",
            help="Who reads gaze, as openface:FILE.csv; else eyes of the data's other people teach.",
        ),
    ] = None,
    partners: Annotated[
        int, typer.Option(min=1, max=1000, help="Neutral faces for every example that looks aside.")
    ] = 5,
    seed: Seed = 0,
    size: Size = 256,
    all_people: AllPeople = False,
    same_people: SamePeople = False,
) -> None:
    """Measure whether results look where the example looks: left, ahead or right.

    Example: `mien evaluate gaze --data faces --model eet -o out/gaze`
    """
    check_asked(data, model, evaluator)

    from mien.data.sets import training_data
    from mien.evaluate.evaluators.eye_gaze import learn_eye_gaze
    from mien.evaluate.protocols.gaze import by_gaze
    from mien.evaluate.record import frame_of
    from mien.evaluate.trials import gaze_trials

    sets = sets_of(data, same_people)
    nets, chosen = by_name(model), test_people(sets, size, all_people)
    t = gaze_trials(chosen, partners, seed)
    who = find_and_warn(evaluator, chosen, nets) if evaluator else None
    if who is None or "gaze" not in who.measures:
        if all_people:
            raise InputError(
                "--all-people: give an --evaluator that reads gaze; else eyes are learnt from other people"
            )
        who = learn_eye_gaze(training_data(sets, size))
    with bar("looking") as progress:
        figures = by_gaze(nets, who, chosen, t, output, progress)
    print_frame(frame_of(figures, ["gaze", "left", "right"]))
    out.print(f"\nGaze as read by {who.name}; of a true gaze it sees what stands beside 'example copied'", markup=False)
    print_record_path(output / "gaze.json")
