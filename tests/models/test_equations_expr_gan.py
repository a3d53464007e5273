"""ExprGAN's Eq. 3-10, recomputed in float64 NumPy from the paper, its structure, and what its uses promise."""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from mien.controls import Controls
from mien.data.batch import Batch, Faces
from mien.errors import InputError
from mien.labels import CLASSES
from mien.models import expr_gan as paper
from mien.models.contract import HasBaseline
from mien.models.expr_gan.equations import uniform
from mien.models.io import load
from mien.models.jesrl.vgg import Vgg19
from mien.models.registry import create
from mien.nn.losses import fooling_loss
from mien.training.checkpoint import resume
from mien.training.loop import train
from mien.training.trainer import Trainer
from mien.weights.resolve import CHECKPOINT
from tests.helpers.tiny import TINY
from tests.models.test_contract import EXACT, Random

RNG = np.random.default_rng(0)
K, D = 7, 5


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(a)) for a in arrays]


def check(value, expected):
    assert value.ndim == 0
    np.testing.assert_allclose(value.numpy(), expected, rtol=1e-12)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_eq_3_controller():
    y, z = np.eye(K)[[2, 0, 6]], RNG.uniform(-1, 1, (3, D))
    c = paper.expression_code(*tensors(y, z)).numpy()
    assert c.shape == (3, K * D)
    expected = np.zeros((3, K, D))
    for n in range(3):
        for i in range(K):
            expected[n, i] = np.abs(z[n]) * (2 * y[n, i] - 1)
    np.testing.assert_allclose(c.reshape(3, K, D), expected, rtol=1e-12)
    assert (c.reshape(3, K, D)[0, 2] > 0).all() and (np.delete(c.reshape(3, K, D)[0], 2, 0) < 0).all()


def test_eq_4_and_5_regularizer():
    """log Q of a factored Gaussian whose variance is half the number of its numbers, without its constant."""
    mean, code = RNG.normal(size=(6, K * D)), RNG.normal(size=(6, K * D))
    variance = K * D / 2
    log_q = (-((code - mean) ** 2) / (2 * variance) - 0.5 * np.log(2 * np.pi * variance)).sum(1).mean()
    constant = -0.5 * K * D * np.log(2 * np.pi * variance)
    check(paper.information_bound(*tensors(mean, code)), log_q - constant)
    check(paper.regularizer_loss(*tensors(mean, code)), -(log_q - constant))


def test_eq_6_pixels():
    a, b = RNG.normal(size=(5, 3, 4, 4)), RNG.normal(size=(5, 3, 4, 4))
    check(paper.pixel_loss(*tensors(a, b)), np.abs(a - b).mean())


def test_eq_7_identity():
    a = [RNG.normal(size=(3, 2, s, s)) for s in (16, 8, 4, 2, 1)]
    b = [RNG.normal(size=(3, 2, s, s)) for s in (16, 8, 4, 2, 1)]
    check(paper.identity_loss(tensors(*a), tensors(*b)), sum(np.abs(x - y).mean() for x, y in zip(a, b, strict=True)))


@pytest.mark.parametrize("equation", [paper.code_adversarial_value, paper.image_adversarial_value])
def test_eq_8_and_9_adversarial(equation):
    real, fake = RNG.normal(size=(7, 1)), RNG.normal(size=(7, 1))
    check(equation(*tensors(real, fake)), np.log(sigmoid(real)).mean() + np.log(1 - sigmoid(fake)).mean())
    check(fooling_loss(*tensors(fake)), -np.log(sigmoid(fake)).mean())


def double(x):
    return x.double() if x.is_floating_point() else x


def double_batch():
    b = Random().batch(0)
    return Batch(b.source.map(double), b.target.map(double), b.truth.double(), b.alike)


