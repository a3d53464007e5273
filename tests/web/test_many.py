"""Many photographs changed alike: each as it would be by itself, in one archive or one by one; how many are taken."""

import io
import threading
import zipfile

import numpy as np
from PIL import Image
from skimage.data import astronaut

from mien.web import many
from mien.web.door import transfer
from mien.web.door.store import KEPT, MANY, UNKNOWN
from mien.web.jobs import Job
from mien.web.many import change_many
from mien.web.turns import Turns
from tests.web.conftest import pixels

SMALL = astronaut()[:260, 100:360]
LOOK = {"words": [{"name": "surprise", "strength": 1, "only": []}]}
ASKED = {"kind": "many", "look": LOOK, "form": "PNG", "everybody": False}


def file(browser, rgb, name, form="PNG", **options):
    return browser.send(rgb, name, form, path="files", **options).json()["file"]


def owner_of(app, browser):
    browser.get("session")  # the last that asked
    return next(reversed(app.app.desks._desks))


def archive(browser, told):
    return zipfile.ZipFile(io.BytesIO(browser.get(f"files/{told['files']['zip']}?keep=1").content))


def test_each_is_what_it_would_be_by_itself(browser):
    exif = Image.Exif()
    exif[0x112] = 6  # a telephone that was held on its side
    pictures = {"a.png": SMALL, "b.png": SMALL[:, ::-1], "c.jpg": np.rot90(SMALL), "d.png": SMALL.mean(-1).astype("u1")}
    names = [file(browser, rgb, name) for name, rgb in list(pictures.items())[:2]]
    names.append(file(browser, pictures["c.jpg"], "c.jpg", "JPEG", quality=95, exif=exif))
    names.append(file(browser, pictures["d.png"], "d.png"))
    told = browser.work(ASKED | {"files": names})
    assert told["state"] == "done" and told["said"] == "4 of 4 photographs changed" and told["total"] == 4, told
    with archive(browser, told) as made:
        assert made.namelist() == [f"{letter}-mien.png" for letter in "abcd"] and made.testzip() is None
        for k, (name, rgb) in enumerate(pictures.items()):
            sent = (
                browser.send(rgb, name, "JPEG", quality=95, exif=exif) if name == "c.jpg" else browser.send(rgb, name)
            )
            assert sent.status_code == 200
            browser.post("steps", {"face": 1, "look": LOOK})
            alone = pixels(browser.get("steps/1/file?form=PNG"))
            inside = np.asarray(Image.open(made.open(made.infolist()[k])).convert("RGB")).astype(int)
            assert np.array_equal(inside, alone), name
            assert np.array_equal(pixels(browser.get(f"files/{told['files']['zip']}?part={k}")), alone)


def test_what_cannot_be_changed_has_a_line_and_the_rest_is_made(app, browser):
    names = [file(browser, SMALL, "me.png"), file(browser, SMALL[:, ::-1], "me.png")]  # of two cameras
    names.insert(1, browser.send_bytes(b"no picture", "odd.png", "files").json()["file"])
    names.append(file(browser, np.zeros((300, 300, 3), np.uint8), "木 nobody.png"))
    told = browser.work(ASKED | {"files": names, "form": ""})
    assert told["said"] == "2 of 4 photographs changed"
    assert [row["part"] for row in told["rows"]] == [0, None, 1, None]
    assert "odd.png" in told["rows"][1]["error"] and "no face found" in told["rows"][3]["error"]
    assert not any(str(app.app.store.folder) in row["error"] for row in told["rows"])
    with archive(browser, told) as made:
        assert made.namelist() == ["me-mien.png", "me-mien-2.png"]
    path = f"files/{told['files']['zip']}"
    small = pixels(browser.get(f"{path}?part=1&small=1"))
    assert max(small.shape) <= 192
    for part in ("2", "-1", "x", "9" * 40, "%00"):
        assert (
            browser.get(f"{path}?part={part}").status_code
            == browser.get(f"{path}?part={part}&small=1").status_code
            == 422
        )
    assert app.browser().get(f"{path}?part=0").status_code == 404  # nobody else's


