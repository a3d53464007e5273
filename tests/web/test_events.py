"""The page's own events through its guard, as its scripts send them and as nobody's would; gradio, but no server."""

import io
import json
import logging
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

pytest.importorskip("gradio", reason="gradio is not installed: pip install 'mien[web]'")
from starlette.testclient import TestClient

from mien.editing.editor import Editor
from mien.errors import InputError
from mien.web.origins import Origins
from mien.web.server import guarded, proxied
from mien.web.session import Session
from mien.web.store import KEPT, MADE, SHOWN, UNKNOWN, Store
from mien.web.values import judged


class Browser:
    """A browser that has the page open."""

    def __init__(self, client, name="tab"):
        self.client, self.name, self.cookie = client, name, ""
        self.cookie = self.ask("GET", "/").headers["set-cookie"].partition(";")[0]
        self.config = self.ask("GET", "/config").json()
        self.parts = {c["id"]: c["props"] for c in self.config["components"]}
        self.ids = {props.get("elem_id"): number for number, props in self.parts.items()}
        self.events = self.config["dependencies"]

    def ask(self, method, path, **more):
        """Ask as this browser: all share one client, since gradio's queue lives in its loop alone."""
        self.client.cookies.clear()
        return self.client.request(method, path, headers={"Cookie": self.cookie}, **more)

    def send(self, rgb, name="me.png", form="PNG", **options):
        content = io.BytesIO()
        Image.fromarray(rgb).save(content, form, **options)
        return self.ask("POST", "/gradio_api/upload", files={"files": (name, content.getvalue())}).json()[0]

    def happens(self, part, event, **given):
        """Let a part's event happen with the page's values but for those given, by the parts' names."""
        (one,) = [e for e in self.events if [self.ids[part], event] in [list(target) for target in e["targets"]]]
        props = [self.parts[number] for number in one["inputs"]]
        return self.order(one["id"], [given.get(str(p.get("elem_id")), p.get("value")) for p in props])

    def order(self, number, data, **more):
        """Return whether it went well, and the values that come back."""
        order = {"fn_index": number, "data": data, "session_hash": self.name, "trigger_id": None} | more
        assert self.ask("POST", "/gradio_api/queue/join", json=order).status_code == 200
        lines = self.ask("GET", f"/gradio_api/queue/data?session_hash={self.name}").text.splitlines()
        news = [json.loads(line[5:]) for line in lines if line.startswith("data:")]
        (done,) = [one for one in news if one["msg"] == "process_completed"]
        return done["success"], done["output"].get("data", [])

    def get(self, path):
        return self.ask("GET", f"/gradio_api/file={path}")


def files(values):
    """Return the paths in what came back."""
    if isinstance(values, dict):
        own = [values["path"]] if isinstance(values.get("path"), str) else []
        return own + [path for value in values.values() for path in files(value)]
    return [path for value in values for path in files(value)] if isinstance(values, list) else []


