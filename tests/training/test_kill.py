"""A training that is killed, or that finds the disk full, and goes on."""

import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

from mien import cli
from mien.models.tensor_files import read_tensors
from mien.weights.resolve import CHECKPOINT

SET = (
    "image_size=32",
    "width=2",
    "discriminator_width=2",
    "batch_size=8",
    "pretrain_steps=40",
    "steps=60",
    "recognition_steps=20",
)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """A data set of noise: 4 people, 3 expressions."""
    folder, rng = tmp_path_factory.mktemp("faces"), np.random.default_rng(0)
    rows = ["file_name,subject,expression,intensity"]
    for person in "abcd":
        for word in ("neutral", "happiness", "anger"):
            Image.fromarray(rng.integers(0, 255, (32, 32, 3), np.uint8)).save(folder / f"{person}_{word}.png")
            rows.append(f"{person}_{word}.png,{person},{word},{0 if word == 'neutral' else 1}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    return folder


def command(faces, run, *more):
    words = ["train", "ter_gan", "--data", faces, "--run", run, "--device", "cpu",
             "--precision", "32-true", "--checkpoint-every", "3", *more]  # fmt: skip
    for setting in SET:
        words += ["--set", setting]
    return [str(w) for w in words]


def be_mien(words, log, full):
    """Be the process `mien` WORDS, whose words go to the file `log` and whose files cannot grow past `full` bytes."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    torch.set_num_threads(1)
    if full is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (full, full))
    sys.argv = ["mien", *words]
    cli.main()


FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["mien.training.start", "torch.utils.tensorboard", "tests.training.test_kill"])
"""Each `mien` is a process of its own, but forked where the imports are done: they take longer than the training."""


def start(words, log, full=None):
    process = FORKS.Process(target=be_mien, args=(words, str(log), full))
    process.start()
    return process


def ended(process, log):
    """Wait for a process; return its exit code and what it said."""
    process.join(300)
    return process.exitcode, log.read_text()


def finish(words, log):
    code, said = ended(start(words, log), log)
    assert code == 0, said
    return said


@pytest.fixture(scope="module")
def whole(faces, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    assert "finished" in finish(command(faces, folder / "run"), folder / "log")
    return read_tensors(folder / "run" / CHECKPOINT)[0]


def equal(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k].numpy(), b[k].numpy()) for k in a)


@pytest.mark.slow
def test_ten_kills_end_in_the_same_weights(faces, whole, tmp_path):
    """SIGKILL at ten random moments, each after some progress; the last resume ends as if nothing had happened."""
    rng, run, marks = random.Random(4), tmp_path / "run", set()
    for _ in range(10):
        before = mark(run)
        process = start(command(faces, run), tmp_path / "log")
        deadline = time.monotonic() + 60
        while mark(run) == before and process.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.12))
        process.kill()
        process.join()
        marks.add(read_tensors(run / CHECKPOINT)[1]["step"])  # whole after every kill
    assert len(marks) > 3  # they did die at different places
    finish(command(faces, run), tmp_path / "log")
    assert equal(read_tensors(run / CHECKPOINT)[0], whole)


def mark(run):
    path = run / CHECKPOINT
    return path.stat().st_mtime_ns if path.exists() else None


@pytest.mark.slow
def test_ctrl_c_writes_a_checkpoint_and_goes_on(faces, whole, tmp_path):
    """Ctrl-C ends a whole step: no turn of it is taken twice after the resume."""
    run, log = tmp_path / "run", tmp_path / "log"
    words = command(faces, run, "--checkpoint-every", "100000")
    for _ in range(3):
        before, begun = mark(run), len(list(run.glob("events*")))
        process = start(words, log)
        deadline = time.monotonic() + 60
        while len(list(run.glob("events*"))) == begun and time.monotonic() < deadline:
            time.sleep(0.005)  # each process opens a file of its own when its loop begins
        time.sleep(0.15)
        os.kill(process.pid, signal.SIGINT)
        code, said = ended(process, log)
        if mark(run) != before and read_tensors(run / CHECKPOINT)[1]["stage"] == 3:  # it was faster
            break
        assert code == 130 and "Traceback" not in said and "stopped" in said
        assert mark(run) != before
    finish(words, log)
    assert equal(read_tensors(run / CHECKPOINT)[0], whole)


@pytest.mark.slow
def test_a_full_disk_loses_nothing(faces, whole, tmp_path):
    """A limit on file size stands in for the full disk: writes past it fail in the same way."""
    run, log = tmp_path / "run", tmp_path / "log"
    finish(command(faces, run, "--minutes", "0.0001"), log)
    before = (run / CHECKPOINT).read_bytes()
    code, said = ended(start(command(faces, run), log, full=len(before) // 2), log)
    assert code == 2 and "Traceback" not in said
    assert CHECKPOINT in said and "cannot be written" in said and "left as it was" in said
    assert (run / CHECKPOINT).read_bytes() == before
    assert not [p for p in run.iterdir() if p.name.startswith(f".{CHECKPOINT}")]
    finish(command(faces, run), log)
    assert equal(read_tensors(run / CHECKPOINT)[0], whole)


@pytest.mark.slow
def test_two_processes_train_as_one(faces, tmp_path):
    """Data parallel on two processes: both average gradients, one writes; and it is not what one process does."""
    run, alone, few = tmp_path / "run", tmp_path / "alone", ("--set", "steps=6", "--set", "pretrain_steps=4")
    done = subprocess.run(  # which starts the second by its own words
        [sys.executable, "-m", "mien", *command(faces, run, "--devices", "2"), *few],
        capture_output=True, text=True, timeout=300, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "finished" in done.stdout
    tensors, header = read_tensors(run / CHECKPOINT)
    assert header["stage"] == 3 and all(np.isfinite(t.numpy()).all() for t in tensors.values())
    finish([*command(faces, alone), *few], tmp_path / "log")
    assert not equal(tensors, read_tensors(alone / CHECKPOINT)[0])