def test_eq_10_total_is_the_weighted_sum_of_the_refining_turn(monkeypatch):
    """L_pixel + λ1 L_id + λ2 L_Q + λ3 L_adv^img + λ4 L_adv^z + λ5 L_tv, from x̂ made anew with the same noise."""
    sizes = {name: value for name, value in TINY["expr_gan"].items() if not name.endswith("_steps")}
    model = create("expr_gan", "paper", **sizes).double()
    model.train()
    batch, turn = double_batch(), model.stages()[3].turns[1]
    known = batch.source.label >= 0
    torch.manual_seed(5)
    losses = model(batch, "refine")
    total = sum(turn.weights[name] * loss.item() for name, loss in losses.items())

    torch.manual_seed(5)
    torch.rand(len(batch))  # which kind of code: all drawn
    z = (torch.rand(len(batch), D) * 2 - 1).abs().numpy().astype(np.float64)
    prior = torch.rand(len(batch), 50).double() * 2 - 1
    with torch.no_grad():
        y = model._present(batch.source).numpy()
        neutral = (batch.source.label == 0).numpy()
        c = (2 * y[:, :, None] - 1) * z[:, None]
        c[neutral] = -1.0
        g = torch.tanh(model.encoder(batch.source.image))
        fake = model.decoder(torch.cat([g, torch.from_numpy(c.reshape(len(z), -1))], 1))
        shared = model.trunk(fake, torch.from_numpy(y))
        q, d_img = model.regressor(shared).numpy(), sigmoid(model.image_head(shared).numpy())
        d_z = sigmoid(model.code_head(torch.cat([prior, g]))[len(z) :].numpy())
        maps = [m.numpy() for m in model.frozen_identity_encoder.maps(fake)]
        wanted = [m.numpy() for m in model.frozen_identity_encoder.maps(batch.source.image)]
    made, x = fake.numpy(), batch.source.image.numpy()
    pixel, tv = np.abs(made - x).mean(), sum(np.abs(np.diff(made, axis=axis)).mean() for axis in (2, 3))
    feature = sum(np.abs(a - b).mean() for a, b in zip(maps, wanted, strict=True))
    expected = (
        pixel + feature + ((q - c.reshape(q.shape)) ** 2).mean() - 0.01 * np.log(d_img).mean()
        - 0.01 * np.log(d_z).mean() + 0.001 * tv
    )  # fmt: skip
    assert known.any() and not known.all()
    np.testing.assert_allclose(total, expected, rtol=1e-6)  # z_y and z are float32


def test_eq_10_weights_are_the_papers():
    model = create("expr_gan", "paper", **{k: v for k, v in TINY["expr_gan"].items() if k.endswith("width")})
    weights = {t.name: dict(t.weights) for s in model.stages() for t in s.turns}
    adversarial = {"L_Q": 1, "L_adv_img": 0.01, "L_adv_z": 0.01}
    assert weights["discriminate"] == adversarial
    assert weights["refine"] == {"L_pixel": 1, "L_id": 1, "L_tv": 0.001} | adversarial
    assert weights["control"] == weights["discriminate noise"] == {"L_Q": 1, "L_adv_img": 1}
    assert weights["reconstruct"].keys() == {"L_pixel", "L_id", "L_Q"}
    assert weights["reconstruct"]["L_Q"] < weights["refine"]["L_Q"]
    turns = [[t.nets for t in s.turns] for s in model.stages()[1:]]
    assert turns[0] == [("trunk", "image_head", "regressor"), ("decoder",)]
    assert turns[1] == [("encoder", "decoder", "trunk", "regressor")]
    assert turns[2] == [("trunk", "image_head", "regressor", "code_head"), ("encoder", "decoder")]
    assert {(t.optimizer.lr, t.optimizer.betas) for s in model.stages() for t in s.turns} == {(2e-4, (0.5, 0.999))}
    assert model.config.image_size == 128 and model.config.batch_size == 48


