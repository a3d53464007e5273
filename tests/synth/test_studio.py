import dataclasses

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mien.errors import InputError
from mien.labels import AUS, CLASSES
from mien.synth.expression import recipe
from mien.synth.geometry.wear import OCCLUDERS
from mien.synth.landmarks import landmark_vertices
from mien.synth.person import BEARDS, GLASSES, sample_person
from mien.synth.render import camera
from mien.synth.studio import Studio

PEOPLE = 16
HAIR = ("bald", "buzz", "short", "swept", "fringe", "bun", "bob", "long", "curly", "afro")
CALM = np.zeros((len(AUS), 2))


def units(**levels):
    """units(AU12=5) or units(AU12=(5, 0)): left, right."""
    aus = CALM.copy()
    for name, level in levels.items():
        aus[AUS.index(int(name[2:]))] = level
    return aus


@pytest.fixture(scope="module")
def studio():
    return Studio(dataclasses.replace(sample_person(104), glasses="none", hair="bun"), 128)


@pytest.fixture(scope="module")
def crowd():
    return [Studio(sample_person(1000 + k), 128) for k in range(PEOPLE)]


def test_people_differ_and_repeat():
    assert sample_person(5) == sample_person(5)
    people = [sample_person(k) for k in range(400)]
    assert {p.hair for p in people} == set(HAIR) and {p.beard for p in people} == set(BEARDS)
    assert {p.glasses for p in people} == set(GLASSES) and {p.gender for p in people} == {"female", "male"}
    assert np.ptp([p.tone for p in people]) > 0.9 and np.ptp([p.age for p in people]) > 50
    assert all(p.beard == "none" for p in people if p.gender == "female")


def test_neutral_eyes_lie_where_the_frame_wants_them(crowd):
    for studio in crowd:
        eyes = studio.render(CALM).landmarks[36:48].reshape(2, 6, 2)[:, [0, 3]].mean(axis=1)
        np.testing.assert_allclose((eyes + 0.5) / 128, [[0.35, 0.40], [0.65, 0.40]], atol=2e-3)


def test_landmarks_agree_with_an_independent_projection(studio):
    """SciPy's rotation and a pinhole written from the definition, in float64."""
    aus, yaw, pitch, roll = recipe("fear", 0.8), 17.0, -8.0, 6.0
    points = studio.head.vertices(aus)[landmark_vertices()].astype(float)
    # the head nods first, then turns, then tilts, each about a fixed axis of the camera
    turn = Rotation.from_euler("xyz", [pitch, yaw, -roll], degrees=True)
    moved = turn.apply(points - camera.PIVOT) + camera.PIVOT
    cam = studio.camera
    middle = moved[[36, 39, 42, 45]].mean(axis=0)
    goal = np.array([0.5, 0.40])
    depth = camera.DISTANCE - middle[2]
    ray = (goal - cam.offset) / cam.scale * (1, -1) * depth / camera.DISTANCE
    moved[:, :2] += ray - middle[:2]
    x = cam.scale * moved[:, 0] * camera.DISTANCE / (camera.DISTANCE - moved[:, 2]) + cam.offset[0]
    y = -cam.scale * moved[:, 1] * camera.DISTANCE / (camera.DISTANCE - moved[:, 2]) + cam.offset[1]
    shot = studio.render(aus, yaw, pitch, roll)
    np.testing.assert_allclose(shot.landmarks, np.stack([x, y], 1) * 128 - 0.5, atol=0.02)


def test_pose_signs(studio):
    def nose(**pose):
        marks = studio.render(CALM, **pose).landmarks
        return marks[30] - marks[[36, 45]].mean(axis=0)

    assert nose(yaw=20)[0] > 3 > -3 > nose(yaw=-20)[0]
    assert nose(pitch=15)[1] > nose()[1] > nose(pitch=-15)[1]
    tilted = studio.render(CALM, roll=10).landmarks
    assert tilted[45, 1] - tilted[36, 1] > 3  # clockwise: the right end of the eye line sinks


