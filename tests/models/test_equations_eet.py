"""EET's Eq. 1-12, recomputed in float64 NumPy from the paper; its Table I; what its uses do.

Long, as the model has many numbered equations, and they are read in its order.
"""

import inspect
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from mien.controls import Controls
from mien.data.batch import Batch
from mien.errors import InputError
from mien.labels import AUS
from mien.models import eet as paper
from mien.models.eet.instance import InstanceNorm, PReLU
from mien.models.eet.nets import UpRes, progression
from mien.models.registry import create
from mien.training.settings import Settings
from mien.training.trainer import Trainer
from tests.helpers.tiny import NARROW, TINY
from tests.models.test_contract import Random

RNG = np.random.default_rng(0)
B, M, LEVEL, N = 5, 4, 5, 7  # pairs, AUs, l, people


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(a)) for a in arrays]


def check(value, expected):
    assert value.ndim == 0
    np.testing.assert_allclose(value.numpy(), expected, rtol=1e-12)


def test_eq_1_levels_and_unknown():
    levels = paper.rounded_levels(torch.tensor([0.2, 0.8, 4.6, 5.0, torch.nan])).tolist()
    assert levels[:4] == [0, 1, 5, 5] and np.isnan(levels[4])


def test_eq_2_unit_discrimination():
    scores, levels = RNG.normal(size=(B, M, LEVEL + 1)), RNG.integers(0, LEVEL + 1, (B, M)).astype(float)
    levels[1, 2] = np.nan
    expected = 0.0
    for b in range(B):
        for i in range(M):
            for q in range(LEVEL + 1):
                if not np.isnan(levels[b, i]):
                    expected += (scores[b, i, q] - (1 if q == levels[b, i] else 0)) ** 2
    check(paper.unit_discrimination_loss(*tensors(scores, levels)), expected / (M * (LEVEL + 1)) / B)


def test_eq_3_unit_confusion():
    scores = RNG.normal(size=(B, M, LEVEL + 1))
    expected = sum(((scores[b] - 1 / (LEVEL + 1)) ** 2).sum() / (M * (LEVEL + 1)) for b in range(B)) / B
    check(paper.unit_confusion_loss(*tensors(scores)), expected)


def test_eq_4_identity_discrimination_and_confusion():
    scores, who = RNG.normal(size=(B, N)), RNG.integers(0, N, B)
    expected = np.mean([sum((scores[b, j] - (j == who[b])) ** 2 for j in range(N)) / N for b in range(B)])
    check(paper.identity_discrimination_loss(*tensors(scores, who)), expected)
    check(paper.identity_confusion_loss(*tensors(scores)), np.mean([((s - 1 / N) ** 2).sum() / N for s in scores]))


def test_eq_5_intensity_weighted_by_inverse_occurrence():
    estimates, aus = RNG.random((B, M)), RNG.random((B, M)) * LEVEL
    aus[0, 1] = np.nan
    rates = np.array([0.5, 0.1, 0.03, 0.0001])
    weights = 1 / np.maximum(rates, 0.01)  # our floor
    weights /= weights.sum()
    np.testing.assert_allclose(paper.unit_weights(*tensors(rates)).numpy(), weights, rtol=1e-12)
    expected = np.mean([np.nansum(weights * (aus[b] - estimates[b] * LEVEL) ** 2) for b in range(B)])
    check(paper.unit_intensity_loss(*tensors(estimates, aus, weights)), expected)


def test_occurrence_counts_what_is_above_half():
    counts = create("eet", **TINY["eet"]).occurrence
    aus = torch.full((2, 12), torch.nan)
    aus[:, :2] = torch.tensor([[2.0, 2.1], [5.0, 0.0]])
    counts.add(aus)
    assert counts.known.tolist() == [2, 2] + [0] * 10
    assert counts.occurred.tolist() == [1, 1] + [0] * 10  # (l - 1) / 2 = 2
    assert counts.rates()[[0, 2]].tolist() == [0.5, 0.5]


