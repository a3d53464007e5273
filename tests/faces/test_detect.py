"""Finding faces: on NASA's portrait of an astronaut, which scikit-image brings along, and on pictures of none."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from scipy.spatial import cKDTree
from skimage import data

from mien.errors import InputError
from mien.faces.align import align, similarity
from mien.faces.detect import Face, choose_face, find_faces, left_out
from mien.faces.finding.face_check import contrast
from mien.faces.landmarks import Landmarker
from mien.runtime.landmarker import find_landmarker

# Mid-points of the corners of both eyes, marked by hand at 16-fold size: (194.5, 101), (211.5, 103) and so on.
EYES = np.array([[203.0, 102.0], [246.3, 104.0]])
APART = float(np.linalg.norm(EYES[1] - EYES[0]))


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return data.astronaut()


@pytest.fixture(scope="module")
def net() -> Landmarker | None:
    return find_landmarker("net")


def bundled(name: str) -> np.ndarray:
    """A picture from scikit-image's wheel; nothing is fetched."""
    return cv2.imread(str(Path(skimage.__file__).parent / "data" / name))[..., ::-1]


def error(face: Face, eyes: np.ndarray) -> float:
    """The worse eye's distance from the truth, in distances between the eyes."""
    apart = np.linalg.norm(eyes[1] - eyes[0])
    return float(np.linalg.norm(face.eyes - eyes, axis=1).max() / apart)


def test_the_astronaut(astronaut):
    before = astronaut.copy()
    (face,) = find_faces(astronaut)
    assert np.array_equal(astronaut, before)
    assert error(face, EYES) < 0.06 and face.source == "eyes"
    assert face.eyes.shape == (2, 2) and face.eyes.dtype == np.float64
    x, y, w, h = face.box
    assert x < EYES[0, 0] and x + w > EYES[1, 0] and y < 90 and y + h > 150 and w == pytest.approx(h)
    crop = align(astronaut, similarity(face.eyes, 64), 64).astype(int)
    darkest = crop[20:31, 16:29].sum(axis=-1)  # around the template's left eye, 22 and 25
    assert np.hypot(*(np.argwhere(darkest == darkest.min())[0] + (20, 16) - (25.1, 21.9))) < 4


def test_glasses_and_a_hat():
    cbook = pytest.importorskip("matplotlib.cbook")
    file = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)  # a US Navy portrait
    (face,) = find_faces(cv2.imread(str(file))[..., ::-1])
    # The pupils, for the rims hide the corners; behind glasses the eyes are less certain.
    assert error(face, np.array([[222.0, 191.6], [303.0, 186.5]])) < 0.12


