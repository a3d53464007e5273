"""A batch that several share: processes, parts one after the other, and blocks that are computed twice."""

import json
import multiprocessing
import os
import socket
from dataclasses import replace

import pytest
import torch
from torch import nn

from mien.errors import InputError
from mien.models.registry import create
from mien.training.loop import _Share
from mien.training.settings import Settings
from mien.training.trainer import Trainer
from tests.helpers.tiny import TINY
from tests.models.test_contract import Random

ROWS = 8
MODELS = {
    "fields": {"read_steps": 0, "steps": 3, "finish_steps": 2, "paint_steps": 0},
    "ter_gan": {"pretrain_steps": 2, "steps": 3, "recognition_steps": 2},
}
"""The stages of `fields` whose losses are means over faces, and a paper."""


class Even:
    """A sampler of noise whose batches have the same mix of pairs in any quarter, so that means are means of means."""

    def batch(self, step):
        made, n = Random(ROWS).batch(step), torch.arange(ROWS)
        source = replace(made.source, subject=n % 4, expression=n)
        target = replace(made.target, subject=(n + (n % 2 == 0)) % 4, expression=(n + 3) % ROWS)
        return replace(made, source=source, target=target, alike=n % 2 == 0)


def alike_for_all(monkeypatch):
    """Let what losses draw be the same for every face: processes draw each for their own."""
    for name, value, plain in (("rand", 0.5, torch.rand), ("randn", 0.0, torch.randn)):

        def drawn(*shape, device=None, generator=None, value=value, plain=plain):
            if generator is not None:
                return plain(*shape, device=device, generator=generator)
            return torch.full(shape[0] if shape and not isinstance(shape[0], int) else shape, value, device=device)

        monkeypatch.setattr(torch, name, drawn)
        monkeypatch.setattr(torch, f"{name}_like", lambda x, value=value: torch.full_like(x, value))


def losses_of(name, settings, share=None):
    """Return the losses of all steps of a tiny model whose batch norms stay in evaluation mode."""
    torch.manual_seed(0)
    model = create(name, **TINY[name] | MODELS[name] | {"batch_size": ROWS})
    for norm in model.modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm):
            norm.eval().train = lambda mode=True, norm=norm: norm
    trainer, found = Trainer(model, settings), []
    sampler = _Share(Even(), trainer.fabric.global_rank, trainer.fabric.world_size) if share is None else share
    while (result := trainer.advance(sampler.batch)) is not None:
        found.append(result[1])
    return found


def exact(**more):
    return Settings(precision="32-true", accelerator="cpu", **more)


def close(a, b, most=2e-3):
    assert [x.keys() for x in a] == [x.keys() for x in b]
    return all(abs(x[name] - y[name]) <= most * (abs(y[name]) + 0.05) for x, y in zip(a, b, strict=True) for name in y)


def be_one_of(rank, processes, port, file):
    """Be one of torchrun's processes: the same variables are set."""
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "here", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": f"{port}", "RANK": f"{rank}",
        "LOCAL_RANK": f"{rank}", "WORLD_SIZE": f"{processes}", "LOCAL_WORLD_SIZE": f"{processes}", "GROUP_RANK": "0",
    }  # fmt: skip
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        alike_for_all(patch)
        found = {name: losses_of(name, exact(devices=processes)) for name in MODELS}
    if rank == 0:
        file.write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_and_four_processes_learn_what_one_does(tmp_path, monkeypatch):
    forks, found = multiprocessing.get_context("forkserver"), {}
    forks.set_forkserver_preload(["tests.training.test_shared"])
    for processes in (2, 4):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        file = tmp_path / f"{processes}.json"
        ranks = [forks.Process(target=be_one_of, args=(k, processes, port, file)) for k in range(processes)]
        for rank in ranks:
            rank.start()
        for rank in ranks:
            rank.join(300)
        assert [rank.exitcode for rank in ranks] == [0] * processes
        found[processes] = json.loads(file.read_text())
    alike_for_all(monkeypatch)
    for name in MODELS:
        alone = losses_of(name, exact())
        half = losses_of(name, exact(), _Share(Even(), 0, 2))
        assert not close(half, alone), "the check would not see what is amiss"
        for processes, losses in found.items():
            assert close(losses[name], alone), f"{name}, {processes} processes"


@pytest.mark.parametrize("name", MODELS)
def test_parts_one_after_the_other_are_the_whole(name, monkeypatch):
    alike_for_all(monkeypatch)
    assert close(losses_of(name, exact(accumulate=4)), losses_of(name, exact()))


class Kept:
    """Counts the bytes that are kept for gradients."""

    def __enter__(self):
        self.bytes = 0
        self.hooks = torch.autograd.graph.saved_tensors_hooks(self.pack, lambda x: x)
        self.hooks.__enter__()
        return self

    def pack(self, x):
        self.bytes += x.numel() * x.element_size()
        return x

    def __exit__(self, *what):
        self.hooks.__exit__(*what)


@pytest.mark.parametrize("name", ["fields", "ter_gan", "jesrl"])
def test_what_is_computed_twice_is_the_same_and_kept_once(name):
    found = {}
    for again in (False, True):
        torch.manual_seed(0)
        model = create(name, **TINY[name])
        trainer = Trainer(model, exact(recompute=again))
        with Kept() as kept:
            losses = [trainer.advance(Random().batch)[1] for _ in range(5)]
        figures = {key: x for key, x in model.state_dict().items() if "running" in key or "tracked" in key}
        found[again] = losses, kept.bytes, figures
    assert close(found[True][0], found[False][0], 1e-5)
    assert found[True][1] < 0.95 * found[False][1]  # much of it is of losses in nets as small as these
    assert all(torch.allclose(x, found[False][2][key], atol=1e-5) for key, x in found[True][2].items())


def test_a_batch_that_cannot_be_shared_is_told_before_anything_is_written():
    with pytest.raises(InputError, match="a batch of 10 cannot be shared by 2 processes × 2 parts"):
        exact(devices=2, accumulate=2).check_batch(10)


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_other_devices_make_the_same_pictures(device):
    there = torch.cuda.is_available() if device == "cuda" else torch.backends.mps.is_available()
    if not there:
        pytest.skip(f"no {device} here")
    from mien.models.io import load

    g = torch.Generator().manual_seed(0)
    for name in ("fields", "ter_gan", "eet"):
        model = load(name).eval()
        size = model.config.image_size
        face, like = (torch.rand(2, 3, size, size, generator=g) * 2 - 1 for _ in range(2))
        with torch.inference_mode():
            here = model.transfer(face, like)
            made = model.to(device).transfer(face.to(device), like.to(device)).cpu()
        off = 127.5 * (made - here).abs()
        assert off.mean() <= 1 and off.max() <= 8, name  # grey levels
