"""What the page answers: photographs, looks, steps, files. Through its guard, without a server."""

import io
import json
import logging
import threading

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from mien.controls import Controls
from mien.editing.editor import Editor
from mien.expressions import read_expression
from mien.media.provenance import EDITED, read_stamp
from mien.web.door.store import KEPT, MADE, UNKNOWN
from mien.web.upload import MEGABYTES
from tests.web.conftest import pixels

SMALL = astronaut()[:260, 100:360]


@pytest.fixture(scope="module")
def two_people():
    picture = np.zeros((300, 560, 3), np.uint8)
    picture[:260, :260], picture[20:280, 280:540] = SMALL, SMALL[:, ::-1]
    return picture


def test_a_photograph_is_edited_as_the_editor_edits_it(browser, tmp_path):
    told = browser.send(astronaut()).json()
    assert (told["width"], told["height"], len(told["faces"]), told["form"]) == (512, 512, 1, "PNG")
    assert browser.step().json()["at"] == 1
    answer = browser.get("steps/1/file?form=PNG")
    assert (
        "attachment" in answer.headers["content-disposition"] and "me-mien.png" in answer.headers["content-disposition"]
    )
    (tmp_path / "out.png").write_bytes(answer.content)
    stamp = read_stamp(tmp_path / "out.png")
    assert (stamp.source, stamp.source_type, stamp.operation) == ("me.png", EDITED, "edit: happiness 1.00")
    wanted = Editor("fields").edit(astronaut(), "happiness").rgb.astype(int)
    assert np.abs(pixels(answer) - wanted).mean() < 0.05  # the face is found by itself in both
    shown = pixels(browser.get("steps/1/picture"))
    assert shown.shape == wanted.shape and np.abs(shown - wanted).mean() < 3  # as JPEG


def test_a_telephones_photograph_is_shown_and_edited(browser):
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed: pip install 'mien[heic]'")
    content = io.BytesIO()
    heif.from_pillow(Image.fromarray(SMALL)).save(content, quality=95)
    told = browser.send_bytes(content.getvalue(), "IMG_1.HEIC").json()
    assert (told["width"], told["height"], len(told["faces"]), told["form"]) == (260, 260, 1, "JPEG")
    shown = browser.get("photos/" + browser.get("session").json()["photo"])
    assert shown.headers["content-type"] == "image/jpeg"  # what every browser shows
    assert np.abs(pixels(shown) - SMALL).mean() < 4
    browser.step()
    given = browser.get("steps/1/file?form=JPEG")
    assert "IMG_1-mien.jpg" in given.headers["content-disposition"] and pixels(given).shape == SMALL.shape


def test_controls_add_up_and_are_computed_from_the_photograph(browser):
    browser.send(SMALL)
    browser.step("happiness", gaze=[20, 0])
    words = [{"name": "fear", "strength": 0.5, "only": ["brows"]}, {"name": "say-o", "strength": 1, "only": []}]
    look = {"words": words, "units": {"43L": 4}, "turn": [5, 0], "roll": -3}
    browser.post("steps", {"face": 1, "look": look})
    once = pixels(browser.get("steps/2/picture"))
    browser.step("anger")
    browser.post("steps", {"face": 1, "look": look})
    assert np.array_equal(pixels(browser.get("steps/4/picture")), once)  # whatever was before
    browser.post("steps", {"face": 1, "look": {}})
    assert np.array_equal(pixels(browser.get("steps/5/picture")), pixels(browser.get("steps/0/picture")))


def test_back_forth_and_to_a_step(browser):
    browser.send(SMALL)
    for word in ("happiness", "fear"):
        browser.step(word)
    pictures = [browser.get(f"steps/{k}/picture").content for k in range(3)]
    assert len(set(pictures)) == 3
    for asked, at in (
        ({"undo": True}, 1),
        ({"undo": True}, 0),
        ({"undo": True}, 0),
        ({"redo": True}, 1),
        ({"go": 2}, 2),
    ):
        told = browser.post("history", asked).json()
        assert told["at"] == at and browser.get(f"steps/{told['steps'][at]['number']}/picture").content == pictures[at]
    browser.post("history", {"go": 0})
    assert [step["number"] for step in browser.step("anger").json()["steps"]] == [0, 3]
    assert browser.get("steps/2/picture").status_code == 422
    assert browser.get("session").json()["project"]["at"] == 1  # as after a reload