def test_the_paper_preset_has_the_papers_nets():
    with torch.device("meta"):
        model = create("expr_gan", "paper", subjects=80)
        image, y = torch.zeros(2, 3, 128, 128), torch.zeros(2, K)
        code = model.encoder(image)
        made = model.decoder(torch.zeros(2, 50 + K * D))
        shared = model.trunk(image, y)
    down = [tuple(b.convolution.weight.shape) for b in model.encoder.blocks]
    assert down == [(64, 3, 5, 5), (128, 64, 5, 5), (256, 128, 5, 5), (512, 256, 5, 5), (1024, 512, 5, 5)]
    assert all(b.convolution.stride == (2, 2) and b.norm is None and b.slope == 0 for b in model.encoder.blocks)
    up = [tuple(b.convolution.weight.shape) for b in model.decoder.blocks]
    ends = [(1024, 512), (512, 256), (256, 128), (128, 64), (64, 32), (32, 16), (16, 3)]
    assert up == [(b, a, 3, 3) for a, b in ends]
    assert [b.side for b in model.decoder.blocks] == [8, 16, 32, 64, 128, 128, 128]
    assert all(b.norm is None for b in model.decoder.blocks)
    judge = [tuple(b.convolution.weight.shape) for b in model.trunk.blocks]
    assert judge == [(16, 3, 5, 5), (32, 16, 5, 5), (64, 32, 5, 5), (128, 64, 5, 5)]
    assert all(b.norm is not None and b.slope == 0.2 for b in model.trunk.blocks)
    branches = [[layer.out_features for layer in b if hasattr(layer, "out_features")] for b in model.regressor.branches]
    assert branches == [[64, D]] * K
    assert [layer.out_features for layer in model.code_head if hasattr(layer, "out_features")] == [64, 32, 16, 1]
    assert code.shape == (2, 50) and made.shape == image.shape and shared.shape == (2, 1024)
    counts = {name: sum(p.numel() for p in getattr(model, name).parameters()) for name in ("encoder", "decoder")}
    assert counts == {"encoder": 18_234_034, "decoder": 7_700_387}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = create("expr_gan", **TINY["expr_gan"]).eval()
    for name, p in model.named_parameters():  # untrained nets hardly answer to their code
        if name.startswith(("decoder.linear", "regressor")):
            p.data.mul_(3)
    return model


@pytest.fixture(scope="module")
def face():
    return Random(3).batch(2).source.image


def test_uses_send_the_papers_codes(model, face, monkeypatch):
    seen = []
    monkeypatch.setattr(model, "_decode", lambda identity, code: seen.append(code) or code)
    model.edit(face, Controls("happiness"))
    model.edit(face, Controls("happiness", 0.0))
    model.edit(face, Controls("happiness", 0.25))
    model.element(face, "contempt", 4)
    model.generate(4, "anger")
    model.generate(2, "neutral")
    full, none, weak, one, drawn, calm = (c.reshape(len(c), K, D) for c in seen)
    assert (full[:, 0] == 1).all() and (full[:, 1:] == -1).all()
    assert (none == -1).all() and (calm == -1).all()
    assert (weak[:, 0] == -0.5).all() and (weak[:, 1:] == -1).all()
    assert one[0, K - 1, 4] == 1 and (one == 1).sum() == len(face) and (one == -1).sum() == len(face) * (K * D - 1)
    anger = CLASSES.index("anger") - 1
    assert ((drawn[:, anger] > 0) & (drawn[:, anger] < 1)).all()
    assert (drawn == -1).sum() == 4 * (K - 1) * D and len(drawn[:, anger].unique()) == 4 * D


def test_generation_in_the_papers_presets_draws_eq_3(monkeypatch, face):
    model, seen = create("expr_gan", "unpaired", **TINY["expr_gan"]), []
    monkeypatch.setattr(model, "_decode", lambda identity, code: seen.append((identity, code)) or code)
    model.generate(200, "anger")
    model.generate(40)
    (identity, code), (_, anyone) = seen
    code, anyone = code.reshape(-1, K, D), anyone.reshape(-1, K, D)
    anger = CLASSES.index("anger") - 1
    assert ((code[:, anger] > 0) & (code[:, anger] < 1)).all() and (code < 0).sum() == 200 * (K - 1) * D
    torch.testing.assert_close(code[:, anger], -code[:, 0])  # one |z_y| for all blocks
    assert identity.abs().max() <= 1 and identity.mean().abs() < 0.05 and 0.55 < identity.std() < 0.6  # 1/√3
    assert ((anyone > 0).all(2).sum(1) == 1).all() and len((anyone > 0).all(2).nonzero()[:, 1].unique()) == K


