"""The exact motion between two pictures of a person, from rendered faces and from flows that are known by hand."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from mien.data.batch import Motion
from mien.data.checks.report import describe
from mien.data.dataset import concat, open_data
from mien.data.manifest import read_manifest
from mien.data.sampling.augment import Augmentation, Warp, apply
from mien.data.sampling.gaze import EYEBALL
from mien.data.sampling.geometry import UNITS, Geometry, cells_of, flow_between, read_geometry, read_landmarks
from mien.data.sampling.mouths import LEFT, TOP, Mouths
from mien.data.sampling.rendered import CELLS, COLUMNS, ROWS
from mien.data.sampling.sampler import PairSampler
from mien.data.sets import Sets
from mien.errors import InputError
from mien.labels import EXPRESSIONS, mirrored_points
from mien.nn.warp import warp
from mien.nn.windows import resized
from mien.synth.generate import generate


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces") / "set"
    generate(folder, people=2, per_person=12, size=128, seed=5)
    return open_data(folder, 128)


def constant(x, y):
    return np.full((CELLS, CELLS, 2), (x, y), np.float32)


def whole():
    return cells_of(Warp(), 256, CELLS)[0]


def test_shifts_compose():
    # A shows N moved by (3, 1) cells, B by (1, 2): B(p) = N(p + fB), A(q) = N(q + fA), so q = p + fB - fA.
    flow, known = flow_between(constant(3, 1), constant(1, 2), whole())
    np.testing.assert_allclose(flow, constant(-2, 1), atol=1e-5)
    assert known.all()


def test_a_smooth_motion_is_inverted():
    y, x = np.meshgrid(np.arange(CELLS), np.arange(CELLS), indexing="ij")
    first = np.stack([3 * np.sin(x / 9), 2 * np.cos(y / 11)], -1).astype(np.float32)
    flow, known = flow_between(first, constant(0, 0), whole())
    # B is N itself: A(p + flow) must be N(p), that is p + flow + fA(p + flow) = p
    there = whole() + flow
    fx, fy = 3 * np.sin(there[..., 0] / 9), 2 * np.cos(there[..., 1] / 11)
    inner = (slice(6, -6), slice(6, -6))
    assert np.abs(flow[..., 0] + fx)[inner].max() < 0.1 and np.abs(flow[..., 1] + fy)[inner].max() < 0.1
    assert known[inner].all()


def test_lips_that_close_over_teeth_are_unknown():
    first = constant(0, 0)
    first[30:34, 20:44] = (0, 12)  # a fold: rows that come from far below, with nothing between
    first[34:40, 20:44] = (0, -12)
    _, known = flow_between(first, constant(0, 0), whole())
    assert 0 < (known == 0).mean() < 0.2


@pytest.mark.parametrize("mirrored", [False, True])
def test_warped_faces_meet_their_truth(rendered, mirrored):
    geometry = read_geometry(rendered)
    augmentation = Augmentation(margin=0.04, rotations=(-8.0, 8.0), scale=0.1, flip=mirrored)
    sampler = PairSampler(rendered, 12, 3, 1.0, augmentation=augmentation, geometry=geometry)
    batch = sampler.batch(0)
    assert isinstance(batch.motion, Motion) and batch.motion.flow.shape == (12, 2, 32, 32)
    made = warp(batch.target.image, batch.motion.flow)
    counts = resized(batch.motion.known * (1 - batch.motion.mouth), 128)
    unmoved, moved = (((x - batch.truth).abs() * counts).mean() for x in (batch.target.image, made))
    assert moved < 0.6 * unmoved


def test_motion_follows_the_warp():
    flow = (constant(2, 1) * UNITS).astype(np.int8)
    geometry = Geometry(
        np.stack([constant(0, 0).astype(np.int8), flow]),
        np.zeros((2, CELLS, CELLS), np.uint8),
        np.zeros((2, 68, 2), np.float32),
        np.array([0, 1, -1]),
        256,
    )
    ways = [Warp(), Warp(flip=True), Warp(scale=2.0), Warp(angle=90.0)]
    motion = geometry.motion(np.zeros(4, int), np.ones(4, int), ways)
    expected = np.array([(2, 1), (-2, 1), (4, 2), (1, -2)]) / CELLS  # counter-clockwise by 90° as seen: y is down
    np.testing.assert_allclose(motion.flow[:, :, 32, 32], expected, atol=1e-5)
    nobody = geometry.motion(np.array([0, 2]), np.array([2, 1]), ways[:2])
    assert (nobody.known == 0).all() and (motion.known == 1).all()


def test_joined_data_keep_their_geometry(rendered, tmp_path):
    generate(tmp_path / "other", people=1, per_person=4, size=128, seed=6)
    other = open_data(tmp_path / "other", 128)
    both = read_geometry(concat([rendered, other]))
    assert (both.row >= 0).all() and len(both.flow) == len(rendered) + len(other)
    np.testing.assert_array_equal(
        both.flow[both.row[len(rendered) :]], read_geometry(other).flow[read_geometry(other).row]
    )


def test_joined_data_keep_their_landmarks_and_others_have_none(rendered, tmp_path):
    generate(tmp_path / "other", people=1, per_person=4, size=256, seed=6)
    bare = tmp_path / "bare"
    shutil.copytree(tmp_path / "other", bare, ignore=shutil.ignore_patterns("geometry.npz", ".mien_cache"))
    other, without = open_data(tmp_path / "other", 128), open_data(bare, 128)
    both = concat([rendered, other, without])
    assert not (both.manifest.folder / "geometry.npz").exists()  # the folder above them all has none
    points, n = read_landmarks(both), len(rendered)
    np.testing.assert_array_equal(points[:n], read_landmarks(rendered))
    np.testing.assert_array_equal(points[n : n + 4], read_landmarks(other))
    assert np.isnan(points[n + 4 :]).all() and len(points) == n + 8
    with np.load(tmp_path / "other" / "geometry.npz") as file:  # kept in pixels of 256, asked for in pixels of 128
        kept = {
            name: (p.astype(np.float64) + 0.5) / 2 - 0.5
            for name, p in zip(file["file_name"], file["landmarks"], strict=True)
        }
    np.testing.assert_array_equal(points[n], kept[other.manifest.files[0]])
    with pytest.raises(InputError, match=r"geometry\.npz: missing; the exact truth"):
        read_landmarks(without)


def test_motion_across_folders_needs_one_neutral_picture(rendered, tmp_path):
    """The same people again: motion between the folders as within one; of another face by that name, unknown."""
    folder = rendered.manifest.folder
    twin, other = tmp_path / "twin", tmp_path / "other"
    shutil.copytree(folder, twin, ignore=shutil.ignore_patterns(".mien_cache"))
    generate(other, people=2, per_person=12, size=128, seed=8)
    for second, known in ((twin, True), (other, False)):
        text = (second / "metadata.csv").read_text()
        for column in ("female", "male"):
            text = text.replace(f",{column},", ",,")  # another face by the same name
        (second / "metadata.csv").write_text(text)
        data = Sets((folder, second), same_people=True).open(128)
        assert data.manifest.subjects == rendered.manifest.subjects
        face, truth = np.arange(24), np.roll(np.arange(24).reshape(2, 12), 3, 1).ravel()
        inside = read_geometry(rendered).motion(face, truth, [Warp()] * 24)
        across = read_geometry(data).motion(face, truth + 24, [Warp()] * 24)
        assert torch.equal(inside.flow, across.flow) == known and across.known.any() == known
    alone = read_geometry(open_data(other, 128)).motion(face, truth, [Warp()] * 24)
    assert alone.known.any()


def test_no_geometry_is_one_clear_line(rendered):
    homeless = replace(rendered, manifest=replace(rendered.manifest, folder=rendered.manifest.folder / "images"))
    with pytest.raises(InputError, match=r"no geometry.npz.*mien synth"):
        read_geometry(homeless)


def test_pairs_begin_neutral_as_often_as_asked(rendered):
    neutral = rendered.manifest.expression == EXPRESSIONS.index("neutral")
    shares = {}
    for share in (0.0, 1.0):
        sampler = PairSampler(rendered, 200, 0, 1.0, neutral=share)
        rows = sampler.rows(0)
        free = ~neutral[rows.truth]
        shares[share] = neutral[rows.target[free]].mean()
        assert (rendered.manifest.subject[rows.target] == rendered.manifest.subject[rows.truth]).all()
    assert shares[1.0] == 1.0 and shares[0.0] < 0.5


def test_sides_are_mirrored_with_the_picture(rendered):
    from mien.data.sampling.collate import faces

    plain, mirrored = faces(rendered, [3, 7]), faces(rendered, [3, 7], mirrored=[True, True])
    assert torch.equal(plain.left, mirrored.right) and torch.equal(plain.gaze_x, -mirrored.gaze_x)
    assert torch.equal(plain.pitch, mirrored.pitch) and torch.equal(plain.gaze_y, mirrored.gaze_y)


def test_landmarks_follow_the_warp(rendered):
    geometry = read_geometry(rendered)
    plain = geometry.points(np.arange(4), [Warp()] * 4)
    np.testing.assert_allclose(plain * 128 - 0.5, read_landmarks(rendered)[:4], atol=0.1)
    image, warp_ = rendered.images[0], Warp(flip=True, angle=20, scale=1.2, shift=(0.05, -0.03))
    image = image.copy()
    x, y = np.rint(plain[0, 45] * 128 - 0.5).astype(int)  # the outer corner of the eye on the picture's right
    image[y - 2 : y + 3, x - 2 : x + 3] = (255, 0, 255)
    moved = apply(image, warp_, 128).astype(int)
    marked = np.argwhere((moved[..., 0] > 200) & (moved[..., 1] < 60) & (moved[..., 2] > 200)).mean(0)[::-1]
    # mirrored, it is the outer corner of the eye on the left
    np.testing.assert_allclose(geometry.points(np.array([0]), [warp_])[0, 36] * 128 - 0.5, marked, atol=1.0)
    assert np.isnan(geometry.points(np.array([-1]), [warp_])).all()


def test_mirroring_landmarks_twice_is_nothing():
    order = np.array(mirrored_points())
    np.testing.assert_array_equal(order[order], np.arange(68))
    assert (order != np.arange(68)).sum() == 68 - 1 - 4 - 1 - 4  # chin, bridge, base of the nose, middles of the lips


def test_teeth_that_both_pictures_show_are_moved_and_not_open():
    still = np.zeros((2, CELLS, CELLS, 2), np.int8)
    mouth = np.zeros((2, CELLS, CELLS), np.uint8)
    part, arch = np.zeros((2, ROWS, COLUMNS), np.uint8), np.zeros((2, ROWS, COLUMNS, 2), np.int8)
    y, x = np.mgrid[:12, :40]
    for k, (top, left) in enumerate(((176, 100), (188, 108))):  # of a frame of 256
        mouth[k, top // 4 : top // 4 + 3, left // 4 : left // 4 + 10] = 255
        part[k, top - TOP + y, left - LEFT + x] = 1
        arch[k, top - TOP + y, left - LEFT + x] = np.stack([4 * (x - 20), 4 * y], -1)
    points = np.full((2, 68, 2), 0.5, np.float32)
    plain = Geometry(still, mouth, points, np.arange(2), 256)
    rows = np.array([0]), np.array([1])
    without = plain.motion(*rows, [Warp()])
    assert without.teeth is None and without.mouth.sum() == 30
    motion = replace(plain, mouths=Mouths(part, arch, np.arange(2))).motion(*rows, [Warp()])
    inner = (slice(47, 50), slice(27, 37))
    np.testing.assert_allclose(motion.flow[0, 0][inner], -8 / 256, atol=1e-6)
    np.testing.assert_allclose(motion.flow[0, 1][inner], -12 / 256, atol=1e-6)
    assert motion.mouth.sum() == 0 and motion.known.all()
    assert motion.teeth.shape == (1, 3, 128, 128) and motion.teeth[0, 0].nansum() == 12 * 40


def test_the_gaze_moves_irises_that_the_file_leaves_at_rest():
    still = np.zeros((2, CELLS, CELLS, 2), np.int8)
    points = np.full((2, 68, 2), 0.9, np.float32)
    for first, x in ((36, 0.26), (42, 0.58)):
        points[:, first : first + 6] = [
            (x, 0.4), (x + 0.05, 0.37), (x + 0.11, 0.37), (x + 0.16, 0.4), (x + 0.11, 0.43), (x + 0.05, 0.43),
        ]  # fmt: skip
    gaze = np.array([[0.0, 0.0], [18.0, 0.0]])
    geometry = Geometry(still, np.zeros((2, CELLS, CELLS), np.uint8), points, np.arange(2), 256, gaze=gaze)
    for flip, sign in ((False, -1), (True, 1)):
        motion = geometry.motion(np.array([0]), np.array([1]), [Warp(flip=flip)])
        moved = motion.flow[0, 0].abs() > 0
        assert 4 <= moved.sum() <= 30 and (motion.known[0, 0][moved] == 1).all() and not motion.known.all()
        np.testing.assert_allclose(motion.flow[0, 0][moved], sign * EYEBALL * 0.16 * np.sin(np.radians(18)), rtol=1e-3)


BAD_FILES = {
    "foreign": (
        lambda a: a | {"file_name": np.char.add("x", a["file_name"])},
        "belongs to other pictures, as 'ximages",
    ),
    "a name too long": (lambda a: a | {"file_name": np.full(24, "x" * 5000)}, "has two rows of one picture"),
    "long names": (
        lambda a: a | {"file_name": np.array([f"{k:05000d}" for k in range(24)])},
        "belongs to other pictures, as '0000",
    ),
    "no picture": (lambda a: {name: values[:0] for name, values in a.items() if values.ndim}, "holds no picture"),
    "no number": (lambda a: a | {"landmarks": a["landmarks"] * np.float16("nan")}, "'landmarks' has values from nan"),
    "no flow": (lambda a: {name: values for name, values in a.items() if name != "flow"}, "has no array 'flow'"),
    "other lengths": (lambda a: a | {"mouth": a["mouth"][:3]}, "'mouth' has the shape"),
}


@pytest.mark.parametrize(("change", "told"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_the_check_says_what_a_training_would(rendered, tmp_path, change, told):
    folder = tmp_path / "set"
    shutil.copytree(rendered.manifest.folder, folder)
    with np.load(folder / "geometry.npz") as before:
        np.savez(folder / "geometry.npz", **change(dict(before)))
    for look in (lambda: describe(read_manifest(folder)), lambda: read_geometry(open_data(folder, 128))):
        with pytest.raises(InputError, match=told) as caught:
            look()
        assert str(caught.value).startswith(f"{folder / 'geometry.npz'}: ") and "\n" not in str(caught.value)


def test_mouths_of_other_pictures_are_told(rendered, tmp_path):
    folder = tmp_path / "set"
    shutil.copytree(rendered.manifest.folder, folder)
    part, arch = np.zeros((2, ROWS, COLUMNS), np.uint8), np.zeros((2, ROWS, COLUMNS, 2), np.int8)
    np.savez(folder / "mouths.npz", file_name=np.array(["q.png", "r.png"]), part=part, arch=arch)
    with pytest.raises(InputError, match=r"mouths\.npz: belongs to other pictures, as 'q\.png'"):
        describe(read_manifest(folder))
    (folder / "mouths.npz").unlink()
    (folder / "geometry.npz").unlink()
    (folder / "geometry.npz").mkdir()
    with pytest.raises(InputError, match=r"geometry\.npz: "):
        describe(read_manifest(folder))


def test_a_folder_that_is_given_twice_is_refused(rendered):
    folder = rendered.manifest.folder
    for look in (Sets.manifest, lambda sets: sets.open(128)):
        with pytest.raises(InputError, match="is given twice"):
            look(Sets((folder, folder / ".." / folder.name)))


def test_the_check_counts_what_has_motion(rendered, tmp_path):
    assert describe(rendered.manifest)["with exact motion"] == "24"
    folder = tmp_path / "set"
    shutil.copytree(rendered.manifest.folder, folder)
    with np.load(folder / "geometry.npz") as before:
        np.savez(
            folder / "geometry.npz", **{name: values[:9] if values.ndim else values for name, values in before.items()}
        )
    assert describe(read_manifest(folder))["with exact motion"] == "9; of 15 geometry.npz says nothing"
    rows = (folder / "metadata.csv").read_text().splitlines()
    (folder / "metadata.csv").write_text("\n".join([rows[0], *rows[15:]]) + "\n")
    for look in (lambda: describe(read_manifest(folder)), lambda: read_geometry(open_data(folder, 128))):
        with pytest.raises(InputError, match=r"geometry\.npz: knows none of the pictures in metadata\.csv"):
            look()