def test_several_faces_are_changed_together_and_each_alone(browser, two_people):
    assert len(browser.send(two_people).json()["faces"]) == 2
    browser.step("happiness", face=1)
    browser.step("surprise", face=2)
    photo, first, both = (
        pixels(browser.get(f"steps/{k}/file" if k else "photos/" + browser.get("session").json()["photo"]))
        for k in (0, 1, 2)
    )
    assert (first[:, 280:] != both[:, 280:]).any() and np.array_equal(first[:, :260], both[:, :260])
    assert (first[:, :260] != two_people[:, :260]).any() and np.array_equal(
        first[:, 290:], two_people[:, 290:].astype(int)
    )
    assert photo.shape == two_people.shape
    stamp = browser.get("steps/2/file").content
    assert read_stamp_of(stamp).operation == "edit: face 1: happiness 1.00; face 2: surprise 1.00"


def read_stamp_of(content):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.png").write_bytes(content)
        return read_stamp(Path(folder) / "a.png")


def test_a_preview_is_small_keeps_nothing_and_is_near_to_what_comes_of_it(browser):
    browser.send(astronaut())
    look = {"words": [{"name": "surprise", "strength": 1, "only": []}]}
    small = pixels(browser.post("preview", {"face": 1, "look": look, "frame": 1}))
    assert max(small.shape) <= 560 and len(browser.get("session").json()["project"]["steps"]) == 1
    browser.post("steps", {"face": 1, "look": look})
    full, photo = (pixels(browser.get(f"steps/{k}/picture?frame=1&side=560")) for k in (1, 0))
    assert np.abs(small - full).mean() < 0.5 * np.abs(full - photo).mean()


def test_the_newest_preview_counts(app, browser):
    browser.send(SMALL)
    photo = browser.get("session").json()["photo"]
    (desk,) = (desk for desk in app.app.desks._desks.values() if desk.photo == photo)
    answers = {}

    def ask(k):
        answers[k] = browser_like(app, browser).post("preview", {"face": 1, "look": {"roll": k}}).status_code

    with app.app.studio.turns.turn():  # somebody else's
        threads = []
        for k in (1, 2, 3):
            thread = threading.Thread(target=ask, args=(k,))
            thread.start()
            threads.append(thread)
            while desk.newest < k:
                pass
    for thread in threads:
        thread.join()
    assert answers == {1: 204, 2: 204, 3: 200}


def browser_like(app, browser):
    """The same browser once more, for another thread."""
    from starlette.testclient import TestClient

    other = object.__new__(type(browser))
    other.client, other.cookie = TestClient(app.client.app, base_url="http://127.0.0.1:7860"), browser.cookie
    return other


def test_another_photograph_gives_its_expression(browser):
    browser.send(SMALL)
    like = browser.send(astronaut()[:, ::-1], "other.png", path="photos?example=1").json()["photo"]
    assert len(browser.get("session").json()["photos"]) == 2
    look = {"like": {"photo": like, "face": 1, "strength": 0.5, "only": ["mouth"]}}
    browser.post("steps", {"face": 1, "look": look})
    assert read_stamp_of(browser.get("steps/1/file").content).operation == "edit: like other.png only mouth 0.50"
    look |= {"words": [{"name": "wink-left", "strength": 1, "only": []}]}
    assert browser.post("steps", {"face": 1, "look": look}).status_code == 200
    assert (pixels(browser.get("steps/2/picture")) != pixels(browser.get("steps/1/picture"))).any()


