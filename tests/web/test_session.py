"""What the page does, without the page: what it offers, what it takes, what comes out."""

import re
import socket
import struct
import sys
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from mien import cli
from mien.controls import Controls
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.faces.detect import find_faces
from mien.labels import AU_NAMES, AUS, CLASSES, PRESETS
from mien.media.provenance import read_stamp
from mien.models.registry import create
from mien.runtime.landmarker import find_landmarker
from mien.web.bars import bars
from mien.web.request import Example, moved_units, operation
from mien.web.session import Session, form_of
from mien.web.store import KEPT, MADE
from mien.web.upload import MEGABYTES, closeup, open_upload, photo_at, view
from tests.helpers.tiny import TINY


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Models that can do different things; `moves` is untrained."""
    torch.manual_seed(0)
    moves = create("fields", **TINY["fields"])
    editors = {"eet": Editor("eet"), "ter_gan": Editor("ter_gan"), "judge": Editor("judge"), "moves": Editor(moves)}
    return Session(editors, editors["judge"], tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    path = tmp_path_factory.mktemp("sent") / "me at work.png"
    Image.fromarray(astronaut()).save(path)
    return open_upload(path, find_landmarker("net"))


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two faces, the right one half as large."""
    page = np.zeros((512, 800, 3), np.uint8)
    page[:, :512] = astronaut()
    page[:256, 512:768] = astronaut()[::2, ::2]
    path = tmp_path_factory.mktemp("sent") / "two.jpg"
    Image.fromarray(page).save(path, quality=95)
    return open_upload(path, find_landmarker("net"))


def test_each_model_offers_what_it_can(session):
    assert session.abilities.keys() == {"eet", "ter_gan", "moves"}  # the judge changes no face
    assert session.abilities["ter_gan"].ways == ["Expression", "Photograph"]
    assert session.abilities["eet"].ways == ["Expression", "Action units", "Photograph"]
    assert session.abilities["moves"].ways == ["Expression", "Action units", "Photograph", "Gaze and head"]
    assert session.abilities["eet"].units == session.editors["eet"].model.units and not session.abilities["eet"].sides
    assert session.abilities["ter_gan"].words == CLASSES[1:] and not session.abilities["ter_gan"].parts
    assert set(session.abilities["moves"].words) == {*CLASSES[1:], *PRESETS} - {"wink"}
    assert session.abilities["moves"].head and session.abilities["moves"].parts and not session.abilities["eet"].head
    assert "say-a" in session.abilities["moves"].words and "wink-left" not in session.abilities["eet"].words
    assert session.abilities["moves"].units == AUS and session.abilities["moves"].sides


def test_every_action_unit_has_a_name():
    assert tuple(AU_NAMES) == AUS and len(set(AU_NAMES.values())) == len(AUS)
    assert AU_NAMES[12] == "lip corner puller"


