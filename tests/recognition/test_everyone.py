"""Everybody in a clip keeps a number; frames are lists of who stands where, as in test_track."""

from mien.faces.track import REST
from mien.media.video.reader import VideoFrame
from mien.recognition import everyone
from mien.recognition.everyone import Everyone
from tests.faces.test_track import faces, who  # noqa: F401 - a fixture


def places(scenes, monkeypatch):
    """Return where each person is in every frame."""
    from mien.faces import track

    monkeypatch.setattr(everyone, "find_faces", lambda rgb, landmarker=None: track.find_faces(rgb))
    monkeypatch.setattr(Everyone, "_is_cut", lambda self, rgb: False)
    frames = [VideoFrame(scene, k / 25, k, None) for k, scene in enumerate(scenes)]
    found = list(Everyone("clip.mp4", who).along(iter(frames)))
    assert [frame.pts for frame, _ in found] == list(range(len(scenes)))
    return [{n: float(one.face.eyes[:, 0].mean()) for n, one in people.items()} for _, people in found]


def test_people_are_numbered_from_the_left_and_as_they_come(faces, monkeypatch):  # noqa: F811
    both = [(100, 0), (300, 1)]
    scenes = [both] * 11 + [[*both, (500, 2)]] * 9
    expected = [{1: 100.0, 2: 300.0}] * 11 + [{1: 100.0, 2: 300.0, 3: 500.0}] * 9
    assert places(scenes, monkeypatch) == expected  # the third from the first frame on, though looked for later


def test_who_crosses_and_who_comes_back_keep_their_numbers(faces, monkeypatch):  # noqa: F811
    crossing = [[(100 + 3 * k, 0), (400 - 3 * k, 1)] for k in range(30)]
    left, right = 100.0 + 3 * 29, 400.0 - 3 * 29
    away = [[(right, 1)]] * (2 * REST + 3)
    back = [[(left - 100, 0), (right, 1)]] * 12
    found = places(crossing + away + back, monkeypatch)
    assert found[:30] == [{1: 100.0 + 3 * k, 2: 400.0 - 3 * k} for k in range(30)]
    assert found[30 : 30 + len(away)] == [{2: right}] * len(away)
    assert found[-12:] == [{1: left - 100, 2: right}] * 12


def test_frames_without_anybody_stay(faces, monkeypatch):  # noqa: F811
    found = places([[]] * 3 + [[(100, 3)]] * 7, monkeypatch)
    assert found == [{}] * 3 + [{1: 100.0}] * 7