def test_a_look_is_kept_as_a_file_that_the_shell_takes(browser, tmp_path):
    browser.send(astronaut())
    browser.step("happiness", units={"4L": 2}, gaze=[10, 0])
    (tmp_path / "mine.json").write_text(browser.get("steps/1/expression?name=mine").text)
    saved = read_expression(tmp_path / "mine.json")
    assert (saved.name, saved.gaze, saved.units["4L"]) == ("mine", (10, 0), pytest.approx(2))
    shell = Editor("fields").ask(astronaut(), Controls(saved)).rgb.astype(int)
    assert np.abs(shell - pixels(browser.get("steps/1/file"))).mean() < 0.2
    assert browser.get("steps/0/expression").status_code == 422


def test_models_are_compared_and_what_one_cannot_is_a_line(browser):
    browser.send(SMALL)
    browser.step("happiness")
    assert (pixels(browser.get("steps/1/picture")) != pixels(browser.get("steps/1/picture?model=ter_gan"))).any()
    browser.step("happiness", gaze=[5, 0])
    answer = browser.get("steps/2/picture?model=ter_gan")
    assert answer.status_code == 422 and "ter_gan cannot edit by gaze" in answer.json()["error"]
    refused = browser.post("steps", {"face": 1, "look": {"gaze": [5, 0]}, "model": "ter_gan"})
    assert refused.status_code == 422 and browser.get("session").json()["project"]["at"] == 2  # nothing is lost
    assert browser.post("steps", {"face": 1, "look": {}, "model": "none"}).status_code == 422


def test_an_estimate_is_of_both_and_adds_up(browser):
    browser.send(SMALL)
    browser.step("anger")
    told = browser.get("steps/1/estimate?face=1").json()
    assert told["before"] != told["after"]
    assert all(sum(told[when].values()) == pytest.approx(1, abs=1e-4) for when in told)
    assert {f"12{side}" for side in "LR"} <= browser.get("shown?face=1").json().keys()


def test_a_picture_of_a_webcam_comes_back_with_the_look(browser):
    content = io.BytesIO()
    Image.fromarray(SMALL).save(content, "JPEG", quality=95)
    answers = [
        browser.ask("POST", "/api/live", params={"look": json.dumps(look)}, content=content.getvalue())
        for look in ({}, {"words": [{"name": "surprise", "strength": 1, "only": []}]})
    ]
    assert (pixels(answers[0]) != pixels(answers[1])).any()
    assert browser.ask("POST", "/api/live", content=b"x").status_code == 422


def test_of_a_photograph_that_moves_it_is_said_what_is_taken_and_the_terminal_is_silent(browser, caplog):
    more = {"save_all": True, "append_images": [Image.fromarray(SMALL[:, ::-1])]}
    with caplog.at_level(logging.WARNING, "mien"):
        assert browser.send(SMALL, "me.webp", "WEBP", **more).json()["several"] and not caplog.text


def test_what_a_photograph_says_of_itself(browser):
    browser.send(SMALL)
    browser.step()
    made = browser.get("steps/1/file").content
    again = browser.send_bytes(made, "again.png").json()["photo"]
    facts = browser.get(f"photos/{again}/facts").json()
    assert "edit: happiness 1.00" in facts["stamp"] and facts["signed"] is False


def test_nobody_else_has_what_a_browser_sent(app, browser):
    other = app.browser()
    photo = browser.send(SMALL).json()["photo"]
    browser.step()
    assert other.get("session").json()["photo"] is None
    for path in (f"photos/{photo}", f"photos/{photo}/facts", "steps/1/picture", "steps/1/file"):
        assert other.get(path).status_code == 422
    other.send(SMALL)
    look = {"like": {"photo": photo, "face": 1, "strength": 1, "only": []}}
    assert UNKNOWN in other.post("steps", {"face": 1, "look": look}).json()["error"]
    assert UNKNOWN in other.post("jobs", {"kind": "read", "files": [photo]}).json()["error"]


