"""The page in a real browser: photographs in, another expression out, bad files told, nobody else asked."""

import io
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from mien.labels import AUS
from mien.media.provenance import EDITED, read_stamp
from mien.synth.person import sample_person
from mien.synth.studio import Studio
from mien.web.upload import MEGABYTES
from tests.web.test_session import HOSTILE

pytest.importorskip("gradio", reason="gradio is not installed: pip install 'mien[web]'")
driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'mien[dev]'")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed: apt-get install chromium"),
]
PATIENCE = 120_000  # milliseconds that a busy machine may take for one step
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


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Rendered people as files: a calm one, a grin, two in one photograph, and the calm one as a webcam's film."""
    folder = tmp_path_factory.mktemp("faces")
    one, other = Studio(sample_person(7), 384), Studio(sample_person(212), 384)
    calm, grin = one.render(units()).image, other.render(units(AU6=3, AU12=5, AU25=3)).image
    Image.fromarray(calm).save(folder / "calm.png")
    Image.fromarray(grin).save(folder / "grin.jpg", quality=95)
    Image.fromarray(np.hstack([calm, grin])).save(folder / "both.jpg", quality=95)
    frame = io.BytesIO()
    Image.fromarray(np.pad(calm, ((48, 48), (128, 128), (0, 0)), mode="edge")).save(frame, "JPEG", quality=95)
    (folder / "film.mjpeg").write_bytes(frame.getvalue() * 30)
    return folder


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def browser(faces):
    film = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    film += [f"--use-file-for-fake-video-capture={faces / 'film.mjpeg'}"]
    with driver.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", *film])
        yield opened
        opened.close()


@pytest.fixture
def page(browser, server):
    """The page, freshly opened; at the end, all that it asked for was the server's, and no script failed."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    asked, failed = [], []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: failed.append(str(error)))
    opened.goto(server.address)
    opened.wait_for_selector("#photo input[type=file]", state="attached")
    yield opened
    context.close()
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"} and len(asked) > 10
    assert not failed


def send(page, path, place="#photo"):
    page.set_input_files(f"{place} input[type=file]", str(path))


def told(page, text):
    """Wait until the page's line says `text`."""
    page.wait_for_function("text => document.querySelector('#status').innerText.includes(text)", arg=text)
    return page.inner_text("#status")


def shown(page):
    """Return the pictures before and after, int (h, w, 3), as the page shows them."""
    page.wait_for_function("[...document.querySelectorAll('#result img')].filter(i => i.naturalWidth).length == 2")
    sources = page.eval_on_selector_all("#result img", "images => images.map(i => i.src)")
    bodies = [page.request.get(source).body() for source in sources]
    return [np.asarray(Image.open(io.BytesIO(body)).convert("RGB")).astype(int) for body in bodies]


def pick(page, model):
    page.click("#model input")
    page.get_by_role("option", name=model, exact=True).click()


def ways(page):
    return [label.strip() for label in page.locator("#way label").all_inner_texts()]


def keep(page, name, folder):
    """Take a screenshot; MIEN_SCREENSHOTS names a folder for those that the docs show."""
    page.wait_for_function("!document.body.innerText.includes('processing |')")
    time.sleep(1)  # the wheel that tells of work fades
    page.screenshot(path=Path(os.environ.get("MIEN_SCREENSHOTS", folder)) / name, full_page=True)


def test_upload_edit_and_download(page, faces, tmp_path):
    send(page, faces / "calm.png")
    assert "384×384, one face" in told(page, "calm.png")
    page.wait_for_selector("#bars .was")
    page.click("#change")
    told(page, "edit: happiness 1.00")
    before, happy = shown(page)
    assert np.abs(happy - before).max() > 8
    page.click("#word label:has-text('surprise')")
    told(page, "edit: surprise 1.00")
    again, surprised = shown(page)
    assert np.array_equal(again, before) and np.abs(surprised - happy).max() > 8
    page.fill("#intensity input[type=number]", "0.4")
    page.click("#change")
    told(page, "edit: surprise 0.40")
    assert np.abs(shown(page)[1] - before).sum() < np.abs(surprised - before).sum()
    with page.expect_download() as download:
        page.click("#download")
    download.value.save_as(tmp_path / "result.png")
    assert download.value.suggested_filename == "calm-surprise.png"
    stamp = read_stamp(tmp_path / "result.png")
    assert (stamp.source, stamp.source_type, stamp.operation) == ("calm.png", EDITED, "edit: surprise 0.40")
    made = np.asarray(Image.open(tmp_path / "result.png"))
    assert made.shape == (384, 384, 3) and (made != np.asarray(Image.open(faces / "calm.png"))).any()
    page.click("#neutral")
    told(page, "neutralize")