def test_everybodys_face_or_the_largest(browser):
    picture = np.zeros((300, 560, 3), np.uint8)
    picture[:260, :260], picture[20:280, 280:540] = SMALL, SMALL[:, ::-1]
    name = file(browser, picture, "two.png")
    for everybody, count in ((False, 1), (True, 2)):
        told = browser.work(ASKED | {"files": [name], "everybody": everybody})
        made = pixels(browser.get(f"files/{told['files']['zip']}?part=0"))
        changed = np.abs(made - picture).max(-1)
        assert sum(bool((half > 20).any()) for half in (changed[:, :270], changed[:, 270:])) == count


def test_what_cannot_be_asked_is_a_line(browser):
    name = file(browser, SMALL, "me.png")
    for asked, said in (
        ({"files": []}, "give photographs first"), ({"files": [name] * (KEPT[MANY] + 1)}, "200 at most"),
        ({"files": ["none"]}, UNKNOWN), ({"files": ["/etc/passwd"]}, UNKNOWN), ({"look": {}}, "nothing is asked"),
        ({"look": {"like": {"photo": name, "face": 1, "strength": 1, "only": []}}}, UNKNOWN),
        ({"look": {"gaze": [9, 0]}, "model": "ter_gan"}, "cannot edit by gaze"), ({"everybody": 1}, "everybody is '1'"),
    ):  # fmt: skip
        answer = browser.post("jobs", ASKED | {"files": [name]} | asked)
        assert answer.status_code == 422 and said in answer.json()["error"], asked
    told = browser.work(ASKED | {"files": [name], "form": "EXE"})
    assert told["state"] == "failed" and "form EXE" in told["error"]


def test_a_full_archive_is_told_of_and_kept(browser, monkeypatch):
    monkeypatch.setattr(many, "LARGEST", 10)
    told = browser.work(ASKED | {"files": [file(browser, SMALL, f"{k}.png") for k in range(2)]})
    assert told["said"] == "1 of 2 photographs changed" and "archive is full" in told["rows"][1]["error"]


def test_cancelled_it_leaves_nothing(app, browser):
    studio, store = app.app.studio, app.app.store
    owner = owner_of(app, browser)
    paths = [store.sent(owner, file(browser, SMALL, f"{k}.png")) for k in range(3)]
    before = set(store.folder.rglob("*"))
    from mien.editing.look import look_of

    job = Job("many", change_many(studio, store, owner, paths, look_of(LOOK), "fields"), Turns())
    wait, make = threading.Event(), job._tell

    def tell(done, total, note=""):
        if done == 1:
            job.cancel()
            wait.set()
        make(done, total, note)

    job._tell = tell
    job.run()
    assert wait.is_set() and job.state == "cancelled" and set(store.folder.rglob("*")) == before


def test_so_many_are_sent_at_once_and_kept_and_no_more(app, browser, monkeypatch):
    monkeypatch.setitem(KEPT, MANY, 3)
    owner = owner_of(app, browser)
    names = [browser.send_bytes(b"x", f"{k}.png", "files").json()["file"] for k in range(5)]
    kept = [path.parent.name for path in app.app.store.folder.glob("*/?.png")]
    assert set(names[2:]) <= set(kept) and not set(names[:2]) & set(kept)
    app.app.store.coming[owner] = transfer.AT_ONCE
    answer = browser.send_bytes(b"x", "a.png", "files")
    assert answer.status_code == 429 and "wait for them" in answer.json()["error"]
    del app.app.store.coming[owner]
    assert browser.send_bytes(b"x", "a.png", "files").status_code == 200 and not app.app.store.coming
    monkeypatch.setattr(transfer, "PATIENCE", 0)
    assert browser.send_bytes(b"x", "a.png", "files").status_code == 408 and not app.app.store.coming
