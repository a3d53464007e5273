"""Where irises come from when the gaze turns, on a face whose eyes are 40 pixels wide."""

import numpy as np
import pytest

from mien.data.sampling.gaze import EYEBALL, turned_irises

AT = np.stack(np.meshgrid(np.arange(256.0), np.arange(256.0)), -1)


def eyes():
    points = np.zeros((68, 2))
    for first, x in ((36, 60), (42, 150)):
        points[first : first + 6] = [(x, 100), (x + 13, 94), (x + 27, 94), (x + 40, 100), (x + 27, 106), (x + 13, 106)]
    return points


@pytest.mark.parametrize("gaze", ((18.0, 0.0), (-10.0, 5.0)))
def test_an_iris_comes_from_where_the_eyeball_had_it(gaze):
    flow, known = np.full((256, 256, 2), 7.0), np.ones((256, 256))
    turned_irises(flow, known, AT, eyes(), np.array(gaze), np.array((2.0, -3.0)))
    to, start = (40 * EYEBALL * np.sin(np.radians(g)) * (1, -1) for g in (gaze, (2.0, -3.0)))
    for centre in ((80, 100), (170, 100)):
        x, y = np.rint(np.array(centre) + to).astype(int)
        np.testing.assert_allclose(flow[y, x], start - to)
        assert known[y, x] == 1
        assert known[100, centre[0] - int(18 * np.sign(gaze[0]))] == 0  # the white that was hidden
    assert (flow[:80] == 7).all() and (known[:80] == 1).all() and known[100, 20] == 1


def test_eyes_that_look_the_same_way_move_as_the_skin_does():
    flow, known = np.full((256, 256, 2), 7.0), np.ones((256, 256))
    turned_irises(flow, known, AT, eyes(), np.array((18.0, 0.0)), np.array((18.0, 0.0)))
    assert (flow == 7).all() and (known == 1).all()


def test_shut_lids_hide_irises():
    points = eyes()
    points[[37, 38, 40, 41, 43, 44, 46, 47], 1] = 100
    flow, known = np.zeros((256, 256, 2)), np.ones((256, 256))
    turned_irises(flow, known, AT + 0.5, points, np.array((18.0, 0.0)), np.zeros(2))
    assert (flow == 0).all()