def test_a_model_is_offered_what_it_can(page, faces, tmp_path):
    send(page, faces / "calm.png")
    told(page, "calm.png")
    assert ways(page) == [
        "Expression",
        "Action units",
        "Photograph",
        "Gaze and head",
    ]  # fields, with which the page begins
    page.click("#way label:has-text('Action units')")
    page.click("#each-side input")
    page.wait_for_selector("#au12R")
    page.fill("#au12 input[type=number]", "4")
    page.click("#set-units")
    told(page, "fields: edit: 12L=4 1.00")
    keep(page, "app_units.png", tmp_path)
    pick(page, "eet")
    page.wait_for_function("document.querySelectorAll('#way label').length == 3")
    assert ways(page) == ["Expression", "Action units", "Photograph"]
    told(page, "eet cannot edit by action unit of one side")
    page.fill("#au12 input[type=number]", "5")
    page.click("#set-units")
    told(page, "eet: edit: 12=5 1.00")
    before, after = shown(page)
    assert (after != before).any()
    assert page.locator("#au7").count() == 0 and page.locator("#each-side").count() == 0  # DISFA's units, both sides
    pick(page, "ter_gan")
    page.wait_for_function("document.querySelectorAll('#way label').length == 2")
    assert ways(page) == ["Expression", "Photograph"]
    told(page, "ter_gan cannot edit by action unit")


def test_transfer_between_photographs_of_several_faces(page, faces, tmp_path):
    send(page, faces / "both.jpg")
    told(page, "2 faces")
    page.click("#face label:has-text('1')")
    page.click("#way label:has-text('Photograph')")
    page.click("#transfer")
    told(page, "give the photograph whose expression to take")
    send(page, faces / "grin.jpg", "#like")
    page.wait_for_selector("#like img")
    page.click("#transfer")
    told(page, "transfer from grin.jpg")
    before, after = shown(page)
    assert (after != before).any()
    with page.expect_download() as download:
        page.click("#download")
    download.value.save_as(tmp_path / "result.jpg")
    assert download.value.suggested_filename == "both-transfer.jpg"  # in the form in which it came
    assert read_stamp(tmp_path / "result.jpg").operation == "transfer from grin.jpg"


def test_a_webcam_gives_a_photograph(page):
    page.click("#photo [aria-label='Capture from camera']")
    page.click("#photo [title='grant webcam access']")
    page.wait_for_function("document.querySelector('#photo video')?.videoWidth > 0")
    page.click("#photo [aria-label='capture photo']")
    assert "one face" in told(page, "image.")
    page.click("#change")
    told(page, "edit: happiness")


def test_fifty_uploads_many_of_them_hostile_and_it_still_serves(page, server, faces, tmp_path):
    bad = {name: (make(), reason) for name, (make, reason) in HOSTILE.items() if name != "big.png"}
    good = (faces / "calm.png").read_bytes()
    for k in range(50):
        name, (body, reason) = list(bad.items())[k % len(bad)] if k % 5 else ("calm.png", (good, "one face"))
        path = tmp_path / f"{k:02d}-{name}"
        path.write_bytes(body)
        send(page, path)
        assert reason in told(page, path.name)
    (tmp_path / "huge.png").write_bytes(good + bytes(100 << 20))
    send(page, tmp_path / "huge.png")
    page.wait_for_function("document.body.innerText.includes('exceed the maximum allowed size of 20')")
    send(page, faces / "calm.png")
    told(page, "calm.png: 384×384, one face")
    page.click("#change")
    told(page, "edit: happiness 1.00")
    assert server.process.poll() is None


def test_the_server_itself_keeps_the_limits(page, server, faces):
    over = {"files": {"name": "big.png", "mimeType": "image/png", "buffer": bytes((MEGABYTES << 20) + 1)}}
    assert page.request.post(f"{server.address}/gradio_api/upload", multipart=over).status == 413
    for path in ("/etc/passwd", str(faces / "calm.png"), str(Path(__file__))):
        assert page.request.get(f"{server.address}/gradio_api/file={path}").status in (403, 404)


@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_readable_on_a_screen_and_on_a_phone(page, faces, tmp_path, width):
    page.set_viewport_size({"width": width, "height": 900})
    send(page, faces / "calm.png")
    told(page, "calm.png")
    page.click("#change")
    told(page, "edit: happiness")
    shown(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("#photo", "#model", "#word", "#change", "#result", "#bars", "#download"):
        box = page.locator(name).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["width"] > 60
    keep(page, f"app_{width}.png", tmp_path)


def test_nobody_else_is_asked(page, server, faces):
    send(page, faces / "calm.png")
    told(page, "calm.png")
    page.click("#change")
    told(page, "edit: happiness")
    called = server.called.read_text().split()
    assert called[0] == "192.0.2.1"  # the watch works
    assert set(called[1:]) <= {"127.0.0.1", "localhost", "::1"}
