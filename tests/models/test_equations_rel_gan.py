"""REL-GAN's Eq. 1-4, recomputed in float64 NumPy from the paper; its structure and what its uses promise."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from mien.controls import Controls
from mien.data.batch import Batch
from mien.data.dataset import open_data
from mien.errors import InputError
from mien.labels import CLASSES
from mien.models import rel_gan as paper
from mien.models.registry import create
from mien.training.loop import train
from mien.training.start import sampler_of
from mien.training.trainer import Trainer
from tests.helpers.tiny import TINY
from tests.models.test_contract import EXACT, Random, tiny

RNG = np.random.default_rng(0)
N, PEOPLE, B = 6, 9, 7
ROWS = np.arange(B)


def log_softmax(x):
    x = x - x.max(1, keepdims=True)
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(a)) for a in arrays]


def check(value, expected):
    assert value.ndim == 0
    np.testing.assert_allclose(value.detach().numpy(), expected, rtol=1e-12)


def double(x):
    return x.double() if x.is_floating_point() else x


def test_eq_1_discriminator():
    real_e, fake_e = RNG.normal(size=(B, N + 1)), RNG.normal(size=(B, N + 1))
    real_i, y_s, y_t = RNG.normal(size=(B, PEOPLE)), RNG.integers(0, N, B), RNG.integers(0, PEOPLE, B)
    maximised = np.mean(log_softmax(real_e)[ROWS, y_s] + log_softmax(real_i)[ROWS, y_t])
    maximised += np.mean(log_softmax(fake_e)[:, N])  # N_e + 1, counted from one
    check(paper.discriminator_loss(*tensors(real_e, y_s, real_i, y_t, fake_e)), -maximised)


def test_eq_2_generator():
    fake_e, fake_i = RNG.normal(size=(B, N + 1)), RNG.normal(size=(B, PEOPLE))
    y_s, y_t = RNG.integers(0, N, B), RNG.integers(0, PEOPLE, B)
    maximised = np.mean(log_softmax(fake_e)[ROWS, y_s] + log_softmax(fake_i)[ROWS, y_t])
    check(paper.generator_loss(*tensors(fake_e, y_s, fake_i, y_t)), -maximised)


def test_eq_1_and_2_leave_unknown_expressions_out():
    real_e, fake_e = RNG.normal(size=(3, N + 1)), RNG.normal(size=(3, N + 1))
    identity, y_t, y_s = RNG.normal(size=(3, PEOPLE)), np.array([1, 8, 3]), np.array([-100, 4, -100])
    person = -np.mean(log_softmax(identity)[np.arange(3), y_t])
    fake = -np.mean(log_softmax(fake_e)[:, N])  # a picture of no class is told from a real one all the same
    expected = -log_softmax(real_e)[1, 4] + person + fake
    check(paper.discriminator_loss(*tensors(real_e, y_s, identity, y_t, fake_e)), expected)
    check(paper.generator_loss(*tensors(fake_e, y_s, identity, y_t)), -log_softmax(fake_e)[1, 4] + person)


def test_eq_3_pixels():
    made, truth = RNG.normal(size=(5, 3, 4, 4)), RNG.normal(size=(5, 3, 4, 4))
    check(paper.pixel_loss(*tensors(made, truth)), np.abs(made - truth).mean())


def test_eq_4_total_is_the_weighted_sum_of_both_turns():
    """λ1 (L_G + L_D) + λ2 L_pixel + λ3 L_De + λ4 L_Di, λ = 0.7 20 50 30, from what D says of the same pictures."""
    model = create("rel_gan", "paper", **TINY["rel_gan"]).double()
    batch = Random().batch(0)
    batch = Batch(batch.source.map(double), batch.target.map(double), batch.truth.double(), batch.alike)
    for stage in model.stages()[:2]:
        total = sum(turn.weights[k] * v.item() for turn in stage.turns for k, v in model(batch, turn.name).items())
        with torch.no_grad():
            source, target = batch.source.image, batch.target.image
            code = torch.cat([model.expression_encoder(source), model.identity_encoder(target)], 1)
            fake = model.decoder(code)  # G_de(G_es(x_s), G_et(x_t))
            d = [[log_softmax(logits.numpy()) for logits in model.discriminator(x)] for x in (source, target, fake)]
        y_s, y_t, rows = batch.source.label.numpy(), batch.target.subject.numpy(), np.arange(len(batch))
        known = y_s >= 0
        of_source = -d[0][0][rows, y_s.clip(0)][known].mean()
        of_target, of_fake = -d[1][1][rows, y_t].mean(), -d[2][0][:, len(CLASSES)].mean()
        l_de, l_di = -d[2][0][rows, y_s.clip(0)][known].mean(), -d[2][1][rows, y_t].mean()
        l_pixel = np.abs(fake.numpy() - batch.truth.numpy()).mean()
        l_adv = (l_de + l_di) + (of_source + of_target + of_fake)
        np.testing.assert_allclose(total, 0.7 * l_adv + 20 * l_pixel + 50 * l_de + 30 * l_di, rtol=1e-12)


def test_paper_preset_has_the_papers_widths():
    with torch.device("meta"):
        model = create("rel_gan", "paper", subjects=101)
    widths = [3, 64, 128, 256, 512, 512]
    encoders = ((model.expression_encoder, 30), (model.identity_encoder, 50))
    for encoder, code in encoders:
        assert [b.convolution.weight.shape for b in encoder.blocks] == [(b, a, 3, 3) for a, b in pairwise(widths)]
        assert encoder.linear.weight.shape == (code, 512 * 3 * 3)  # 96-48-24-12-6-3
    assert [b.convolution.weight.shape[:2] for b in model.decoder.blocks] == [
        (512, 512),
        (256, 512),
        (128, 256),
        (64, 128),
        (32, 64),
    ]
    assert [b.side for b in model.decoder.blocks] == [6, 12, 24, 48, 96]
    assert model.decoder.paint.weight.shape == (3, 32, 3, 3)
    d = model.discriminator
    assert [b.convolution.weight.shape[0] for b in d.trunk if hasattr(b, "convolution")] == [16, 32, 64, 128]
    linears = [
        [m.out_features for m in part if hasattr(m, "out_features")] for part in (d.trunk, d.expression, d.identity)
    ]
    assert linears == [[1024], [512, 256, len(CLASSES) + 1], [512, 256, 101]]


def test_paper_preset_has_the_papers_size():
    """Parameters counted by hand from the channel lists: 3×3 convolutions, two norm figures a channel, FC layers."""
    with torch.device("meta"):
        model = create("rel_gan", "paper", subjects=101)

    def convolutions(channels):
        return sum(9 * a * b + 2 * b for a, b in pairwise(channels))

    encoder = convolutions([3, 64, 128, 256, 512, 512])
    count = {name: sum(p.numel() for p in net.parameters()) for name, net in model.named_children()}
    assert count["expression_encoder"] == encoder + 4608 * 30 + 30 == 4_050_526
    assert count["identity_encoder"] == encoder + 4608 * 50 + 50
    paint = 9 * 32 * 3 + 3
    assert count["decoder"] == 80 * 4608 + 4608 + convolutions([512, 512, 256, 128, 64, 32]) + paint


def test_paper_preset_has_the_papers_recipe():
    model = create("rel_gan", "paper")
    early, late, recognition = model.stages()
    for stage in (early, late):
        assert {turn.name: dict(turn.weights) for turn in stage.turns} == {
            "discriminate": {"L_D": 0.7},
            "synthesize": {"L_G": 0.7, "L_pixel": 20, "L_De": 50, "L_Di": 30},
        }
        assert all(turn.optimizer.lr == 1e-4 and turn.optimizer.betas[0] == 0.5 for turn in stage.turns)
    assert model.config.batch_size == 64 and model.config.image_size == 96
    epochs = (early.steps + late.steps) * 64 / 60_600, recognition.steps * 64 / 60_600
    np.testing.assert_allclose(epochs, (300, 50), rtol=2e-3)
    assert recognition.turns[0].nets == ("recognizer",)


@pytest.mark.parametrize("preset", ["small", "base", "paper"])
def test_late_in_training_g_moves_more_often_than_d(preset):
    early, late, _ = create("rel_gan", preset, width=2, discriminator_width=1).stages()
    assert [t.every for t in early.turns] == [1, 1]
    rest = {t.name: t.every for t in late.turns}
    assert rest["synthesize"] == 1 < rest["discriminate"]


def test_d_rests_in_the_late_stage():
    """Counted on a training: D's weights change in every early step and in every fourth late one."""
    model = tiny("rel_gan")
    trainer, changed = Trainer(model, EXACT), {}
    before = [p.clone() for p in model.discriminator.parameters()]
    while (result := trainer.advance(Random().batch)) is not None:
        now = [p.clone() for p in model.discriminator.parameters()]
        changed.setdefault(result[0], []).append(not all(map(torch.equal, now, before)))
        before = now
    assert changed == {
        "reenactment": [True] * 2,
        "late reenactment": [True, False, False, False, True],
        "recognition": [False] * 3,
    }


