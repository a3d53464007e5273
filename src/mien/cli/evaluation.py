"""Verbs that measure what models are like: side by side, their codes, intensities and sets of pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli.terminal import (
    DataDirs,
    Model,
    SamePeople,
    bar,
    errors,
    known_precision,
    out,
    parse_setting,
    print_frame,
    sets_of,
)
from mien.errors import InputError

AllPeople = Annotated[bool, typer.Option(help="Take everybody, not only the rows marked test.")]


Models = Annotated[list[str], typer.Option("--model", help="Weights to compare; give it again for each.")]
Judge = Annotated[
    str,
    typer.Option(
        help="Who judges: weights, onnx:FILE.onnx, mediapipe:FILE.task, openface:FILE.csv, pyfeat:FILE.csv or pyfeat."
    ),
]
Out = Annotated[Path, typer.Option("-o", "--output", help="Folder for tables.")]


def evaluate_disentanglement(
    data: DataDirs,
    output: Out,
    model: Model = "ter_gan",
    judge: Judge = "judge",
    all_people: AllPeople = False,
    same_people: SamePeople = False,
) -> None:
    """Probe both codes of the data's test people for person and expression; swap them, and see what comes with which.

    Example: `mien evaluate disentanglement --data photofaces -o out/codes`
    """
    from mien.evaluate.evaluators.registry import find_evaluator
    from mien.evaluate.protocols.disentanglement import PROBED, SEEN, by_disentanglement
    from mien.evaluate.record import frame_of

    ((name, net),) = by_name([model]).items()
    who = find_evaluator(judge)
    chosen = test_people(sets_of(data, same_people), max(net.config.image_size, who.size), all_people)
    warn(who, chosen, {name: net})
    with bar("swapping") as progress:
        table, figures = by_disentanglement(net, name, who, chosen, output, report=progress)
    print_frame(table)
    for asked in (SEEN, PROBED):
        out.print("")
        print_frame(frame_of(figures, asked))
    told(output / "disentanglement.json")


def evaluate_compare(
    data: DataDirs,
    output: Out,
    model: Models,
    judge: Judge = "judge",
    all_people: AllPeople = False,
    size: Annotated[int, typer.Option(help="Side to compare at.")] = 256,
    start: Annotated[str, typer.Option(help="What the faces show before: neutral, or other.")] = "neutral",
    same_people: SamePeople = False,
) -> None:
    """Put models side by side on the data's test people: against the truth, and by the judge.

    Example: `mien evaluate compare --data photofaces --model ter_gan --model runs/mine -o out/compare`
    """
    from mien.evaluate.protocols.comparison import compare
    from mien.evaluate.trials import STARTS

    if start not in STARTS:
        raise InputError(f"--start {start}: expected one of {', '.join(STARTS)}")
    nets, chosen = by_name(model), test_people(sets_of(data, same_people), size, all_people)
    who = appointed(judge, chosen, nets)
    with bar("comparing") as progress:
        table = compare(nets, who, chosen, output, report=progress, start=start)
    print_frame(table[[c for c in table if not c.startswith(("all_", "psnr_"))]].reset_index())
    out.print(f"\nLook at {output / 'comparison.png'}", markup=False)


def evaluate_intensity(
    data: DataDirs,
    output: Out,
    model: Models,
    judge: Judge = "judge",
    all_people: AllPeople = False,
    same_people: SamePeople = False,
) -> None:
    """Sweep edits of the test people's neutral faces from 0 to 1, and let the judge measure how far they went.

    Example: `mien evaluate intensity --data photofaces --model expr_gan -o out/intensity`
    """
    from mien.evaluate.protocols.intensity import by_intensity
    from mien.evaluate.record import frame_of

    nets = by_name(model)
    chosen = test_people(sets_of(data, same_people), max(n.config.image_size for n in nets.values()), all_people)
    tables, figures = by_intensity(nets, appointed(judge, chosen, nets), chosen, output)
    print_frame(tables.reset_index(["model", "picture"]))
    out.print("")
    print_frame(frame_of(figures, ["spearman", "gain"]))
    told(output / "intensity.json")


def evaluate_frechet(
    data: DataDirs,
    output: Out,
    model: Models,
    judge: Judge = "judge",
    all_people: AllPeople = False,
    same_people: SamePeople = False,
) -> None:
    """Give the Fréchet distance, class by class, between edited neutral faces and the same people's true pictures.

    Example: `mien evaluate frechet --data photofaces --model jesrl -o out/frechet`
    """
    from mien.evaluate.protocols.frechet import by_frechet

    nets = by_name(model)
    chosen = test_people(sets_of(data, same_people), max(n.config.image_size for n in nets.values()), all_people)
    tables = by_frechet(nets, appointed(judge, chosen, nets), chosen, output)
    print_frame(tables.reset_index("model"))
    told(output / "frechet.json")


def evaluate_retrieval(
    data: DataDirs,
    output: Out,
    model: Model = "expr_gan",
    top: Annotated[int, typer.Option(help="Nearest pictures to draw beside each query.")] = 3,
    all_people: AllPeople = False,
    same_people: SamePeople = False,
) -> None:
    """Find other people who show the same expression: by code, by class, by pixels.

    Example: `mien evaluate retrieval --data photofaces --model expr_gan -o out/retrieval`
    """
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
    told(output / "retrieval.json")


def evaluate_gallery(
    data: DataDirs,
    output: Out,
    model: Model = "ter_gan",
    all_people: AllPeople = False,
    same_people: SamePeople = False,
) -> None:
    """Draw a sheet for every use a model has, with the data's test people.

    Example: `mien evaluate gallery --data photofaces --model eet -o out/eet`
    """
    from mien.evaluate.sheets import draw_gallery
    from mien.models.io import load

    net = load(model)
    for path in draw_gallery(net, test_people(sets_of(data, same_people), net.config.image_size, all_people), output):
        out.print(path, markup=False)


def evaluate_augmentation(
    data: DataDirs,
    output: Out,
    model: Annotated[str, typer.Option(help="Weights that never saw the people marked test.")] = "expr_gan",
    count: Annotated[list[int] | None, typer.Option(help="Synthesised faces a class; 0 500 1000 5000 10000.")] = None,
    people: Annotated[int | None, typer.Option(help="Take the true faces of the first so many people alone.")] = None,
    steps: Annotated[int, typer.Option(help="Batches a recogniser is trained for.")] = 1500,
    seed: Annotated[list[int] | None, typer.Option(help="Give it again for more trainings.")] = None,
    invented: Annotated[bool, typer.Option(help="Invent people from noise; else edit the training people.")] = False,
    same_people: SamePeople = False,
) -> None:
    """Train a plain recogniser on true faces and more and more synthesised ones; test it on the people marked test.

    Example: `mien evaluate augmentation --data photofaces --model runs/expr_gan -o out/augmentation`
    """
    from mien.data.sets import training_data
    from mien.evaluate.protocols.augmentation import COUNTS, by_augmentation
    from mien.evaluate.record import frame_of

    ((name, net),) = by_name([model]).items()
    sets = sets_of(data, same_people)
    known = training_data(sets, net.config.image_size)
    if people:
        known = known.select(known.manifest.subject < people)
    held_out = test_people(sets, net.config.image_size, False)
    with bar("augmentation") as progress:
        table, figures = by_augmentation(
            net, name, known, held_out, output, count or COUNTS, steps, seed or [0], invented,
            report=lambda what, done, total: progress(done, total, what),
        )  # fmt: skip
    print_frame(table)
    out.print("")
    print_frame(frame_of(figures, ["accuracy", "gain"]))
    told(output / "augmentation.json")


def evaluate_ablation(
    model: str,
    data: DataDirs,
    output: Out,
    preset: Annotated[list[str] | None, typer.Option(help="Presets side by side; else all small ones.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Change a setting of all, as steps=500.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Give it again for more trainings.")] = None,
    precision: str = "auto",
    device: str = "auto",
    judge: Judge = "judge",
    test: Annotated[list[Path] | None, typer.Option(help="Folders of the test people, where not in --data.")] = None,
    start: Annotated[Path | None, typer.Option(help="A run whose weights all begin with.")] = None,
    same_people: SamePeople = False,
) -> None:
    """Train a model's ablations alike, and measure each on the data's test people. Resumes if killed.

    Example: `mien evaluate ablation jesrl --data photofaces -o out/ablation`
    """
    from mien.data.sets import training_data
    from mien.evaluate.protocols.ablation import ablate, ablations, spread
    from mien.models.registry import preset_config
    from mien.training.settings import Settings
    from mien.training.start import typed_changes

    presets = preset or ablations(model)
    changes = typed_changes(model, presets[0], dict(map(parse_setting, set_ or ())))
    size = changes.get("image_size", preset_config(model, presets[0]).image_size)
    settings = Settings(0, known_precision(precision, device), device)
    sets = sets_of([*data, *(test or ())], same_people)
    sets.manifest()  # nobody may be trained on in one folder and tested in another
    known = training_data(replace(sets, folders=tuple(data)), size)
    held_out = test_people(replace(sets, folders=tuple(test or data)), 256, False)
    who = appointed(judge, held_out, {})
    with bar(model) as progress:
        table = ablate(
            model, presets, known, held_out, who, output, settings, seed or [0], changes,
            lambda name, p: progress(p.done, p.total, f"{name} {p.faces_per_second:.0f}/s"), start,
        )  # fmt: skip
    print_frame(table)
    if len(set(table.seed)) > 1:
        print_frame(spread(table))


def told(path: Path) -> None:
    """Say where the record lies."""
    out.print(f"\nFigures and all that made them: {path}", markup=False, soft_wrap=True)


def appointed(judge: str, data: Any, models: dict[str, Any]) -> Any:
    """Return the judge that words name, and say so on the screen where it is no stranger to labels or models."""
    from mien.evaluate.evaluators.registry import find_evaluator

    who = find_evaluator(judge)
    warn(who, data, models)
    return who


def warn(judge: Any, data: Any, models: dict[str, Any]) -> None:
    """Say on the screen in which ways a judge is no stranger to labels or models."""
    from mien.evaluate.evaluators.independence import dependence

    for line in dependence(judge, data.manifest, models.values()):
        errors.print(f"mien: careful: {line}", markup=False)


def by_name(models: list[str]) -> dict[str, Any]:
    """Return models by their names, or by their files' where two share one."""
    from mien.models.io import load
    from mien.models.registry import name_of

    found: dict[str, Any] = {}
    for text in models:
        net = load(text)
        name = name_of(net)
        found[text if name in found else name] = net
    return found


def test_people(sets: Any, size: int, all_people: bool) -> Any:
    """Return the rows marked test, or all (`mien.data.sets.held_out`)."""
    from mien.data.sets import held_out

    return held_out(sets, size, all_people)