@pytest.mark.parametrize("tilt", [-40, -20, 8, 30, 45, 70, -110, 180])
def test_a_tilted_head(astronaut, tilt):
    matrix = cv2.getRotationMatrix2D((224, 110), -tilt, 1.0) + np.array([[0, 0, 32], [0, 0, 146]])
    turned = cv2.warpAffine(astronaut, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    (face,) = find_faces(turned)
    assert error(face, EYES @ matrix[:, :2].T + matrix[:, 2]) < 0.09


@pytest.mark.parametrize("size", [260, 1500, 4000])
def test_small_and_large_photos(astronaut, size):
    scale = size / 512
    photo = cv2.resize(astronaut, (size, size), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    (face,) = find_faces(photo)
    assert error(face, (EYES + 0.5) * scale - 0.5) < 0.08


CHANGES = {
    "mirrored": lambda a: a[:, ::-1],
    "dark": lambda a: a // 8,
    "faint": lambda a: a // 8 + 190,
    "grey": lambda a: np.dstack([a[..., 1]] * 3),
    "lit from the side": lambda a: (a * np.linspace(0.1, 1.0, 512)[None, :, None]).astype(np.uint8),
    "noisy": lambda a: np.clip(a + np.random.default_rng(0).normal(0, 15, a.shape), 0, 255).astype(np.uint8),
    "cut tightly": lambda a: a[40:185, 150:300],
}


@pytest.mark.parametrize("change", CHANGES)
def test_poor_photos(astronaut, change):
    eyes = {"mirrored": (511 - EYES[::-1, :1]) * (1, 0) + EYES[::-1] * (0, 1), "cut tightly": EYES - (150, 40)}
    (face,) = find_faces(CHANGES[change](astronaut))
    assert error(face, eyes.get(change, EYES)) < 0.09


def test_several_faces_come_from_left_to_right(astronaut):
    portrait = astronaut[:256, 100:356]
    large = cv2.resize(portrait, (400, 400), interpolation=cv2.INTER_CUBIC)
    photo = np.full((420, 1000, 3), (90, 120, 150), np.uint8)
    photo[100:356, 20:276], photo[10:410, 300:700], photo[60:316, 720:976] = portrait, large, portrait[:, ::-1]
    faces = find_faces(photo)
    assert len(faces) == 3
    middles = [face.eyes[:, 0].mean() for face in faces]
    assert middles == sorted(middles)
    assert error(faces[0], EYES - (100, 0) + (20, 100)) < 0.06
    assert error(faces[1], (EYES - (100, 0) + 0.5) * 400 / 256 - 0.5 + (300, 10)) < 0.06


def test_of_a_large_group_everybody_is_found(astronaut):
    one = cv2.resize(astronaut[:256, 100:356], (160, 160), interpolation=cv2.INTER_AREA)
    faces = find_faces(np.tile(one, (5, 6, 1)), find_landmarker("net"))
    places = {tuple((face.eyes.mean(0) // 160).astype(int).tolist()) for face in faces}
    assert len(faces) == 30 and places == {(x, y) for x in range(6) for y in range(5)}


@pytest.mark.parametrize("edge", ["left", "right", "top", "bottom"])
def test_a_face_cut_by_the_edge(astronaut, edge, net):
    left, right = {"left": (188, 420), "right": (60, 262)}.get(edge, (60, 420))
    top, bottom = {"top": (88, 420), "bottom": (0, 142)}.get(edge, (0, 360))
    (face,) = find_faces(np.ascontiguousarray(astronaut[top:bottom, left:right]), net)
    assert error(face, EYES - (left, top)) < 0.12


def test_a_small_face_in_a_wide_picture(astronaut, net):
    photo = np.full((1200, 20000, 3), (120, 130, 140), np.uint8)
    photo[600 : 600 + 256, 15100 : 15100 + 256] = astronaut[:256, 100:356]  # its face is 115 pixels wide
    (face,) = find_faces(photo, net)
    assert error(face, EYES + np.array([15000, 600])) < 0.1


@pytest.mark.parametrize("name", ["coffee.png", "chelsea.png", "rocket.jpg", "brick.png", "text.png", "camera.png"])
def test_pictures_without_a_face(name):
    assert find_faces(bundled(name)) == []


def test_gravel_that_once_was_a_face(net):
    gravel = cv2.resize(bundled("gravel.png")[37:262, 238:463], (480, 480), interpolation=cv2.INTER_CUBIC)
    for turn in range(4):
        assert find_faces(np.ascontiguousarray(np.rot90(gravel, turn)), net) == []


def test_a_smooth_stone_is_no_face(net):
    """Of 2,000 textures the one that was: nearly all the contrast of its crop was at the rim."""
    matrix = np.array([[0.0, 4.6813, -1751.0534], [-4.6813, 0.0, 1838.3164]])  # a quarter turn, 4.7 times as large
    gravel, to = bundled("gravel.png"), (462, 462)
    stone = cv2.warpAffine(gravel, matrix, to, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    assert find_faces(stone, net) == []


def test_a_pattern_that_is_nearly_black_is_no_face(net):
    """Levelled to what a face's contrast would be, one of some hundred such was surely a face to the net."""
    rng = np.random.default_rng(115)
    cells, grid = cKDTree(rng.uniform(0, 300, (250, 2))), np.stack(np.meshgrid(*2 * [np.arange(300)]), -1)
    grey = cv2.GaussianBlur(rng.uniform(2, 34, 250)[cells.query(grid)[1]], (0, 0), 1)
    grainy = np.clip(grey[..., None] + rng.normal(0, 4, (300, 300, 3)), 0, 255).astype(np.uint8)
    assert find_faces(grainy, net) == []


@pytest.mark.parametrize("change", ["dark", "faint", "grey", "lit from the side", "noisy", "blurred"])
def test_contrast_within_a_face_stays_in_poor_photos(astronaut, change):
    changes = {**CHANGES, "blurred": lambda a: cv2.GaussianBlur(a, (0, 0), 4.0)}  # a tenth of the eyes' distance
    assert contrast(changes[change](astronaut), EYES)[1] == pytest.approx(contrast(astronaut, EYES)[1], abs=0.08)


@pytest.mark.parametrize("seed", range(12))
def test_textures_that_nothing_was_learnt_from(seed, net):
    rng = np.random.default_rng(seed)
    cells = rng.normal(0, 1, (seed % 4 * 16 + 12, 40))
    texture = cv2.GaussianBlur(cv2.resize(cells, (300, 300), interpolation=cv2.INTER_CUBIC), (0, 0), 1 + seed % 3)
    grey = cv2.normalize(np.abs(texture) ** (0.5 + seed % 2), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    assert find_faces(np.dstack([grey] * 3), net) == []


@pytest.mark.parametrize("shape", [(1, 1), (5, 900), (900, 5), (24, 24), (300, 300)])
def test_nothing_to_see(shape):
    assert find_faces(np.full((*shape, 3), 128, np.uint8)) == []
    assert find_faces(np.zeros((*shape, 3), np.uint8)) == []


def test_threads_do_not_disturb_each_other(astronaut):
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(find_faces, [astronaut] * 4))
    assert all(np.array_equal(found[0][0].eyes, faces[0].eyes) for faces in found)


def face_at(x: float, width: float = 99.6) -> Face:
    return Face((x, 40.4, width, width + 0.4), np.array([[x + 30, 80], [x + 66, 80]]), 3.0)


def test_choosing():
    few = [face_at(10), face_at(300), face_at(700)]
    assert choose_face(few[:1], "a.jpg", None) is few[0]
    assert choose_face(few[:1], "a.jpg", 1) is few[0]
    assert choose_face(few, "a.jpg", 3) is few[2]


def test_the_far_larger_face_is_meant_and_the_others_are_told():
    few = [face_at(10, 40), face_at(300, 99.6), face_at(700, 30)]
    assert choose_face(few, "a.jpg", None) is few[1]
    assert left_out(few, few[1]) == ("1: 40×40 at (10, 40)", "3: 30×30 at (700, 40)")
    with pytest.raises(InputError, match="2 faces found"):
        choose_face([face_at(10, 60), face_at(300)], "a.jpg", None)


@pytest.mark.parametrize(
    ("count", "number", "message"),
    [
        (0, None, "a.jpg: no face found, at any turn; give a photograph with a face seen from the front"),
        (0, 1, "a.jpg: no face found"),
        (2, None, "a.jpg: 2 faces found; choose one with --face N (in Python number=N), left to right 1: 100×100 at "),
        (2, 3, "a.jpg: no face 3; --face takes 1 to 2, left to right 1: 100×100 at (0, 40)"),
        (2, 0, "a.jpg: no face 0; --face takes 1 to 2"),
        (1, -1, "a.jpg: no face -1; --face takes 1"),
    ],
)
def test_choosing_what_is_not_there(count, number, message):
    with pytest.raises(InputError) as caught:
        choose_face([face_at(200 * i) for i in range(count)], Path("a.jpg"), number)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_a_face_that_is_small_in_a_small_picture(astronaut, net):
    small = cv2.resize(astronaut, (160, 160), interpolation=cv2.INTER_AREA)
    page = np.full((240, 240, 3), 120, np.uint8)
    page[40:200, 40:200] = small
    (face,) = find_faces(page, net)
    assert face.box[2] < 240 / 6  # less than what ends the search in a larger picture
    assert error(face, (EYES + 0.5) * 160 / 512 - 0.5 + 40) < 0.2