def test_a_picture_s_code_is_qs_where_the_classifier_says_present(model, face):
    with torch.no_grad():
        p = model.recognize(face).probabilities[:, 1:]
        q = model.regressor(model.trunk(face, p)).reshape(-1, K, D)
        code = model.embed(face).expression.reshape(-1, K, D)
    torch.testing.assert_close(code, -1 + p[:, :, None] * (q + 1))
    with torch.no_grad():
        like = model.edit(face, Controls(like=face[:1], intensity=1.0))
        torch.testing.assert_close(like[:1], model.transfer(face[:1], face[:1]))
        torch.testing.assert_close(model.edit(face, Controls(like=face[:1], intensity=0.0)), neutral(model, face))


def neutral(model, face):
    return model.edit(face, Controls("neutral"))


def test_intensity_and_elements_move_the_picture_continuously(model, face):
    with torch.no_grad():
        steps = [model.edit(face, Controls("surprise", t)) for t in np.linspace(0, 1, 21)]
        moved = [(a - b).abs().max().item() for a, b in pairwise(steps)]
        whole = (steps[-1] - steps[0]).abs().max().item()
        assert torch.equal(steps[0], neutral(model, face)) and whole > 0
        assert max(moved) < 0.5 * whole
        elements = [model.element(face, "surprise", k) for k in range(D)]
        assert all(not torch.equal(a, b) for a, b in pairwise(elements))
        assert torch.equal(model.element(face, "surprise", 2, -1.0), neutral(model, face))


@pytest.mark.parametrize(
    ("use", "says"),
    [
        (lambda m, x: m.element(x, "neutral", 0), "no block"),
        (lambda m, x: m.element(x, "anger", 5), "0 to 4"),
        (lambda m, x: m.element(x, "anger", 0, 1.5), "at -1 to 1"),
        (lambda m, x: m.edit(x, Controls(aus={12: 1.0})), "cannot edit by action unit, but by class, example"),
        (lambda m, x: m.generate(2, "glee"), "glee"),
        (lambda m, x: create("expr_gan", image_size=16), "expected 32 or more"),
        (lambda m, x: create("expr_gan", estimated=0.7, drawn=0.6), "at most 1 together"),
        (lambda m, x: create("expr_gan", batch_size=1), "2 or more"),
    ],
)
def test_impossible_requests_say_what_is_possible(model, face, use, says):
    with pytest.raises(InputError, match=says):
        use(model, face)


def labelled(label, intensity):
    n = len(label)
    label = torch.tensor(label)
    return Faces(
        torch.rand(n, 3, 32, 32),
        torch.zeros(n).long(),
        label,
        torch.tensor(intensity),
        *(torch.full((n, 21), torch.nan) for _ in range(3)),
        *(torch.zeros(n) for _ in range(4)),
        torch.zeros(n, 68, 2),
    )


def test_the_paper_and_our_pairs_answer_the_same_questions():
    asked = [{name for name in vars(kind) if not name.startswith("_")} for kind in (paper.Unpaired, paper.Paired)]
    assert asked[0] == asked[1] and len(asked[0]) == 9
    literal, ours = (create("expr_gan", preset, **TINY["expr_gan"]) for preset in ("paper", "small"))
    assert (type(literal.supervision), type(ours.supervision)) == (paper.Unpaired, paper.Paired)
    batch = Random().batch(0)
    face, shown, answer = literal.supervision.task(batch)
    assert face is answer is batch.source.image and shown is batch.source and not literal.sampling().need_truth
    face, shown, answer = ours.supervision.task(batch)
    assert face is batch.target.image and answer is batch.truth and ours.sampling().need_truth


def test_training_codes_follow_the_labels():
    faces = labelled([0, 3, 3, 1], [0.0, 0.5, float("nan"), 1.0])
    exact = create("expr_gan", **TINY["expr_gan"], estimated=0.0, drawn=0.0)
    code, unanswered = exact._codes(faces, exact._present(faces))
    code = code.reshape(4, K, D)
    assert (code[0] == -1).all() and (code[1, 2] == 0).all() and (code[2, 2] == 1).all() and (code[3, 0] == 1).all()
    assert (code == -1).sum() == 4 * K * D - 3 * D and not unanswered.any()
    drawn = create("expr_gan", **TINY["expr_gan"], estimated=0.0, drawn=1.0)
    code, unanswered = drawn._codes(faces, drawn._present(faces))
    code = code.reshape(4, K, D)
    assert unanswered.all() and (code[0] == -1).all() and len(code[1, 2].unique()) == D
    assert (code[1, [0, 1, 3, 4, 5, 6]] == -1).all()
    literal = create("expr_gan", "unpaired", **TINY["expr_gan"])
    code, unanswered = literal._codes(faces, literal._present(faces))
    code = code.reshape(4, K, D)
    assert not unanswered.any() and (code[0] == -1).all() and (code[1:] != -1).all()
    assert (code[1, 2] > 0).all() and (code[1, :2] < 0).all()


