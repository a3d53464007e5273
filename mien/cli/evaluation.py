"""Verbs that measure: evaluate transfer, disentangle, recognition."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli.terminal import DataDirs, Model, bar, known_precision, out, parse_setting, print_frame
from mien.errors import InputError

AllPeople = Annotated[bool, typer.Option(help="Take everybody, not only the rows marked test.")]


def evaluate_transfer(
    data: Annotated[Path, typer.Option(help="Folder with metadata.csv and geometry.npz.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables.")],
    model: Model = "ter_gan",
    all_people: AllPeople = False,
    size: Annotated[int, typer.Option(help="Side to compare at.")] = 256,
) -> None:
    """Compare transfers with the true pictures of the data's test people, beside two trivial answers.

    Example: `mien evaluate transfer --data photofaces -o out/transfer`
    """
    from mien.evaluate.transfer import transfer_errors, transfer_table, write_transfer
    from mien.weights import load

    net = load(model)
    errors_ = transfer_errors(net, test_people([data], size, all_people))
    write_transfer(errors_, output)
    for name, least in (("all intensities", 0.0), ("intensity 0.75 and 1", 0.75)):
        out.print(f"\n{name}")
        print_frame(transfer_table(errors_, least).reset_index())


def evaluate_disentangle(
    data: DataDirs,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables.")],
    model: Model = "ter_gan",
    all_people: AllPeople = False,
) -> None:
    """Probe both codes of the data's test people for person and for expression, and draw t-SNE.

    Example: `mien evaluate disentangle --data photofaces -o out/codes`
    """
    from mien.evaluate.disentangle import codes, draw_tsne, probes
    from mien.models import Embeds, able
    from mien.weights import load

    net = load(model)
    chosen = test_people(data, net.config.image_size, all_people)
    found = codes(able(net, Embeds), chosen)
    table = probes(found, chosen)
    draw_tsne(found, chosen, output / "tsne.png")
    table.round(4).to_csv(output / "probes.csv", index=False)
    print_frame(table)


def evaluate_recognition(
    data: DataDirs,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables.")],
    model: str = "ter_gan",
    preset: str = "small",
    folds: int = 8,
    seed: int = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Change a setting, as steps=500.")] = None,
    precision: str = "auto",
    device: str = "auto",
) -> None:
    """Train and test by subject folds: the detached expression encoder against the CNN baseline. Resumes if killed.

    Example: `mien evaluate recognition --data photofaces -o out/recognition --folds 8`
    """
    from mien.data.cache import concat, open_data
    from mien.evaluate.recognition import by_folds, summary
    from mien.models import preset_config
    from mien.run import typed_changes
    from mien.train import Settings

    changes = typed_changes(model, preset, dict(map(parse_setting, set_ or ())))
    size = changes.get("image_size", preset_config(model, preset).image_size)
    joined = concat([open_data(folder, size) for folder in data])
    with bar("fold 1") as progress:
        table = by_folds(
            joined,
            output,
            model,
            preset,
            folds,
            seed,
            Settings(seed, known_precision(precision, device), device),
            changes,
            report=lambda fold, p: progress(fold * p.total + p.done, folds * p.total),
        )
    print_frame(table)
    print_frame(summary(table).reset_index())


def test_people(folders: list[Path], size: int, all_people: bool) -> Any:
    """Return the rows marked test, or all. Raises InputError where none is marked."""
    from mien.data.cache import concat, open_data

    data = concat([open_data(folder, size) for folder in folders])
    if all_people:
        return data
    if not data.manifest.test.any():
        raise InputError(
            f"{', '.join(map(str, folders))}: no row is marked test=1; mark the people never trained on, "
            "or take everybody with --all-people"
        )
    return data.select(data.manifest.test)
