"""A training that is killed, or that finds the disk full, and goes on."""

import os
import random
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from mien.weights import CHECKPOINT, read_tensors

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
    words = [sys.executable, "-m", "mien", "train", "ter_gan", "--data", faces, "--run", run, "--device", "cpu",
             "--precision", "32-true", "--checkpoint-every", "3", *more]  # fmt: skip
    for setting in SET:
        words += ["--set", setting]
    return [str(w) for w in words]


def start(words, **options):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **options
    )


def finish(words):
    process = start(words)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


@pytest.fixture(scope="module")
def whole(faces, tmp_path_factory):
    run = tmp_path_factory.mktemp("whole") / "run"
    assert "finished" in finish(command(faces, run))
    return read_tensors(run / CHECKPOINT)[0]


def equal(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k].numpy(), b[k].numpy()) for k in a)


@pytest.mark.slow
def test_ten_kills_end_in_the_same_weights(faces, whole, tmp_path):
    """SIGKILL at ten random moments, each after some progress; the last resume ends as if nothing had happened."""
    rng, run, marks = random.Random(4), tmp_path / "run", set()
    for _ in range(10):
        process = start(command(faces, run))
        before = mark(run)
        deadline = time.monotonic() + 60
        while mark(run) == before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.12))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process.stderr.close()
        marks.add(read_tensors(run / CHECKPOINT)[1]["step"])  # whole after every kill
    assert len(marks) > 3  # they did die at different places
    finish(command(faces, run))
    assert equal(read_tensors(run / CHECKPOINT)[0], whole)


def mark(run):
    path = run / CHECKPOINT
    return path.stat().st_mtime_ns if path.exists() else None


@pytest.mark.slow
def test_ctrl_c_writes_a_checkpoint_and_goes_on(faces, whole, tmp_path):
    """Ctrl-C ends a whole step: no turn of it is taken twice after the resume."""
    run, words = tmp_path / "run", command(faces, tmp_path / "run", "--checkpoint-every", "100000")
    for _ in range(3):
        before, begun, process = mark(run), len(list(run.glob("events*"))), start(words)
        deadline = time.monotonic() + 60
        while len(list(run.glob("events*"))) == begun and time.monotonic() < deadline:
            time.sleep(0.005)  # each process opens a file of its own when its loop begins
        time.sleep(0.15)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        if mark(run) != before and read_tensors(run / CHECKPOINT)[1]["stage"] == 3:  # it was faster
            break
        assert process.returncode == 130 and "Traceback" not in err and "stopped" in err
        assert mark(run) != before
    finish(words)
    assert equal(read_tensors(run / CHECKPOINT)[0], whole)


@pytest.mark.slow
def test_a_full_disk_loses_nothing(faces, whole, tmp_path):
    """A limit on file size stands in for the full disk: writes past it fail in the same way."""
    run = tmp_path / "run"
    finish(command(faces, run, "--minutes", "0.0001"))
    before = (run / CHECKPOINT).read_bytes()

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, len(before) // 2))

    process = start(command(faces, run), preexec_fn=limit)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2 and "Traceback" not in err
    assert CHECKPOINT in err and "could not write" in err and "nothing was changed" in err
    assert (run / CHECKPOINT).read_bytes() == before
    assert not [p for p in run.iterdir() if p.name.startswith(f".{CHECKPOINT}")]
    finish(command(faces, run))
    assert equal(read_tensors(run / CHECKPOINT)[0], whole)


@pytest.mark.slow
def test_two_processes_train_as_one(faces, tmp_path):
    """Data parallel on two processes: both average gradients, one writes; and it is not what one process does."""
    run = tmp_path / "run"
    out = finish([*command(faces, run, "--devices", "2"), "--set", "steps=6", "--set", "pretrain_steps=4"])
    assert "finished" in out
    tensors, header = read_tensors(run / CHECKPOINT)
    assert header["stage"] == 3 and all(np.isfinite(t.numpy()).all() for t in tensors.values())
    alone = tmp_path / "alone"
    finish([*command(faces, alone), "--set", "steps=6", "--set", "pretrain_steps=4"])
    assert not equal(tensors, read_tensors(alone / CHECKPOINT)[0])
