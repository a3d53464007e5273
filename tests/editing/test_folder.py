"""Folders of photographs and clips changed, with an untrained model: what becomes of which file, kills, bad files."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mien.editing.folder import JOURNAL, Job, each_done, jobs_of
from mien.errors import InputError
from mien.files import alone
from mien.media.photo import read_photo
from mien.models.io import save_model
from mien.models.registry import create
from tests.cli.test_cli import run
from tests.helpers.clips import read_frames, texture, write_clip
from tests.helpers.tiny import TINY


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    model = create("ter_gan", **TINY["ter_gan"])
    model.class_codes.total.normal_()
    model.class_codes.count.fill_(1)
    save_model(model, path)
    return path


@pytest.fixture
def album(tmp_path, monkeypatch):
    """Four crops, two of one stem, one below; and a file that is none."""
    monkeypatch.chdir(tmp_path)
    for k, name in enumerate(("a.jpg", "a.png", "c.bmp", "sub/a.webp")):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(texture((64, 64), k)).save(path)
    (tmp_path / "album" / "b.jpg").write_bytes(b"no picture")
    return tmp_path / "album"


MADE = {"a.jpg", "a.png", "c.bmp.png", "sub/a.webp"}


def words(model, *more):
    return ("edit", "album", "--aligned", "--expression", "fear", "--model", model, *more)


def pictures(folder):
    files = (path for path in folder.rglob("*.*") if path.is_file() and path.name != JOURNAL)
    return {f"{path.relative_to(folder)}": path.read_bytes() for path in files}


def test_a_folder_is_what_its_files_are(album, model, tmp_path, capsys):
    code, out, err = run(capsys, *words(model, "-o", "made"))
    assert code == 2 and "made: 4 changed, 1 failed" in out
    assert "b.jpg: not an image" in err and "mien: 1 of 5 files failed" in err
    assert pictures(tmp_path / "made").keys() == MADE
    for name, source in (("a.jpg", "a.jpg"), ("c.bmp.png", "c.bmp"), ("sub/a.webp", "sub/a.webp")):
        one = tmp_path / f"one{Path(name).suffix}"
        assert run(capsys, "edit", album / source, *words(model, "-o", one)[2:])[0] == 0
        assert np.array_equal(read_photo(one).rgb, read_photo(tmp_path / "made" / name).rgb)


def test_a_second_call_does_what_is_left(album, model, tmp_path, capsys):
    made = tmp_path / "made"
    run(capsys, *words(model, "-o", "made"))
    before = {name: (made / name).stat().st_mtime_ns for name in MADE}

    def changed():
        return {name for name in MADE if (made / name).stat().st_mtime_ns != before[name]}

    code, out, err = run(capsys, *words(model, "-o", "made"))
    assert code == 2 and "0 changed, 4 were done before, 1 failed" in out and "b.jpg" in err and not changed()
    Image.fromarray(texture((64, 64), 9)).save(album / "a.png")  # another picture
    (made / "sub" / "a.webp").write_bytes(b"")  # another result
    Image.fromarray(texture((64, 64), 5)).save(album / "b.jpg")
    code, out, _ = run(capsys, *words(model, "-o", "made"))
    assert code == 0 and "3 changed, 2 were done before" in out and changed() == {"a.png", "sub/a.webp"}
    _, out, _ = run(capsys, *words(model, "-o", "made", "--intensity", "0.5"))  # other orders
    assert "5 changed" in out and changed() == MADE


KILLED = """
import os, signal, sys
from mien import files

calls, sync = [], os.fsync

def killed(handle):
    calls.append(handle)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    sync(handle)

files.os.fsync = killed
from mien.cli import main
sys.argv = ["mien", *sys.argv[1:]]
main()
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_killed_in_the_middle_it_goes_on_to_the_same_files(album, model, tmp_path, capsys):
    run(capsys, *words(model, "-o", "whole"))
    ended = subprocess.run([sys.executable, "-c", KILLED, *map(str, words(model, "-o", "made"))], cwd=tmp_path)
    assert ended.returncode == -signal.SIGKILL
    left = pictures(tmp_path / "made")
    assert len(left) == 3 and sum(name.endswith(".part") for name in left) == 1
    code, out, _ = run(capsys, *words(model, "-o", "made"))
    assert code == 2 and "2 changed, 2 were done before, 1 failed" in out
    assert pictures(tmp_path / "made") == pictures(tmp_path / "whole")


