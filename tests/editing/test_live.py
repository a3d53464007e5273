"""Faces changed live: the loop with a clip as the camera and a list as the window, the keys, the sinks."""

import sys
from itertools import pairwise

import numpy as np
import pytest
import torch

from mien.editing.editor import Editor
from mien.editing.live import HELP, WORDS, Wish, live
from mien.errors import InputError
from mien.media.annotate import write_lines
from mien.media.provenance import stamp_in
from mien.media.video.camera import replayed, shots
from mien.media.video.sinks import Recording, VirtualCamera, Window
from mien.media.video.xmp_box import read_packet
from mien.models.registry import create
from tests.cli.test_cli import run
from tests.helpers.clips import read_frames, texture, write_clip
from tests.helpers.tiny import TINY


@pytest.fixture(scope="module")
def editor():
    torch.manual_seed(0)
    model = create("ter_gan", **TINY["ter_gan"])
    for weight in model.parameters():
        torch.nn.init.normal_(weight, 0, 0.6)  # changes that are seen
    model.class_codes.total.normal_()
    model.class_codes.count.fill_(1)
    return Editor(model, aligned=True)


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / "talk.mp4", [np.roll(texture((64, 64)), 3 * k, 1) for k in range(6)])


class Typist:
    """A window in which somebody types: a key a frame."""

    def __init__(self, keys=""):
        self.keys, self.seen = keys, []

    def show(self, rgb):
        self.seen.append(rgb)
        return self.keys[len(self.seen) - 1 : len(self.seen)]

    def close(self):
        pass


def frames(count):
    return [(np.roll(texture((64, 64)), 3 * k, 1), k / 25) for k in range(count)]


def test_keys_change_what_is_asked():
    assert Wish().after("0").word == "neutral" and Wish().after("1").word == WORDS[1] and len(WORDS) == 8
    assert Wish(on=False).after("7") == Wish(WORDS[7]) and Wish().after("9") == Wish()
    assert Wish(intensity=0.95).after("+").intensity == 1 and Wish(intensity=0.05).after("-").intensity == 0
    assert not Wish().after(" ").on and not Wish().after("r").reading and f"{Wish().after(' ')}" == "off"


def test_a_frame_is_what_the_editor_makes_of_it_and_keys_count_from_the_next(editor):
    window = Typist("   q")
    report = live(editor, frames(6), window, Wish("fear", 1.0, reading=False), now=iter(range(100)).__next__)
    given = [rgb for rgb, _ in frames(4)]
    changed = [not np.array_equal(a, b) for a, b in zip(given, window.seen, strict=True)]
    assert changed == [True, False, True, False] and report.frames == 4
    np.testing.assert_array_equal(window.seen[0], editor.edit(given[0], "fear").rgb)


def test_the_reading_is_drawn_over_the_picture(editor):
    plain, drawn = Typist(), Typist("r")
    live(editor, frames(3), plain, Wish("fear", 0.5, reading=False))
    live(editor, frames(3), drawn, Wish("fear", 0.5))
    assert [np.array_equal(a, b) for a, b in zip(plain.seen, drawn.seen, strict=True)] == [False, True, True]
    assert "q end" in HELP
    page = write_lines(np.full((200, 300, 3), 90, np.uint8), ["happiness 0.8", "12 frames/s"])
    assert page.max() > 200 and (page[150:] == 90).all()


def test_a_clip_is_a_camera_that_leaves_out_what_is_late(clip):
    waited = []
    shown = list(replayed(str(clip), 2, waited.append))
    assert 2 <= len(shown) <= 12 and all(seconds > 0 for seconds in waited)
    assert all(a[1] <= b[1] for a, b in pairwise(shown))
    with pytest.raises(InputError, match="there is no such camera"):
        next(shots("97"))


def test_what_was_shown_is_a_clip(editor, clip, tmp_path):
    sink = Recording(tmp_path / "seen.mp4", editor.stamp("live"))
    report = live(editor, replayed(str(clip)), sink, Wish("fear"), most=5)
    sink.close()
    made = read_frames(tmp_path / "seen.mp4")
    assert len(made) == report.frames == 5 and made[0].shape == (64, 64, 3) and report.rate > 0
    assert "live" in f"{stamp_in(read_packet(tmp_path / 'seen.mp4'))}"


def test_what_is_missing_is_one_line(monkeypatch, tmp_path, capsys, clip):
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with pytest.raises(InputError, match="a window needs Tk"):
        Window()
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(InputError, match="pyvirtualcam: pip install"):
        VirtualCamera()
    for words, says in (
        (("nothing.mp4",), "nothing.mp4: no such clip"),
        ((clip, "--to", "tv"), "--to tv: expected window, camera or a clip"),
        ((clip, "--to", clip), "is the clip"),
        ((clip, "--expression", "glee"), "glee"),
    ):
        code, _, err = run(capsys, "live", *words)
        assert code == 2 and says in err and err.count("\n") == 1


def test_no_screen_is_one_line(monkeypatch):
    pytest.importorskip("tkinter", reason="Tk is missing")
    monkeypatch.delenv("DISPLAY", raising=False)
    if sys.platform != "linux":
        pytest.skip("elsewhere a screen needs no DISPLAY")
    with pytest.raises(InputError, match="a window needs a screen"):
        Window()
