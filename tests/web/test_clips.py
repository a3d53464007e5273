"""Long work of the page: clips of clips and of photographs, tables; how far it is, and what stays of it."""

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from mien.errors import InputError
from mien.media.provenance import read_stamp
from mien.web.jobs import Job
from mien.web.turns import Turns
from tests.helpers.clips import write_clip

av = pytest.importorskip("av", reason="av is not installed: pip install 'mien[video]'")
SMALL = astronaut()[:260, 100:360]
MOVE = {"kind": "animate", "face": 1, "fps": 10, "loop": False, "blinks": False, "size": 128}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "me.mp4"
    write_clip(path, [np.ascontiguousarray(np.roll(SMALL, k, 1)) for k in range(4)])
    return path.read_bytes()


def frames(content):
    with av.open(io.BytesIO(content)) as file:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in file.decode(video=0)]


def test_a_clip_gets_a_look(browser, clip):
    name = browser.send_bytes(clip, "me.mp4", "clips").json()["clip"]
    look = {"words": [{"name": "surprise", "strength": 1, "only": []}], "units": {"43L": 5}}
    told = browser.work({"kind": "edit", "clip": name, "look": look})
    assert told["state"] == "done" and "4 frames" in told["said"] and told["done"] == told["total"] == 4
    made = frames(browser.get(f"files/{told['files']['clip']}").content)
    assert len(made) == 4 and all(np.abs(one - other).mean() > 1 for one, other in zip(made, frames(clip), strict=True))
    assert "me-edited.mp4" in browser.get(f"files/{told['files']['clip']}?keep=1").headers["content-disposition"]


def test_a_clip_gets_a_look_that_takes_an_example(browser, clip):
    photo = browser.send(SMALL[:, ::-1]).json()["photo"]
    name = browser.send_bytes(clip, "me.mp4", "clips").json()["clip"]
    look = {"like": {"photo": photo, "face": 1, "strength": 1, "only": ["mouth"]}, "units": {"43": 5}}
    told = browser.work({"kind": "edit", "clip": name, "look": look})
    assert told["state"] == "done" and "4 frames" in told["said"], told
    for odd, said in (
        ({"calm": 0.5}, "Calm to 0 or 100 %"),
        ({"like": look["like"] | {"photo": "none"}}, "did not send"),
    ):
        assert said in browser.post("jobs", {"kind": "edit", "clip": name, "look": odd}).json()["error"]


def test_a_clip_drives_the_photograph(browser, clip):
    photo = browser.send(SMALL).json()["photo"]
    name = browser.send_bytes(clip, "me.mp4", "clips").json()["clip"]
    told = browser.work({"kind": "drive", "face": photo, "driver": name, "strength": 1, "only": []})
    assert told["state"] == "done" and len(frames(browser.get(f"files/{told['files']['clip']}").content)) == 4


@pytest.mark.parametrize("form", [".mp4", ".gif"])
def test_a_photograph_goes_from_step_to_step(browser, form, tmp_path):
    browser.send(SMALL)
    browser.step("happiness")
    browser.post("steps", {"face": 1, "look": {"words": [{"name": "wink-left", "strength": 1, "only": []}], "roll": 4}})
    how = {"seconds": 0.2, "fps": 10, "loop": False, "blinks": False, "size": 128, "form": form}
    told = browser.work({"kind": "animate", "face": 1, "steps": [0, 1, 2], **how})
    assert told["state"] == "done", told
    content = browser.get(f"files/{told['files']['clip']}").content
    assert "5 frames" in told["said"]
    if form == ".mp4":
        made = frames(content)
        assert len(made) == 5 and np.abs(made[0] - made[4]).max() > 30
    else:
        (tmp_path / "a.gif").write_bytes(content)
        assert Image.open(tmp_path / "a.gif").n_frames == 5 and "animate" in read_stamp(tmp_path / "a.gif").operation


def test_a_table_is_read_of_photographs_and_clips(browser, clip):
    photo = browser.send(SMALL).json()["photo"]
    moving = browser.send_bytes(clip, "me.mp4", "clips").json()["clip"]
    odd = browser.send_bytes(b"x", "odd.png", "files").json()["file"]
    told = browser.work({"kind": "read", "files": [photo, moving, odd]})
    assert told["state"] == "done" and [row["path"] for row in told["rows"]] == ["me.png", *["me.mp4"] * 4, "odd.png"]
    assert (
        told["rows"][0]["expression"]
        and "odd.png" in told["rows"][-1]["error"]
        and "/" not in told["rows"][-1]["error"]
    )
    lines = browser.get(f"files/{told['files']['csv']}").text.splitlines()
    assert lines[0].startswith("path,frame,time,number") and len(lines) == 7
    assert len(browser.get(f"files/{told['files']['json']}").json()) == 6


def test_what_cannot_be_made_is_a_line_and_leaves_nothing(app, browser, clip):
    browser.send(SMALL)
    before = set(app.app.store.folder.rglob("*"))
    refused = browser.send_bytes(b"no clip", "odd.mp4", "clips")
    assert refused.status_code == 422 and refused.json()["error"].startswith("odd.mp4: not a clip")
    assert set(app.app.store.folder.rglob("*")) == before
    name = browser.send_bytes(clip, "me.mp4", "clips").json()["clip"]
    for asked, said in (
        ({"kind": "edit", "clip": name, "look": {}}, "nothing is asked"),
        (MOVE | {"steps": [0, 1], "seconds": 99, "form": ".gif"}, "no step 1"),
        (MOVE | {"steps": [0, 0], "seconds": 99, "form": ".gif"}, "60 s in all"),
        (MOVE | {"steps": [0, 0], "seconds": 1, "form": ".exe"}, "form .exe"),
        ({"kind": "read", "files": []}, "give photographs"), ({"kind": "x"}, "kind: expected"),
    ):  # fmt: skip
        answer = browser.post("jobs", asked)
        assert answer.status_code == 422 and said in answer.json()["error"], asked


def test_long_work_lets_others_have_their_turn_and_is_cancelled():
    turns, seen = Turns(), []

    def make(tell):
        for k in range(1, 200):
            seen.append(k)
            time.sleep(0.01)
            tell(k, 200)
        return {}

    job = Job("edit", make, turns)
    job.start()
    while job.done < 3:
        time.sleep(0.01)
    with turns.turn():  # in the midst of it
        done = job.done
        assert done < 200 and job.left > 0
        job.cancel()
    while not job.over:
        time.sleep(0.01)
    assert job.state == "cancelled" and len(seen) <= done + 3


def test_who_asked_first_has_the_first_turn():
    turns, order = Turns(), []

    def ask(k):
        with turns.turn():
            order.append(k)

    turns.take()
    threads = []
    for k in range(5):
        threads.append(threading.Thread(target=ask, args=(k,)))
        threads[-1].start()
        while len(turns._waiting) <= k:
            time.sleep(0.001)
    turns.give()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    turns.closed = True
    with pytest.raises(InputError, match="being closed"):
        turns.take()


@pytest.mark.parametrize(
    ("error", "said"), [(InputError("odd"), "odd"), (KeyError("x"), "a fault of mien's own (KeyError")]
)
def test_what_goes_wrong_in_long_work_is_told(error, said):
    def make(tell):
        raise error

    job = Job("edit", make, Turns())
    job.run()
    assert job.state == "failed" and said in job.as_json()["error"]
