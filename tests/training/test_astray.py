"""A training that goes wrong says so, and keeps what was sound; curves are a luxury."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mien.data.sampling.geometry import looked_up
from mien.errors import InputError
from mien.files import alone
from mien.models.registry import create
from mien.models.tensor_files import read_tensors
from mien.nn.warp import warp
from mien.training import curves
from mien.training.loop import train
from mien.training.settings import Settings
from mien.weights.resolve import CHECKPOINT
from tests.helpers.tiny import TINY
from tests.models.test_contract import Random

EXACT = Settings(precision="32-true", accelerator="cpu", checkpoint_every=2, log_every=1)


def tiny(**changes):
    torch.manual_seed(0)
    return create("ter_gan", **{**TINY["ter_gan"], **changes})


class Spoilt(Random):
    """Random pairs, from a step on of NaN."""

    def __init__(self, begin):
        super().__init__()
        self.begin = begin

    def batch(self, step):
        batch = super().batch(step)
        if step >= self.begin:
            batch.source.image.fill_(torch.nan)
        return batch


def finite(path):
    return all(t.isfinite().all() for t in read_tensors(path)[0].values() if t.is_floating_point())


def test_the_first_loss_that_is_no_number_ends_it(tmp_path):
    with pytest.raises(InputError, match=r"ter_gan: in step 4, stage \w+, the loss \w+/\w+ is nan.*Lower lr") as caught:
        train(tiny(), Spoilt(3), tmp_path, EXACT)
    assert str(caught.value).count("\n") == 0
    assert finite(tmp_path / CHECKPOINT) and read_tensors(tmp_path / CHECKPOINT)[1]["step"] == 2
    again = tiny()
    assert train(again, Random(), tmp_path, EXACT)  # and goes on from there
    assert all(p.isfinite().all() for p in again.parameters())


def test_a_checkpoint_never_holds_nan(tmp_path, monkeypatch):
    model = tiny()

    def spoil(*args):
        with torch.no_grad():
            next(model.parameters()).fill_(torch.inf)

    with pytest.raises(InputError, match="has become NaN or infinite"):
        train(model, Random(), tmp_path, replace(EXACT, checkpoint_every=1), report=spoil)
    assert not (tmp_path / CHECKPOINT).exists()


def test_what_is_no_number_crashes_no_native_code():
    image = torch.rand(1, 3, 8, 8, requires_grad=True)
    flow = torch.zeros(1, 2, 8, 8)
    for bad in (torch.nan, torch.inf, -torch.inf, 3e38):
        spoilt = flow.clone()
        spoilt[0, :, 2, 3] = bad
        made = warp(image, spoilt)
        whole = torch.ones(8, 8, dtype=torch.bool)
        whole[2, 3] = False
        assert torch.equal(made[..., whole], warp(image, flow)[..., whole])
        assert made[..., 2, 3].isfinite().all() != (bad is torch.nan)  # which the losses then show
        made.sum().backward()
    grid = np.arange(64 * 64, dtype=np.float32).reshape(64, 64)
    at = np.full((4, 4, 2), 7.0, np.float32)
    at[0, 0], at[1, 1] = np.nan, np.inf
    found = looked_up(grid, at)
    assert np.isfinite(found).all() and found[2, 2] == grid[7, 7] and found[1, 1] == grid[63, 63]


def test_curves_are_read_by_tensorboard_and_begin_anew(tmp_path):
    first = curves.Curves(tmp_path)
    for step in (1, 2, 3):
        first.add({"a/b": float(step)}, step)
    first.close()
    path = next(tmp_path.glob("events.out.tfevents.*"))
    path.rename(tmp_path / "events.out.tfevents.0000000000.here.1.0")  # of an earlier second
    second = curves.Curves(tmp_path, 2)
    second.add({"a/b": 20.0}, 2)
    second.close()
    found = EventAccumulator(str(tmp_path))
    found.Reload()
    assert [(e.step, e.value) for e in found.Scalars("a/b")] == [(1, 1.0), (2, 20.0)]


class Full:
    """A file on a disk that is full."""

    def write(self, data):
        raise OSError(28, os.strerror(28))

    def close(self):
        pass


def test_training_goes_on_without_curves(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(curves.Path, "open", lambda *a, **k: Full())
    one = curves.Curves(tmp_path)
    one.add({"a": 1.0}, 1)
    one.close()
    assert caplog.text.count("no more curves (No space left on device); training goes on") == 1


def test_two_trainings_in_one_folder(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    with alone(run), pytest.raises(InputError, match="another mien is at work there"):
        train(tiny(), Random(), run, EXACT)
    assert not list(run.iterdir())


def test_a_disk_without_room_is_told_at_once(tmp_path, monkeypatch):
    """Where curves are refused a checkpoint is tried: it can be written, or the training ends here."""
    real, steps = curves.Path.open, []
    monkeypatch.setattr(curves.Path, "open", lambda p, *a, **k: Full() if "tfevents" in p.name else real(p, *a, **k))
    assert train(tiny(), Random(), tmp_path / "run", EXACT)
    monkeypatch.setattr("mien.files.os.fsync", lambda file: Full().write(b""))
    with pytest.raises(InputError, match="No space left"):
        train(tiny(), Random(), tmp_path / "other", replace(EXACT, checkpoint_every=100), report=steps.append)
    assert not steps  # its note could not be written