def test_the_baseline_is_the_encoder_and_one_layer(tmp_path):
    model = create("rel_gan", **(TINY["rel_gan"] | {"supervised": True}))
    (stage,) = model.stages()
    assert stage.steps == TINY["rel_gan"]["steps"] + TINY["rel_gan"]["late_steps"]
    assert [t.nets for t in stage.turns] == [("expression_encoder", "class_layer")]
    assert train(model, Random(), tmp_path, EXACT)
    model.eval()
    face = Random().batch(9).source.image
    logits = model.class_layer(model.expression_encoder(face)).detach().double().numpy()
    expected = np.exp(log_softmax(logits))
    np.testing.assert_allclose(model.baseline(face).probabilities.detach().numpy(), expected, rtol=1e-5)


def test_the_encoder_can_know_classes_before_the_game():
    first, *others = create("rel_gan", "paper", width=2, discriminator_width=1, pretrain_steps=5).stages()
    assert (first.name, first.steps, len(others)) == ("pretrain", 5, 3)
    assert [t.nets for t in first.turns] == [("expression_encoder", "class_layer")]
    (plain,) = create("rel_gan", width=2, discriminator_width=1, pretrain_steps=5, supervised=True).stages()
    assert plain.steps == 5 + sum(stage.steps for stage in create("rel_gan", width=2).stages()[:2])


