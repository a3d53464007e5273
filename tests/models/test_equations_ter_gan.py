"""TER-GAN's Eq. 1-10, recomputed in float64 NumPy from the paper."""

import numpy as np
import pytest
import torch

from mien.models import ter_gan as paper
from mien.models.registry import create
from mien.nn import losses
from mien.training.trainer import Trainer
from tests.helpers.tiny import TINY
from tests.models.test_contract import EXACT, Random

RNG = np.random.default_rng(0)
WEIGHTS = np.array([0.5, 0.6, 0.7, 0.88, 0.99])


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(a)) for a in arrays]


def check(value, expected):
    assert value.ndim == 0
    np.testing.assert_allclose(value.numpy(), expected, rtol=1e-12)


def test_eq_1_discriminator():
    n, people, b = 6, 9, 7
    real_e, fake_e, real_i = RNG.normal(size=(b, n + 1)), RNG.normal(size=(b, n + 1)), RNG.normal(size=(b, people))
    y_s, y_t = RNG.integers(0, n, b), RNG.integers(0, people, b)
    rows = np.arange(b)
    maximised = np.mean(np.log(softmax(real_e)[rows, y_s]) + np.log(softmax(real_i)[rows, y_t]))
    maximised += np.mean(np.log(softmax(fake_e)[:, n]))  # the class n + 1, counted from one
    check(paper.discriminator_loss(*tensors(real_e, y_s, real_i, y_t, fake_e)), -maximised)


def test_eq_2_generator_and_eq_3():
    n, people, b = 6, 9, 7
    fake_e, fake_i = RNG.normal(size=(b, n + 1)), RNG.normal(size=(b, people))
    y_s, y_t = RNG.integers(0, n, b), RNG.integers(0, people, b)
    rows = np.arange(b)
    maximised = np.mean(np.log(softmax(fake_e)[rows, y_s]) + np.log(softmax(fake_i)[rows, y_t]))
    check(paper.generator_loss(*tensors(fake_e, y_s, fake_i, y_t)), -maximised)
    check(paper.adversarial_loss(*tensors(np.float64(1.25), np.float64(-0.5))), 0.75)


def test_unknown_labels_are_left_out():
    logits, label = RNG.normal(size=(4, 7)), np.array([2, -100, 0, -100])
    expected = -np.mean(np.log(softmax(logits)[[0, 2], [2, 0]]))
    check(losses.known_cross_entropy(*tensors(logits, label)), expected)
    check(losses.known_cross_entropy(*tensors(logits, np.full(4, -100))), 0.0)


@pytest.mark.parametrize("equation", [paper.expression_consistency_loss, paper.identity_consistency_loss])
def test_eq_4_and_5_consistency(equation):
    real, fake = RNG.normal(size=(7, 1)), RNG.normal(size=(7, 1))
    p_real, p_fake = 1 / (1 + np.exp(-real)), 1 / (1 + np.exp(-fake))  # probability of class 1, "encoded from x"
    check(equation(*tensors(real, fake)), -np.log(p_real).mean() - np.log(1 - p_fake).mean())


@pytest.mark.parametrize("equation", [paper.identity_reconstruction_loss, paper.expression_reconstruction_loss])
def test_eq_6_and_7_pixels(equation):
    a, b = RNG.normal(size=(5, 3, 4, 4)), RNG.normal(size=(5, 3, 4, 4))
    each = equation(*tensors(a, b))
    np.testing.assert_allclose(each.numpy(), np.abs(a - b).mean((1, 2, 3)), rtol=1e-12)
    which = np.array([True, False, True, True, False])
    check(losses.share_of(each, torch.from_numpy(which)), np.abs(a - b)[which].mean() * 3 / 5)
    check(losses.share_of(each, torch.ones(5, dtype=torch.bool)), np.abs(a - b).mean())
    check(losses.share_of(each, torch.zeros(5, dtype=torch.bool)), 0.0)


@pytest.mark.parametrize("equation", [paper.expression_feature_loss, paper.identity_feature_loss])
def test_eq_8_and_9_features(equation):
    sides = [16, 8, 4, 2, 1]
    a = [RNG.normal(size=(3, 2, s, s)) for s in sides]
    b = [RNG.normal(size=(3, 2, s, s)) for s in sides]
    expected = sum(w * np.abs(x - y).mean() for w, x, y in zip(WEIGHTS, a, b, strict=True))
    check(equation(tensors(*a), tensors(*b)), expected)


