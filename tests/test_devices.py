"""Where nets compute: the order, what is asked of PyTorch and when, and who runs what."""

import subprocess
import sys

import pytest
import torch

from mien import devices
from mien.errors import InputError
from mien.models.io import load
from mien.runtime.exported import ExportedEngine
from mien.runtime.open import open_engine
from mien.runtime.pytorch import PytorchEngine


@pytest.mark.parametrize(
    ("driver", "apple", "cuda", "mps", "best"),
    [
        (True, True, True, True, "cuda"),
        (True, True, False, True, "mps"),
        (True, False, False, False, "cpu"),
        (False, False, True, True, "cpu"),  # nothing says that it is worth to ask PyTorch
    ],
)
def test_cuda_comes_before_mps_and_that_before_the_processor(monkeypatch, driver, apple, cuda, mps, best):
    monkeypatch.setattr(devices, "has_cuda", lambda: driver)
    monkeypatch.setattr(devices, "is_apple", lambda: apple)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert devices.best_device() == devices.resolved("auto") == best and devices.resolved("cpu") == "cpu"


@pytest.mark.skipif(devices.is_apple(), reason="an Apple processor has a device of its own")
def test_without_a_driver_pytorch_is_not_asked():
    code = "from mien import devices; found = devices.best_device(); import sys; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", f"{code} and found == 'cpu'"]).returncode == 0


@pytest.mark.parametrize("name", ["auto", "cpu", "cuda", "cuda:1", "mps", "xpu"])
def test_names_of_devices(name):
    devices.check_device(name)


@pytest.mark.parametrize("name", ["", "gpu", "cuda:-1", "auto:1", "meta"])
def test_what_names_no_device(name):
    with pytest.raises(InputError, match=r"--device .*: expected auto \(cuda, then mps, else cpu\), cpu, cuda, mps"):
        devices.check_device(name)


def test_auto_runs_what_comes_along_without_pytorch_unless_there_is_cuda(monkeypatch):
    assert isinstance(open_engine("landmarks", "auto"), ExportedEngine)
    assert load("landmarks", "auto").points[-1].weight.device.type == devices.best_device()
    monkeypatch.setattr("mien.runtime.open.best_device", lambda: "cuda")
    monkeypatch.setattr("mien.runtime.pytorch.resolved", lambda device: "cpu")  # which this computer may lack
    assert isinstance(open_engine("landmarks", "auto"), PytorchEngine)
