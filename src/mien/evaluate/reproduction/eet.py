"""EET's experiments (Shao et al. 2021): eight tables, seven figures."""

from __future__ import annotations

from mien.evaluate.reproduction.bench import Variant
from mien.evaluate.reproduction.codes import Cost
from mien.evaluate.reproduction.experiment import Experiment, Row
from mien.evaluate.reproduction.pictures import OWN, Gaze, Transfers

B_NET, BS_NET, SINGLE = (Variant(name, name) for name in ("b_net", "bs_net", "single"))
AUS_17 = Variant("aus17", "aus17")
PAINTED = "eet/generated"


def _units(icc: float, mse: float) -> tuple[Row, ...]:
    """Return the mean over the twelve units; the paper's by OpenFace."""
    return (
        Row("EET, ICC", f"{PAINTED}/icc", paper=icc, unit=""),
        Row("EET, MSE", f"{PAINTED}/au_mse", paper=mse, unit=""),
        Row("the example itself, ICC: what the evaluator can see", "example copied/icc", unit=""),
        Row("the expression arrives: ICC above the unchanged face's", f"{PAINTED}/icc", "face unchanged/icc", unit="",
            above=0.0),
        Row("MSE below the unchanged face's", f"{PAINTED}/au_mse", "face unchanged/au_mse", unit="", below=0.0),
    )  # fmt: skip


def _identity(accuracy: float, tar: float, real: float, real_tar: float) -> tuple[Row, ...]:
    """Return verification; the paper's by VGG-Face."""
    return (
        Row("EET, accuracy", f"{PAINTED}/accuracy", paper=accuracy),
        Row("EET, TAR at FAR 1 %", f"{PAINTED}/tar_1", paper=tar),
        Row("Real, accuracy", "face unchanged/accuracy", paper=real),
        Row("Real, TAR at FAR 1 %", "face unchanged/tar_1", paper=real_tar),
        Row("nearly as accurate as real pictures (5 points less at most)", f"{PAINTED}/accuracy",
            "face unchanged/accuracy", round(accuracy - real, 4), above=-0.05),
    )  # fmt: skip


ABLATIONS = (
    Row("B-Net, ICC", "b_net/generated/icc", paper=0.39, unit=""),
    Row("BS-Net, ICC", "bs_net/generated/icc", paper=0.45, unit=""),
    Row("EET-Single, ICC", "single/generated/icc", paper=0.50, unit=""),
    Row("EET, ICC", f"{PAINTED}/icc", paper=0.50, unit=""),
    Row("B-Net, MSE", "b_net/generated/au_mse", paper=0.62, unit=""),
    Row("BS-Net, MSE", "bs_net/generated/au_mse", paper=0.53, unit=""),
    Row("EET-Single, MSE", "single/generated/au_mse", paper=0.50, unit=""),
    Row("EET, MSE", f"{PAINTED}/au_mse", paper=0.49, unit=""),
    Row("swap consistency helps: BS-Net's ICC above B-Net's", "bs_net/generated/icc", "b_net/generated/icc", 0.06, "",
        above=0.0),
    Row("the games help: EET's ICC above BS-Net's", f"{PAINTED}/icc", "bs_net/generated/icc", 0.05, "", above=0.0),
    Row("EET's MSE below B-Net's", f"{PAINTED}/au_mse", "b_net/generated/au_mse", -0.13, "", below=0.0),
    Row("the same composited: EET's ICC above B-Net's", "eet/composited/icc", "b_net/composited/icc", unit="",
        above=0.0),
)  # fmt: skip

ABLATED = Transfers((B_NET, BS_NET, SINGLE, OWN), partners=1)

