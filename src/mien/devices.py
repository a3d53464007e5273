"""Where nets compute: what "auto" means, found out without PyTorch where there can be nothing but the processor."""

from __future__ import annotations

import ctypes
import os
import platform
import re
from contextlib import suppress
from functools import cache

from mien.errors import InputError

AUTO = "auto"
"""cuda where there is one, then mps, else cpu. Graphs that other programs than PyTorch run know no mps."""

WORDS = "auto (cuda, then mps, else cpu), cpu, cuda, mps"
_KNOWN = re.compile(rf"{AUTO}|(cpu|cuda|mps|xpu)(:\d{{1,3}})?")
_DRIVERS = ("nvcuda.dll",) if os.name == "nt" else ("libcuda.so.1", "libcuda.so")


def check_device(name: str) -> None:
    """Raise InputError for what is no device's name; whether it is there, whoever computes will say."""
    if not _KNOWN.fullmatch(name):
        raise InputError(f"--device {name}: expected {WORDS}, or cuda:1 for the second of several")


def best_device() -> str:
    """Return where PyTorch is to compute: "cuda" where it can, then "mps", else "cpu".

    It is imported, which takes seconds, only where a driver or the processor says that it may have more than the cpu.
    """
    if not (has_cuda() or is_apple()):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def resolved(device: str) -> str:
    """Return a device as PyTorch names it, the best that there is for "auto"."""
    return best_device() if device == AUTO else device


@cache
def has_cuda() -> bool:
    """Whether the driver of CUDA tells of a device."""
    for name in _DRIVERS:
        with suppress(OSError, AttributeError):
            driver, count = ctypes.CDLL(name), ctypes.c_int(0)
            return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    return False


def is_apple() -> bool:
    """Whether the processor is Apple's own, which has what PyTorch calls mps."""
    return platform.system() == "Darwin" and platform.machine() == "arm64"
