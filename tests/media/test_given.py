"""A picture may be given as anything that holds one; what is none is refused in one line."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mien.errors import InputError
from mien.media.given import given_photo
from mien.media.photo import Photo, read_photo
from mien.media.provenance import Stamp, read_packet, read_stamp, stamp_in
from mien.media.sources import files_in
from tests.conftest import draw_face

FACE = draw_face((224, 180, 150), 2.0, 1.0, 48)[:40]  # (40, 48, 3): no square, so that axes cannot be mistaken
STAMP = Stamp("mien 0.1.0", "fields", "edit: happiness 1.00", "me.png")


@pytest.fixture
def file(tmp_path):
    Image.fromarray(FACE).save(tmp_path / "face.png")
    return tmp_path / "face.png"


class Named(os.PathLike):
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return str(self.path)


FLOATS = FACE.astype(np.float64) / 255
TENSOR = torch.from_numpy(FACE).permute(2, 0, 1)
KINDS = {
    "path": lambda file: file,
    "text": str,
    "path alike": Named,
    "bytes": Path.read_bytes,
    "bytearray": lambda file: bytearray(file.read_bytes()),
    "open file": lambda file: file.open("rb"),
    "file in memory": lambda file: io.BytesIO(file.read_bytes()),
    "image": Image.open,
    "image in memory": lambda file: Image.fromarray(FACE),
    "array": lambda file: FACE,
    "array backwards": lambda file: np.ascontiguousarray(FACE[:, ::-1])[:, ::-1],
    "array of floats": lambda file: FLOATS,
    "array of float32": lambda file: FLOATS.astype(np.float32),
    "array around 0": lambda file: FLOATS * 2 - 1,
    "sixteen bits": lambda file: FACE.astype(np.uint16) * 257,
    "tensor": lambda file: TENSOR,
    "tensor of floats": lambda file: TENSOR.float() / 255,
    "tensor as models give": lambda file: (TENSOR.float() / 127.5 - 1)[None].requires_grad_(),
    "tensor, channels last": lambda file: torch.from_numpy(FACE),
    "photo": read_photo,
}


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_are_one_picture(file, kind):
    found = given_photo(KINDS[kind](file))
    assert found.rgb.dtype == np.uint8 and found.rgb.flags.c_contiguous and np.array_equal(found.rgb, FACE)
    assert not found.grey and found.alpha is None
    assert (found.sixteen is not None) == (kind == "sixteen bits")
    assert found.name == ("face.png" if kind in ("path", "text", "path alike", "photo") else None)


def test_half_precision_is_near():
    found = given_photo((TENSOR.float() / 127.5 - 1).bfloat16())
    assert np.abs(found.rgb.astype(int) - FACE).max() <= 1


def test_grey_and_alpha():
    grey = given_photo(FACE[..., 0])
    assert grey.grey and np.array_equal(grey.rgb[..., 1], FACE[..., 0])
    assert given_photo(torch.from_numpy(FACE[..., 0])[None]).grey
    both = np.dstack([FACE, FACE[..., 0]])
    for one in (both, torch.from_numpy(both).permute(2, 0, 1), Image.fromarray(both)):
        found = given_photo(one)
        assert np.array_equal(found.alpha, FACE[..., 0]) and np.array_equal(found.rgb, FACE)
        assert np.array_equal(np.asarray(found.to_pil()), both)
    assert grey.to_pil().mode == "L" and given_photo(FACE).to_pil().mode == "RGB"


def test_an_image_is_turned_upright_and_stays_as_it_is(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(FACE).save(tmp_path / "turned.png", exif=exif)
    image = Image.open(tmp_path / "turned.png")
    found = given_photo(image)
    assert np.array_equal(found.rgb, read_photo(tmp_path / "turned.png").rgb) and found.rgb.shape == (48, 40, 3)
    assert image.size == (48, 40)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (None, "NoneType is not known; give a path, bytes"),
        (3.5, "float is not known"),
        (b"", r"the picture: empty \(0 bytes\)"),
        (b"no picture", "the picture: not an image"),
        (io.StringIO("text"), "open as text"),
        (np.zeros((3, 4, 4, 3), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
        (np.zeros((4, 4, 2), np.uint8), "shape"),
        (np.zeros((4, 4, 3), np.int64), "uint8, uint16 or floats; got int64"),
        (np.full((4, 4, 3), 128.0), "must lie in 0 to 1"),
        (np.full((4, 4, 3), np.nan), "must lie in 0 to 1"),
        (torch.zeros(2, 3, 4, 4), "shape"),
    ],
)
def test_what_is_no_picture_is_one_line(picture, words):
    with pytest.raises(InputError, match=words) as stop:
        given_photo(picture)
    assert "\n" not in str(stop.value)


def test_an_open_file_is_read_from_its_start_wherever_it_stands(file):
    with file.open("rb") as opened, io.BytesIO(file.read_bytes()) as held:
        for one in (opened, held):
            for place in (7, 1 << 20):
                one.seek(place)
                assert np.array_equal(given_photo(one).rgb, FACE)
    with pytest.raises(InputError, match="is a file that was closed; open it again, or give its path"):
        given_photo(held)
    reading, writing = os.pipe()
    os.write(writing, file.read_bytes())
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:  # which has no start to go back to
        assert np.array_equal(given_photo(pipe).rgb, FACE)
    with file.open() as text, pytest.raises(InputError, match="expected a file open as bytes"):
        given_photo(text)
    with file.open("wb") as written, pytest.raises(InputError, match="expected a file open as bytes"):
        given_photo(written)


@pytest.mark.parametrize("place", [io.BytesIO(), None, 3])
def test_what_is_no_path_is_one_line(place):
    words = "expected a path, as '(made.png|face.jpg)'; got (a BytesIO|None|an int)$"
    for call in (Photo.of(FACE).save, read_photo, files_in):
        with pytest.raises(InputError, match=words):
            call(place)


def test_a_made_photo_saves_and_shows_itself_with_its_note(tmp_path):
    made = Photo(FACE, None, False, None, None, stamp=STAMP)
    made.save(tmp_path / "made.png")
    assert np.array_equal(read_photo(tmp_path / "made.png").rgb, FACE)
    assert read_stamp(tmp_path / "made.png").operation == STAMP.operation
    made.save(tmp_path / "plain.png", stamped=False)
    assert read_stamp(tmp_path / "plain.png") is None
    shown = Image.open(io.BytesIO(made._repr_png_()))
    assert shown.size == (48, 40) and stamp_in(read_packet(shown)).model == "fields"


def test_a_large_photo_is_shown_smaller():
    large = Photo.of(np.zeros((300, 3000, 3), np.uint8))
    assert Image.open(io.BytesIO(large._repr_png_())).size == (1024, 102)
