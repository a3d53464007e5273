"""REL-GAN's experiments (Ali & Hughes 2020): four tables, three figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mien.evaluate.reproduction.codes import Swaps
from mien.evaluate.reproduction.experiment import Experiment, Row
from mien.evaluate.reproduction.recognition import SEVEN_WITH_CONTEMPT, SEVEN_WITH_NEUTRAL, Recognition

EPOCHS, MLP_EPOCHS = 300, 50  # Sec. 4.1


def epochs_of(config: Any, images: int) -> Mapping[str, int]:
    """Return the lengths that 300 and 50 epochs of so many pictures have; preset `paper` has those of BU-4DFE."""
    half = max(1, round(EPOCHS * images / config.batch_size / 2))
    mlp = max(1, round(MLP_EPOCHS * images / config.batch_size))
    return {"steps": half, "late_steps": half, "recognition_steps": mlp}


def _rows(paper: float, baseline: float) -> tuple[Row, ...]:
    return (
        Row("CNN (baseline)", "baseline/accuracy", paper=baseline),
        Row("G_es after stage 1 (ours; not in the paper)", "stage_1/accuracy"),
        Row("REL-GAN", "rel_gan/accuracy", paper=paper),
        Row("the GAN's encoder names more than the CNN", "rel_gan/accuracy", "baseline/accuracy",
            round(paper - baseline, 4), above=0.0),
        Row("and more than before the game", "rel_gan/accuracy", "stage_1/accuracy", above=0.0),
        Row("person named from f(e) of the CNN (ours)", "baseline/leak"),
        Row("person named from f(e) of REL-GAN (ours)", "rel_gan/leak"),
    )  # fmt: skip


EXPERIMENTS = (
    Experiment(
        "table", "1", "recognition of seven expressions, 10 folds of people", "ck+",
        Recognition(10, SEVEN_WITH_CONTEMPT, lengths=epochs_of),
        _rows(0.9741, 0.9034),
        not_built=("HOG 3D", "3DCNN", "STM-Explet", "IACNN", "DTAGN", "DeRL"),
    ),
    Experiment(
        "table", "2", "recognition of six expressions, 10 folds of people", "oulu-casia",
        Recognition(10, lengths=epochs_of),
        _rows(0.8893, 0.7314),
        not_built=("HOG 3D", "STM-Explet", "PPDN", "DTAGN", "DeRL"),
    ),
    Experiment(
        "table", "3", "recognition of six expressions at the two highest intensities, 10 folds of people", "bu-3dfe",
        Recognition(10, lengths=epochs_of),
        _rows(0.8346, 0.7274),
        not_built=("Wang et al.", "Berretti et al.", "Lopes", "DeRL"),
    ),
    Experiment(
        "table", "4", "recognition of seven expressions in the wild, the validation set; nobody has two pictures, so "
        "the reenactment is learnt elsewhere: --start RUN --set steps=0 --set late_steps=0", "sfew",
        Recognition(None, SEVEN_WITH_NEUTRAL),
        _rows(0.4582, 0.2975),
        needs=("split",), alone=True,
        not_built=("AUDN", "STM-Explet", "Dhall et al.", "Mapped LBP", "FN2EN"),
    ),
    Experiment("figure", "1", "what REL-GAN does, by an example; measured in Figure 3"),
    Experiment("figure", "2", "the architecture"),
    Experiment(
        "figure", "3", "reenactment: the source's expression on the target", "",
        Swaps(),
        (
            Row("the source's class is named", "generated/expression"),
            Row("the expression is transferred: the source's class rather than the target's own",
                "generated/expression", "generated/expression_kept", above=0.0),
            Row("f(e) is free of the person: person named from it (chance: one in the people tested)",
                "true pictures/person_from_expression"),
            Row("f(e) tells the expression better than f(i)", "true pictures/expression_from_expression",
                "true pictures/expression_from_identity", above=0.0),
            Row("f(e) tells the person less than f(i)", "true pictures/person_from_expression",
                "true pictures/person_from_identity", below=0.0),
        ),
    ),
)  # fmt: skip