def test_eq_6_mean_of_the_branches():
    maps = RNG.normal(size=(B, M, 3, 2, 2))
    expected = sum(maps[:, i] for i in range(M)) / M
    np.testing.assert_allclose(paper.fused_feature(*tensors(maps)).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("pose_weight", [0.0, 1.0])
def test_eq_7_attributes(pose_weight):
    who, pose = RNG.normal(size=(B, N)), RNG.normal(size=(B, 3))
    d, p = RNG.integers(0, N, B), RNG.integers(0, 3, B)

    def log_softmax(x):
        return np.log(np.exp(x) / np.exp(x).sum(1, keepdims=True))

    rows = np.arange(B)
    expected = -np.mean(log_softmax(who)[rows, d] + pose_weight * log_softmax(pose)[rows, p])
    check(paper.attribute_loss(*tensors(who, d, pose, p), pose_weight), expected)


@pytest.mark.parametrize(
    ("judge", "maker"),
    [
        (paper.swap_discrimination_loss, paper.swap_consistency_loss),
        (paper.image_discrimination_loss, paper.image_adversarial_loss),
    ],
)
def test_eq_8_and_10_least_squares(judge, maker):
    real, fake = RNG.normal(size=(B, 1, 1, 1)), RNG.normal(size=(B, 1, 1, 1))
    check(judge(*tensors(real, fake)), np.mean((real - 1) ** 2) + np.mean(fake**2))
    check(maker(*tensors(fake)), np.mean((fake - 1) ** 2))


def test_eq_9_reconstruction():
    own, crossed, image = RNG.normal(size=(3, B, 3, 4, 4))
    check(
        paper.reconstruction_loss(*tensors(own, crossed, image)),
        np.abs(own - image).mean() + np.abs(crossed - image).mean(),
    )


def double(x):
    return x.double() if x.is_floating_point() else x


def double_batch(batch):
    return Batch(batch.source.map(double), batch.target.map(double), batch.truth.double(), batch.alike)


def test_eq_11_total_of_the_first_stage():
    model = create("eet", "paper", **TINY["eet"]).double()
    turn = model.stages()[0].turns[0]
    losses = model(double_batch(Random().batch(0)), turn.name)
    total = sum(turn.weights[name] * value.item() for name, value in losses.items())
    value = {name: loss.item() for name, loss in losses.items()}
    expected = value["L_u"] + 2 * value["L_c"] + 40 * value["L_u^(D)"] + 40 * value["L_d^(D)"]
    np.testing.assert_allclose(total, expected, rtol=1e-12)
    assert set(turn.nets) == {
        "encoder", "attributes", "free_encoder", "unit_encoder", "unit_discriminator", "identity_discriminator",
    }  # fmt: skip


def test_eq_12_total_of_the_second_stage_from_its_pictures():
    """Every term is computed again from the nets, one image of the pair after the other, as the paper writes it."""
    torch.manual_seed(0)
    model = create("eet", "paper", **TINY["eet"]).double()
    batch = double_batch(Random().batch(0))
    model(batch, "classify")  # counts occurrences
    turn = model.stages()[1].turns[2]
    assert turn.name == "synthesize" and set(turn.nets) == {"free_encoder", "unit_encoder", "generator"}
    weights = paper.unit_weights(model.occurrence.rates())
    model.eval()  # spectral norms stay as they are
    losses = {name: value.item() for name, value in model(batch, turn.name).items()}
    total = sum(turn.weights[name] * value for name, value in losses.items())

    def encode(image):
        f = model.encoder(image)
        maps, estimates = model.unit_encoder(f)
        return f, model.free_encoder(f), maps.mean(1), estimates

    def make(unit, free):
        return model.generator(torch.cat([unit, free], 1))

    (a, b), places = (batch.target, batch.source), [AUS.index(au) for au in model.units]
    _, free_a, unit_a, est_a = encode(a.image)
    _, free_b, unit_b, est_b = encode(b.image)
    swapped = {"a": make(unit_b, free_a), "b": make(unit_a, free_b)}
    f2a, free2a, unit2a, est2a = encode(swapped["a"])
    f2b, free2b, unit2b, est2b = encode(swapped["b"])
    crossed = {"a": make(unit2b, free2a), "b": make(unit2a, free2b)}

    def l_u(estimates, faces):
        return (weights * (faces.aus[:, places] - 5 * estimates) ** 2).sum(1).mean()

    def name(f, faces):
        return nn.functional.cross_entropy(model.attributes(f)[0], faces.subject)

    def game(free, unit):
        u = model.unit_discriminator(free) - 1 / 6
        d = model.identity_discriminator(unit) - 1 / model.config.subjects
        return 40 * u.square().mean() + 40 * d.square().mean()

    def pictures(which, image, unit, free):
        own, made = make(unit, free), swapped[which]
        l1 = (own - image).abs().mean() + (crossed[which] - image).abs().mean()
        fooled = 0.15 * (model.swap_discriminator(made) - 1).square().mean()
        return 40 * l1 + fooled + 1.2 * (model.image_discriminator(made) - 1).square().mean()

    # The expectation runs over both images of a pair; L_u of İ^a has the label u^b, L_c of it the person d^a.
    expected = (l_u(est_a, a) + l_u(est2a, b) + 2 * name(f2a, a) + game(free_a, unit_a)) / 2
    expected += (l_u(est_b, b) + l_u(est2b, a) + 2 * name(f2b, b) + game(free_b, unit_b)) / 2
    expected += (pictures("a", a.image, unit_a, free_a) + pictures("b", b.image, unit_b, free_b)) / 2
    np.testing.assert_allclose(total, expected.item(), rtol=1e-9)
    assert {t.name for s in model.stages() for t in s.turns} == {
        "classify", "judge swaps", "judge images", "synthesize",
    }  # fmt: skip


def test_each_judge_has_its_own_turn_and_its_own_pictures():
    torch.manual_seed(0)
    model = create("eet", "paper", **TINY["eet"]).double()
    batch = double_batch(Random().batch(0))
    model.eval()
    turns = {t.name: (t.nets, dict(t.weights)) for t in model.stages()[1].turns}
    assert turns["judge swaps"] == (("swap_discriminator",), {"L_sc": 0.15})
    assert turns["judge images"] == (("image_discriminator",), {"L_adg": 1.2})
    with torch.no_grad():
        images = torch.cat([batch.target.image, batch.source.image])
        swapped = torch.cat(model.swap(batch.target.image, batch.source.image))
        scores = [model.swap_discriminator(x) for x in (model.reconstruct(images), swapped)]
        swaps = (scores[0] - 1).square().mean() + scores[1].square().mean()
        scores = [model.image_discriminator(x) for x in (images, swapped)]
        reals = (scores[0] - 1).square().mean() + scores[1].square().mean()
    np.testing.assert_allclose(model(batch, "judge swaps")["L_sc"].item(), swaps, rtol=1e-9)
    np.testing.assert_allclose(model(batch, "judge images")["L_adg"].item(), reals, rtol=1e-9)


@pytest.mark.parametrize(("people", "times"), [(0, 1.0), (18, 5 / 18), (5, 1.0), (1, 5.0)])
def test_eq_12_what_e_r_feels_of_the_identity_game_grows_with_the_people(people, times):
    """n people: the mean over D_d's n outputs, times n / game_people, and stage 1 as it was."""
    model = paper.Eet(replace(paper.PAPER, **NARROW["eet"], game_people=people))  # five people
    weights = {(s.name, k): v for s in model.stages() for t in s.turns for k, v in t.weights.items()}
    assert weights["swap", "L_d^(E)"] == pytest.approx(40 * times) and weights["classify", "L_d^(D)"] == 40
    assert weights["swap", "L_u^(E)"] == weights["classify", "L_u^(D)"] == 40


@pytest.mark.parametrize("subjects", [18, 60, 242])
def test_the_identity_game_is_as_strong_for_any_number_of_people(subjects):
    """What moves a score, λ times the derivative of Eq. 4, is the same as with the 18 people of DISFA."""
    pulls = []
    for n in (18, subjects):
        model = paper.Eet(replace(paper.BASE, **NARROW["eet"] | {"subjects": n}))
        scores = torch.full((3, n), 0.5, dtype=torch.double, requires_grad=True)
        (weight,) = [t.weights["L_d^(E)"] for s in model.stages() for t in s.turns if "L_d^(E)" in t.weights]
        (weight * paper.identity_confusion_loss(scores)).backward()
        pulls.append(scores.grad[0, 0].item() / (0.5 - 1 / n))
    assert pulls[1] == pytest.approx(pulls[0], rel=1e-12)


def test_base_is_the_papers_objective_alone():
    model = paper.Eet(replace(paper.BASE, **NARROW["eet"]))
    turns = [t.name for s in model.stages() for t in s.turns]
    assert turns == ["classify", "criticize", "judge swaps", "judge images", "synthesize"]
    assert all(t.every == 1 for s in model.stages() for t in s.turns)
    asked = ("attributes", "pose", "unit_game", "identity_game", "reconstruction", "swap_consistency", "adversarial")
    assert all(getattr(paper.BASE, name) == getattr(paper.PAPER, name) for name in asked)
    s = model.sampling()
    assert (s.same, s.alike, s.need_truth, s.margin, s.colour, set(s.rotations)) == (0, 0, False, 0, 0, {0})
    assert model.shape == (8, 4, 4) == paper.Eet(replace(paper.PAPER, **NARROW["eet"])).shape


def test_every_setting_says_whose_it_is():
    lines = inspect.getsource(paper.EetConfig).splitlines()
    fields = [line for line in lines if re.match(r"    \w+: \w+ = ", line)]
    assert len(fields) == len(paper.EetConfig.__dataclass_fields__)
    assert not [line for line in fields if not re.search(r"# (paper|ours)\b", line)]
    assert next(iter(paper.Eet.PRESETS)) == "paper" and paper.EetConfig() == paper.PAPER


def test_recipe_is_the_papers():
    model = paper.Eet(replace(paper.PAPER, **NARROW["eet"]))
    first, second = model.stages()
    assert [t.optimizer.lr for t in first.turns] == [1e-4] and first.turns[0].optimizer.betas == (0.95, 0.999)
    assert {t.optimizer.lr for t in second.turns} == {3e-5} and {t.optimizer.betas for t in second.turns} == {
        (0.5, 0.9)
    }
    assert first.decay == second.decay == 0.5 and all(t.every == 1 for t in second.turns)
    s = model.sampling()
    assert (s.same, s.alike, s.margin, s.colour, set(s.rotations)) == (0, 0, 0, 0, {0})


def convolutions(net):
    """Return (outputs, kernel, stride, padding) of every convolution, in order."""
    return [
        (c.out_channels, c.kernel_size[0], c.stride[0], c.padding[0])
        for c in net.modules()
        if isinstance(c, nn.Conv2d | nn.ConvTranspose2d)
    ]


@pytest.fixture(scope="module")
def whole():
    with torch.device("meta"):
        return create("eet", "paper", subjects=18)


def test_table_i_encoders(whole):
    c, m = convolutions, 12
    assert c(whole.encoder) == [(32, 3, 1, 1)] * 2 + [(64, 3, 1, 1)] * 2
    assert [type(x).__name__ for x in whole.encoder].count("AvgPool2d") == 2
    assert c(whole.free_encoder) == c(whole.attributes) == [(w, 3, 2, 1) for w in (128, 256, 512, 1024)]
    assert c(whole.unit_encoder.stack) == [(m * w, 3, 2, 1) for w in (128, 256, 512, 1024)]
    grouped = [x.groups for x in whole.unit_encoder.stack if isinstance(x, nn.Conv2d)]
    assert grouped == [1, m, m, m] and whole.unit_encoder.read.weight.shape == (m, 1024, 1)
    assert (whole.attributes.identity.out_features, whole.attributes.pose.out_features) == (18, 1)


def test_table_i_generator_and_judges(whole):
    c = convolutions
    blocks = [x for x in whole.generator if isinstance(x, UpRes)]
    assert [b.straight.out_channels for b in blocks] == [1024, 512, 256, 128, 64, 32]
    assert blocks[0].straight.in_channels == 2048
    doublings = (blocks[0].straight, blocks[0].doubled, blocks[0].shortcut)
    shapes = [(d.kernel_size[0], d.stride[0], d.padding[0], d.output_padding[0]) for d in doublings]
    assert shapes == [(3, 1, 1, 0), (3, 2, 1, 1), (3, 2, 1, 1)]
    assert c(whole.generator)[-1] == (3, 1, 1, 0) and isinstance(whole.generator[-1], nn.Tanh)
    for judge, outputs in ((whole.unit_discriminator, 12 * 6), (whole.identity_discriminator, 18)):
        assert c(judge) == [(w, 3, 1, 1) for w in (128, 256, 512, 1024)] and judge[-1].out_features == outputs
    for judge in (whole.swap_discriminator, whole.image_discriminator):
        assert c(judge) == [(w, 4, 2, 1) for w in (32, 64, 128, 256, 512, 1024)] + [(2048, 4, 2, 0), (1, 1, 1, 0)]
    count = {name: sum(p.numel() for p in net.parameters()) for name, net in whole.named_children()}
    assert count["free_encoder"] == 9 * (64 * 128 + 128 * 256 + 256 * 512 + 512 * 1024) + 4
    assert count["unit_encoder"] == 12 * (count["free_encoder"] - 4 + 1024 + 1) + 4


def test_spectral_norm_is_on_every_convolution_but_those_of_e_and_c(whole):
    for name, net in whole.named_children():
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                assert hasattr(layer, "parametrizations") == (name not in ("encoder", "attributes")), name


def test_norms_and_activations_follow_table_i(whole):
    def kinds(net):
        return [type(x) for x in net.modules() if isinstance(x, InstanceNorm | PReLU | nn.BatchNorm2d)]

    assert kinds(whole.encoder) == [nn.BatchNorm2d, PReLU] * 4
    assert kinds(whole.attributes) == [nn.BatchNorm2d, PReLU] * 3
    assert kinds(whole.free_encoder) == kinds(whole.unit_encoder) == [InstanceNorm, PReLU] * 4
    assert kinds(whole.generator) == [InstanceNorm, PReLU] * 12
    assert kinds(whole.unit_discriminator) == [InstanceNorm, PReLU] * 3
    assert kinds(whole.image_discriminator) == [InstanceNorm, PReLU] * 6 + [PReLU]


def test_ablations_are_presets():
    def weights(preset):
        return {k: v for s in paper.Eet(replace(paper.Eet.PRESETS[preset], **NARROW["eet"])).stages() for t in s.turns
                for k, v in t.weights.items()}  # fmt: skip

    full, b_net, bs_net = weights("paper"), weights("paper_b_net"), weights("paper_bs_net")
    games = {"L_u^(D)", "L_d^(D)", "L_u^(E)", "L_d^(E)"}
    assert {k for k in full if full[k] != bs_net[k]} == games and all(bs_net[k] == 0 for k in games)
    assert {k for k in full if full[k] != b_net[k]} == games | {"L_sc"} and b_net["L_sc"] == 0
    single = paper.Eet(replace(paper.Eet.PRESETS["paper_single"], **NARROW["eet"]))
    maps, estimates = single.unit_encoder(torch.zeros(2, 4, 32, 32))
    assert maps.shape[1] == 1 and estimates.shape == (2, 12)
    assert len(paper.Eet(replace(paper.Eet.PRESETS["paper_aus17"], **NARROW["eet"])).units) == 17


def test_branches_are_independent():
    torch.manual_seed(0)
    model = create("eet", **TINY["eet"]).eval()
    features = torch.randn(2, 4, 32, 32)
    maps, estimates = model.unit_encoder(features)
    widths, branch = progression(model.config.unit_width), 5
    for layer, width in zip((x for x in model.unit_encoder.stack if isinstance(x, nn.Conv2d)), widths, strict=True):
        weight = layer.parametrizations.weight.original
        weight.data[branch * width : (branch + 1) * width] = torch.randn_like(weight[:width])
    changed, again = model.unit_encoder(features)
    others = [k for k in range(12) if k != branch]
    assert torch.equal(changed[:, others], maps[:, others]) and torch.equal(again[:, others], estimates[:, others])
    assert not torch.equal(changed[:, branch], maps[:, branch])
    assert (again[:, branch] != estimates[:, branch]).all()


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(0)
    trainer = Trainer(create("eet", **TINY["eet"]), Settings(precision="32-true", accelerator="cpu"))
    while trainer.advance(Random().batch):
        pass
    return trainer.model.eval()


def test_e_and_the_feature_judges_rest_in_the_second_stage():
    trainer = Trainer(create("eet", **TINY["eet"]), Settings(precision="32-true", accelerator="cpu"))
    rest = ("encoder", "attributes", "unit_discriminator", "identity_discriminator", "occurrence")
    while trainer.stage == 0 and trainer.step < 2:
        trainer.advance(Random().batch)
    before = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    assert before["encoder.1.num_batches_tracked"] == 2 and before["occurrence.known"].min() > 0
    while trainer.advance(Random().batch):
        pass
    after = trainer.model.state_dict()
    assert all(torch.equal(after[k], before[k]) for k in before if k.split(".")[0] in rest)
    moved = [k for k in before if k.startswith("swap_discriminator") and not torch.equal(after[k], before[k])]
    assert any(k.endswith("left") for k in moved) and any(k.endswith("original") for k in moved)


def test_critics_alone_learn_between_the_stages():
    sizes = TINY["eet"] | {"critic_steps": 3}
    trainer = Trainer(create("eet", **sizes), Settings(precision="32-true", accelerator="cpu"))
    assert [s.name for s in trainer.stages][:2] == ["classify", "criticize"]
    while trainer.stage == 0 and trainer.step < sizes["classify_steps"]:
        trainer.advance(Random().batch)
    before = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    for _ in range(3):
        trainer.advance(Random().batch)
    moved = {k.split(".")[0] for k, v in trainer.model.state_dict().items() if not torch.equal(v, before[k])}
    assert (trainer.stage, trainer.step) == (1, 3) and moved == {"unit_discriminator", "identity_discriminator"}


def test_swap_goes_both_ways(trained):
    batch = Random().batch(8)
    a, b = batch.target.image, batch.source.image
    made_a, made_b = trained.swap(a, b)
    torch.testing.assert_close(made_a, trained.transfer(a, b))
    torch.testing.assert_close(made_b, trained.transfer(b, a))
    torch.testing.assert_close(trained.swap(a, a)[0], trained.reconstruct(a))


def test_aus_move_the_faces_own_feature(trained):
    face, place = Random().batch(8).target.image[:3], trained.units.index(12)
    maps, estimates = trained.unit_encoder(trained.encoder(face))
    step = (3.5 - 5 * estimates[:, place])[:, None] * trained.unit_directions.direction(place)
    unit = maps.mean(1) + step.unflatten(1, trained.shape)
    expected = trained._generate(unit, trained.free_encoder(trained.encoder(face)))
    torch.testing.assert_close(trained.edit(face, Controls(aus={12: 3.5})), expected)
    assert not torch.allclose(expected, trained.edit(face, Controls(aus={12: 0.0})))
    with pytest.raises(InputError, match=r"AU 7.*1, 2, 4, 5, 6, 9, 12"):
        trained.edit(face, Controls(aus={7: 1.0}))
    neutral = trained.edit(face, Controls("neutral"))
    assert torch.equal(trained.edit(face, Controls(aus={12: 3.5}, intensity=0.0)), neutral)
    assert torch.equal(trained.edit(face, Controls(like=face, intensity=0.0)), neutral)
    torch.testing.assert_close(trained.edit(face, Controls(like=face)), trained.reconstruct(face))


@pytest.mark.parametrize("single", [False, True])
def test_codes_are_the_features_that_g_paints_from(single):
    """f_r, of as many numbers with one branch as with twelve: probes of both compare."""
    model = create("eet", **TINY["eet"], single_branch=single).eval()
    face = Random().batch(3).source.image
    features = model.encoder(face)
    code, unit = model.embed(face), model.unit_encoder(features)[0].mean(1)
    torch.testing.assert_close(code.expression, unit.mean((2, 3)))
    torch.testing.assert_close(code.identity, model.free_encoder(features).mean((2, 3)))
    assert code.expression.shape == (len(face), model.shape[0])


def test_an_untrained_model_refuses_aus():
    with pytest.raises(InputError, match="never saw AU 4"):
        create("eet", **TINY["eet"]).edit(torch.zeros(1, 3, 32, 32), Controls(aus={4: 1.0}))


@pytest.mark.parametrize(("size", "count", "side"), [(64, 0, 4), (96, 0, 6), (128, 1, 4), (160, 1, 5), (256, 2, 4)])
def test_pools_come_with_the_size(size, count, side):
    """At 128 and 256 what follows E is as large as in Table I; pictures come out as large as they went in."""
    model = create("eet", **NARROW["eet"], image_size=size).eval()
    assert sum(isinstance(x, nn.AvgPool2d) for x in model.encoder) == count and model.shape[1:] == (side, side)
    assert model.reconstruct(torch.zeros(1, 3, size, size)).shape == (1, 3, size, size)


@pytest.mark.parametrize(("aus17", "units"), [(False, paper.UNITS_12), (True, paper.UNITS_17)])
def test_estimates_stand_at_their_aus(aus17, units):
    model = create("eet", **TINY["eet"], aus17=aus17).eval()
    face = Random().batch(3).source.image
    aus = model.estimate_aus(face)
    known = {au for k, au in enumerate(AUS) if not aus[:, k].isnan().any()}
    assert known == set(units) and len(units) == (17 if aus17 else 12)
    np.testing.assert_allclose(
        aus[:, AUS.index(25)].detach(), 5 * model.unit_encoder(model.encoder(face))[1][:, units.index(25)].detach()
    )


@pytest.mark.parametrize("size", [16, 40, 75, 144, 272])
def test_sizes_that_do_not_halve_are_refused(size):
    with pytest.raises(InputError, match=f"{size}.*(multiple of 16|32 or more)"):
        create("eet", image_size=size)


def test_yaw_becomes_the_nearest_of_the_poses():
    yaw = torch.tensor([-90.0, -70.0, -44.0, 3.0, 80.0, 120.0, torch.nan])
    assert paper.pose_label(yaw, 5).tolist() == [0, 0, 1, 2, 4, 4, -100]  # RaFD's: -90, -45, 0, 45, 90
    assert paper.pose_label(-yaw, 5).tolist() == [4, 4, 3, 2, 0, 0, -100]  # mirrored
    assert paper.pose_label(yaw, 1).tolist() == [0] * 6 + [-100]


def test_poses_are_named_where_there_are_several():
    batch = Random().batch(0)
    for poses in (1, 5):
        torch.manual_seed(0)
        model = create("eet", **TINY["eet"], poses=poses).eval()
        both = batch.both()
        features = model.encoder(both.image)
        who, pose = model.attributes(features)
        assert pose.shape == (20, poses)
        expected = torch.nn.functional.cross_entropy(who, both.subject)
        if poses > 1:
            centres = torch.tensor([-90.0, -45.0, 0.0, 45.0, 90.0])
            label = (both.yaw[:, None] - centres).abs().argmin(1)
            expected = expected + torch.nn.functional.cross_entropy(pose, label)
        torch.testing.assert_close(model(batch, "classify")["L_c"], expected)