def told(values):
    return next(value for value in values if isinstance(value, str) and 'role="status"' in value)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A guard with the page behind it, and its session."""
    from mien.web.events import build

    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("app")
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        session = Session({"ter_gan": Editor("ter_gan")}, Editor("evaluator"), folder)
        guard = guarded(build(session, "ter_gan"), session, Origins(), None, "", 7860)
        with TestClient(guard, base_url="http://127.0.0.1:7860") as client:
            yield client, session


def test_a_photograph_is_edited_and_nobody_else_has_it(page):
    client, _ = page
    one, two = Browser(client), Browser(client)
    path = one.send(astronaut())
    good, values = one.happens("photo", "input", photo={"path": path})
    assert good and "512×512, one face" in told(values)
    good, values = one.happens("change", "click", face="1")
    assert good and told(values).count("ter_gan: edit: happiness 1.00") == 1
    made = files(values)
    assert len(set(made)) == 3 and any(p.endswith("me-happiness.png") for p in made)
    for file in made:
        assert Image.open(io.BytesIO(one.get(file).content)).size
        assert two.get(file).status_code == 404
    for sent in (path, *made):  # not by events either, nor by joining the other's session
        assert UNKNOWN in told(two.happens("photo", "input", photo={"path": sent})[1])
    assert "give a photograph first" in told(two.happens("change", "click", face="1")[1])


@pytest.mark.parametrize("place", ["photo", "like"])
def test_of_a_photograph_that_moves_the_page_says_what_is_taken_and_the_terminal_nothing(page, caplog, place):
    browser = Browser(page[0])
    path = browser.send(
        astronaut(), "me.webp", "WEBP", save_all=True, append_images=[Image.fromarray(astronaut()[:, ::-1])]
    )
    with caplog.at_level(logging.WARNING, "mien"):
        good, values = browser.happens(place, "input", **{place: {"path": path}})
    assert good and "me.webp: 512×512, one face; of several frames or pages the first" in told(values)
    assert not caplog.text


def test_as_much_stays_after_many_edits_as_after_few(page, monkeypatch):
    monkeypatch.setitem(KEPT, MADE, 2)
    monkeypatch.setitem(KEPT, SHOWN, 1)
    client, session = page
    one = Browser(client)
    one.happens("photo", "input", photo={"path": one.send(astronaut()[::2, ::2])})
    counts = []
    for k in range(6):
        assert one.happens("change", "click", face="1", intensity=k / 10)[0]
        counts.append(len([path for path in session.store.folder.rglob("*") if path.is_file()]))
    assert counts[1] > counts[0] and counts[2:] == [counts[1]] * 4


def test_paths_that_nobody_sent_are_one_answer(page, tmp_path, capfd):
    client, _ = page
    one = Browser(client)
    (tmp_path / "secret.png").write_bytes(b"x")
    mine = one.send(astronaut())
    sent = [
        {"path": str(path)} for path in (tmp_path / "secret.png", tmp_path / "none.png", tmp_path, "/", "", mine + "/")
    ]
    sent += [s | {"meta": {"_type": "gradio.FileData"}} for s in sent]
    sent += [
        {},
        {"url": "http://evil.example/x.png"},
        {"path": "http://evil.example/x.png"},
        {"path": 5},
        "x",
        5,
        [mine],
    ]
    for part in ("photo", "like"):
        answers = [one.happens(part, "input", **{part: value}) for value in sent]
        assert {good for good, _ in answers} == {True} and not any(files(values) for _, values in answers)
        assert len({told(values) for _, values in answers}) == 1 and UNKNOWN in told(answers[0][1])
    assert capfd.readouterr() == ("", "")


def test_odd_values_are_told_on_the_page_and_not_in_the_terminal(page, capfd):
    client, _ = page
    one = Browser(client, "odd")
    one.happens("photo", "input", photo={"path": one.send(astronaut()[::2, ::2])})
    odd = ["x", 10**30, True, {"__type__": "update"}, [1], "\x00"]
    for event in one.events:
        count = len(event["inputs"])
        mixed = [[odd[(k + shift) % len(odd)] for k in range(count + 2)] for shift in range(3)]
        usual = [one.parts[number].get("value") for number in event["inputs"]]
        for data in ([], *mixed, [*usual[:-1], "x"]):
            good, values = one.order(event["id"], data)
            assert good and "fault" not in str(values), (event["id"], data)
    assert capfd.readouterr() == ("", "")


def test_a_fault_of_our_own_is_told_on_the_page(page, monkeypatch, capfd):
    client, session = page
    monkeypatch.setattr(session, "open", lambda *_: 1 / 0)
    one = Browser(client)
    good, values = one.happens("photo", "input", photo={"path": one.send(np.zeros((9, 9, 3), np.uint8))})
    assert good and "fault of mien&#x27;s own (ZeroDivisionError" in told(values) and capfd.readouterr() == ("", "")


def test_parts_hold_what_they_can():
    import gradio as gr

    slider, box, number = gr.Slider(0, 5, label="AU1"), gr.Checkbox(label="Each side"), gr.Radio([], label="Face")
    word = gr.Radio(["fear", "anger"], label="Expression")
    good = [(slider, 0), (slider, 5.0), (box, True), (word, "fear"), (number, "12"), (number, None), (gr.State(), "x")]
    assert [judged(part, value) for part, value in good] == [value for _, value in good]
    bad = [(slider, value) for value in (None, True, "1", -0.1, 5.1, float("nan"), float("inf"), 10**400)]
    bad += [(box, value) for value in (None, 1, "yes")] + [(word, value) for value in (None, "joy", 1, "1")]
    for part, value in [*bad, *((number, value) for value in ("-1", "x", "١", "99999", 1, ""))]:
        with pytest.raises(InputError, match=part.label):
            judged(part, value)
    assert judged(word, "joy", ["joy"]) == "joy"


@pytest.mark.parametrize("root_path", ["/mien", "https://faces.example/mien"])
def test_below_a_path_the_page_finds_itself(tmp_path, root_path):
    import gradio as gr

    with gr.Blocks(analytics_enabled=False) as blocks:
        gr.HTML("a page")
    session = SimpleNamespace(store=Store(tmp_path))
    guard = guarded(blocks, session, Origins(proxied(root_path)), None, root_path, 7860)
    with TestClient(guard, base_url="http://127.0.0.1:7860") as client:
        for path in ("/config", "/mien/config"):
            assert client.get(path).json()["root"].endswith(root_path)
        assert "a page" in client.get("/mien/").text