def iris(image, landmarks):
    """Return the darkness-weighted centre of both eyes' openings relative to their corners."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float)
    found = []
    for first in (36, 42):
        outline = landmarks[first : first + 6]
        mask = np.zeros(grey.shape, np.uint8)
        cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1)
        y, x = np.nonzero(mask)
        dark = np.clip(np.percentile(grey[y, x], 60) - grey[y, x], 0, None)
        found.append(((dark @ x) / dark.sum(), (dark @ y) / dark.sum()) - outline[[0, 3]].mean(axis=0))
    return np.mean(found, axis=0)


def test_gaze_moves_the_irises():
    studio = Studio(dataclasses.replace(sample_person(104), glasses="none", tone=0.1, eyeliner=0.0), 256)
    x = [iris(s.image, s.landmarks)[0] for s in (studio.render(CALM, gaze=(g, 0)) for g in (-20, -8, 8, 20))]
    assert x[0] < x[1] < x[2] < x[3] and x[3] - x[0] > 4
    marks = {g: studio.render(CALM, gaze=(0, g)).landmarks for g in (-15, 15)}
    assert marks[-15][37, 1] > marks[15][37, 1] + 1  # the upper lid follows


# AU: landmark on the person's left, direction of its motion relative to rest (x outwards, y down), least pixels at 5
MOTION = [
    (1, 22, (0, -1), 2), (2, 25, (0, -1), 2), (4, 24, (-0.5, 1), 1.5), (5, 43, (0, -1), 1), (6, 47, (0, -1), 0.6),
    (7, 47, (0, -1), 0.6), (9, 35, (0, -1), 1.5), (10, 52, (0, -1), 1.5), (12, 54, (1, -1), 4), (14, 54, (1, -0.5), 1),
    (15, 54, (0, 1), 2.5), (16, 56, (0, 1), 1.5), (17, 8, (0, -1), 2), (18, 54, (-1, 0), 3), (20, 54, (1, 0), 3),
    (22, 56, (0, 1), 1.5), (23, 56, (0, -1), 0.8), (24, 56, (0, -1), 0.6), (25, 66, (0, 1), 1), (26, 8, (0, 1), 5),
    (43, 44, (0, 1), 2.5),
]  # fmt: skip


@pytest.mark.parametrize(("au", "mark", "way", "least"), MOTION)
def test_every_unit_moves_what_it_should_and_more_so_when_stronger(studio, au, mark, way, least):
    way = np.array(way) / np.linalg.norm(way)
    rest = studio.render(CALM).landmarks[mark]
    moved = [
        float((studio.render(units(**{f"AU{au}": level})).landmarks[mark] - rest) @ way) for level in (1, 2, 3, 4, 5)
    ]
    assert moved[0] > 0 and (np.diff(moved) > 0).all()
    assert moved[-1] > least


def test_motion_table_covers_every_unit():
    assert tuple(row[0] for row in MOTION) == AUS


@pytest.mark.parametrize("au", [1, 2, 4, 5, 6, 7, 10, 12, 14, 15, 20, 43])
def test_one_side_leaves_the_other_alone(studio, au):
    rest = studio.render(CALM).landmarks
    left = studio.render(units(**{f"AU{au}": (5, 0)})).landmarks - rest
    right = studio.render(units(**{f"AU{au}": (0, 5)})).landmarks - rest
    side = np.array([15, 16, 24, 25, 26, 43, 44, 45, 46, 47, 53, 54, 55])  # well on the person's left
    other = np.array([1, 0, 19, 18, 17, 38, 37, 36, 41, 40, 49, 48, 59])
    assert np.abs(left[side]).max() > 0.5 and np.abs(left[other]).max() < 0.05
    assert np.abs(right[other]).max() > 0.5 and np.abs(right[side]).max() < 0.05


@pytest.mark.parametrize("au", [12, 14, 15, 17, 18, 20, 23, 24])
def test_lips_stay_together_without_a_unit_that_parts_them(studio, au):
    assert studio.render(units(**{f"AU{au}": 5})).mouth.max() < 0.05
    assert studio.render(units(**{f"AU{au}": 5}, AU25=4)).mouth.max() > 0.2


def test_closed_lids_hide_the_eyes(studio):
    """The lids meet, and the white of the eye is gone."""
    shots = [studio.render(a) for a in (CALM, units(AU43=5))]
    gap = [float(np.linalg.norm(s.landmarks[[37, 38]] - s.landmarks[[41, 40]], axis=1).max()) for s in shots]
    assert gap[0] > 3 and gap[1] < 0.4
    outline = np.round(shots[0].landmarks[36:42]).astype(np.int32)
    mask = np.zeros((128, 128), np.uint8)
    cv2.fillPoly(mask, [outline], 1)
    grey = [float(s.image[mask > 0].std(axis=1).min()) for s in shots]  # how colourless the least coloured pixel is
    assert grey[1] > 1.5 * grey[0]


@pytest.mark.parametrize(("expression", "pose"), [
    ("happiness", {}), ("surprise", {}), ("disgust", {}), ("anger", {"yaw": 12}), ("neutral", {"yaw": -15, "pitch": 6}),
])  # fmt: skip
def test_flow_leads_back_to_the_neutral_picture(studio, expression, pose):
    neutral = studio.render(CALM).image
    shot = studio.render(recipe(expression, 1.0), **pose)
    grid = np.mgrid[0:128, 0:128].astype(np.float32)
    flow = cv2.resize(shot.flow, (128, 128), interpolation=cv2.INTER_LINEAR)
    warped = cv2.remap(
        neutral, grid[1] + flow[..., 0], grid[0] + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    face = np.zeros((128, 128), np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(np.round(shot.landmarks).astype(np.int32)), 1)
    counted = (face > 0) & (cv2.resize(shot.mouth, (128, 128)) < 0.02)
    before, after = (float(np.abs(p.astype(float) - shot.image)[counted].mean()) for p in (neutral, warped))
    assert after < 0.72 * before


def test_neutral_frontal_flow_is_zero_and_its_mouth_shut(crowd):
    for studio in crowd:
        shot = studio.render(CALM)
        assert np.abs(shot.flow).max() < 0.02
        assert shot.mouth.max() == 0


def test_flow_of_a_landmark_leads_to_the_neutral_landmark(studio):
    rest = studio.render(CALM).landmarks
    shot = studio.render(recipe("sadness", 1.0), yaw=8)
    for mark in (30, 33, 8, 19, 24, 57):  # on the skin, away from openings and rims
        x, y = shot.landmarks[mark]
        cell = cv2.remap(shot.flow, np.float32([[x / 2 - 0.25]]), np.float32([[y / 2 - 0.25]]), cv2.INTER_LINEAR)[0, 0]
        np.testing.assert_allclose(shot.landmarks[mark] + cell, rest[mark], atol=0.8)


def holes(shot):
    """Count unfilled pixels of the renderer inside the face's outline."""
    outline = (shot.landmarks[[*range(17), 24, 19]] + 0.5) * 2
    inside = np.zeros(shot.filled.shape, np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.round(outline).astype(np.int32)), 1)
    inside = cv2.erode(inside, np.ones((7, 7), np.uint8))
    return int(((inside > 0) & ~shot.filled).sum())