def test_base_has_the_papers_objective_alone():
    literal, base = (create("expr_gan", preset, **TINY["expr_gan"]) for preset in ("paper", "base"))
    assert next(iter(type(base).PRESETS)) == "paper" and paper.ExprGanConfig() == paper.PAPER
    told = [{t.name: (t.nets, t.weights) for s in m.stages() for t in s.turns} for m in (literal, base)]
    assert told[0] == told[1]


def test_single_elements_are_those_of_fig_3():
    torch.manual_seed(0)
    present = torch.tensor([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]]).repeat(50, 1)
    z = uniform(150, 5)
    code = paper.single_element(present, z).unflatten(1, (3, 5)).numpy()
    on, z, present = code > -1, z.numpy(), present.numpy()
    assert (on.sum((1, 2)) == present.sum(1)).all() and (on.any(2) == (present == 1)).all()
    rows, _, element = np.nonzero(on)
    np.testing.assert_allclose(code[on], np.abs(z)[rows, element], atol=1e-6)
    assert set(element) == set(range(5))
    model = create("expr_gan", "base", **TINY["expr_gan"], single=1.0)
    drawn = model.supervision.draw(torch.eye(7), torch.arange(1, 8)).numpy()
    assert ((drawn > -1).sum(1) == 1).all()
    with pytest.raises(InputError, match="single goes without exact"):
        create("expr_gan", single=0.5)


@pytest.mark.parametrize(("preset", "answered"), [("paper", True), ("base", False)])
def test_whether_a_face_is_the_answer_for_drawn_codes(preset, answered):
    torch.manual_seed(0)
    model = create("expr_gan", preset, **TINY["expr_gan"])
    faces = Random(40).batch(0).source
    drawn = model.config.drawn
    _, unanswered = model._codes(faces, model._present(faces))
    assert (unanswered.float().mean() == 0) == answered
    if not answered:
        assert abs(float(unanswered.float().mean()) - drawn) < 0.3


def test_varied_edits_are_of_drawn_codes(model, face, monkeypatch):
    seen = []
    monkeypatch.setattr(model, "_decode", lambda identity, code: seen.append(code) or face)
    for seed in (1, 1, 2):
        model.vary(face, "happiness", seed)
    block = slice(
        (CLASSES.index("happiness") - 1) * model.config.style, CLASSES.index("happiness") * model.config.style
    )
    assert torch.equal(seen[0], seen[1]) and not torch.equal(seen[0], seen[2])
    assert (seen[0][:, block] >= 0).all() and len({tuple(c) for c in seen[0][:, block].tolist()}) == len(face)


def test_a_code_without_an_answer_asks_for_nothing():
    model = create("expr_gan", **TINY["expr_gan"], estimated=0.0, drawn=1.0)
    losses = model(Random().batch(0), "reconstruct")
    assert losses["L_pixel"] == 0 and losses["L_id"] == 0 and losses["L_Q"] > 0


class Twice(nn.Module):
    """A stand-in for a face recognition net: one layer, with batch norm, and two maps."""

    def __init__(self, maps):
        super().__init__()
        self.layer, self.norm, self.count = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), maps

    def forward(self, image):
        x = self.norm(self.layer(image))
        return x if self.count == 1 else [x, 2 * x]