def test_eq_10_total_is_the_weighted_sum_of_the_turns():
    """λ1 L_if + λ2 L_ef + λ3 L_irec + λ4 L_erec + λ5 L_Det + λ6 L_Des + λ7 (L_G + L_D), λ = 1 1 1 1 .3 .3 .5."""
    model = create("ter_gan", "paper", **TINY["ter_gan"]).double()
    batch = Random().batch(0)
    batch = type(batch)(batch.source.map(double), batch.target.map(double), batch.truth.double(), batch.alike)
    stage = model.stages()[1]
    total, parts = 0.0, {}
    for turn in stage.turns:
        losses = model(batch, turn.name)
        total += sum(turn.weights[k] * v.item() for k, v in losses.items())
        parts |= {k: v.item() for k, v in losses.items()}
    with torch.no_grad():
        model.train()
        fake = model.transfer(batch.target.image, batch.source.image).numpy()
    source, target, truth = batch.source.image.numpy(), batch.target.image.numpy(), batch.truth.numpy()
    source = np.where(batch.same.numpy()[:, None, None, None], truth, source)  # x_s as x_t is cut
    irec, erec = np.abs(fake - target).mean(), np.abs(fake - source).mean()  # Eq. 6 and 7 over the whole batch
    adversarial = parts["L_G"] + parts["L_D"]
    expected = (
        parts["L_if"] + parts["L_ef"] + irec + erec + 0.3 * parts["L_Det"] + 0.3 * parts["L_Des"] + 0.5 * adversarial
    )
    np.testing.assert_allclose(total, expected, rtol=1e-12)


def test_all_lambdas_can_weigh_in_one_step():
    """`one_step`: G's step has λ1 … λ7 together, on the same losses as the two steps have apart."""
    batch = Random().batch(0)
    apart, together = (tiny("paper", game_every=1, one_step=one) for one in (False, True))
    (_, synthesize, re_encode), (discriminate, whole) = apart.stages()[1].turns, together.stages()[1].turns
    assert discriminate.name == "discriminate" and whole.weights == synthesize.weights | re_encode.weights
    assert set(whole.nets) == {*synthesize.nets, *re_encode.nets}
    parts = {k: v for turn in (synthesize, re_encode) for k, v in apart(batch, turn.name).items()}
    for name, loss in together(batch, "synthesize").items():
        torch.testing.assert_close(loss, parts[name])
    together.requires_grad_(False)
    together.decoder.requires_grad_(True)
    assert not together(batch, "synthesize")["L_Des"].requires_grad  # Eq. 4 and 5 do not move the decoder


def test_joint_norm_shows_real_and_synthesised_to_one_batch_norm():
    model, batch = tiny("paper", joint_norm=True).train(), Random().batch(0)
    before = {k: v.clone() for k, v in model.expression_encoder.named_buffers()}
    losses = model(batch, "re-encode")
    assert all(torch.equal(v, before[k]) for k, v in model.expression_encoder.named_buffers())
    with torch.no_grad():
        fake = model.transfer(batch.target.image, batch.source.image)
        both = model.expression_encoder(torch.cat([batch.source.image, fake]))
        real, made = (model.expression_game(code).double().numpy() for code in both.chunk(2))
    expected = np.log1p(np.exp(-real)).mean() + np.log1p(np.exp(made)).mean()
    np.testing.assert_allclose(losses["L_Des"].item(), expected, rtol=1e-5)


def test_encoders_can_learn_slower_than_the_rest():
    trainer = Trainer(tiny("paper", encoder_rate=0.25), EXACT)
    trainer.model.enter("adversarial")
    trainer.model.train()
    for turn in trainer.stages[1].turns:
        before = {k: v.detach().clone() for k, v in trainer.model.named_parameters()}
        trainer.take(turn, Random().batch(0))
        for net in turn.nets:  # Adam's first step is as long as its rate
            moved = [
                (v - before[k]).abs().max().item() for k, v in trainer.model.named_parameters() if k.startswith(net)
            ]
            rate = 2e-4 * (0.25 if "encoder" in net else 1)
            assert max(moved) == pytest.approx(rate, rel=0.02), (turn.name, net)


def test_d_can_learn_alone_first():
    stages = tiny("paper", discriminator_steps=7).stages()
    assert [(s.name, s.steps) for s in stages[1:2]] == [("discriminator", 7)]
    assert [t.nets for t in stages[1].turns] == [("discriminator",)]
    assert stages[2].name == "adversarial" and len(tiny("paper").stages()) == 3


def test_base_has_the_papers_size_objective_and_lambdas():
    base, literal = (create("ter_gan", name, width=2, discriminator_width=2) for name in ("base", "paper"))
    weights = [
        {k: v for s in model.stages() for t in s.turns for k, v in t.weights.items()} for model in (base, literal)
    ]
    assert weights[0] == weights[1] and base.config.image_size == literal.config.image_size == 75


def tiny(preset, **changes):
    torch.manual_seed(0)
    return create("ter_gan", preset, **(TINY["ter_gan"] | changes))


def double(x):
    return x.double() if x.is_floating_point() else x
