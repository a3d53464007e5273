"""Every model in the table, the same promises."""

import shutil
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from mien.controls import Controls
from mien.data.batch import Batch, Faces, Motion
from mien.errors import InputError
from mien.labels import AUS, CLASSES, EXPRESSIONS, POINTS
from mien.models.contract import Edits, Embeds, EstimatesAus, FindsPoints, Generates, Recognizes, Transfers
from mien.models.io import load, save_model
from mien.models.recipe import Turn
from mien.models.registry import FAMILIES, create, editor_by, name_of
from mien.models.residual import composite
from mien.models.tensor_files import read_tensors, write_tensors
from mien.nn.class_codes import ClassCodes
from mien.training.checkpoint import resume
from mien.training.loop import train
from mien.training.settings import Settings
from mien.training.trainer import Trainer
from mien.weights.resolve import CHECKPOINT
from tests.helpers.tiny import NARROW, TINY

EXACT = Settings(seed=3, precision="32-true", accelerator="cpu", checkpoint_every=1, log_every=1)


def tiny(name):
    torch.manual_seed(0)
    return create(name, **TINY[name])


class Random:
    """A sampler of noise: the batch of a step is a function of the step, as the trainer asks for."""

    def __init__(self, batch_size=10, size=32, stop_at=None):
        self.batch_size, self.size, self.stop_at = batch_size, size, stop_at

    def batch(self, step):
        if step == self.stop_at:
            raise Stopped
        g = torch.Generator().manual_seed(step)
        n, s = self.batch_size, self.size

        def faces():
            return Faces(
                torch.rand(n, 3, s, s, generator=g) * 2 - 1,
                torch.randint(0, 5, (n,), generator=g),
                (torch.arange(n) + 7 * step) % (len(EXPRESSIONS) + 1) - 1,
                torch.ones(n),
                *(torch.rand(n, len(AUS), generator=g) * 5 for _ in range(3)),
                *(torch.arange(n) * 15.0 - 60 for _ in range(4)),
                torch.rand(n, POINTS, 2, generator=g),
            )

        source, target = faces(), faces()
        alike = (source.subject != target.subject) & (torch.arange(n) % 2 == 0)
        motion = Motion(
            torch.rand(n, 2, s // 4, s // 4, generator=g) * 0.1 - 0.05,
            *(torch.rand(n, 1, s // 4, s // 4, generator=g).round() for _ in range(2)),
        )
        return Batch(source, target, torch.rand(n, 3, s, s, generator=g) * 2 - 1, alike, motion)


class Stopped(Exception):
    pass


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def answers(model, face):
    """What a model says of faces: its pictures, probabilities and AUs."""
    if isinstance(model, Transfers):
        yield model.reconstruct(face)
    if isinstance(model, Recognizes):
        yield model.recognize(face).probabilities
    if isinstance(model, FindsPoints):
        yield model.find_points(face)
    if isinstance(model, EstimatesAus):
        yield torch.nan_to_num(model.estimate_aus(face))


@pytest.mark.parametrize("name", FAMILIES)
def test_recipe_runs_and_ends(name, tmp_path):
    model, seen = tiny(name), []
    before = {k: v.clone() for k, v in model.state_dict().items()}
    assert train(model, Random(), tmp_path, EXACT, seen.append)
    total = sum(s.steps for s in model.stages())
    assert [p.done for p in seen] == list(range(1, total + 1))
    assert all(torch.isfinite(torch.tensor(list(p.losses.values()))).all() for p in seen)
    moved = [k for k, v in model.state_dict().items() if not torch.equal(v, before[k])]
    nets = {net for s in model.stages() for t in s.turns for net in t.nets}
    assert all(any(is_of(k, [net]) for k in moved) for net in nets)


def is_of(parameter, nets):
    """Whether a parameter belongs to one of the nets, or parts of nets, by their names."""
    return any(parameter == net or parameter.startswith(f"{net}.") for net in nets)


@pytest.mark.parametrize("name", FAMILIES)
def test_only_a_turns_nets_move(name):
    trainer = Trainer(tiny(name), EXACT)
    for stage in trainer.stages:
        trainer.model.enter(stage.name)
        trainer.model.train()
        for turn in stage.turns:
            before = {k: v.clone() for k, v in trainer.model.named_parameters()}
            trainer.take(turn, Random().batch(0))
            moved = [k for k, v in trainer.model.named_parameters() if not torch.equal(v, before[k])]
            assert all(is_of(k, (*turn.nets, *AVERAGED.get(name, ()))) for k in moved), f"{stage.name}: {turn.name}"
            assert all(any(is_of(k, [net]) for k in moved) for net in turn.nets), f"{stage.name}: {turn.name}"


@pytest.mark.parametrize(("name", "preset"), [(n, p) for n, f in FAMILIES.items() for p in f.PRESETS])
def test_only_a_turns_nets_gather_running_figures(name, preset):
    torch.manual_seed(0)
    model = create(name, preset, **TINY[name])
    for stage in model.stages():
        model.enter(stage.name)
        model.train()
        for turn in stage.turns:
            before = {k: v.clone() for k, v in model.named_buffers()}
            model(Random().batch(0), turn.name)
            moved = {k for k, v in model.named_buffers() if not torch.equal(v, before[k])}
            moved = {k for k in moved if k.split(".")[0] not in GATHERED and ".parametrizations." not in k}
            assert all(is_of(k, (*turn.nets, *AVERAGED.get(name, ()))) for k in moved), f"{stage.name}: {turn.name}"


AVERAGED = {"reader": ("reader",)}  # nets that no turn trains: they follow one that is trained
GATHERED = {"class_codes", "class_blocks", "unit_directions", "occurrence"}  # for use: no net's, meant to move
"""Beside them, a spectral norm's vectors move in every pass: they are of the weights, not of what is seen."""


@pytest.mark.parametrize("name", FAMILIES)
def test_every_weight_and_net_is_used(name):
    model = tiny(name)
    for stage in model.stages():
        for turn in stage.turns:
            assert model(Random().batch(1), turn.name).keys() == turn.weights.keys()
            assert all(list(model.get_submodule(net).parameters()) for net in turn.nets)


@pytest.mark.parametrize("name", FAMILIES)
def test_resume_equals_not_having_stopped(name, tmp_path):
    """From the checkpoint of every step, the next step leads to its checkpoint; from half the way, all others do."""
    run, kept, whole = tmp_path / "whole", tmp_path / "kept", tiny(name)
    total = sum(s.steps for s in whole.stages())

    def keep(progress):
        if progress.done > 1:  # what lies there is of the step before
            (kept / str(progress.done - 1)).mkdir(parents=True)
            shutil.copy(run / CHECKPOINT, kept / str(progress.done - 1))

    train(whole, Random(), run, EXACT, keep)
    shutil.copytree(run, kept / str(total))
    for stop in range(1, total):
        folder, end = shutil.copytree(kept / str(stop), tmp_path / str(stop)), stop + 1 == total
        with nullcontext() if end else pytest.raises(Stopped):
            train(another(name, stop), Random(stop_at=stop + 1), folder, EXACT)
        (a, at), (b, there) = (read_tensors(place / CHECKPOINT) for place in (kept / str(stop + 1), folder))
        assert same(a, b) and at == there, f"stopped before step {stop}"
    half = tmp_path / "half"
    with pytest.raises(Stopped):
        train(tiny(name), Random(stop_at=total // 2), half, EXACT)
    again = another(name, 0)
    assert train(again, Random(), half, EXACT)
    assert same(whole.state_dict(), again.state_dict())
    assert same(read_tensors(run / CHECKPOINT)[0], read_tensors(half / CHECKPOINT)[0])


def another(name, seed):
    """A model of other initial weights: a checkpoint must replace all of them."""
    torch.manual_seed(999 + seed)
    return create(name, **TINY[name])


@pytest.mark.parametrize("name", FAMILIES)
def test_weights_round_trip(name, tmp_path):
    model = tiny(name)
    train(model, Random(), tmp_path / "run", EXACT)
    model.eval()
    face = Random().batch(5).source.image
    save_model(model, tmp_path / "model.safetensors")
    for source in (tmp_path / "model.safetensors", tmp_path, tmp_path / "run", tmp_path / "run" / CHECKPOINT):
        again = load(str(source))
        assert asdict(again.config) == asdict(model.config)
        for a, b in zip(answers(again, face), answers(model, face), strict=True):
            assert torch.equal(a, b)
    small = load(str(tmp_path / "model.safetensors"))
    assert {k.split(".")[0] for k in small.state_dict()} == set(model.deployed)


@pytest.mark.parametrize("name", FAMILIES)
def test_uses_keep_shape_and_range(name, tmp_path):
    model = tiny(name)
    train(model, Random(), tmp_path, EXACT)
    model.eval()
    batch = Random().batch(7)
    x, y = batch.source.image, batch.target.image
    if isinstance(model, Transfers):
        for out in (model.transfer(x, y), model.reconstruct(x)):
            assert out.shape == x.shape and out.abs().max() <= 1
    if isinstance(model, Edits):
        for controls in (Controls("happiness"), Controls("anger", 0.3), Controls(like=y), Controls(like=y[:1])):
            out = model.edit(x, controls)
            assert out.shape == x.shape and out.abs().max() <= 1
        nothing, neutral = model.edit(x, Controls("anger", 0.0)), model.edit(x, Controls("neutral"))
        assert torch.equal(nothing, neutral)
        assert not torch.equal(neutral, model.edit(x, Controls("anger", 1.0)))
    if isinstance(model, Recognizes):
        p = model.recognize(x).probabilities
        assert p.shape == (len(x), len(CLASSES))
        torch.testing.assert_close(p.sum(1), torch.ones(len(x)))
    if isinstance(model, Embeds):
        e = model.embed(x)
        assert len(e.expression) == len(e.identity) == len(x)
    if isinstance(model, EstimatesAus):
        aus = model.estimate_aus(x)
        known = ~aus.isnan()
        assert aus.shape == (len(x), len(AUS)) and known.any()
        assert torch.equal(known, known[:1].expand_as(known))
        assert aus[known].min() >= 0 and aus[known].max() <= 5
    if isinstance(model, FindsPoints):
        points = model.find_points(x)
        assert points.shape == (len(x), POINTS, 2) and torch.isfinite(points).all()
    if isinstance(model, Generates):
        made = model.generate(3, "anger", seed=1)
        assert made.shape == (3, *x.shape[1:]) and made.abs().max() <= 1
        assert torch.equal(made, model.generate(3, "anger", seed=1))
        assert not torch.equal(made, model.generate(3, "anger", seed=2))


@pytest.mark.parametrize(("name", "preset"), [(n, p) for n, f in FAMILIES.items() for p in f.PRESETS])
def test_presets_run_on_their_own_size(name, preset):
    config = FAMILIES[name].PRESETS[preset]
    model = FAMILIES[name](replace(config, **NARROW[name]))
    for stage in model.stages():
        for turn in stage.turns:
            losses = model(Random(2, config.image_size).batch(0), turn.name)
            assert all(torch.isfinite(v) for v in losses.values())


def test_ter_gan_paper_preset_has_the_papers_widths():
    with torch.device("meta"):
        model = create("ter_gan", "paper", subjects=80)
    shapes = [tuple(b.convolution.weight.shape[:2]) for b in model.expression_encoder.blocks]
    assert shapes == [(64, 3), (128, 64), (256, 128), (512, 256), (1024, 512)]
    assert [tuple(b.convolution.weight.shape[:2]) for b in model.decoder.blocks] == [
        (512, 1024),
        (256, 512),
        (128, 256),
        (64, 128),
        (3, 64),
    ]
    assert model.expression_encoder.linear.weight.shape == (30, 1024 * 3 * 3)  # 75-38-19-10-5-3
    assert model.identity_encoder.linear.weight.shape[0] == 50
    assert model.discriminator.expression[-1].out_features == len(CLASSES) + 1
    assert [layer.out_features for layer in model.expression_game if hasattr(layer, "out_features")] == [32, 16, 1]
    values = {t.name: dict(t.weights) for s in model.stages() for t in s.turns}  # λ of Sec. 4.1
    reconstructions = [f"L_{r}_{kind}" for r in ("irec", "erec") for kind in ("same", "alike", "different")]
    assert values["synthesize"] == {"L_if": 1, "L_ef": 1, "L_G": 0.5} | dict.fromkeys(reconstructions, 1)
    assert values["re-encode"] == {"L_Det": 0.3, "L_Des": 0.3} and values["discriminate"] == {"L_D": 0.5}


@pytest.mark.parametrize("name", [n for n, f in FAMILIES.items() if issubclass(f, Edits)])
def test_who_never_saw_neutral_edits_fully(name, tmp_path):
    model = tiny(name)
    train(model, Random(), tmp_path, EXACT)
    model.eval()
    face, like = Random().batch(7).source.image, Random().batch(7).target.image
    whole = [model.edit(face, controls) for controls in (Controls("anger"), Controls(like=like))]
    codes = [net for net in model.children() if isinstance(net, ClassCodes)]
    for net in codes:
        net.total[0] = net.count[0] = 0
    again = [model.edit(face, controls) for controls in (Controls("anger"), Controls(like=like))]
    if name != "jesrl":  # it then also leaves neutral's block alone
        assert all(torch.equal(a, b) for a, b in zip(whole, again, strict=True))
    assert all(torch.isfinite(x).all() for x in again)
    for controls in (Controls("anger", 0.5), Controls("neutral"), Controls(like=like, intensity=0.5)):
        if codes:  # expr_gan's neutral is a code by rule
            with pytest.raises(InputError, match="never saw 'neutral'"):
                model.edit(face, controls)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_smallest_batch_trains(name, tmp_path):
    try:
        model = create(name, **(TINY[name] | {"batch_size": 1}))
    except InputError as error:
        assert "batch_size is 1; expected 2 or more" in str(error)
        model = create(name, **(TINY[name] | {"batch_size": 2}))
    train(model, Random(model.config.batch_size), tmp_path, EXACT)


def test_names():
    for name, family in FAMILIES.items():
        assert name_of(family(replace(family.PRESETS["small"], **TINY[name]))) == name


def test_a_model_that_was_renamed_is_known_by_both_names(tmp_path):
    model = create("judge", **TINY["evaluator"])
    assert name_of(model) == "evaluator" and load("judge").config == load("evaluator").config
    train(model, Random(), tmp_path, replace(EXACT, stop_after=0.0))
    tensors, header = read_tensors(tmp_path / CHECKPOINT)
    write_tensors(tmp_path / CHECKPOINT, tensors, header | {"family": "judge"})
    resume(Trainer(create("evaluator", **TINY["evaluator"]), EXACT), tmp_path / CHECKPOINT)
    assert name_of(load(str(tmp_path))) == "evaluator"


def test_pasted_adds_the_change_alone():
    class Bright:
        def reconstruct(self, face):
            return face * 0.5

    face = torch.full((1, 3, 32, 32), 0.2)
    torch.testing.assert_close(composite(Bright(), face, face * 0.5), face)
    torch.testing.assert_close(composite(Bright(), face, face * 0.5 + 0.3), face + 0.3)
    assert composite(Bright(), face, face * 0.5 + 1.5).max() == 1


def test_a_weight_without_its_loss_is_refused():
    model = tiny("ter_gan")
    with pytest.raises(ValueError, match="weights"):
        Trainer(model, EXACT).take(Turn("synthesize", ("decoder",), {"L_if": 1.0, "tv": 1.0}), Random().batch(0))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: create("no_gan"), "no_gan.*ter_gan"),
        (lambda: create(["ter_gan"]), "no model named .*choose one of"),
        (lambda: load(None), "expected a model's name, as 'fields', its file, folder or hub id; got None"),
        (lambda: load(3), "folder or hub id; got an int"),
        (lambda: tiny("expr_gan").generate("3"), "count '3': expected a whole number, 1 or more"),
        (lambda: tiny("expr_gan").generate(1, 3), "expression 3 is no class; choose one of"),
        (lambda: tiny("expr_gan").generate(1, seed="x"), "seed 'x': expected a whole number"),
        (lambda: tiny("expr_gan").element(torch.zeros(1, 3, 32, 32), "fear", "0"), "element 0 at 1.0: expected 0 to"),
        (lambda: create("ter_gan", "big"), "big.*paper, small"),
        (lambda: create("ter_gan", depth=3), "depth.*image_size"),
        (lambda: create("ter_gan", image_size=20), "image_size is 20; expected 32 or more"),
        (lambda: Controls(), "takes one of"),
        (lambda: Controls(aus={"12X": 1.0}), "AU 12X"),
        (lambda: Controls("anger", gaze=(90, 0)), "-40 to 40"),
        (lambda: editor_by(tiny("eet"), Controls(aus={"12L": 1.0})), "one side; these can: fields"),
        (lambda: editor_by(tiny("eet"), Controls("anger", gaze=(9, 0))), "gaze; these can: fields"),
        (lambda: Controls("glee"), "glee.*happiness"),
        (lambda: Controls("anger", 1.5), "1.5.*0 .neutral. to 1"),
        (lambda: Controls(aus={3: 1.0}), "AU 3"),
        (lambda: tiny("ter_gan").edit(torch.zeros(1, 3, 32, 32), Controls(aus={12: 1})), "by action unit, but by"),
        (lambda: tiny("rel_gan").edit(torch.zeros(1, 3, 32, 32), Controls(gaze=(9, 0))), "RelGan cannot edit by gaze"),
        (lambda: tiny("eet").edit(torch.zeros(1, 3, 32, 32), Controls(aus={"12L": 1})), "action unit of one side, but"),
    ],
)
def test_wrong_requests_say_what_is_right(call, says):
    with pytest.raises(InputError, match=says):
        call()


@pytest.mark.parametrize("name", ["ter_gan", "rel_gan", "expr_gan", "jesrl", "eet", "fields"])
def test_a_word_in_place_of_controls_says_what_is_right(name):
    model = tiny(name)
    with pytest.raises(InputError, match=r"Controls\('happiness'\), not a str; mien.Editor"):
        model.edit(torch.zeros(1, 3, model.config.image_size, model.config.image_size), "happiness")


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    train(tiny("ter_gan"), Random(), tmp_path, EXACT)
    other = create("ter_gan", **(TINY["ter_gan"] | {"width": 4}))
    with pytest.raises(InputError, match=r"width=3, not 4"):
        resume(Trainer(other, EXACT), tmp_path / CHECKPOINT)
    with pytest.raises(InputError, match="seed 3"):
        resume(Trainer(tiny("ter_gan"), replace(EXACT, seed=4)), tmp_path / CHECKPOINT)
    tensors, header = read_tensors(tmp_path / CHECKPOINT)
    write_tensors(tmp_path / CHECKPOINT, tensors, header | {"family": "rel_gan"})
    with pytest.raises(InputError, match="rel_gan, not ter_gan"):
        resume(Trainer(tiny("ter_gan"), EXACT), tmp_path / CHECKPOINT)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x08\0\0\0\0\0\0\0{}      "])
def test_damaged_weights_are_one_clear_line(tmp_path, content):
    path = Path(tmp_path / "model.safetensors")
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"model.safetensors") as error:
        load(str(path))
    assert "\n" not in str(error.value)


def test_half_a_checkpoint_is_one_clear_line(tmp_path):
    save_model(tiny("ter_gan"), tmp_path / "model.safetensors")
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a whole safetensors file"):
        load(str(tmp_path / "model.safetensors"))
