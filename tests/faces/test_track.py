"""One person through a clip: the same one, and steady."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage.data import astronaut, brick, gravel

from mien.errors import InputError
from mien.faces import track
from mien.faces.detect import Face, face_again, face_still, find_faces, shape_apart
from mien.faces.person import Person, colours
from mien.media.video.reader import VideoFrame
from mien.runtime.landmarker import own_landmarker
from mien.runtime.person_code import person_code


def test_eyes_are_found_again_where_they_were_and_nowhere_else():
    photo = astronaut()
    face = find_faces(photo)[0]
    apart = track.eye_distance(face.eyes)
    for shift in ((0, 0), (0.1, 0), (0, -0.1)):
        again = face_again(photo, face.eyes + np.array(shift) * apart)
        assert np.abs(again.eyes - face.eyes).max() < 0.05 * apart
        assert np.allclose(again.box, face.box, atol=0.15 * apart)
    assert face_again(photo, face.eyes + np.array([3, 3]) * apart) is None
    for texture in (gravel(), brick()):
        assert face_again(np.dstack([texture] * 3), face.eyes) is None


@pytest.mark.slow
def test_a_face_that_jumps_is_found_around_its_place_or_anywhere():
    photo = astronaut()
    follower = track.Follower("clip.mp4", person_code())
    first = follower(photo, 0.0)
    near = follower(np.roll(photo, (20, 30), (0, 1)), 0.04)
    far = follower(np.roll(photo, (20, 200), (0, 1)), 0.08)
    assert first.anew and not near.anew and far.anew
    np.testing.assert_allclose(near.face.eyes - first.face.eyes, [[30, 20]] * 2, atol=2)
    np.testing.assert_allclose(far.face.eyes - first.face.eyes, [[200, 20]] * 2, atol=2)


PEOPLE = np.eye(4, dtype=np.float32)
EYES_AT_100 = np.array([[82, 40], [118, 40.0]])


@pytest.fixture
def faces(monkeypatch):
    """Frames are lists of who stands where; returns the numbers of those that were looked at in whole."""
    looked = []

    def face_at(x):
        return Face((x - 50, 0, 100, 100), np.array([[x - 18, 40], [x + 18, 40.0]]), 3.0)

    def found(rgb, landmarker=None):
        looked.append(rgb)
        return [face_at(x) for x, _ in sorted(rgb)]

    def near(rgb, last, landmarker):
        return [face_at(x) for x, _ in rgb if abs(x - last.eyes[:, 0].mean()) < 110]

    def again(rgb, eyes, landmarker):
        return next((face_at(x) for x, _ in rgb if abs(x - eyes[:, 0].mean()) < 8), None)

    monkeypatch.setattr(track, "find_faces", found)
    monkeypatch.setattr(track, "find_near", near)
    monkeypatch.setattr(track, "face_again", again)
    monkeypatch.setattr(track.Follower, "_is_cut", lambda self, rgb: False)
    return looked


def who(rgb, eyes):
    """Return the code of the person nearest to the eyes; the later in the list is alike, but not the same."""
    person = min(rgb, key=lambda one: abs(one[0] - eyes[:, 0].mean()))[1]
    return PEOPLE[person]


def places(follower, scenes):
    """Return where the face is found, None where it is not."""
    frames = [VideoFrame(scene, k / 25, k, None) for k, scene in enumerate(scenes)]
    found = list(follower.along(iter(frames)))
    assert [frame.pts for frame, _ in found] == list(range(len(scenes)))
    return [None if one is None else float(one.face.eyes[:, 0].mean()) for _, one in found]


def test_the_same_face_is_followed_when_others_cross(faces):
    follower = track.Follower("clip.mp4", who, 2)
    found = [follower([(100 + 3 * k, 0), (300 - 3 * k, 1)], k / 25) for k in range(30)]
    assert [f.face.eyes[:, 0].mean() for f in found] == [300 - 3 * k for k in range(30)]
    assert [f.anew for f in found] == [True] + [False] * 29


def test_nobody_is_followed_in_place_of_who_is_away(faces):
    stays, comes = [(300, 1)], [(100, 0), (300, 1)]
    scenes = [comes] * 5 + [stays] * 12 + [comes] * 5
    assert places(track.Follower("clip.mp4", who, 1), scenes) == [100.0] * 5 + [None] * 12 + [100.0] * 5
    # the other steps into his place, which is no reason to follow him
    scenes = [comes] * 5 + [[(100, 1)]] * 20 + [[(300, 0)]] * 5
    assert places(track.Follower("clip.mp4", who, 1), scenes) == [100.0] * 5 + [None] * 20 + [300.0] * 5


def test_who_comes_back_elsewhere_is_found_from_the_first_frame_on(faces):
    gone = [[(100, 0)]] * 3 + [[]] * 13
    back = [[(300 + 4 * k, 0)] for k in range(20)]
    found = places(track.Follower("clip.mp4", who), gone + back)
    assert found == [100.0] * 3 + [None] * 13 + [300.0 + 4 * k for k in range(20)]
    assert len(faces) <= 1 + 1 + 30 // track.REST  # the first, the one where it is missed, and now and then


def test_the_second_is_chosen_where_two_are(faces):
    scenes = [[]] * 3 + [[(100, 0)]] * 9 + [[(100, 0), (300, 1)]] * 9
    follower = track.Follower("clip.mp4", who, 2)
    assert places(follower, scenes) == [None] * 12 + [300.0] * 9 and follower.most == 2
    follower = track.Follower("clip.mp4", who, 3)
    assert places(follower, scenes) == [None] * 21
    told = str(track.nobody("clip.mp4", 21, 3, follower.most))
    assert "no face 3 in any of 21 frames, 2 at most" in told
    with pytest.raises(InputError, match="--face N"):
        places(track.Follower("clip.mp4", who), [[(100, 0), (300, 1)]])


def test_the_largest_by_far_is_taken_and_the_others_are_told(faces, monkeypatch):
    small = Face((450, 0, 40, 40), np.array([[463, 16], [477, 16.0]]), 3.0)
    monkeypatch.setattr(
        track, "find_faces", lambda rgb, landmarker=None: [Face((50, 0, 100, 100), EYES_AT_100, 3.0), small]
    )
    follower = track.Follower("clip.mp4", who)
    assert places(follower, [[(100, 0), (470, 1)]]) == [100.0]
    assert follower.chosen == 1 and follower.left_out == ("2: 40×40 at (450, 0)",)


def test_where_nobody_is_by_far_the_largest_one_may_be_named_beforehand(faces):
    follower = track.Follower("clip.mp4", who, otherwise=1)
    assert places(follower, [[(100, 0), (300, 1)]]) == [100.0] and not follower.left_out


def test_gaps_and_jumps_begin_anew(faces):
    follower = track.Follower("clip.mp4", who)
    assert follower([(200, 0)], 0.0).anew and not follower([(202, 0)], 0.04).anew
    assert follower([], 0.08) is None and not follower([(203, 0)], 0.12).anew
    assert follower([], 0.16) is None
    late = follower([(210, 0)], 0.6)
    assert late.anew and np.array_equal(late.eyes, late.face.eyes)
    assert follower([(400, 0)], 0.64).anew


def test_still_eyes_tremble_less(faces):
    rng = np.random.default_rng(0)
    follower = track.Follower("clip.mp4", who)
    # as far as the cascades' answer scatters on a noisy studio face: 0.4 % of the distance between the eyes
    found = [follower([(200 + rng.normal(0, 0.15), 0)], k / 25) for k in range(100)]
    raw, steady = (np.array([x.eyes for x in xs]) for xs in ([f.face for f in found], found))
    assert steady[20:].std(0).max() < raw[20:].std(0)[:, 0].min() / 2


def test_a_mirror_does_not_hide_who_stands_before_it():
    person = Person()
    person.learn(PEOPLE[0])
    person.learn_other(PEOPLE[0])
    assert person.likeness(PEOPLE[0]) == 1
    person.learn_other(PEOPLE[1])
    between = (PEOPLE[0] + 2 * PEOPLE[1]) / np.sqrt(5)
    assert person.likeness(between) == -1 and person.likeness(PEOPLE[2]) <= 0


def test_colours_agree_with_the_bhattacharyya_coefficient():
    """Of OpenCV's own histograms, compared as OpenCV compares them: HISTCMP_BHATTACHARYYA is √(1 − coefficient)."""
    crops = [astronaut()[20:84, 180:244], astronaut()[300:364, 180:244]]
    labs = [cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2LAB) for crop in crops]
    total = 0.0
    for k, (low, high, weight) in enumerate(((0, 256, 0.5), (88, 168, 1), (88, 168, 1))):
        a, b = (cv2.calcHist([lab], [k], None, [24], [low, high]) for lab in labs)
        total += weight * (1 - cv2.compareHist(a, b, cv2.HISTCMP_BHATTACHARYYA) ** 2)
    assert colours(crops[0]) @ colours(crops[1]) == pytest.approx(total / 2.5, abs=1e-5)