def test_no_cracks_and_no_specks(crowd):
    """The face is filled, and the inside of the mouth shows only between the lips."""
    for k, studio in enumerate(crowd):
        for word in CLASSES:
            shot = studio.render(recipe(word, 1.0, k), yaw=(-15, 0, 15)[k % 3])
            assert holes(shot) == 0, (k, word)
            lips = np.zeros((64, 64), np.uint8)
            cv2.fillConvexPoly(lips, cv2.convexHull(np.round((shot.landmarks[48:68] - 0.5) / 2).astype(np.int32)), 1)
            outside = cv2.dilate(lips, np.ones((3, 3), np.uint8)) == 0
            assert shot.mouth[outside].max() == 0, (k, word)


def test_opencv_finds_the_faces(crowd):
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    found = 0
    for k, studio in enumerate(crowd):
        for word in ("neutral", "happiness", "surprise"):
            grey = cv2.cvtColor(studio.render(recipe(word, 0.8, k)).image, cv2.COLOR_RGB2GRAY)
            grey = cv2.copyMakeBorder(cv2.resize(grey, (256, 256)), 64, 64, 64, 64, cv2.BORDER_REPLICATE)
            found += len(cascade.detectMultiScale(grey, 1.05, 3, minSize=(100, 100))) > 0
    assert found >= 0.95 * 3 * len(crowd)


@pytest.mark.parametrize("occluder", OCCLUDERS[1:])
def test_occluders_cover_a_part_of_the_face_and_nothing_else_moves(studio, occluder):
    plain, covered = studio.render(CALM), studio.render(CALM, occluder=occluder)
    changed = np.abs(plain.image.astype(int) - covered.image).max(axis=2) > 30
    assert 0.02 < changed.mean() < 0.6
    np.testing.assert_array_equal(plain.landmarks, covered.landmarks)


def test_glasses_come_off():
    studio = Studio(dataclasses.replace(sample_person(104), glasses="square"), 128)
    on, off = studio.render(CALM), studio.render(CALM, glasses=False)
    rows = np.abs(on.image.astype(int) - off.image).max(axis=(1, 2))
    assert rows[40:70].max() > 60 and rows[90:].max() < 12


def test_darker_people_render_darker():
    tones = [
        Studio(dataclasses.replace(sample_person(104), tone=t), 64).render(CALM).image[40:50, 28:36].mean()
        for t in (0.05, 0.5, 0.95)
    ]
    assert tones[0] > tones[1] > tones[2]


@pytest.mark.parametrize(("arguments", "name"), [
    ({"aus": np.zeros((21, 1))}, "aus"), ({"aus": CALM + 6}, "aus"), ({"aus": CALM * np.nan}, "aus"),
    ({"yaw": 90}, "yaw"),
    ({"gaze": (0, 99)}, "gaze_y"), ({"occluder": "scarf"}, "occluder"), ({"backdrop": np.zeros((3, 3, 3))}, "backdrop"),
])  # fmt: skip
def test_bad_requests_are_one_clear_line(studio, arguments, name):
    with pytest.raises(InputError, match=rf"^{name}: expected"):
        studio.render(**({"aus": CALM} | arguments))


def test_bad_size():
    with pytest.raises(InputError, match=r"^size: expected"):
        Studio(sample_person(0), 100)


@pytest.mark.slow
def test_no_cracks_or_specks_in_many_more_faces():
    for k in range(60):
        studio = Studio(sample_person(7000 + k), 128)
        for number, word in enumerate(CLASSES):
            assert (
                holes(studio.render(recipe(word, 1.0, k + number), yaw=(k * 7) % 50 - 25, pitch=(k * 5) % 20 - 10)) == 0
            ), k
