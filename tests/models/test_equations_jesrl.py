"""JESRL's Eq. 2-12, recomputed in float64 NumPy from the paper.

Long, as the model has many numbered equations, and they are read in its order.
"""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mien.controls import Controls
from mien.errors import InputError
from mien.labels import CLASSES
from mien.models import jesrl as paper
from mien.models.jesrl.nets import one_hot
from mien.models.jesrl.vgg import Vgg19
from mien.models.registry import FAMILIES, create
from mien.nn.modes import evaluating
from tests.helpers.tiny import TINY
from tests.models.test_contract import EXACT, Random

RNG = np.random.default_rng(0)
N = len(CLASSES)


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(a)) for a in arrays]


def check(value, expected):
    assert value.ndim == 0
    np.testing.assert_allclose(value.numpy(), expected, rtol=1e-12)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def blocks(r, n):
    """R as a list of its blocks r^1 … r^n, and what is left over."""
    size = r.shape[1] // n
    return [r[:, k * size : (k + 1) * size] for k in range(n)], r[:, n * size :]


@pytest.mark.parametrize("channels", [16, 19])
def test_eq_2_3_and_6_blocks(channels):
    n, i, j, p = 8, 2, 5, 0.25
    a, b = RNG.normal(size=(1, channels, 2, 2)), RNG.normal(size=(1, channels, 2, 2))
    (of_a, rest), (of_b, _) = blocks(a, n), blocks(b, n)
    switched = np.concatenate([of_b[k] if k in (i, j) else of_a[k] for k in range(n)] + [rest], 1)
    mixed = [p * of_a[k] + (1 - p) * of_b[k] if k in (i, j) else of_a[k] for k in range(n)]
    chosen = torch.zeros(1, n, dtype=torch.bool)
    chosen[0, [i, j]] = True
    mask = paper.block_mask(chosen, channels)
    assert mask.sum() == 2 * (channels // n)
    np.testing.assert_array_equal(paper.switch(*tensors(a, b), mask).numpy(), switched)
    np.testing.assert_array_equal(paper.interpolate(*tensors(a, b), mask, p).numpy(), np.concatenate([*mixed, rest], 1))


def tiny(**changes):
    torch.manual_seed(0)
    return create("jesrl", **(TINY["jesrl"] | changes))


def test_eq_4_residual_of_switched_own_and_code():
    """I_c = G_dec([R_c, R_a, S_c]) + I_a, S tiled to 20 channels a class; every image keeps its own skips."""
    model = tiny().double().eval()
    image, new = Random(4, 64).batch(0).source.image.double(), torch.randn(8, 16, 2, 2, dtype=torch.float64)
    chosen = torch.rand(8, N) < 0.5
    seen = model.encoder(image)
    assert [tuple(s.shape[1:]) for s in seen.skips] == [(2, 32, 32), (4, 16, 16), (8, 8, 8), (16, 4, 4)]
    drawn = model.draw(seen, new, chosen).detach().numpy()
    for k in range(8):
        one = model.encoder(image[k % 4 : k % 4 + 1])
        code = np.repeat(chosen[k].numpy().astype(float), 20)[None, :, None, None] * np.ones((1, 1, 2, 2))
        given = torch.cat([new[k : k + 1], one.representation, torch.from_numpy(code)], 1)
        residual = model.decoder(given, one.skips).detach().numpy()
        expected = np.clip(residual + image[k % 4].numpy(), -1, 1)
        np.testing.assert_allclose(drawn[k], expected[0], rtol=1e-9)


def test_eq_5_adversarial():
    real, fake = RNG.normal(size=(2, 7, 1)), RNG.normal(size=(2, 7, 1))  # two scales
    maximised = sum(
        np.mean(np.log(sigmoid(r))) + np.mean(np.log(1 - sigmoid(f))) for r, f in zip(real, fake, strict=True)
    )
    check(paper.adversarial_loss(tensors(*real), tensors(*fake)), -maximised)


def test_eq_7_interpolation():
    c, d = RNG.normal(size=(2, 7, 1)), RNG.normal(size=(2, 7, 1))
    for real, p in ((True, sigmoid), (False, lambda x: 1 - sigmoid(x))):
        expected = -sum(np.mean(np.log(p(x))) for x in (*c, *d))
        check(paper.interpolation_loss(tensors(*c), tensors(*d), called_real=real), expected)


def test_eq_8_classification():
    logits, label = RNG.normal(size=(5, N)), np.array([3, -100, 0, 7, -100])
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    check(paper.classification_loss(*tensors(logits, label)), -np.log(p[[0, 2, 3], [3, 0, 7]]).mean())


def images(count):
    return [RNG.uniform(-1, 1, size=(5, 3, 4, 4)) for _ in range(count)]


def test_eq_9_reconstruction():
    a, ra, b, rb = images(4)
    norms = [np.sqrt(((x - y) ** 2).sum((1, 2, 3))) / np.sqrt(3 * 4 * 4) for x, y in ((a, ra), (b, rb))]
    check(paper.reconstruction_loss(*tensors(a, ra, b, rb)), norms[0].mean() + norms[1].mean())
    x = torch.zeros(2, 3, 4, 4, requires_grad=True)
    paper.reconstruction_loss(x, x.detach(), x, x.detach()).backward()
    assert torch.equal(x.grad, torch.zeros_like(x))  # a perfect picture pulls nowhere


def test_eq_10_pixel_sum():
    a, b, c, d = images(4)
    difference = np.abs(a + b).sum((1, 2, 3)) - np.abs(c + d).sum((1, 2, 3))
    check(paper.pixel_sum_loss(*tensors(a, b, c, d)), np.abs(difference).mean() / (3 * 4 * 4))
    check(paper.pixel_sum_loss(*tensors(a, b, b, a)), 0.0)  # a whole exchange keeps the sum


def test_eq_11_perceptual():
    a, d, b, c = ([RNG.normal(size=(3, 2, s, s)) for s in (8, 4, 2)] for _ in range(4))
    expected = sum(np.abs(x - y).mean() for x, y in zip(a + b, d + c, strict=True))
    check(paper.perceptual_loss(*(tensors(*x) for x in (a, d, b, c))), expected)


def test_blocks_name_the_class_they_are_of():
    r, label = RNG.normal(size=(4, 19, 2, 2)), np.array([1, -100, 7, 0])  # 2 channels a class, 3 left over
    strength = np.stack([10 * r[:, 2 * k : 2 * k + 2].mean((1, 2, 3)) for k in range(N)], 1)
    p = np.exp(strength) / np.exp(strength).sum(1, keepdims=True)
    check(paper.naming_loss(*tensors(r, label)), -np.log(p[[0, 2, 3], [1, 7, 0]]).mean())


def double(x):
    return x.double() if x.is_floating_point() else x


def double_batch(model, step=0):
    batch = Random(10, model.config.image_size).batch(step)
    return type(batch)(batch.source.map(double), batch.target.map(double), batch.truth.double(), batch.alike)


def halves(x):
    return x[: len(x) // 2], x[len(x) // 2 :]


def test_eq_12_total_is_the_weighted_sum_of_the_turns():
    """L_adv + L_inter + L_C + 10 L_r + 15 L_per + 5 L_p + 5 TV: the images made anew, the terms by their equations."""
    widths = {"width": 2, "discriminator_width": 2, "vgg_width": 2, "image_size": 32}
    torch.manual_seed(0)
    model = create("jesrl", "paper", **widths).double()
    model.enter("generate")
    turns = {t.name: t for s in model.stages() for t in s.turns}
    batch = double_batch(model)
    losses = model(batch, "synthesize")
    total = sum(turns["synthesize"].weights[k] * v.item() for k, v in losses.items())
    with torch.no_grad():
        image = torch.cat([batch.target.image, batch.source.image])
        label = torch.cat([batch.target.label, batch.source.label])
        partner = torch.cat([batch.source.label, batch.target.label])
        chosen = np.zeros((20, N), dtype=bool)
        for k, (i, j) in enumerate(zip(label.tolist(), partner.tolist(), strict=True)):
            chosen[k, [i, j] if i >= 0 and j >= 0 else slice(None)] = True
        seen = model.encoder(image)
        r = seen.representation.numpy()
        other = np.concatenate([r[10:], r[:10]])
        mask = chosen.repeat(2, 1)[:, :, None, None]
        switched = model.draw(seen, torch.from_numpy(np.where(mask, other, r)), torch.from_numpy(chosen))
        mixed = model.draw(seen, torch.from_numpy(np.where(mask, (other + r) / 2, r)), torch.from_numpy(chosen))
        rebuilt = model.draw(seen, seen.representation, torch.zeros(20, N))
        judged = [[x.numpy() for x in model._judge(y, partner)] for y in (switched, mixed)]
        maps_of = lambda x: [m.numpy() for m in model.frozen_vgg.maps(x)]  # noqa: E731
        real_maps, maps = maps_of(image), maps_of(switched)
        again = model.encoder(switched).representation
        logits = model.classifier(torch.cat([image, switched]), torch.cat([seen.representation, again])).numpy()
    x, made = image.numpy(), switched.numpy()
    adversarial = -sum(np.log(sigmoid(f)).mean() for f in judged[0])
    interpolation = -sum(np.log(sigmoid(h)).mean() for f in judged[1] for h in halves(f))
    labels = np.concatenate([label, partner])
    known = labels >= 0
    p = np.exp(logits[known]) / np.exp(logits[known]).sum(1, keepdims=True)
    classification = -np.log(p[np.arange(known.sum()), labels[known]]).mean()
    root = np.sqrt(((x - rebuilt.numpy()) ** 2).mean((1, 2, 3)))
    perceptual = sum(
        np.abs(m[:10] - n[10:]).mean() + np.abs(m[10:] - n[:10]).mean() for m, n in zip(real_maps, maps, strict=True)
    )
    (a, b), (c, d) = halves(x), halves(made)
    pixel_sum = np.abs(np.abs(a + b).mean((1, 2, 3)) - np.abs(c + d).mean((1, 2, 3))).mean()
    tv = np.abs(np.diff(made, axis=2)).mean() + np.abs(np.diff(made, axis=3)).mean()
    expected = adversarial + interpolation + classification
    expected += 10 * (root[:10].mean() + root[10:].mean()) + 15 * perceptual + 5 * pixel_sum + 5 * tv
    np.testing.assert_allclose(total, expected, rtol=1e-9)
    assert dict(turns["discriminate"].weights) == {"L_adv": 1, "L_inter": 1}
    assert dict(turns["classify"].weights) == {"L_C": 1} and "answer" not in turns


def parameters(*nets):
    return sum(p.numel() for net in nets for p in net.parameters())


def test_paper_preset_has_the_papers_sizes():
    with torch.device("meta"):
        model = create("jesrl", "paper")
        shapes = [tuple(level.convolution.weight.shape[:2]) for level in model.encoder.levels]
        assert shapes == [(64, 3), (128, 64), (256, 128), (512, 256), (512, 512)]
        shapes = [tuple(level.convolution.weight.shape[:2]) for level in model.decoder.levels]
        assert shapes == [(512 + 512 + 20 * N, 512), (512, 256), (256, 128), (128, 64)]
        assert model.decoder.last.weight.shape[:2] == (64, 3)
        for d, side in zip(model.discriminators, (256, 128), strict=True):
            assert [level.convolution.weight.shape[0] for level in d.levels] == [64, 128, 256, 512]
            assert d.linear.weight.shape == (1, 512 * (side // 16) ** 2)
        assert model.classifier.join.weight.shape == (512, 1024, 1, 1)
        assert [x.out_features for x in model.classifier.head if hasattr(x, "out_features")] == [4096, 4096, N]
        assert model.encoder(torch.zeros(1, 3, 256, 256)).representation.shape == (1, 512, 8, 8)
    # Sec. IV-B counts 140.1 M and 14 M parameters; an eighth class adds its last-layer row, code and label planes.
    an_eighth = 20 * 9 * 512 + 2 * 9 * 64
    assert round(parameters(model.classifier) / 1e6, 1) == 140.1
    assert round((parameters(model.encoder, model.decoder, model.discriminators) - an_eighth) / 1e6, 1) == 14.1
    adam, sgd = (next(t.optimizer for t in model.stages()[1].turns if t.name == n) for n in ("synthesize", "classify"))
    assert (adam.lr, adam.betas) == (2e-4, (0.5, 0.999)) and (sgd.lr, sgd.momentum) == (1e-3, 0.9)


def test_every_recipe_updates_the_classifier_equally_often():
    for weights in ({}, {"vgg_weights": "x", "vgg_width": 64}):
        counts = set()
        for change in ({}, {"supervised": True}, {"end_to_end": False}, {"naming": 0.0}):
            model = tiny(**({"steps": 50, "every": 20} | weights | change))
            turns = [(s, t) for s in model.stages() for t in s.turns if "classifier" in t.nets]
            counts.add(sum(len(range(0, s.steps, t.every)) for s, t in turns))
        assert counts == {(0 if weights else 2) + 3 + 3}


def test_vgg_has_torchvisions_names_and_shapes(tmp_path):
    with torch.device("meta"):
        state = Vgg19().state_dict()
    numbers = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    assert list(state) == [f"features.{k}.{part}" for k in numbers for part in ("weight", "bias")]
    outputs = [64] * 2 + [128] * 2 + [256] * 4 + [512] * 8
    assert [len(state[f"features.{k}.bias"]) for k in numbers] == outputs


@pytest.mark.parametrize("name", ["vgg.safetensors", "vgg.pth"])
def test_given_vgg_weights_replace_pre_training(name, tmp_path):
    given = {k: torch.full_like(v, 0.5) for k, v in Vgg19().state_dict().items()}
    given["classifier.0.weight"] = torch.zeros(1)  # torchvision's own last layers are left out
    save_file(given, tmp_path / name) if name.endswith("safetensors") else torch.save(given, tmp_path / name)
    model = tiny(vgg_width=64, batch_norm=False, vgg_weights=str(tmp_path / name))
    assert model.stages()[0].steps == 0
    for stage in model.stages():
        model.enter(stage.name)
    for vgg in (model.classifier.vgg, model.frozen_vgg):
        assert all((p == 0.5).all() for p in vgg.parameters())
    baseline = tiny(vgg_width=64, batch_norm=False, vgg_weights=str(tmp_path / name), supervised=True)
    baseline.enter(baseline.stages()[0].name)
    assert all((p == 0.5).all() for p in baseline.classifier.vgg.parameters())
    for wrong in ({"features.0.bias": torch.zeros(3)}, None):
        save_file(wrong, tmp_path / "x.safetensors") if wrong else (tmp_path / "x.safetensors").write_text("no")
        with pytest.raises(InputError, match=r"x\.safetensors"):
            tiny(vgg_width=64, batch_norm=False, vgg_weights=str(tmp_path / "x.safetensors")).enter("pretrain")


def test_presets_are_the_papers_ablations():
    presets = FAMILIES["jesrl"].PRESETS
    assert next(iter(presets)) == "paper" and paper.JesrlConfig(cycled=True) == paper.PAPER
    for size in ("", "paper_", "base_"):
        whole = presets[size.rstrip("_") or "small"]
        for name, change in paper.ABLATIONS.items():
            assert presets[size + name] == replace(whole, **change)
    turns = {name: {t.name: t for s in tiny_of(name).stages() for t in s.turns} for name in paper.ABLATIONS}
    assert "L_inter" not in turns["no_interpolation"]["synthesize"].weights
    assert "L_inter" not in turns["neither"]["discriminate"].weights
    assert "L_C" not in turns["no_synthetic"]["synthesize"].weights  # nothing leads from it to the generator
    assert "L_C" not in turns["two_stage"]["synthesize"].weights and "classify" not in turns["two_stage"]
    assert "L_C" in turns["no_representation"]["synthesize"].weights  # through the images that are made


def test_base_has_the_papers_objective_alone():
    def weights(preset):
        return {t.name: t.weights for s in tiny_of(preset).stages() for t in s.turns}

    base, literal = weights("base"), weights("paper")
    assert {name: base[name] for name in literal} == literal and base.keys() - literal.keys() == {"classify real"}
    assert base["classify real"] == literal["classify"]
    with torch.device("meta"):
        assert min(create("jesrl", "base").shape[1:]) > 1  # a representation has places


def test_the_generator_goes_first_and_its_pictures_are_then_confirmed(monkeypatch):
    model = tiny_of("base", generator_steps=3)
    ahead, joint = model.stages()[1:3]
    assert [s.name for s in model.stages()] == ["pretrain", "generator", "generate", "settle"] and ahead.steps == 3
    assert [t.name for t in ahead.turns] == ["discriminate", "synthesize", "classify real"]
    assert [t.name for t in joint.turns] == ["discriminate", "synthesize", "classify"]
    assert [s.name for s in tiny_of("base", generator_steps=0).stages()] == ["pretrain", "generate", "settle"]
    for stage in ("pretrain", "generator"):
        model.enter(stage)
    frozen = copy.deepcopy(model.frozen_vgg.state_dict())
    model.classifier.vgg.features[0].weight.data.add_(1)
    model.enter("generate")
    assert all(torch.equal(v, frozen[k]) for k, v in model.frozen_vgg.state_dict().items())

    batch, seen = Random(6).batch(0), []
    label = torch.cat([batch.target.label, batch.source.label])
    monkeypatch.setattr(paper.model, "classification_loss", lambda logits, label: seen.append(label) or logits.sum())
    asked, even = label.roll(len(label) // 2), torch.arange(len(label)) % 2 == 0
    says = torch.where(even, asked, (asked + 1) % N)  # right on every other
    monkeypatch.setattr(model, "_logits_of_made", lambda image, r: one_hot(says[: len(image)]).float())
    for turn in ("classify real", "classify"):
        model.losses(batch, turn)
    assert torch.equal(seen[0], label)
    kept = torch.where(even & (asked >= 0), asked, -100)
    assert torch.equal(seen[1], torch.cat([label, kept]))


def test_perception_begins_at_a_block():
    maps = [model._perceived(torch.zeros(2, 3, 32, 32)) for model in (tiny_of("paper"), tiny_of("base"))]
    assert [len(m) for m in maps] == [5, 2] and maps[1][0].shape == maps[0][3].shape
    with pytest.raises(InputError, match="perceptual_from is 6"):
        tiny_of("paper", perceptual_from=6)


def tiny_of(preset, **changes):
    torch.manual_seed(0)
    return create("jesrl", preset, **(TINY["jesrl"] | changes))


@pytest.mark.parametrize("preset", paper.ABLATIONS)
def test_ablations_run(preset):
    model = tiny_of(preset)
    for stage in model.stages():
        model.enter(stage.name)
        for turn in stage.turns:
            losses = model(Random().batch(1), turn.name)
            assert losses.keys() == turn.weights.keys()
            assert all(torch.isfinite(v) for v in losses.values())


def test_without_representation_the_classifier_does_not_see_it():
    face = Random().batch(0).source.image
    for preset, differs in (("small", True), ("no_representation", False)):
        model = tiny_of(preset).eval()
        before = model.recognize(face).probabilities
        torch.nn.init.normal_(model.encoder.levels[-1].convolution.weight)
        assert torch.equal(model.recognize(face).probabilities, before) is not differs
        assert torch.equal(model.recognize(face).probabilities, model.baseline(face).probabilities) is not differs


@pytest.mark.parametrize("synthetic", [0, 1, 6])
def test_synthetic_images_a_real_one(synthetic):
    """Each face gets that many new images, each with another face's expression, and never its own."""
    model = tiny(synthetic=synthetic, extra_blocks=0.0).eval()
    batch = Random().batch(0)
    image, label = torch.cat([batch.target.image, batch.source.image]), torch.arange(20) % N
    seen = model.encoder(image)
    made, wanted = model._made(seen, label, synthetic)
    assert len(made) == len(wanted) == 20 * synthetic
    if synthetic:
        first = model._draw_all(seen, label, rebuild=False)[0]  # the first round is the pair itself, in both orders
        torch.testing.assert_close(made[:20], first)
        assert torch.equal(wanted[:20], label.roll(10))


def trained(tmp_path, **changes):
    from mien.training.loop import train

    model = tiny(**changes)
    train(model, Random(), tmp_path, EXACT)
    return model.eval()


def fixed_classes(model, monkeypatch, *classes):
    """Let the classifier call the first faces it is asked about by the first class, and so on."""
    answers = iter(classes)

    def logits(image, representation):
        return one_hot(torch.full((len(image),), CLASSES.index(next(answers)))) * 20.0

    monkeypatch.setattr(model, "_logits", logits)


def test_transfer_switches_the_two_classes_the_classifier_names(tmp_path, monkeypatch):
    model = trained(tmp_path, width=4)
    batch = Random(3).batch(0)
    face, like = batch.source.image, batch.target.image
    for names in (("happiness", "anger"), ("fear", "fear")):
        fixed_classes(model, monkeypatch, *names)
        made = model.transfer(face, like)
        chosen = torch.zeros(3, N, dtype=torch.bool)
        chosen[:, [CLASSES.index(name) for name in names]] = True
        a, b = model.encoder(face), model.encoder(like)
        new = paper.switch(a.representation, b.representation, chosen.repeat_interleave(4, 1)[:, :, None, None])
        torch.testing.assert_close(made, model.draw(a, new, chosen))
    assert not torch.equal(made, model.reconstruct(face))


@pytest.mark.parametrize(("plausible", "expected"), [(1.0, [3]), (0.3, [3, 5]), (0.05, [1, 3, 5])])
def test_all_plausible_classes_are_shown(plausible, expected, monkeypatch):
    p = torch.full((1, N), 1e-4)
    p[0, [1, 3, 5]] = torch.tensor([0.1, 0.5, 0.4])
    model = tiny(plausible=plausible).eval()
    monkeypatch.setattr(model, "_logits", lambda image, representation: p.log())
    shown = model._shown(model.encoder(torch.zeros(1, 3, 32, 32)))
    assert shown[0].nonzero().flatten().tolist() == expected


def test_intensity_interpolates_blocks_from_neutral_to_the_class(tmp_path, monkeypatch):
    model = trained(tmp_path, width=4)
    face = Random(3).batch(0).source.image
    mean = {c: model.class_blocks.mean(c) for c in ("neutral", "anger")}
    fixed_classes(model, monkeypatch, "happiness")
    made = model.edit(face, Controls("anger", 0.25))
    chosen = torch.zeros(3, N, dtype=torch.bool)
    chosen[:, [CLASSES.index(c) for c in ("neutral", "happiness", "anger")]] = True
    mask = chosen.repeat_interleave(4, 1)[:, :, None, None]
    seen = model.encoder(face)
    calm = paper.switch(seen.representation, mean["neutral"].expand_as(seen.representation), mask)
    full = paper.switch(seen.representation, mean["anger"].expand_as(seen.representation), mask)
    expected = model.draw(seen, paper.interpolate(calm, full, mask, 0.75), chosen)  # Eq. 6
    torch.testing.assert_close(made, expected)


def test_neutrals_block_stays_where_training_showed_no_neutral(tmp_path, monkeypatch):
    model = trained(tmp_path, width=4)
    model.class_blocks.total[0] = model.class_blocks.count[0] = 0
    face = Random(3).batch(0).source.image
    fixed_classes(model, monkeypatch, "happiness")
    made, seen = model.edit(face, Controls("anger")), model.encoder(face)
    chosen = torch.zeros(3, N, dtype=torch.bool)
    chosen[:, [CLASSES.index(c) for c in ("happiness", "anger")]] = True
    anger = model.class_blocks.mean("anger")
    mask = chosen.repeat_interleave(4, 1)[:, :, None, None]
    torch.testing.assert_close(made, model.draw(seen, torch.where(mask, anger, seen.representation), chosen))


def test_class_blocks_are_means_over_the_settled_encoder(tmp_path):
    model = trained(tmp_path)
    steps = range(model.stages()[0].steps + model.stages()[1].steps, sum(s.steps for s in model.stages()))
    faces = [f for s in steps for f in (Random().batch(s).source, Random().batch(s).target)]
    codes = torch.cat([model.encoder(f.image).representation[f.label == 3] for f in faces])
    torch.testing.assert_close(model.class_blocks.mean("surprise")[0], codes.mean(0))


@pytest.mark.parametrize("turn", ["classify", "settle", "synthesize"])
@pytest.mark.parametrize("synthetic", [0, 1, 2])
def test_the_classifiers_running_figures_are_of_real_faces_alone(turn, synthetic):
    model = tiny(synthetic=synthetic).train()
    alone, batch = copy.deepcopy(model), Random().batch(0)
    model(batch, turn)
    if turn != "synthesize":  # it does not train the classifier
        image = torch.cat([batch.target.image, batch.source.image])
        with evaluating(alone.encoder):
            alone.classifier(image, alone.encoder(image).representation)
    for (name, moved), (_, real) in zip(
        model.classifier.named_buffers(), alone.classifier.named_buffers(), strict=True
    ):
        torch.testing.assert_close(moved, real, msg=name)


def test_embedding_parts(tmp_path):
    """Expression: the n blocks; identity: what is never switched, here two channels beside the deepest skip."""
    model = tiny(width=3)  # 24 channels for 8 classes: 3 a class, none left over
    e = model.eval().embed(Random().batch(0).source.image)
    assert e.expression.shape == (10, 24) and e.identity.shape == (10, 24)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"image_size": 80}, "80.*multiple of 32"),
        ({"width": 0}, "width is 0"),
        ({"synthetic": 11}, "11.*batch_size"),
        ({"vgg_weights": "x"}, "vgg_width 64"),
        ({"plausible": 1.5}, "1.5.*from 0 to 1"),
    ],
)
def test_impossible_settings(changes, says):
    with pytest.raises(InputError, match=says):
        tiny(**changes)


def test_edit_refuses_action_units():
    with pytest.raises(InputError, match="by class, example"):
        tiny().edit(torch.zeros(1, 3, 32, 32), Controls(aus={12: 1.0}))