def test_names_that_nobody_was_told_look_alike_whatever_they_are(browser, tmp_path, capfd):
    (tmp_path / "secret.png").write_bytes(b"x")
    photo = browser.send(SMALL).json()["photo"]
    wrong = [
        "none",
        photo + "x",
        photo[:-1],
        photo.upper(),
        "..",
        "%2e%2e",
        "secret.png",
        "http:%2f%2fevil.example%2fx",
    ]
    for path in ("photos/{}", "files/{}", "jobs/{}", "photos/{}/facts"):
        answers = [browser.get(path.format(name)) for name in wrong]
        assert {a.status_code for a in answers} <= {404, 422} and len({a.text for a in answers}) <= 2, path
    paths = [
        str(tmp_path / "secret.png"),
        str(tmp_path / "none"),
        "/etc/passwd",
        f"../{photo}",
        5,
        None,
        [photo],
        {"a": 1},
    ]
    told = {
        browser.post("jobs", {"kind": "read", "files": [path]}).json()["error"]
        for path in paths
        if isinstance(path, str)
    }
    assert told == {UNKNOWN}
    told = {
        browser.post(
            "steps", {"face": 1, "look": {"like": {"photo": p, "face": 1, "strength": 1, "only": []}}}
        ).status_code
        for p in paths
    }
    assert told == {422} and capfd.readouterr() == ("", "")


ODD = ["x", 10**30, True, None, -1, [1], {"a": 1}, "\x00", "\ud800", float("1e308"), [[]], "", 10**400]


def test_odd_values_are_told_and_not_in_the_terminal(browser, capfd):
    browser.send(SMALL)
    known = {
        "face": 1, "look": {}, "note": "", "model": "fields", "frame": 0, "side": 560, "undo": False, "go": 0,
        "kind": "read", "files": [], "clip": "x", "driver": "x", "strength": 1, "only": [], "steps": [0], "seconds": 1,
        "fps": 25, "loop": True, "blinks": True, "size": 480, "form": ".gif",
    }  # fmt: skip
    for path in ("preview", "steps", "history", "jobs"):
        for name in known:
            for value in ODD:
                body = json.dumps(known | {name: value}).encode()
                answer = browser.ask("POST", f"/api/{path}", content=body)
                assert answer.status_code in (200, 204, 422) and "fault" not in answer.text, (
                    path,
                    name,
                    value,
                    answer.text,
                )
        for body in (b"", b"[]", b"5", b"{", b"\xff", b"null", b"[" * 100_000, b'{"face": ' + b"9" * 5000 + b"}"):
            assert browser.ask("POST", f"/api/{path}", content=body).status_code == 422
        assert browser.ask("POST", f"/api/{path}", content=b" " * ((1 << 18) + 1)).status_code == 413
    for path in (
        "steps/0/picture?frame={}",
        "steps/0/picture?side={}",
        "steps/0/estimate?face={}",
        "shown?face={}",
        "steps/0/picture?model={}",
    ):
        for value in ("x", "-1", "99", "1e3", "9" * 40, "%00", "١"):
            assert (
                browser.get(path.format(value)).status_code in (200, 422)
                and "fault" not in browser.get(path.format(value)).text[:200]
            )
    assert capfd.readouterr() == ("", "")


def test_a_fault_of_our_own_is_told_without_the_servers_folders(app, browser, monkeypatch, capfd):
    monkeypatch.setattr(app.app.studio, "warm", lambda *_: 1 / 0)
    answer = browser.send(SMALL)
    assert (
        answer.status_code == 500 and "a fault of mien's own (ZeroDivisionError, test_api.py" in answer.json()["error"]
    )
    assert capfd.readouterr() == ("", "")


def test_before_there_is_a_photograph(browser):
    for answer in (
        browser.step(),
        browser.post("history", {"undo": True}),
        browser.get("steps/0/picture"),
        browser.get("shown"),
    ):
        assert answer.status_code == 422 and "give a photograph first" in answer.json()["error"]
    assert browser.get("session").json()["project"] is None


