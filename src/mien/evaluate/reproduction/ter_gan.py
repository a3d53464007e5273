"""TER-GAN's experiments (Ali & Hughes 2019): one table, five figures."""

from __future__ import annotations

from mien.evaluate.reproduction.bench import Variant
from mien.evaluate.reproduction.codes import BeforeAndAfter, Swaps
from mien.evaluate.reproduction.experiment import Experiment, Row
from mien.evaluate.reproduction.pictures import OWN, Transfers
from mien.evaluate.reproduction.recognition import Recognition

EXPR_GAN = Variant("expr_gan", family="expr_gan")

EXPERIMENTS = (
    Experiment(
        "table", "1", "recognition of six expressions, 8 folds of people", "oulu-casia",
        Recognition(folds=8),
        (
            Row("CNN (baseline)", "baseline/accuracy", paper=0.7314),
            Row("G_es after stage 1 (ours; not in the paper)", "stage_1/accuracy"),
            Row("TER-GAN", "ter_gan/accuracy", paper=0.8965),
            Row("the GAN's encoder names more than the CNN", "ter_gan/accuracy", "baseline/accuracy", 0.1651,
                above=0.0),
            Row("and more than before the game", "ter_gan/accuracy", "stage_1/accuracy", above=0.0),
            Row("person named from f(e) of the CNN", "baseline/leak"),
            Row("person named from f(e) of TER-GAN", "ter_gan/leak"),
            Row("f(e) is free of the person: a probe names them less than from the CNN's", "ter_gan/leak",
                "baseline/leak", below=0.0),
        ),
        not_built=("LBP-TOP", "HOG 3D", "STM-Explet", "Atlases", "DTAGN", "FN2EN", "PPDN", "DeRL"),
    ),
    Experiment("figure", "1", "what TER-GAN does, by examples; measured in Figures 3 to 5 and Table 1"),
    Experiment("figure", "2", "the architecture"),
    Experiment(
        "figure", "3", "transfer between two people", "oulu-casia",
        Swaps(),
        (
            Row("the source's class is named", "generated/expression"),
            Row("the source's expression arrives: its class rather than the target's own", "generated/expression",
                "generated/expression_kept", above=0.0),
            Row("the target's person is nearest", "generated/rank_1"),
            Row("the target's identity stays: nearest is the target, not the source", "generated/rank_1",
                "generated/rank_1_example", above=0.0),
        ),
    ),
    Experiment(
        "figure", "4", "editing by another picture of the same person", "oulu-casia",
        Transfers((OWN, EXPR_GAN), own=True),
        (
            Row("TER-GAN: the class is named", "ter_gan/generated/expression"),
            Row("ExprGAN: the class is named", "expr_gan/generated/expression"),
            Row("TER-GAN: cosine with the person", "ter_gan/generated/own", unit=""),
            Row("ExprGAN: cosine with the person", "expr_gan/generated/own", unit=""),
            Row("identity is preserved more than by ExprGAN", "ter_gan/generated/own", "expr_gan/generated/own",
                unit="", above=0.0),
        ),
        not_built=("CAAE",),
    ),
    Experiment(
        "figure", "5", "t-SNE of f(e) by the pre-trained G_es (a) and after the game (b), here by linear probes",
        "oulu-casia",
        BeforeAndAfter(),
        (
            Row("expression named from f(e), before (5a)", "before/expression"),
            Row("expression named from f(e), after (5b)", "after/expression"),
            Row("person named from f(e), before (5a)", "before/person"),
            Row("person named from f(e), after (5b)", "after/person"),
            Row("the game keeps expressions as far apart", "after/expression", "before/expression", above=0.0),
            Row("the game takes the person out of f(e)", "after/person", "before/person", below=0.0),
        ),
    ),
)  # fmt: skip
