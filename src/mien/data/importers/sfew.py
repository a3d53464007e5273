"""SFEW 2.0: stills from films, seven classes, the official split of the EmotiW challenge (Dhall et al. 2015).

    ROOT/Train/Train_Aligned_Faces/Angry/Airheads_000519240_00000005.png     Train_Aligned_Faces/Angry/… is found too
    ROOT/Val/Val_Aligned_Faces/Angry/…
    ROOT/Test/Test_Aligned_Faces/…                                           without labels: not imported

Protocol of REL-GAN 4.2: trained on Train, tested on Val, since the labels of Test were held back (958, 436 and 372
images); so `test` marks Val. The aligned faces are taken as they are, their middle square. People are not named: every
picture is a person of its own unless `--no-strangers`; the film is the `sequence`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mien.data.importers.support.corpus_folder import folders, pictures, wrong_layout
from mien.data.importers.support.sample import Importer, Options, Sample, Skip, stranger
from mien.labels import expression_word

EXPECTS = "the SFEW folder that holds Train/Train_Aligned_Faces/Angry and Val/Val_Aligned_Faces/Angry"
SPLIT = re.compile(r"(train|val|test)", re.IGNORECASE)


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield the labelled stills."""
    splits = [(folder, m.group().lower()) for folder in folders(root) if (m := SPLIT.match(folder.name))]
    if not any(_classes(folder) for folder, split in splits if split in ("train", "val")):
        raise wrong_layout(root, "Train/Train_Aligned_Faces/Angry", EXPECTS)
    for folder, split in splits:
        labelled = _classes(folder)
        known = {path for here, _ in labelled for path in pictures(here)}
        for path in pictures(folder, below=True):
            if path not in known:
                yield Skip(str(path), "no label")
        for here, word in labelled:
            for path in pictures(here):
                labels: dict[str, str | int | float] = {"expression": word, "split": split, "test": int(split == "val")}
                labels["sequence"] = path.stem.rsplit("_", 2)[0]
                name = f"{split}/{here.name}/{path.stem}"
                yield Sample(name, path, stranger(labels, f"{split}_{path.stem}", options))


def _classes(folder: Path) -> list[tuple[Path, str]]:
    """Return the class folders of a split, directly in it or one folder below; aligned faces before whole stills."""
    inner = sorted(folders(folder), key=lambda f: "align" not in f.name.lower())
    for base in (folder, *inner):
        if found := [(here, word) for here in folders(base) if (word := expression_word(here.name))]:
            return found
    return []


IMPORTER = Importer(
    "SFEW 2.0, aligned faces",
    samples,
    EXPECTS,
    "EmotiW challenge (agreement, research only)",
    aligned=True,
    options=("strangers",),
)