def test_base_has_the_papers_size_objective_and_lambdas():
    base, literal = (create("rel_gan", name, width=2, discriminator_width=1) for name in ("base", "paper"))
    weights = [[dict(t.weights) for s in model.stages() for t in s.turns] for model in (base, literal)]
    assert weights[0] == weights[1] and base.config.image_size == literal.config.image_size == 96


def test_recognition_leaves_the_encoder_alone():
    trainer = Trainer(tiny("rel_gan"), EXACT)
    turn = trainer.stages[2].turns[0]
    trainer.model.enter("recognition")
    before = {k: v.clone() for k, v in trainer.model.state_dict().items() if "encoder" in k}
    trainer.model.train()
    trainer.take(turn, Random().batch(0))
    assert all(torch.equal(v, trainer.model.state_dict()[k]) for k, v in before.items())  # batch norm's figures too
    assert trainer.model.class_codes.count.sum() > 0


def test_transfer_takes_the_expression_from_one_and_the_person_from_the_other():
    model = tiny("rel_gan").eval()
    batch = Random().batch(3)
    x_s, x_t = batch.source.image, batch.target.image
    made = model.transfer(x_t, x_s)
    codes_s, codes_t = model.embed(x_s), model.embed(x_t)
    assert codes_s.expression.shape == (10, 30) and codes_s.identity.shape == (10, 50)
    torch.testing.assert_close(made, model.decoder(torch.cat([codes_s.expression, codes_t.identity], 1)))
    assert not torch.equal(made, model.transfer(x_s, x_t))
    assert torch.equal(model.reconstruct(x_t), model.transfer(x_t, x_t))


def test_edits_go_from_the_neutral_code_to_the_asked_one():
    model = tiny("rel_gan").eval()
    faces = Random(40).batch(0).source
    with torch.no_grad():
        code = model.expression_encoder(faces.image)
        model.class_codes.add(code, faces.label, faces.intensity)
        face, like = faces.image[:3], Random().batch(1).source.image[:3]
        identity = model.identity_encoder(face)
        neutral = code[faces.label == 0].mean(0, keepdim=True)
        for asked, controls in (
            (code[faces.label == 5].mean(0, keepdim=True), Controls("anger", 0.4)),
            (model.expression_encoder(like), Controls(like=like, intensity=0.4)),
        ):
            mixed = (neutral + 0.4 * (asked - neutral)).expand(3, -1)
            torch.testing.assert_close(model.edit(face, controls), model.decoder(torch.cat([mixed, identity], 1)))


def test_training_pairs_are_triples_with_a_real_answer(faces_folder):
    """L_pixel's x_tg is always a picture of x_t's person; with the paper's sampling it is never x_s's person."""
    data = open_data(faces_folder, 32)
    small = create("rel_gan", **TINY["rel_gan"])
    literal = type(small)(replace(small.config, same=0.0, alike=0.0))
    for model in (small, literal):
        sampler = sampler_of(model, data, seed=0)
        for step in range(5):
            rows, batch = sampler.rows(step), sampler.batch(step)
            assert not batch.truth.isnan().any()
            person = data.manifest.subject
            assert (person[rows.truth] == person[rows.target]).all()
            assert (data.manifest.expr_id[rows.truth] == data.manifest.expr_id[rows.source]).all()
            if model is literal:
                assert (person[rows.source] != person[rows.target]).all() and (rows.target != rows.truth).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"image_size": 20}, "20.*32"),
        ({"late_every": 0}, "late_every is 0.*1 or more"),
        ({"width": 1}, "width is 1.*2 or more"),
        ({"same": 1.5}, "same is 1.5.*0 to 1"),
    ],
)
def test_impossible_settings_say_what_is_right(change, says):
    with pytest.raises(InputError, match=says):
        create("rel_gan", **change)


def test_edits_by_au_are_refused():
    with pytest.raises(InputError, match="RelGan cannot edit by action unit, but by class, example"):
        tiny("rel_gan").edit(torch.zeros(1, 3, 32, 32), Controls(aus={12: 1.0}))
