"""Memory while a folder is edited: after a tenth, at every fifth, and at the end.

    python benchmarks/folder.py [--count 200] [--side 512] [--model fields]

The photographs are shifts of one in the public domain. Printed are megabytes of the process (resident) and the CPU
milliseconds a file, by `mien edit FOLDER -o DIR` in this process.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from skimage.data import astronaut

from mien.cli.clips import Tool
from mien.cli.folders import Orders
from mien.cli.output import Delivery
from mien.controls import Controls
from mien.editing.folder import each_done


def resident() -> float:
    """Return the megabytes that this process holds; of systems without /proc nothing."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--model", default="fields")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "in", Path(folder) / "out"
        source.mkdir()
        photo = cv2.resize(astronaut(), (asked.side, asked.side), interpolation=cv2.INTER_AREA)
        for k in range(asked.count):
            cv2.imwrite(str(source / f"{k:05d}.jpg"), np.roll(photo, k % 40, 1)[..., ::-1])
        one = Delivery(source, out, model=asked.model, several=True)
        orders = Orders((source,), one, Controls("happiness", 0.8), Tool(asked.model, False, "cpu"))
        jobs, worker = orders.check(), orders.open()
        begun, held = time.process_time(), {}
        for k, done in enumerate(each_done(jobs, out, worker, worker.made_by()), 1):
            assert not done.error, done.error
            if k == asked.count // 10 or k % (asked.count // 5) == 0:
                held[k] = resident()
                print(f"after {k} files {held[k]:.0f} MB", flush=True)
        spent = 1000 * (time.process_time() - begun) / asked.count
        tenth, end = held[asked.count // 10], held[asked.count // 5 * 5]
        print(f"{spent:.0f} CPU ms a file; at the end {100 * (end / tenth - 1):+.1f} % of what was held after a tenth")


if __name__ == "__main__":
    main()
