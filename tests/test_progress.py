"""How long work still takes, told by its last pieces."""

import pytest

from mien.progress import Pace


def test_the_rest_takes_as_long_as_the_last_pieces_did():
    pace = Pace()
    assert pace.left(0, 100, 7.0) is None  # nobody knows
    for k in range(1, 11):
        left = pace.left(k, 100, 7.0 + 3 * k)
    assert left == pytest.approx(270)


def test_a_pause_does_not_count_nor_what_it_took_to_begin():
    pace = Pace()
    pace.left(0, 100, 0.0)
    pace.left(1, 100, 500.0)  # began
    for k in range(2, 12):
        pace.left(k, 100, 500.0 + k)
    assert pace.left(12, 100, 90_000.0) == pytest.approx(88)  # slept for a day


def test_where_the_count_begins_anew_so_does_the_pace():
    pace = Pace()
    for k in range(10):
        pace.left(k, 10, 100.0 * k)
    assert pace.left(0, 50, 901.0) is None
    assert pace.left(5, 50, 906.0) == pytest.approx(45)
