"""Verbs on data sets: check, import, shards, unpack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.output import check_outputs
from mien.cli.terminal import SamePeople, bar, out, sets_of
from mien.cli.values import folder_name
from mien.errors import InputError
from mien.files import check_place


def data_check(
    folder: Annotated[list[Path], typer.Argument(help="A data set; give several to look at them joined.")],
    picture: Annotated[Path | None, typer.Option(help="Draw the balance of classes and people here, as PNG.")] = None,
    same_people: SamePeople = False,
) -> None:
    """Say what a data set holds and who leaks into which split; find copies across sides; list all that is wrong.

    Example: `mien data check faces --picture balance.png`
    """
    from mien.data.checks.balance import balance_lines, draw_balance
    from mien.data.checks.duplicates import describe_copies, duplicates
    from mien.data.checks.report import describe
    from mien.data.manifest import check_manifest, problems_error

    if picture:
        if picture.suffix.lower() != ".png":
            raise InputError(f"{picture}: expected a name ending in .png")
        check_place(picture)
    for one in folder:
        if problems := check_manifest(one):
            raise problems_error(one, problems)
    manifest = sets_of(folder, same_people).manifest()
    if picture and picture.exists():
        check_outputs({f"row {k} of the data": manifest.path(k) for k in range(len(manifest))}, {"--picture": picture})
    for name, value in describe(manifest).items():
        out.print(f"{name:>28}  {value}", markup=False)
    out.print("", *balance_lines(manifest), sep="\n", markup=False, highlight=False, soft_wrap=True)
    if picture:
        draw_balance(manifest, picture)
        out.print(f"\nLook at {picture}", markup=False)
    with bar("checking") as tell:
        found = duplicates(manifest, tell)
    lines = describe_copies(manifest, found) or ["none"]
    title = f"\ncopies across sides, {len(found)} pairs (at 64 pixels):"
    out.print(title, *(f"  {line}" for line in lines), sep="\n", markup=False, highlight=False, soft_wrap=True)


def data_import(
    corpus: str,
    root: Annotated[Path, typer.Argument(help="The corpus' folder, as it was unpacked.")],
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Where to write the data set.", callback=folder_name)],
    size: Annotated[int, typer.Option(help="Pixels of a face's side.")] = 128,
    align: Annotated[
        str, typer.Option(help="always: eyes to the template; never: as they are; auto: as the corpus needs it.")
    ] = "auto",
    all_frames: Annotated[bool, typer.Option(help="Every labelled picture, not the protocol's choice.")] = False,
    neutral: Annotated[bool, typer.Option(help="The neutral first frames of clips too.")] = True,
    strangers: Annotated[
        bool, typer.Option(help="Where people are not named, take every picture for a person of its own.")
    ] = True,
    subject: Annotated[str, typer.Option(help="folder, csv: pattern whose group is the person, as '(S[0-9]+)_'.")] = "",
    every: Annotated[int, typer.Option(help="disfa, csv: one frame in so many.")] = 1,
    light: Annotated[int, typer.Option(help="multi-pie: number of the flash.")] = 7,
    stand_ins: Annotated[bool, typer.Option(help="multi-pie: scream as fear, squint as anger.")] = False,
    aus: Annotated[
        Path | None,
        typer.Option(help="OpenFace's or py-feat's table of these pictures, or a folder: AUs beside the own labels."),
    ] = None,
) -> None:
    """Make a data set of aligned faces from a corpus you have. Killed, the same command goes on where it stopped.

    CORPUS is one of ck+, ck48, oulu-casia, mmi, bu-3dfe, bu-4dfe, multi-pie, rafd, cfd, disfa, raf-db, sfew, jaffe,
    fer2013, affectnet, folder (pictures by class) and csv (pictures with OpenFace or py-feat tables). Which pictures
    are taken follows the papers; docs/importing.md tells for each. Nothing is downloaded.

    Example: `mien data import ck+ CK+ faces --size 128`
    """
    from mien.data.importers.support.sample import Options
    from mien.data.importing import gather

    options = Options(
        all_frames=all_frames,
        neutral=neutral,
        strangers=strangers,
        subject=subject,
        every=every,
        light=light,
        stand_ins=stand_ins,
        aus=str(aus or ""),
    )
    with bar("importing") as tell:
        summary = gather(corpus, root, folder, size, align, options, tell)
    for line in (*summary.lines(), f"{folder}: labels in metadata.csv"):
        out.print(line, markup=False, soft_wrap=True)


def data_shards(
    folder: Annotated[Path, typer.Argument(help="A data set.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The folder to write shards into.")],
    images: Annotated[int, typer.Option(min=1, help="Pictures of a shard, about.")] = 4096,
    seed: Annotated[int, typer.Option(min=0, help="Of the order of the people.")] = 0,
) -> None:
    """Write a data set as WebDataset shards, from which `mien train --data DIR` streams.

    Example: `mien data shards faces -o shards`
    """
    from mien.data.shards import write_shards

    with bar("sharding") as tell:
        count = write_shards(folder, output, images, seed, tell)
    out.print(f"{output}: {count} shard{'s' * (count > 1)}", markup=False, soft_wrap=True)


def data_unpack(
    folder: Annotated[Path, typer.Argument(help="A folder of WebDataset shards, .tar.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The folder for the data set.")],
) -> None:
    """Write WebDataset shards as a data set: pictures, and metadata.csv of what each's .json says.

    Example: `mien data unpack shards -o faces`
    """
    from mien.data.shards import unpack

    with bar("unpacking") as tell:
        count = unpack(folder, output, tell)
    out.print(f"{output}: {count} images, labels in metadata.csv", markup=False, soft_wrap=True)
