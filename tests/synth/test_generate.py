import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.errors import InputError
from mien.labels import AUS, EXPRESSIONS
from mien.synth import generate as module
from mien.synth.generate import COLUMNS, generate

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
SMALL = {"people": 3, "per_person": 9, "size": 64, "seed": 4}


def digest(folder: Path) -> dict[str, str]:
    """Hash of every file by its name."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metadata.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studio") / "set"
    generate(folder, **SMALL)
    return folder


def test_what_lies_in_the_folder(small):
    table = rows(small)
    assert tuple(table[0]) == COLUMNS
    assert len(table) == 27 and [p.name for p in small.iterdir() if p.is_dir()] == ["images"]
    assert {f"images/{p.name}" for p in (small / "images").iterdir()} == {r["file_name"] for r in table}
    with np.load(small / "geometry.npz") as geometry:
        assert geometry["file_name"].tolist() == [r["file_name"] for r in table]
        assert geometry["landmarks"].shape == (27, 68, 2) and geometry["landmarks"].dtype == np.float16
        assert geometry["flow"].shape == (27, 64, 64, 2) and geometry["flow"].dtype == np.int8
        assert geometry["mouth"].shape == (27, 64, 64) and geometry["mouth"].dtype == np.uint8
        assert geometry["size"] == 64
    for row in table:
        assert Image.open(small / row["file_name"]).size == (64, 64)


def test_labels_are_in_range(small):
    for row in rows(small):
        assert row["expression"] in EXPRESSIONS
        assert row["intensity"] == "" if row["expression"] == "other" else 0 <= float(row["intensity"]) <= 1
        assert abs(float(row["yaw"])) <= 25 and abs(float(row["pitch"])) <= 14 and abs(float(row["roll"])) <= 8
        assert 0 <= int(row["fold"]) <= 9 and 18 <= int(row["age"]) < 80 and 0 <= float(row["tone"]) <= 1
        for au in AUS:
            left, right, both = (float(row[f"AU{au:02d}{side}"]) for side in ("_L", "_R", ""))
            assert 0 <= left <= 5 and 0 <= right <= 5 and both == max(left, right)


def test_same_id_and_intensity_are_an_exact_pair_across_people(tmp_path):
    generate(tmp_path / "set", people=6, per_person=29, size=32)
    units: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    people: dict[tuple[str, ...], set[str]] = {}
    for row in rows(tmp_path / "set"):
        key = (row["expr_id"], row["intensity"])
        units.setdefault(key, set()).add(tuple(row[c] for c in COLUMNS if c.startswith("AU")))
        people.setdefault(key, set()).add(row["subject"])
    assert all(len(u) == 1 for u in units.values())
    assert max(len(p) for p in people.values()) == 6


def test_geometry_counts_in_the_documented_units(small, tmp_path):
    """The same set at twice the size: landmarks double, flow in quarter pixels of 256 stays."""
    generate(tmp_path / "large", **(SMALL | {"size": 128}))
    with np.load(small / "geometry.npz") as a, np.load(tmp_path / "large" / "geometry.npz") as b:
        np.testing.assert_allclose((a["landmarks"].astype(float) + 0.5) * 2 - 0.5, b["landmarks"], atol=0.15)
        moved = np.abs(b["flow"].astype(int)).max(axis=-1) > 8
        assert moved.any()
        ratio = a["flow"][moved].astype(float).std() / b["flow"][moved].astype(float).std()
        assert 0.9 < ratio < 1.1


def test_seed_and_number_of_jobs(small, tmp_path):
    generate(tmp_path / "two", **SMALL, jobs=2)
    assert digest(tmp_path / "two") == digest(small)
    generate(tmp_path / "other", **(SMALL | {"seed": 5, "people": 1}))
    name = "images/S00001_00_neutral.jpg"
    assert digest(tmp_path / "other")[name] != digest(small)[name]


def test_more_people_leave_the_first_ones_as_they_are(small, tmp_path):
    generate(tmp_path / "one", **(SMALL | {"people": 1}))
    few, many = digest(tmp_path / "one"), digest(small)
    pictures = [n for n in few if n.startswith("images/")]
    assert len(pictures) == 9 and all(few[n] == many[n] for n in pictures)


def test_resume_after_a_stop_in_the_middle(small, tmp_path, monkeypatch):
    out, true_write, written = tmp_path / "set", module.write_whole, []

    def failing(path, content):
        if path.suffix == ".jpg":
            written.append(path)
            if len(written) == 14:
                raise KeyboardInterrupt
        true_write(path, content)

    monkeypatch.setattr(module, "write_whole", failing)
    with pytest.raises(KeyboardInterrupt):
        generate(out, **SMALL)
    assert not (out / "metadata.csv").exists() and not (out / "geometry.npz").exists()
    first = (out / "images" / "S00001_00_neutral.jpg").stat().st_mtime_ns
    monkeypatch.setattr(module, "write_whole", true_write)
    (out / "images" / ".S00002_00_neutral.jpg.1.part").write_bytes(b"half")  # as a kill in the middle of writing leaves
    seen: list[tuple[int, int]] = []
    generate(out, **SMALL, tell=lambda done, total: seen.append((done, total)))
    assert digest(out) == digest(small)
    assert seen == [(9, 27), (18, 27), (27, 27)]  # the first person was kept
    assert (out / "images" / "S00001_00_neutral.jpg").stat().st_mtime_ns == first


def test_a_finished_set_is_left_alone(small):
    before = {p: p.stat().st_mtime_ns for p in small.rglob("*")}
    generate(small, **SMALL)
    assert before == {p: p.stat().st_mtime_ns for p in small.rglob("*")}


def test_sessions_repeat_the_list_under_another_light(tmp_path):
    generate(tmp_path / "set", people=1, per_person=2, size=64, sessions=2)
    table = rows(tmp_path / "set")
    assert [r["session"] for r in table] == ["0", "0", "1", "1"]
    assert table[0]["expr_id"] == table[2]["expr_id"] and table[0]["light_azimuth"] != table[2]["light_azimuth"]
    a, b = (np.asarray(Image.open(tmp_path / "set" / table[i]["file_name"])).astype(int) for i in (0, 2))
    assert np.abs(a - b).mean() > 3


def test_occluded_share(tmp_path):
    generate(tmp_path / "set", people=1, per_person=8, size=64, occluded=1.0)
    for row in rows(tmp_path / "set"):
        assert (row["occluder"] == "none") == (row["expression"] == "neutral")


@pytest.mark.parametrize(("arguments", "message"), [
    ({"people": 0}, "--people 0: expected"), ({"per_person": -1}, "--per-person -1: expected"),
    ({"size": 100}, "--size 100: expected"),
    ({"seed": -1}, "--seed -1: expected"), ({"jobs": 0}, "--jobs 0: expected"),
    ({"sessions": 1.5}, "--sessions 1.5: expected"),
    ({"occluded": 2.0}, "--occluded 2.0: expected"),
])  # fmt: skip
def test_bad_numbers_are_one_clear_line_and_leave_nothing(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        generate(tmp_path / "set", **({"people": 1, "per_person": 1} | arguments))
    assert not (tmp_path / "set").exists()


def test_a_folder_with_something_else_is_refused(small, tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(InputError, match="not empty"):
        generate(tmp_path, people=1, per_person=1)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(InputError, match="holds another set"):
        generate(small, **(SMALL | {"seed": 99}))
    with pytest.raises(InputError, match="expected a folder"):
        generate(tmp_path / "mine.txt", people=1, per_person=1)


@pytest.mark.slow
def test_killed_and_called_again_it_ends_identical(small, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(
        "from pathlib import Path\nfrom mien.synth.generate import generate\n"
        f"if __name__ == '__main__':\n    generate(Path({str(tmp_path / 'set')!r}), **{SMALL!r}, jobs=2)\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], start_new_session=True, env=ENVIRONMENT)
    images, deadline = tmp_path / "set" / "images", time.time() + 90
    while time.time() < deadline and not (images.exists() and len(list(images.glob("S*"))) >= 4):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "set" / "metadata.csv").exists()
    generate(tmp_path / "set", **SMALL)
    assert digest(tmp_path / "set") == digest(small)


def test_an_extra_plan_shows_the_same_people_with_other_names(small, tmp_path):
    generate(tmp_path / "extra", **SMALL | {"people": 1, "per_person": 19}, plan="photofaces_extra")
    made, first = rows(tmp_path / "extra"), rows(small)[0]
    assert made[18]["file_name"].endswith("_18_lids_shut.jpg") and made[18]["AU43"] == "5.0"
    assert [made[0][name] for name in ("subject", "hair", "tone", "light_key")] == [
        first[name] for name in ("subject", "hair", "tone", "light_key")
    ]
    with pytest.raises(InputError, match="another set"):
        generate(tmp_path / "extra", **SMALL | {"people": 1, "per_person": 19})


def test_a_set_made_before_there_were_plans_is_known(tmp_path):
    generate(tmp_path / "set", **SMALL | {"people": 1, "per_person": 2})
    record = tmp_path / "set" / "studio.json"
    old = json.loads(record.read_text())
    del old["plan"]
    record.write_text(json.dumps(old))
    generate(tmp_path / "set", **SMALL | {"people": 1, "per_person": 2})


def test_a_share_of_people_is_marked_test(small, tmp_path):
    generate(tmp_path / "set", people=3, per_person=1, size=32, seed=4, test=0.4)
    assert {row["subject"]: row["test"] for row in rows(tmp_path / "set")} == {
        "S00001": "0",
        "S00002": "0",
        "S00003": "1",
    }
    assert {row["test"] for row in rows(small)} == {"0"}
    with pytest.raises(InputError, match="holds another set"):
        generate(tmp_path / "set", people=3, per_person=1, size=32, seed=4)
    with pytest.raises(InputError, match="--test 2: expected a share from 0 to 1"):
        generate(tmp_path / "more", test=2)