@pytest.mark.slow
def test_clips_among_pictures_are_changed_as_clips(album, model, tmp_path, capsys):
    frames = [np.roll(texture((64, 64)), 3 * k, 1) for k in range(4)]
    write_clip(album / "d.avi", frames, sound=None, codec="mpeg4")
    code, out, _ = run(capsys, *words(model, "-o", "made"))
    assert code == 2 and "5 changed" in out and len(read_frames(tmp_path / "made" / "d.avi.mp4")) == 4
    code, out, err = run(capsys, *words(model, "-o", "crops", "--crop"))
    assert code == 2 and "--crop: there is none for clips" in err and "4 changed, 2 failed" in out


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_addresses_are_changed_as_files_are(album, model, tmp_path, capsys, scheme):
    fsspec = pytest.importorskip("fsspec", reason="fsspec is missing: pip install 'mien[ray]'")
    root = f"file://{album}" if scheme == "file" else "memory://folder/of/album"
    for path in pictures(album) if scheme == "memory" else ():
        fsspec.filesystem("memory").pipe(f"/folder/of/album/{path}", (album / path).read_bytes())
    run(capsys, *words(model, "-o", "made"))
    code, out, err = run(capsys, "edit", root, *words(model, "-o", "fetched")[2:])
    assert code == 2 and "4 changed, 1 failed" in out and "b.jpg: not an image" in err and "mien-" not in err
    assert pictures(tmp_path / "fetched") == pictures(tmp_path / "made")
    code, out, _ = run(capsys, "edit", root, *words(model, "-o", "fetched")[2:])
    assert code == 2 and "0 changed, 4 were done before, 1 failed" in out


VERBS = {"edit": ("--expression", "fear"), "neutralize": (), "transfer": ("--like", "album/a.png")}


@pytest.mark.slow
def test_a_cluster_changes_files_as_one_process_does(album, model, tmp_path, capsys, monkeypatch):
    ray = pytest.importorskip("ray", reason="Ray is missing: pip install 'mien[ray]'")
    root = Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([f"{root / 'src'}", os.environ.get("PYTHONPATH", "")]))
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        for verb, more in VERBS.items():
            asked = (verb, str(album), *more, "--aligned", "--model", model)
            run(capsys, *asked, "-o", f"{verb}-alone")
            for told in ("4 changed, 1 failed", "0 changed, 5 were done before, 0 failed"):
                _, out, err = run(capsys, *asked, "-o", f"{verb}-ray", "--ray", "--ray-workers", 2)
                assert told in out, err
            made = {name: data for name, data in pictures(tmp_path / f"{verb}-ray").items() if "mien-edits" not in name}
            assert made == pictures(tmp_path / f"{verb}-alone")
    finally:
        ray.shutdown()


def test_reports_do_not_replace_each_other(album, model, tmp_path, capsys):
    run(capsys, *words(model, "-o", "made", "--report"))
    for name in MADE:
        assert json.loads((tmp_path / "made" / f"{name}.json").read_text())["picture"]["file"] == Path(name).name


WRONG = {
    ("-o", "one.png"): "-o one.png: names one file",
    (): "no -o: name the folder to write into",
    ("-o", "made", "--preview", "p.png"): "--preview p.png: is of one photograph",
    ("-o", "album"): "would be written to album/a.jpg, and is that file itself",
    ("-o", "album/b.jpg"): "album/b.jpg: names one file",
    ("-o", "made", "--face", "1", "--all"): "--all and --face: choose one",
}


@pytest.mark.parametrize("more", WRONG, ids=" ".join)
def test_what_does_not_fit_is_one_line_before_any_work(album, model, tmp_path, capsys, more):
    before = pictures(album)
    code, out, err = run(capsys, *words(model, *more))
    assert code == 2 and WRONG[more] in err and err.count("\n") == 1 and not out
    assert pictures(album) == before and {p.name for p in tmp_path.iterdir()} == {"album"}


def test_an_example_and_an_expression_are_no_place_for_results(album, model, tmp_path, capsys):
    (tmp_path / "made").mkdir()
    Image.fromarray(texture((64, 64), 7)).save(tmp_path / "made" / "a.jpg")
    transfer = ("transfer", "album", "--like", "made/a.jpg", "--aligned", "--model", model, "-o", "made")
    code, _, err = run(capsys, *transfer)
    assert code == 2 and "album/a.jpg: would be written to made/a.jpg, which is --like" in err


def places(folder, *paths, into="made"):
    return {f"{job.source}": f"{job.target}" for job in jobs_of([folder / path for path in paths], Path(into))}


def test_what_is_given_keeps_its_place_below_what_all_have_in_common(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("x/a.jpg", "x/deep/b.png", "y/a.jpg", "x/made/old.png", "z/s.JPG", "z/s.gif", "z/k.MOV"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"")
    here = Path()
    assert places(here, "y/a.jpg", "y/a.jpg") == {"y/a.jpg": "made/a.jpg"}
    assert places(here, "x/a.jpg", "y/../y/a.jpg") == {"x/a.jpg": "made/x/a.jpg", "y/../y/a.jpg": "made/y/a.jpg"}
    assert places(here, "x", into="x/made") == {"x/a.jpg": "x/made/a.jpg", "x/deep/b.png": "x/made/deep/b.png"}
    assert places(here, "z") == {"z/k.MOV": "made/k.MOV.mp4", "z/s.JPG": "made/s.JPG", "z/s.gif": "made/s.gif.png"}
    Path("z/s.gif.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"z/s.gif.png: would be written to made/s.gif.png, and z/s.gif has that"):
        places(here, "z")


def test_one_folder_is_filled_by_one(tmp_path):
    (tmp_path / JOURNAL).touch()
    job = Job(tmp_path / "a.jpg", tmp_path / "b.jpg")
    with alone(tmp_path / JOURNAL), pytest.raises(InputError, match="another mien is at work there"):
        list(each_done([job], tmp_path, lambda job, tell: None, {}))
    with alone(tmp_path / JOURNAL):
        pass