def test_an_empty_frame_is_looked_at_in_whole_once_while_nothing_moves(monkeypatch):
    looked = []
    monkeypatch.setattr(track, "find_faces", lambda rgb, landmarker=None: looked.append(rgb) or [])
    empty, other = np.full((90, 160, 3), 90, np.uint8), np.full((90, 160, 3), 90, np.uint8)
    other[40:60, 70:90] = 120  # somebody comes in
    frames = [*[empty.copy() for _ in range(4 * track.REST)], *[other.copy() for _ in range(track.REST)]]
    follower = track.Follower("clip.mp4", who)
    found = list(follower.along(VideoFrame(rgb, k / 25, k, None) for k, rgb in enumerate(frames)))
    assert [one for _, one in found] == [None] * 5 * track.REST and len(looked) == 2


def drift(count):
    """Return frames of a photographed face that drifts and tilts."""
    photo = cv2.resize(astronaut(), (320, 320), interpolation=cv2.INTER_AREA)
    frames = []
    for k in range(count):
        move = cv2.getRotationMatrix2D((140, 80), 1.5 * k, 1.0)
        move[:, 2] += (2 * k, k)
        frames.append(cv2.warpAffine(photo, move, (320, 320), borderMode=cv2.BORDER_REFLECT))
    return frames


