"""ExprGAN's experiments (Ding, Sricharan & Chellappa 2018): one table, seven figures, and what the text claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mien.evaluate.reproduction.bench import Variant
from mien.evaluate.reproduction.codes import Codes, Retrieval, Swaps
from mien.evaluate.reproduction.experiment import Experiment, Row
from mien.evaluate.reproduction.pictures import OWN, ClassEdits, Invented, Ladder
from mien.evaluate.reproduction.recognition import Augmentation


def joint(config: Any) -> Mapping[str, int]:
    """Return the lengths by which all nets learn together from the first step on, for as many steps in all."""
    stages = ("controller_steps", "reconstruction_steps", "refining_steps")
    return {**dict.fromkeys(stages, 0), "refining_steps": sum(getattr(config, name) for name in stages)}


EXPERIMENTS = (
    Experiment(
        "table", "1", "a CNN with 0 to 10K synthesised faces a class of new people, one split by people; the paper's "
        "header is garbled, the numbers a class are the text's", "oulu-casia",
        Augmentation(),
        (
            Row("none", "0/accuracy", paper=0.7778),
            Row("0.5K a class", "500/accuracy", paper=0.7847),
            Row("1K a class", "1000/accuracy", paper=0.8194),
            Row("5K a class", "5000/accuracy", paper=0.8472),
            Row("10K a class", "10000/accuracy", paper=0.8472),
            Row("0.5K improve it, marginally", "500/gain", paper=0.0069, above=0.0),
            Row("5K improve it significantly", "5000/gain", paper=0.0694, above=0.0),
            Row("10K are no less than 0.5K", "10000/accuracy", "500/accuracy", 0.0625, above=0.0),
        ),
    ),
    Experiment("figure", "1", "GAN architectures side by side"),
    Experiment(
        "figure", "2", "editing to six classes", "oulu-casia",
        ClassEdits(),
        (
            Row("the asked-for class is named", "expr_gan/expression"),
            Row("faces show the asked-for class", "expr_gan/expression", above=0.5),
            Row("the nearest neutral face is the person's", "expr_gan/rank_1"),
            Row("identities are preserved", "expr_gan/rank_1", above=0.5),
        ),
        not_built=("CAAE",),
    ),
    Experiment(
        "figure", "3", "single elements of a class's block as five intensities, and neutral, which is not in the data",
        "oulu-casia",
        Ladder(),
        (
            Row("the weakest element, of what the whole block moves", "weakest"),
            Row("the strongest element", "strongest"),
            Row("elements are intensities, weak to strong", "strongest", "weakest", above=0.0),
            Row("the strongest is at least half of the expression", "strongest", above=0.5),
            Row("each next element shows more: steps that rise", "rising", above=0.5),
            Row("all at -1 is neutral: named so", "neutral", above=0.5),
        ),
        needs=("aus",),
    ),
    Experiment(
        "figure", "4", "transfer by the code that Q reads", "oulu-casia",
        Swaps(),
        (
            Row("the example's class is named", "generated/expression"),
            Row("the expression is the example's rather than the face's own", "generated/expression",
                "generated/expression_kept", above=0.0),
            Row("the face's identity stays: nearest is the face, not the example", "generated/rank_1",
                "generated/rank_1_example", above=0.0),
        ),
    ),
    Experiment(
        "figure", "5", "new people from noise, each in six classes", "",
        Invented(),
        (
            Row("the asked-for class is named", "expression"),
            Row("generated faces show the class", "expression", above=0.5),
        ),
    ),
    Experiment(
        "figure", "6", "t-SNE of g(x), here by linear probes", "oulu-casia",
        Codes(),
        (
            Row("person named from g(x)", "identity/person"),
            Row("person named from c", "expression/person"),
            Row("expression named from g(x)", "identity/expression"),
            Row("expression named from c", "expression/expression"),
            Row("g(x) holds the person, c does not", "identity/person", "expression/person", above=0.0),
            Row("c holds the expression, g(x) does not", "expression/expression", "identity/expression", above=0.0),
        ),
    ),
    Experiment(
        "figure", "7", "retrieval by code c, class y and pixels x", "oulu-casia",
        Retrieval(),
        (
            Row("precision at 1, by c", "c/precision@1"),
            Row("by y", "y/precision@1"),
            Row("by x", "x/precision@1"),
            Row("c finds the expression more often than pixels", "c/precision@1", "x/precision@1", above=0.0),
            Row("c finds the style of it more often than the class", "c/style@1", "y/style@1", above=0.0),
        ),
    ),
    Experiment(
        "text", "incremental", "training in stages against all nets together (Sec. Incremental Training)", "oulu-casia",
        ClassEdits((OWN, Variant("joint", changes=joint))),
        (
            Row("in stages: the asked-for class is named", "expr_gan/expression"),
            Row("together: the asked-for class is named", "joint/expression"),
            Row("stages show the class more often", "expr_gan/expression", "joint/expression", above=0.0),
            Row("stages keep the person more (cosine)", "expr_gan/own", "joint/own", unit="", above=0.0),
        ),
    ),
)  # fmt: skip