EXPERIMENTS = (
    Experiment("table", "1", "the architecture"),
    Experiment(
        "table", "2", "parts left out: action units of results, swapped both ways; the paper's by OpenFace", "disfa",
        ABLATED, ABLATIONS,
        needs=("aus",),
    ),
    Experiment(
        "table", "3", "action units of results, a random partner a picture, swapped both ways; the paper's by OpenFace",
        "disfa",
        Transfers(partners=1), _units(0.50, 0.49),
        needs=("aus",), not_built=("GANimation",),
    ),
    Experiment(
        "table", "4", "action units of results, 5 random partners a picture, swapped both ways; the paper's by "
        "OpenFace, which also labelled", "rafd",
        Transfers(partners=5), _units(0.40, 0.87),
        needs=("aus",), not_built=("StarGAN", "HomoInterpGAN"),
    ),
    Experiment(
        "table", "5", "verification of results; the paper's by VGG-Face", "disfa",
        Transfers(partners=1), _identity(0.9465, 0.8832, 0.9717, 0.9526),
        not_built=("GANimation",),
    ),
    Experiment(
        "table", "6", "verification of results; the paper's by VGG-Face", "rafd",
        Transfers(partners=5), _identity(0.9562, 0.9070, 0.9721, 0.9618),
        not_built=("StarGAN", "HomoInterpGAN"),
    ),
    Experiment(
        "table", "7", "gaze of results", "rafd",
        Gaze(),
        (
            Row("EET", f"{PAINTED}/gaze", paper=0.8221),
            Row("Real: the copied example, what the reader can see", "example copied/gaze", paper=1.0),
            Row("gaze is transferred in more than half", f"{PAINTED}/gaze", above=0.5),
        ),
        needs=("gaze",), not_built=("StarGAN", "HomoInterpGAN"),
    ),
    Experiment(
        "table", "8", "12 against 17 units; AU45 of the paper is our 43", "rafd",
        Transfers((OWN, AUS_17), partners=5),
        (
            Row("12 units, ICC of the 12", f"{PAINTED}/icc", paper=0.40, unit=""),
            Row("17 units, ICC of the 12", "aus17/generated/icc", paper=0.42, unit=""),
            Row("17 units, ICC of the other 5", "aus17/generated/icc_further", paper=0.25, unit=""),
            Row("12 units, MSE of the 12", f"{PAINTED}/au_mse", paper=0.87, unit=""),
            Row("17 units, MSE of the 12", "aus17/generated/au_mse", paper=0.87, unit=""),
            Row("17 units, MSE of the other 5", "aus17/generated/au_mse_further", paper=0.79, unit=""),
            Row("with 17 the 12 transfer better", "aus17/generated/icc", f"{PAINTED}/icc", 0.02, "", above=0.0),
            Row("the other 5 transfer too: ICC above the unchanged face's", "aus17/generated/icc_further",
                "face unchanged/icc_further", unit="", above=0.0),
        ),
        needs=("aus",),
    ),
    Experiment("figure", "1", "the architecture"),
    Experiment("figure", "2", "multi-class adversarial training"),
    Experiment(
        "figure", "3", "pictures of the ablations: who is kept", "disfa",
        ABLATED,
        (
            Row("EET-Single: the person is nearest", "single/generated/rank_1"),
            Row("EET: the person is nearest", f"{PAINTED}/rank_1"),
            Row("branches keep the person: EET above EET-Single", f"{PAINTED}/rank_1", "single/generated/rank_1",
                above=0.0),
            Row("swap consistency keeps the person: BS-Net above B-Net (cosine)", "bs_net/generated/own",
                "b_net/generated/own", unit="", above=0.0),
        ),
    ),
    Experiment(
        "figure", "4", "pictures beside GANimation's, to look at; measured in Table 3", not_built=("GANimation",)
    ),
    Experiment(
        "figure", "5", "pictures with equal and different poses beside others', to look at; measured in Tables 4 and 6",
        not_built=("StarGAN", "HomoInterpGAN"),
    ),
    Experiment(
        "figure", "6", "pictures of CFD (the paper: and MMI), each with ICC and MSE, here their means", "cfd",
        Transfers(partners=1),
        (
            Row("EET, ICC", f"{PAINTED}/icc", unit=""),
            Row("EET, MSE", f"{PAINTED}/au_mse", unit=""),
            Row("most pictures have a high ICC: above 0.5", f"{PAINTED}/icc", unit="", above=0.5),
        ),
        needs=("aus",),
    ),
    Experiment("figure", "7", "failures on another data set than the one trained on, to look at"),
    Experiment(
        "text", "cost", "time on this machine; the paper's is a GTX 1080 Ti's at 256 pixels", "",
        Cost(),
        (Row("ms a transfer, with the chosen preset", "ms", paper=49.0, unit=""),),
    ),
)  # fmt: skip
