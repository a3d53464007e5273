"""The page without a browser: its answers through its guard, to browsers that a test client stands for."""

import io
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.web.chromium import chromium, faces, server, visit  # noqa: F401


class Browser:
    """A browser that has the page open: a cookie of its own, and what its scripts would ask."""

    def __init__(self, client):
        self.client = client
        self.cookie = self.ask("GET", "/").headers["set-cookie"].partition(";")[0]

    def ask(self, method, path, **more):
        self.client.cookies.clear()  # browsers share one client
        headers = {"Cookie": self.cookie} if getattr(self, "cookie", "") else {}
        return self.client.request(method, path, headers=headers | more.pop("headers", {}), **more)

    def get(self, path):
        return self.ask("GET", f"/api/{path}")

    def post(self, path, asked=None, **more):
        return self.ask("POST", f"/api/{path}", json=asked, **more)

    def send(self, rgb, name="me.png", form="PNG", path="photos", **options):
        content = io.BytesIO()
        Image.fromarray(rgb).save(content, form, **options)
        return self.send_bytes(content.getvalue(), name, path)

    def send_bytes(self, content, name="me.png", path="photos"):
        return self.ask("POST", f"/api/{path}", files={"file": (name, content)})

    def step(self, word="happiness", face=1, **more):
        look = {"words": [{"name": word, "strength": 1, "only": []}]} if word else {}
        return self.post("steps", {"face": face, "look": look | more})

    def work(self, asked):
        """Begin long work and wait for its end."""
        begun = self.post("jobs", asked)
        assert begun.status_code == 200, begun.text
        return self.wait(begun.json()["name"])

    def wait(self, name):
        for _ in range(600):
            told = self.get(f"jobs/{name}").json()
            if told["state"] in ("done", "failed", "cancelled"):
                return told
            time.sleep(0.1)
        raise AssertionError(f"{told} did not end")


def pixels(answer):
    """Return an answer's picture, int (h, w, 3)."""
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")).astype(int)


def application(folder):
    """Return the page with two quick models, and all that it is made of."""
    from mien.editing.editor import Editor
    from mien.web.application import Application
    from mien.web.studio import Studio

    editors = {name: Editor(name) for name in ("ter_gan", "fields", "evaluator")}
    return Application(Studio(editors, editors["evaluator"]), folder, "fields")


@pytest.fixture(scope="package")
def app(tmp_path_factory):
    """The page's application and a client that asks it."""
    pytest.importorskip("starlette", reason="starlette is not installed: pip install 'mien[web]'")
    pytest.importorskip("httpx", reason="httpx is not installed: pip install 'mien[dev]'")
    from starlette.testclient import TestClient

    from mien.web.door.origins import Origins

    made = application(tmp_path_factory.mktemp("app"))
    with TestClient(made.guarded(Origins()), base_url="http://127.0.0.1:7860") as client:
        yield SimpleNamespace(app=made, client=client, browser=lambda: Browser(client))


@pytest.fixture
def browser(app):
    return app.browser()
