"""JESRL's experiments (Zhang, Zhang & Xu 2021): seven tables, twelve figures, sizes and times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mien.evaluate.reproduction.bench import Variant
from mien.evaluate.reproduction.codes import Cost, Swaps
from mien.evaluate.reproduction.experiment import Experiment, Row, Several
from mien.evaluate.reproduction.pictures import OWN, Realism
from mien.evaluate.reproduction.recognition import SEVEN_WITH_NEUTRAL, SIX_OF_MULTI_PIE, Recognition

POSES = ("-30", "-15", "+0", "+15", "+30")
NO_INTER = Variant("no_interpolation", "no_interpolation")
ABLATIONS = {
    "No_InterL": ("no_interpolation", 0.9307), "No_ExpR": ("no_representation", 0.9274),
    "No_InterL_ExpR": ("neither", 0.9203), "No_SynFI": ("no_synthetic", 0.9072), "TwoStage": ("two_stage", 0.9144),
}  # fmt: skip
OURS = 0.9366
MOST = 6  # Sec. IV-E.2: 0N … 6N


def _with_synthetic(count: int, config: Any) -> Mapping[str, int]:
    return {"synthetic": count}


def _synthetic(count: int) -> Callable[[Any], Mapping[str, int]]:
    return partial(_with_synthetic, count)


def _by_pose(says: str, net: str, *papers: float) -> tuple[Row, ...]:
    return tuple(
        Row(f"{says} at {pose}°", f"{net}/accuracy_yaw_{pose}", paper=round(paper / 100, 4), posed=True)
        for pose, paper in zip(POSES, papers, strict=True)
    )


def _frechet(words: Mapping[str, tuple[str, float, float]]) -> tuple[Row, ...]:
    """Return a line a class with and without L_inter, and the claim; the paper's are FID, in another net's features."""
    rows = []
    for says, (word, with_it, without) in words.items():
        figure = f"frechet_{word}"
        rows += [
            Row(f"{says}, without L_inter", f"no_interpolation/{figure}", paper=without, unit=""),
            Row(f"{says}, with", f"jesrl/{figure}", paper=with_it, unit=""),
        ]
    mean = "frechet_mean"
    claim = Row("L_inter brings pictures nearer to true ones, mean of the classes", f"jesrl/{mean}",
                f"no_interpolation/{mean}", unit="", below=0.0)  # fmt: skip
    return (*rows, claim)


def _parts(model: Any) -> Mapping[str, int]:
    """Return the parameters that Sec. IV-B counts; ours have eight classes, which adds to codes and last layer."""
    counted = {"classifier": (model.classifier,), "gan": (model.encoder, model.decoder, model.discriminators)}
    return {part: sum(p.numel() for net in nets for p in net.parameters()) for part, nets in counted.items()}


MULTI_PIE = Recognition(5, SIX_OF_MULTI_PIE)
RAF_DB = Recognition(None, SEVEN_WITH_NEUTRAL)
MMI_7 = Recognition(5, SEVEN_WITH_NEUTRAL)

EXPERIMENTS = (
    Experiment("table", "1", "the architecture; its parameters stand under Text, cost"),
    Experiment(
        "table", "2", "recognition by pose, six expressions, 5 folds of people", "multi-pie",
        MULTI_PIE,
        (
            *_by_pose("VGG19", "baseline", 89.93, 90.91, 89.58, 91.47, 91.75),
            Row("VGG19, all", "baseline/accuracy", paper=0.9072),
            *_by_pose("JESRL", "jesrl", 93.83, 95.13, 93.16, 92.78, 93.39),
            Row("JESRL, all", "jesrl/accuracy", paper=OURS),
            Row("JESRL names more than VGG19", "jesrl/accuracy", "baseline/accuracy", 0.0294, above=0.0),
        ),
        not_built=("kNN", "LDA", "LPP", "GMLPP", "MvDA", "DS-GPLVM", "CG-FER", "PhaNet"),
    ),
    Experiment(
        "table", "3", "recognition of six and of seven expressions, 5 folds of people", "mmi",
        Several({"six": Recognition(5), "seven": MMI_7}),
        (
            Row("VGG19 (ours; not in the paper), six", "six/baseline/accuracy"),
            Row("JESRL, six", "six/jesrl/accuracy", paper=0.7923),
            Row("JESRL, seven", "seven/jesrl/accuracy", paper=0.7644),
            Row("JESRL names more than VGG19 alone, of six", "six/jesrl/accuracy", "six/baseline/accuracy", above=0.0),
        ),
        not_built=("LBP-TOP", "HOG-3D", "F-Bases", "STM-ExpLet", "DeRL", "IACNN", "APM-VGG", "IF-GAN"),
    ),
    Experiment(
        "table", "4", "recognition of seven expressions in the wild, the official split", "raf-db",
        RAF_DB,
        (
            Row("VGG", "baseline/accuracy", paper=0.5822),
            Row("JESRL", "jesrl/accuracy", paper=0.8901),
            Row("JESRL names more than VGG", "jesrl/accuracy", "baseline/accuracy", 0.3079, above=0.0),
        ),
        needs=("split",), alone=True,
        not_built=("AlexNet", "baseDCNN", "DLP-CNN", "PAT-CNN", "APM-VGG", "ACNN", "CP-CNN"),
    ),
    Experiment(
        "table", "5", "Fréchet distance with and without L_inter; the paper's is FID, in Inception's features",
        "multi-pie",
        Realism((OWN, NO_INTER)),
        _frechet({
            "disgust": ("disgust", 58.23, 61.19), "scream (here fear)": ("fear", 99.38, 106.16),
            "smile": ("happiness", 35.15, 35.59), "squint (here anger)": ("anger", 52.48, 53.34),
            "surprise": ("surprise", 86.16, 93.49),
        }),
    ),
    Experiment(
        "table", "6", "Fréchet distance with and without L_inter in the wild", "raf-db",
        Realism((OWN, NO_INTER)),
        _frechet({
            "surprise": ("surprise", 76.30, 77.14), "fear": ("fear", 183.90, 194.04),
            "disgust": ("disgust", 77.93, 85.52), "happiness": ("happiness", 40.28, 49.88),
            "sadness": ("sadness", 62.95, 67.60), "anger": ("anger", 88.13, 104.41),
        }),
        alone=True,
    ),
    Experiment(
        "table", "7", "parts left out, 5 folds of people", "multi-pie",
        Recognition(5, SIX_OF_MULTI_PIE, tuple(Variant(preset, preset) for preset, _ in ABLATIONS.values())),
        (
            *(Row(says, f"{preset}/accuracy", paper=paper) for says, (preset, paper) in ABLATIONS.items()),
            Row("JESRL", "jesrl/accuracy", paper=OURS),
            *(
                Row(f"JESRL is above {says}", "jesrl/accuracy", f"{preset}/accuracy", round(OURS - paper, 4), above=0.0)
                for says, (preset, paper) in ABLATIONS.items()
            ),
        ),
        not_built=("TwoStage_res50", "GGPI_TwoStage", "StarGAN2_TwoStage"),
    ),
    Experiment("figure", "1", "what JESRL does, by an example"),
    Experiment("figure", "2", "the architecture"),
    Experiment("figure", "3", "the switch unit"),
    Experiment("figure", "4", "GAN architectures side by side"),
    Experiment(
        "figure", "5", "confusion on Multi-PIE", "multi-pie",
        MULTI_PIE,
        (
            Row("disgust named", "jesrl/accuracy_disgust"),
            Row("scream (here fear) named", "jesrl/accuracy_fear"),
            Row("disgust is harder than all together", "jesrl/accuracy_disgust", "jesrl/accuracy", below=0.0),
            Row("scream is easier than all together", "jesrl/accuracy_fear", "jesrl/accuracy", above=0.0),
        ),
    ),
    Experiment(
        "figure", "6", "confusion on MMI, seven expressions", "mmi",
        MMI_7,
        (
            Row("surprise named", "jesrl/accuracy_surprise", paper=1.0),
            Row("fear is harder than all together", "jesrl/accuracy_fear", "jesrl/accuracy", below=0.0),
            Row("surprise is easier than all together", "jesrl/accuracy_surprise", "jesrl/accuracy", above=0.0),
        ),
    ),
    Experiment(
        "figure", "7", "confusion on RAF-DB", "raf-db",
        RAF_DB,
        (
            Row("disgust is harder than all together", "jesrl/accuracy_disgust", "jesrl/accuracy", below=0.0),
            Row("fear is harder than all together", "jesrl/accuracy_fear", "jesrl/accuracy", below=0.0),
            Row("happiness is easier than all together", "jesrl/accuracy_happiness", "jesrl/accuracy", above=0.0),
        ),
        needs=("split",), alone=True,
    ),
    Experiment(
        "figure", "8", "transfers between two people", "multi-pie",
        Swaps(),
        (
            Row("the other's class is named", "generated/expression"),
            Row("the expression is transferred: the other's class rather than the own", "generated/expression",
                "generated/expression_kept", above=0.0),
            Row("subject-related information is preserved: nearest is the face, not the example", "generated/rank_1",
                "generated/rank_1_example", above=0.0),
        ),
    ),
    Experiment("figure", "9", "transfers in the wild, to look at", "raf-db", alone=True),
    Experiment(
        "figure", "10", "transfers in the wild with large poses and occlusions, to look at", "raf-db", alone=True
    ),
    Experiment("figure", "11", "pictures with and without L_inter, to look at; measured in Tables 5 and 6"),
    Experiment(
        "figure", "12", "accuracy with 0N to 6N synthesised images, 5 folds of people; the paper gives a curve",
        "multi-pie",
        Recognition(5, SIX_OF_MULTI_PIE, tuple(Variant(f"{n}N", changes=_synthetic(n)) for n in range(MOST + 1))),
        (
            *(Row(f"{n}N", f"{n}N/accuracy") for n in range(MOST + 1)),
            Row("1N improves on 0N", "1N/accuracy", "0N/accuracy", above=0.0),
            Row("6N improves on 0N", "6N/accuracy", "0N/accuracy", above=0.0),
            Row("6N improves on 1N", "6N/accuracy", "1N/accuracy", above=0.0),
        ),
    ),
    Experiment(
        "text", "cost", "parameters of preset paper, and time on this machine; the paper's is a Titan Xp's, 256 pixels",
        "",
        Cost(_parts),
        (
            Row("classifier, million parameters", "classifier", paper=140.1, unit=""),
            Row("GAN, million parameters (ours of eight classes)", "gan", paper=14.0, unit=""),
            Row("synthesis, ms an image, with the chosen preset", "ms", paper=12.98, unit=""),
        ),
    ),
)  # fmt: skip