@pytest.mark.slow
def test_a_face_whose_landmarks_fit_is_where_a_whole_look_finds_it(monkeypatch):
    found = {}
    for name in ("fit", "look"):
        looks = []
        monkeypatch.setattr(track, "face_again", lambda *given, looks=looks: looks.append(1) or face_again(*given))
        follower = track.Follower("clip.mp4", person_code(), landmarker=own_landmarker())
        faces = [follower(rgb, k / 25).face for k, rgb in enumerate(drift(12))]
        found[name] = (faces, len(looks))
        monkeypatch.setattr(track, "face_still", lambda *given: None)
    (still, few), (whole, all_of_them) = found["fit"], found["look"]
    assert (few, all_of_them) == (1, 11)  # every REST frames one
    for one, other in zip(still, whole, strict=True):
        np.testing.assert_allclose(one.points, other.points, atol=1e-3)  # pixels: the same net from the same place
        assert one.box == pytest.approx(other.box, abs=1e-3)


@pytest.mark.slow
def test_a_face_that_is_gone_is_not_still_there():
    photo, landmarker = astronaut(), own_landmarker()
    face = find_faces(photo, landmarker)[0]
    assert face_still(photo, face, landmarker) is not None
    assert face_still(photo, face, None) is None and face_still(photo, replace(face, points=None), landmarker) is None
    for texture in (gravel(), brick()):
        assert face_still(np.dstack([texture] * 3), face, landmarker) is None
    for gone in (photo[::-1].copy(), np.roll(photo, 150, 1), np.roll(photo, 60, 0), photo // 8 + 100):
        assert face_still(gone, face, landmarker) is None


def test_shapes_are_compared_as_procrustes_does():
    from scipy.spatial import procrustes

    here, there = np.random.default_rng(0).normal(size=(2, 68, 2))
    turned_again = here @ (3 * np.array([[0.8, 0.6], [-0.6, 0.8]])) + 7
    assert shape_apart(turned_again, here) == pytest.approx(0, abs=1e-9)
    near = turned_again + 0.05 * there
    assert shape_apart(near, here) == pytest.approx(
        np.sqrt(procrustes(here, near)[2] * np.sum((here - here.mean(0)) ** 2) / 68), rel=1e-9
    )
