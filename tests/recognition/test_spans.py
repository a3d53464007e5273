"""From when to when something is shown; ELAN's file and the picture."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from mien.recognition.spans import clock, elan_text, spans


def row(frame, word, unit=0.0, number=1):
    found = {"path": "a.mp4", "frame": frame, "time": frame / 25}
    if word:
        found |= {"number": number, "expression": word, "AU12": unit, "AU12_present": int(unit >= 1)}
    return found


CLIP = [row(0, "neutral"), row(1, "happiness", 2), row(2, "happiness", 3.5), row(3, None), row(4, "happiness", 1)]


def test_runs_end_where_the_next_frame_begins():
    found = [(s.what, round(s.begin, 3), round(s.end, 3), s.value) for s in spans(CLIP)]
    assert found == [
        ("expression", 0.0, 0.04, "neutral"),
        ("expression", 0.04, 0.12, "happiness"),
        ("expression", 0.16, 0.2, "happiness"),  # the last frame lasts as long as others
        ("AU12", 0.04, 0.12, "3.5"),
        ("AU12", 0.16, 0.2, "1.0"),
    ]
    assert list(spans([])) == [] and list(spans([row(0, None)])) == []


def test_elans_file():
    rows = list(csv.reader(io.StringIO(elan_text(CLIP))))
    assert rows[0] == ["tier", "begin", "end", "value"]
    assert rows[1] == ["expression", clock(0), "00:00:00.040", "neutral"]
    both = elan_text([*CLIP, row(0, "fear", number=2)])
    assert {line.split(",")[0] for line in both.splitlines()[1:]} == {"expression 1", "AU12 1", "expression 2"}
    assert clock(3_725.0006) == "01:02:05.001" and clock(59.9999) == "00:01:00.000"


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_plot(tmp_path, suffix):
    plot = pytest.importorskip("mien.recognition.plot")
    rows = [*CLIP, *(row(k, "unsure", k, number=2) for k in range(5))]
    plot.draw_clip(rows, tmp_path / f"plot{suffix}", "a.mp4")
    if suffix == ".png":
        picture = np.asarray(Image.open(tmp_path / "plot.png").convert("RGB"))
        assert picture.shape[1] > 1000 and len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
    else:
        assert (tmp_path / "plot.svg").read_text().startswith("<?xml")
    plot.draw_clip([row(0, None)], tmp_path / f"empty{suffix}")
    assert {p.name for p in tmp_path.iterdir()} == {f"plot{suffix}", f"empty{suffix}"}
    assert plot.moving_units(rows) == [12]
