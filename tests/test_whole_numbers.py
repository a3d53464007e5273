"""Whole numbers as text: what only looks like one is none, wherever one is read."""

from pathlib import Path

import pytest

from mien.data.importers.support.corpus_folder import natural
from mien.editing.timeline import Key, Timeline
from mien.errors import InputError
from mien.labels import sides
from mien.models.presets import settings_in
from mien.recognition.osc import Sender
from mien.runtime.onnx import threads
from mien.whole_numbers import whole_number

ODD = ("²", "１", "1" * 5000, "", "-1", "+1", " 1", "1_0", "1.0", "٣")


def test_digits_and_nothing_else():
    assert [whole_number(text) for text in ("0", "007", "123456789")] == [0, 7, 123456789]
    assert {whole_number(text) for text in ODD} == {None}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_none_is_a_line_or_as_good_as_nothing(odd, monkeypatch):
    with pytest.raises(InputError, match="choose from"):
        sides(odd)
    with pytest.raises(InputError, match="--osc"):
        Sender(f"127.0.0.1:{odd}")
    monkeypatch.setenv("OMP_NUM_THREADS", odd)
    assert threads() == 0
    assert natural(Path(f"a{odd}.png")) == natural(Path(f"a{odd}.png"))
    assert sorted([Path("a10"), Path("a9"), Path(f"b{odd}")], key=natural)[:2] == [Path("a9"), Path("a10")]


def test_no_more_threads_than_cores(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    for said, used in (("2", 2), ("100000", 4), ("0", 0)):
        monkeypatch.setenv("OMP_NUM_THREADS", said)
        assert threads() == used


def test_a_timeline_without_an_end_is_a_line():
    with pytest.raises(InputError, match="fewer than 1e"):
        Timeline((Key(0.0), Key(1e308)))


def test_settings_without_their_family_are_a_line(tmp_path):
    (tmp_path / "e.json").write_text('{"name": "grin", "config": {}}')
    with pytest.raises(InputError, match="family is missing"):
        settings_in(tmp_path / "e.json", "ter_gan")
