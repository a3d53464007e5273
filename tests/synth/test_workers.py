"""Workers of a synthesis end with the process that asked for them, however it ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

PARENT = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from mien.synth.generate import _follow

def named(_):
    time.sleep(0.2)  # so that both are asked
    return os.getpid()

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    with ProcessPoolExecutor(2, context, _follow, (theirs,)) as pool:
        print(*{*pool.map(named, range(4))}, flush=True)
        pool.submit(time.sleep, 60)
        time.sleep(60)
"""


def lives(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(os.name == "nt", reason="POSIX's signals")
def test_workers_end_with_a_killed_parent(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    with subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True) as process:
        workers = [int(word) for word in process.stdout.readline().split()]
        assert workers and all(map(lives, workers))
        process.send_signal(signal.SIGKILL)
        process.stdout.read()  # ends when nobody holds the pipe any more: workers and the tracker of their resources
    for _ in range(100):
        if not any(map(lives, workers)):
            break
        time.sleep(0.1)
    assert not any(map(lives, workers))
