"""A command that is hung up, quit or terminated ends as after Ctrl-C: nothing half-written stays."""

import os
import signal
import subprocess
import sys

import pytest

from mien.cli.signals import endings

WRITER = """
import sys, time
from pathlib import Path
from mien.cli.signals import endings
from mien.files import whole
with endings() as ending:
    try:
        with whole(Path(sys.argv[1])) as beside:
            beside.write_bytes(b"half")
            print("writing", flush=True)
            time.sleep(60)
    except KeyboardInterrupt:
        sys.exit(ending.code)
"""
POLITE = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)]


@pytest.fixture(autouse=True)
def heard():
    """Let signals be heard that whoever started the tests ignores, as nohup does."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in POLITE}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX's signals")


@pytest.mark.parametrize("number", POLITE)
def test_what_is_being_written_goes_and_what_was_there_stays(tmp_path, number):
    place = tmp_path / "out.mp4"
    place.write_bytes(b"before")
    with subprocess.Popen([sys.executable, "-c", WRITER, str(place)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writing\n" and len(list(tmp_path.iterdir())) == 2
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    assert list(tmp_path.iterdir()) == [place] and place.read_bytes() == b"before"


@pytest.mark.parametrize("number", POLITE)
def test_once_and_then_no_more(number):
    with endings() as ending:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)  # while cleaning up
        assert ending.code == 128 + number
    assert signal.getsignal(number) == signal.SIG_DFL


def test_whoever_handles_ctrl_c_is_asked(monkeypatch):
    asked = []
    before = signal.signal(signal.SIGINT, lambda *_: asked.append("whole steps first"))
    try:
        with endings():
            os.kill(os.getpid(), signal.SIGTERM)
        assert asked == ["whole steps first"]
    finally:
        signal.signal(signal.SIGINT, before)


def test_nohup_is_respected():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with endings():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