def test_a_given_face_recognition_net_takes_ours_place(tmp_path):
    model = create("expr_gan", **TINY["expr_gan"], estimated=0.0, drawn=0.0, watched=1.0, focus=0.0)
    model.frozen_identity_net, batch = nn.Identity(), Random().batch(0)
    plain = model(batch, "reconstruct")
    torch.testing.assert_close(plain["L_id"], plain["L_pixel"])
    model.frozen_identity_net = Vgg19(2)  # by its `maps`
    assert len(model._identity_maps(batch.source.image)) == 5
    model.frozen_identity_net = Twice(2)
    before = copy.deepcopy(model.frozen_identity_net.state_dict())
    model.train()
    assert not model.frozen_identity_net.training
    model(batch, "reconstruct")["L_id"].backward()
    assert all(p.grad.any() for p in model.decoder.blocks[-1].parameters())  # gradients flow through it
    train(model, Random(), tmp_path, EXACT)
    after = model.frozen_identity_net.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    again = create("expr_gan", **TINY["expr_gan"], estimated=0.0, drawn=0.0, watched=1.0, focus=0.0)
    with pytest.raises(InputError, match="frozen_identity_net"):
        resume(Trainer(again, EXACT), tmp_path / CHECKPOINT)
    again.frozen_identity_net = Twice(2)
    resume(Trainer(again, EXACT), tmp_path / CHECKPOINT)
    load(str(tmp_path))  # its uses need none


def test_the_baseline_is_the_classifier_trained_alone_as_often():
    model, alone = (create("expr_gan", **TINY["expr_gan"], supervised=on) for on in (False, True))
    (stage,) = alone.stages()
    assert (stage.steps, stage.turns) == (model.stages()[0].steps, model.stages()[0].turns[:1])
    assert isinstance(model, HasBaseline) and stage.turns[0].nets == ("classifier",)
    face = Random().batch(0).source.image
    expected = alone.eval().classifier(face).softmax(1)
    torch.testing.assert_close(alone.baseline(face).probabilities, expected)


def test_read_codes_are_qs_under_the_label_and_teach_q():
    model = create("expr_gan", **TINY["expr_gan"], estimated=1.0, drawn=0.0, reconstruction_regularizer=0.0).eval()
    faces = labelled([3, 1, -1], [0.5, 1.0, 1.0])
    present = model._present(faces)
    code, unanswered = model._codes(faces, present)
    with torch.no_grad():
        q = model.regressor(model.trunk(faces.image, present)).reshape(3, K, D)
        guess = model.recognize(faces.image).probabilities[:, 1:]
    torch.testing.assert_close(present[2], guess[2])
    torch.testing.assert_close(code.detach().reshape(3, K, D), -1 + present[:, :, None] * (q + 1))
    assert not unanswered.any()
    model(Random().batch(0), "reconstruct")["L_pixel"].backward()
    assert all(p.grad is not None for p in model.trunk.blocks.parameters())  # L_pixel reaches Q through the code


@pytest.mark.parametrize("preset", ["small", "unpaired"])
@pytest.mark.parametrize("turn", ["discriminate noise", "control", "reconstruct", "discriminate", "refine"])
def test_qs_running_figures_are_of_real_faces_alone(preset, turn):
    torch.manual_seed(0)
    model = create("expr_gan", preset, **TINY["expr_gan"]).train()
    alone, batch = copy.deepcopy(model), Random().batch(0)
    rows = model._watched_rows(batch.truth) if (preset, turn) == ("unpaired", "reconstruct") else slice(None)
    model(batch, turn)
    if turn not in ("control", "refine"):  # those do not train Q
        present = model._present(batch.source)
        alone.regressor(alone.trunk(batch.source.image[rows], present[rows]))
    for net in ("trunk", "regressor"):
        for (name, moved), (_, real) in zip(
            getattr(model, net).named_buffers(), getattr(alone, net).named_buffers(), strict=True
        ):
            torch.testing.assert_close(moved, real, msg=f"{net}.{name}")


def test_intensity_is_the_mean_of_the_present_block():
    code, y = RNG.normal(size=(4, K * D)), np.eye(K)[[0, 3, 6, 2]]
    t, known = RNG.random(4), np.array([True, True, False, True])
    strength = np.array([code.reshape(4, K, D)[n, k].mean() for n, k in enumerate((0, 3, 6, 2))])
    check(paper.intensity_loss(*tensors(code, y, t, known)), ((strength - (2 * t - 1)) ** 2)[known].sum() / 4)