def test_uploads_have_bounds_and_leave_nothing_where_they_fail(app, browser):
    before = list(app.app.store.folder.rglob("*"))
    assert browser.send_bytes(bytes((MEGABYTES << 20) + 1)).status_code == 413
    assert browser.send_bytes(bytes((MEGABYTES << 20) + (1 << 20))).status_code == 413
    assert browser.ask("POST", "/api/photos", files=[("file", ("a", b"1")), ("file", ("b", b"2"))]).status_code == 400
    assert browser.ask("POST", "/api/photos", files={"other": ("a", b"1")}).status_code == 400
    assert browser.ask("POST", "/api/photos", data={"file": "a"}).status_code == 400
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x", "text/plain"):
        assert (
            browser.ask("POST", "/api/photos", content=b"--y\r\nrubbish", headers={"Content-Type": kind}).status_code
            == 400
        )
    assert list(app.app.store.folder.rglob("*")) == before
    assert browser.send_bytes(b"no picture", "a.png").status_code == 422
    assert list(app.app.store.folder.rglob("*")) == before  # nor of what is no photograph


def test_as_much_stays_after_many_edits_as_after_few(app, browser, monkeypatch):
    monkeypatch.setitem(KEPT, MADE, 2)
    browser.send(SMALL)
    counts = []
    for k in range(6):
        browser.step("happiness", roll=k)
        assert browser.get(f"steps/{k + 1}/file").status_code == 200
        counts.append(len([path for path in app.app.store.folder.rglob("*") if path.is_file()]))
    assert counts[2:] == [counts[1]] * 4


def test_all_of_a_browser_is_cleared_away_an_hour_after_it_last_asked(app, browser):
    other = app.browser()
    browser.send(SMALL)
    other.send(SMALL)
    desks = {desk.photo: desk for desk in app.app.desks._desks.values()}
    photo = browser.get("session").json()["photo"]
    files = set(app.app.store.folder.glob("*"))
    desks[photo].used -= 3601
    app.app.desks.sweep()
    assert files - set(app.app.store.folder.glob("*")) == {app.app.store.folder / photo}
    assert browser.get("session").json()["photo"] is None and other.get("session").json()["photo"]
    assert not any(desks[photo].upload(photo).path in key for key in app.app.studio._sittings._kept)


def test_ten_people_at_once_and_no_picture_in_the_wrong_session(app):
    people = [app.browser() for _ in range(10)]
    tints = [np.clip(SMALL.astype(int) + 6 * k - 30, 0, 255).astype(np.uint8) for k in range(10)]
    wrong = []

    def work(k):
        mine = browser_like(app, people[k])
        if mine.send(tints[k]).status_code != 200:
            wrong.append(k)
        for word in ("happiness", "fear"):
            number = mine.step(word).json()["at"]
            mine.post("preview", {"face": 1, "look": {"roll": 5}})
            shown = pixels(mine.get(f"steps/{number}/picture"))
            if (
                np.abs(shown[-40:] - tints[k][-40:]).mean() > 3
            ):  # where nothing is changed; others' are 6 lighter or darker
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_page_is_below_a_path_where_a_proxy_shows_it(app):
    from starlette.testclient import TestClient

    from mien.web.door.origins import Origins

    with TestClient(app.app.guarded(Origins(), prefix="/mien"), base_url="http://127.0.0.1:7860") as client:
        assert '<base href="/mien/">' in client.get("/mien/").text and '<base href="/">' in app.client.get("/").text
        assert client.get("/mien/static/page.js").headers["content-type"].startswith("text/javascript")


def test_what_is_saved_is_signed_where_the_page_has_a_certificate_and_its_owner_asks(
    app, browser, monkeypatch, tmp_path
):
    pytest.importorskip("c2pa", reason="c2pa is not installed: pip install 'mien[provenance]'")
    from mien.media.credentials import read_signer
    from tests.media.test_credentials import write_pair

    monkeypatch.setattr(app.app.api, "signer", read_signer(*write_pair(tmp_path)))
    browser.send(SMALL)
    browser.step()
    assert browser.get("about").json()["signs"]
    plain, signed = (browser.get(f"steps/1/file?sign={sign}").content for sign in (0, 1))
    told = []
    for content in (plain, signed):
        photo = browser.send_bytes(content).json()["photo"]
        told.append(browser.get(f"photos/{photo}/facts").json())
    assert [facts["signed"] for facts in told] == [False, True]
    assert told[1]["credentials"]["signer"].startswith("Ann") and "as it was signed" in told[1]["credentials"]["said"]
