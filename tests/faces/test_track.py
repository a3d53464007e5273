"""One face through a clip: the same one, and steady."""

import numpy as np
import pytest
from skimage.data import astronaut, brick, gravel

from mien.faces import track
from mien.faces.detect import Face, face_again, find_faces


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
    follower = track.Follower("clip.mp4")
    first = follower(photo, 0.0)
    near = follower(np.roll(photo, (20, 30), (0, 1)), 0.04)
    far = follower(np.roll(photo, (20, 200), (0, 1)), 0.08)
    assert first.anew and not near.anew and far.anew
    np.testing.assert_allclose(near.face.eyes - first.face.eyes, [[30, 20]] * 2, atol=2)
    np.testing.assert_allclose(far.face.eyes - first.face.eyes, [[200, 20]] * 2, atol=2)


@pytest.fixture
def faces(monkeypatch):
    """Frames are lists of places where eyes are found, wherever they are looked for."""

    def found(rgb, landmarker=None):
        places = sorted(rgb)
        return [Face((x - 50, 0, 100, 100), np.array([[x - 18, 40], [x + 18, 40.0]]), 3.0) for x in places]

    monkeypatch.setattr(track, "find_faces", found)
    monkeypatch.setattr(track, "find_near", lambda rgb, last, landmarker: found(rgb))
    monkeypatch.setattr(track, "face_again", lambda rgb, eyes, landmarker: None)


def test_the_same_face_is_followed_when_others_cross(faces):
    follower = track.Follower("clip.mp4", 2)
    found = [follower([100 + 3 * k, 300 - 3 * k], k / 25) for k in range(30)]
    assert [f.face.eyes[:, 0].mean() for f in found] == [300 - 3 * k for k in range(30)]
    assert [f.anew for f in found] == [True] + [False] * 29


def test_gaps_and_cuts_begin_anew(faces):
    follower = track.Follower("clip.mp4")
    assert follower([200], 0.0).anew and not follower([202], 0.04).anew
    assert follower([], 0.08) is None and not follower([203], 0.12).anew
    assert follower([], 0.16) is None
    late = follower([210], 0.6)
    assert late.anew and np.array_equal(late.eyes, late.face.eyes)
    assert follower([400], 0.64).anew


def test_still_eyes_tremble_less(faces):
    rng = np.random.default_rng(0)
    follower = track.Follower("clip.mp4")
    # as far as the cascades' answer scatters on a noisy studio face: 0.4 % of the distance between the eyes
    found = [follower([200 + rng.normal(0, 0.15)], k / 25) for k in range(100)]
    raw, steady = (np.array([x.eyes for x in xs]) for xs in ([f.face for f in found], found))
    assert steady[20:].std(0).max() < raw[20:].std(0)[:, 0].min() / 2
