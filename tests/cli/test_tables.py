"""Tables that are taken into a text hold what pandas reads back."""

import io

import numpy as np
import pandas as pd
import pytest

from mien.cli import tables
from mien.errors import InputError

FRAME = pd.DataFrame({"model": ["ter_gan", "a|b", "50 % & more"], "l1": [0.123456, np.nan, 2.0], "n": [3, 4, 5]})


def test_csv_is_pandas_own():
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(tables.csv(FRAME))), FRAME)


def test_markdown_has_a_cell_for_every_value():
    lines = tables.markdown(FRAME).splitlines()
    assert lines[:3] == ["| model | l1 | n |", "|---|---|---|", "| ter_gan | 0.1235 | 3 |"]
    assert lines[3] == "| a\\|b |  | 4 |"


def test_latex_escapes_what_latex_reads():
    lines = tables.latex(FRAME).splitlines()
    assert lines[0] == r"\begin{tabular}{lrr}" and lines[-1] == r"\end{tabular}"
    assert r"ter\_gan & 0.1235 & 3 \\" in lines and r"50 \% \& more & 2.0000 & 5 \\" in lines


def test_another_form_is_one_line():
    with pytest.raises(InputError, match="--tables word: choose one of text, markdown, latex, csv"):
        tables.choose_tables("word")
