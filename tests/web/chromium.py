"""A real browser before a real `mien app`, for the tests that drive it."""

import base64
import io
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from mien.labels import AUS
from mien.synth.person import sample_person
from mien.synth.studio import Studio
from tests.helpers.clips import write_clip

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVEN = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed: apt-get install chromium"),
]
PATIENCE = 60_000  # milliseconds that a busy machine may take for one step
# The verb, watched: every address that it looks up or calls is written down. The first, its own, shows that it is.
WATCHED = """
import os, socket, sys
log = open(os.environ["CALLED"], "a", buffering=1)
def watch(event, args):
    if event == "socket.getaddrinfo" and args[0] is not None:
        print(args[0], file=log)
    elif event == "socket.connect" and isinstance(args[1], tuple):
        print(args[1][0], file=log)
sys.addaudithook(watch)
socket.getaddrinfo("192.0.2.1", 80)
from mien.cli import main
main()
"""


def units(**levels):
    """units(AU12=5): both sides."""
    aus = np.zeros((len(AUS), 2))
    for name, level in levels.items():
        aus[AUS.index(int(name[2:]))] = level
    return aus


@pytest.fixture(scope="package")
def faces(tmp_path_factory):
    """Rendered people as files: a calm one, a grin, two in one photograph, a clip, the calm one as a webcam's film."""
    pytest.importorskip("starlette", reason="starlette is not installed: pip install 'mien[web]'")
    pytest.importorskip("av", reason="av is not installed: pip install 'mien[video]'")
    folder = tmp_path_factory.mktemp("faces")
    one, other = Studio(sample_person(7), 384), Studio(sample_person(212), 384)
    calm, grin = one.render(units()).image, other.render(units(AU6=3, AU12=5, AU25=3)).image
    Image.fromarray(calm).save(folder / "calm.png")
    Image.fromarray(grin).save(folder / "grin.jpg", quality=95)
    Image.fromarray(np.hstack([calm, grin])).save(folder / "both.jpg", quality=95)
    write_clip(folder / "calm.mp4", [calm] * 4)
    frame = io.BytesIO()
    Image.fromarray(np.pad(calm, ((48, 48), (128, 128), (0, 0)), mode="edge")).save(frame, "JPEG", quality=95)
    (folder / "film.mjpeg").write_bytes(frame.getvalue() * 30)
    return folder


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    """`mien app` as a process of its own: its address, its process, and the file of all that it called."""
    called = tmp_path_factory.mktemp("server") / "called"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    quiet = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHED, "app", "--port", str(port)],
        env=quiet | {"CALLED": str(called), "TMPDIR": str(called.parent), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stdout:
        if f"http://127.0.0.1:{port}" in line:
            break
    assert process.poll() is None, "mien app ended before it served"
    yield SimpleNamespace(address=f"http://127.0.0.1:{port}", process=process, called=called)
    process.terminate()
    process.wait(PATIENCE / 1000)
    assert not list(called.parent.glob("mien-app-*")), "photographs were left behind"


@pytest.fixture(scope="package")
def chromium(faces):
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'mien[dev]'")
    film = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    film += [f"--use-file-for-fake-video-capture={faces / 'film.mjpeg'}"]
    with driver.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", *film])
        yield opened
        opened.close()


@pytest.fixture
def visit(chromium, server):
    """What opens the page in a window; at the end, all it asked for was the server's, and no script failed."""
    contexts, asked, failed = [], [], []

    def opened(width=1280, height=900, policy=False, **more):
        size = {"width": width, "height": height}  # the driver's own waiting evaluates text, which the policy forbids
        context = chromium.new_context(viewport=size, accept_downloads=True, bypass_csp=not policy, **more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.on("console", lambda line: failed.append(line.text) if "Content Security" in line.text else None)
        page.goto(server.address)
        ready(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"} and len(asked) > 10
    assert not failed


def ready(page):
    page.wait_for_selector("body[data-ready]")


def send(page, path):
    page.set_input_files("#file", str(path))
    at(page, 0)


def at(page, step):
    """Wait until a step is shown."""
    page.wait_for_selector(f"#after[data-step='{step}']")


def shown(page, image="#after"):
    """Return the picture that the page shows, int (h, w, 3)."""
    url = page.evaluate(
        """async (image) => {
          const [shown, canvas] = [document.querySelector(image), document.createElement('canvas')];
          await shown.decode();
          [canvas.width, canvas.height] = [shown.naturalWidth, shown.naturalHeight];
          canvas.getContext('2d').drawImage(shown, 0, 0);
          return canvas.toDataURL('image/png');
        }""",
        image,
    )
    body = base64.b64decode(url.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGB")).astype(int)


def word(page, name, step):
    page.click(f"[data-word='{name}']")
    at(page, step)


def saved(page, click, path):
    with page.expect_download() as download:
        page.click(click)
    download.value.save_as(path)
    return download.value.suggested_filename


def keep(page, name, folder):
    """Take a screenshot; MIEN_SCREENSHOTS names a folder for those that the docs show."""
    page.wait_for_function("[...document.querySelectorAll('#history img')].every((image) => image.complete)")
    page.screenshot(path=Path(os.environ.get("MIEN_SCREENSHOTS", folder)) / name)