def png(width, height, data):
    """Return a PNG file, grey, that says it is so large."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


HOSTILE = {
    "page.png": (lambda: b"<html><script>alert(1)</script></html>", "not an image"),
    "drawing.svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "not an image"),
    "empty.jpg": (lambda: b"", "empty"),
    "noise.webp": (lambda: np.random.default_rng(0).bytes(50_000), "not an image"),
    "bomb.png": (lambda: png(60_000, 60_000, zlib.compress(bytes(10**6))), "more than 40 megapixels"),
    "wide.png": (lambda: png(8001, 5000, zlib.compress(bytes(8002 * 5000))), "more than 40 megapixels"),
    "cut.png": (lambda: png(500, 500, zlib.compress(bytes(501 * 500))[:-9]), "damaged or cut short"),
    "big.png": (lambda: png(500, 500, zlib.compress(bytes(501 * 500))) + bytes(MEGABYTES << 20), "more than 20 MB"),
    "nobody.png": (lambda: png(500, 500, zlib.compress(bytes(501 * 500))), "no face found"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bad_files_are_one_line_without_the_servers_folders(tmp_path, name):
    make, reason = HOSTILE[name]
    (tmp_path / name).write_bytes(make())
    with pytest.raises(InputError) as error:
        open_upload(tmp_path / name)
    told = str(error.value)
    assert told.startswith(name) and reason in told and "\n" not in told and str(tmp_path) not in told


def test_a_file_that_is_gone_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"^gone\.png: there is no such file"):
        open_upload(tmp_path / "gone.png")


def test_faces_are_counted_and_the_largest_is_meant(two, face):
    assert len(two.faces) == 2 and two.largest == 1 and face.largest == 1
    assert np.array_equal(view(face), astronaut())  # one face needs no number
    marked = view(two) != photo_at(two.path).rgb
    for x, y, w, h in (f.box for f in two.faces):
        assert marked[int(y) : int(y + h) + 2, int(x) : int(x + w) + 2].any()


def test_closeup_holds_the_face_at_the_size_of_a_screen(face):
    (seen,) = find_faces(closeup(astronaut(), face.faces[0]), find_landmarker("net"))
    assert seen.box[2] == pytest.approx(face.faces[0].box[2], rel=0.1)
    enlarged = replace(face.faces[0], box=tuple(8 * value for value in face.faces[0].box))
    small = closeup(np.asarray(Image.fromarray(astronaut()).resize((4096, 4096))), enlarged)
    (again,) = find_faces(small, find_landmarker("net"))
    assert max(small.shape) == 1024 and again.box[2] / 1024 == pytest.approx(0.45, abs=0.05)  # 1 of 2.2 widths


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WebP"])
def test_a_download_is_the_editors_own_result_and_says_so(session, face, form):
    made = session.change("ter_gan", face, 1, Controls("happiness", 0.7), form)
    with Image.open(made.file) as image:
        assert image.format == form.upper() and image.size == (512, 512)
        pixels = np.asarray(image.convert("RGB")).astype(int)
    wanted = session.editors["ter_gan"].edit(face.path, "happiness", 0.7).rgb.astype(int)  # finds the face by itself
    assert np.abs(pixels - wanted).mean() < (0.5 if form == "PNG" else 3)
    assert form != "PNG" or np.array_equal(pixels, wanted)
    stamp = read_stamp(made.file)
    assert (stamp.model, stamp.operation) == ("ter_gan", "edit: happiness 0.70")
    assert stamp.source == "me at work.png"
    assert re.fullmatch(r"me_at_work-happiness\.(png|jpg|webp)", made.file.name)


def test_before_and_after_are_shown_and_read(session, face):
    made = session.change("ter_gan", face, 1, Controls("happiness"))
    assert made.before.shape == made.after.shape and (made.before != made.after).any()
    for read in (made.read_before, made.read_after):
        assert set(read) == set(CLASSES) and sum(read.values()) == pytest.approx(1, abs=1e-5)
    assert dict(made.read_before) == session.evaluator.recognize(face.path)
    assert dict(made.read_after) != dict(made.read_before)


@pytest.mark.parametrize("intensity", [1.0, 0.4])
def test_a_second_photograph_gives_its_expression(session, face, two, intensity):
    made = session.change("eet", face, 1, Controls(like=Example(two, 2), intensity=intensity))
    wanted = session.editors["eet"].edit(face.path, like=two.path, like_number=2, intensity=intensity)
    assert np.array_equal(np.asarray(Image.open(made.file)), wanted.rgb)
    assert read_stamp(made.file).operation == ("transfer from two.jpg" if intensity == 1 else "edit: like two.jpg 0.40")


def test_the_chosen_face_alone_is_changed(session, two):
    made = session.change("ter_gan", two, 2, Controls("surprise"))
    changed = (np.asarray(Image.open(made.file)) != two.photo.rgb).any(-1)
    assert changed[:, 512:].sum() > 100 and not changed[:, :400].any()


def test_units_and_gaze_go_to_the_model(session, face):
    moves = session.editors["moves"]
    made = session.change("moves", face, 1, Controls(aus={"12L": 4.0}))
    assert np.array_equal(np.asarray(Image.open(made.file)), moves.edit(face.path, aus={"12L": 4.0}).rgb)
    assert read_stamp(made.file).operation == "edit: 12L=4 1.00"
    made = session.change("moves", face, 1, Controls(gaze=(10.0, -5.0)))
    assert np.array_equal(np.asarray(Image.open(made.file)), moves.edit(face.path, gaze=(10.0, -5.0)).rgb)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Controls("happiness", 0.7), "edit: happiness 0.70"),
        (Controls(aus={"12L": 3.0, 6: 2.5}), "edit: 12L=3, 6=2.5 1.00"),
        (Controls(gaze=(10.0, -5.0)), "edit: gaze 10 -5 1.00"),
        (Controls("anger", 0.5, gaze=(10.0, 0.0)), "edit: anger gaze 10 0 0.50"),
        (Controls("neutral"), "neutralize"),
        (
            Controls("laugh", 0.5, turn=(8.0, -3.0), roll=5.0, only=("mouth",)),
            "edit: laugh turn 8 -3 roll 5 only mouth 0.50",
        ),
    ],
)
def test_a_request_has_the_same_words_on_the_page_and_in_the_shell(asked, words):
    assert operation(asked) == asked.operation() == words


def test_what_a_model_cannot_is_one_line(session, face):
    with pytest.raises(InputError, match="ter_gan cannot edit by action unit"):
        session.change("ter_gan", face, 1, Controls(aus={12: 4.0}))
    with pytest.raises(InputError, match="no face 3"):
        session.change("ter_gan", face, 3, Controls("anger"))


def test_jpeg_refuses_transparency_without_the_servers_folders(session, tmp_path):
    rgba = np.dstack([astronaut(), np.full((512, 512), 99, np.uint8)])
    Image.fromarray(rgba).save(tmp_path / "clear.png")
    with pytest.raises(InputError, match=r"^clear-anger\.jpg: .*transparent"):
        session.change("ter_gan", open_upload(tmp_path / "clear.png"), 1, Controls("anger"), "JPEG")


def test_sliders_start_where_the_model_reads_the_face(session, face):
    starts, read = session.starts("eet", face, 1), session.editors["eet"].estimate_aus(face.path)
    assert starts.keys() == read.keys()
    for unit, value in starts.items():
        assert value == pytest.approx(min(max(read[unit], 0), 5), abs=0.051) and round(value * 10, 6) % 1 == 0
    assert session.starts("ter_gan", face, 1) == {}


def test_only_moved_sliders_are_asked_for():
    starts = {1: 0.4, 12: 2.0}
    assert moved_units(starts, {1: 0.4, 12: 3.0}) == {12: 3.0}
    assert moved_units(starts, {1: 0.4, 12: 3.0}, {1: 1.0, 12: 2.0}) == {"12L": 3.0, "1R": 1.0}
    with pytest.raises(InputError, match="no action unit was moved"):
        moved_units(starts, {1: 0.4, 12: 2.0})


def test_old_results_are_deleted(session, face, monkeypatch):
    monkeypatch.setitem(KEPT, MADE, 2)
    files = [session.change("ter_gan", face, 1, Controls("neutral")).file for _ in range(3)]
    assert [file.exists() for file in files] == [False, True, True]
    assert read_stamp(files[2]).operation == "neutralize"


@pytest.mark.parametrize("name, form", [("a.jpeg", "JPEG"), ("a.png", "PNG"), ("a.webp", "WebP"), ("a.tif", "PNG")])
def test_a_photograph_goes_back_in_the_form_in_which_it_came(tmp_path, name, form):
    assert form_of(tmp_path / name) == form


def test_bars_are_as_long_as_the_numbers():
    before, after = dict.fromkeys(CLASSES, 0.125), {word: float(word == "fear") for word in CLASSES}
    drawn = bars(before, after)
    assert [drawn.count(f"<b>{word}</b>") for word in CLASSES] == [1] * len(CLASSES)
    assert drawn.count("width:12.5%") == 8 and drawn.count("width:100.0%") == 1 and "12 → 100 %" in drawn
    assert "after" not in bars(before)


def shell(capsys, monkeypatch, *words):
    """Run the shell's words; return exit code and standard error."""
    for name in ("GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY", "GRADIO_TEMP_DIR"):
        monkeypatch.setenv(name, "")  # put back at the end, whatever the verb sets
    monkeypatch.setattr(sys, "argv", ["mien", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code, capsys.readouterr().err


def test_without_gradio_is_one_line(capsys, monkeypatch):
    for name in ("mien.web.events", "mien.web.page"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "gradio", None)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code, err = shell(capsys, monkeypatch, "app", "--port", str(port))
    assert code == 2 and err.strip() == "mien: mien app needs the package gradio: pip install 'mien[web]'"


def test_a_port_that_is_taken_is_one_line(capsys, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, err = shell(capsys, monkeypatch, "app", "--port", str(port))
    assert (
        code == 2 and err.strip().splitlines()[-1] == f"mien: --port {port}: is taken or not to be had; choose another"
    )


def test_a_model_that_changes_no_face_is_one_line(session, monkeypatch):
    from mien.web.server import first_model

    with pytest.raises(InputError, match="--model judge: changes no face"):
        first_model(session, ["judge"])
    monkeypatch.setattr("mien.web.server.DEFAULT", "ter_gan")
    assert first_model(session, ["eet"]) == "eet" and first_model(session, []) == "ter_gan"
