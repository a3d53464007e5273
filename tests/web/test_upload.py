"""Photographs that somebody sent: what is taken, what is refused, what of them is looked at."""

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from mien.editing.editor import Editor
from mien.errors import InputError
from mien.faces.detect import find_faces
from mien.runtime.landmarker import find_landmarker
from mien.web.frame import frame_of
from mien.web.upload import open_upload
from tests.web.hostile import HOSTILE


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A photograph of 2048 pixels with two faces, the right one half as large."""
    page = np.zeros((512, 800, 3), np.uint8)
    page[:, :512] = astronaut()
    page[:256, 512:768] = astronaut()[::2, ::2]
    path = tmp_path_factory.mktemp("sent") / "two.jpg"
    Image.fromarray(page).resize((2048, 1311)).save(path, quality=95)
    return open_upload(path, find_landmarker("net"))


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


def test_faces_are_counted_and_the_largest_is_meant(large):
    assert len(large.faces) == 2 and large.largest == 1 and large.size == (2048, 1311)
    with pytest.raises(InputError, match="no face 3"):
        large.face(3)


@pytest.mark.parametrize("which, side", [(0, 640), (0, 4000), (1, 300), (2, 5000)])
def test_a_frame_shows_the_model_the_same_face(large, which, side):
    frame, editor = frame_of(large, which, side), Editor("evaluator")
    assert max(frame.photo.rgb.shape) <= side
    number = which or 1
    cut = frame.cut(editor.crop_at(large.photo, large.face(number), number))
    eyes = np.column_stack([large.face(number).eyes, [1, 1]])
    # the face's eyes, by the frame's own pixels: found there by somebody who was not told
    seen = find_faces(frame.photo.rgb, find_landmarker("net"))
    back = [np.column_stack([face.eyes, [1, 1]]) @ frame.matrix.T for face in seen]
    assert min(np.abs(one - eyes[:, :2]).max() for one in back) < 0.08 * large.face(number).box[2]
    assert cut.photo is frame.photo


def test_a_frame_of_the_whole_at_its_own_size_is_the_photograph(large):
    frame = frame_of(large, 0, 4000)
    assert np.array_equal(frame.photo.rgb, large.photo.rgb) and np.array_equal(frame.matrix, np.eye(2, 3))


@pytest.mark.parametrize("name, form", [("a.jpeg", "JPEG"), ("a.png", "PNG"), ("a.webp", "WebP"), ("a.tif", "PNG")])
def test_a_photograph_goes_back_in_the_form_in_which_it_came(tmp_path, name, form):
    from mien.web.upload import Upload

    assert Upload(tmp_path / name, (), (1, 1)).form == form
