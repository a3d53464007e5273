"""`mien app` as a process: what it leaves behind however it ends, many at once, and what no browser would send."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from skimage.data import astronaut

pytest.importorskip("uvicorn", reason="uvicorn is not installed: pip install 'mien[web]'")
pytestmark = pytest.mark.slow
PATIENCE = 120  # seconds that a busy machine may take
# The verb itself, with two quick models in place of all.
QUICK = """
import signal
for name in ("SIGTERM", "SIGHUP", "SIGQUIT"):  # heard, if whoever started the tests ignores them, as nohup does
    if hasattr(signal, name):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
import mien.web.server as server
from mien.editing.editor import Editor
server.opened = lambda models, device: {name: Editor(name) for name in ("ter_gan", "evaluator")}
from mien.cli import main
main()
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def start(folder):
    """Start `mien app`; return its process and its port."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", QUICK, "app", "--port", str(port), "--model", "ter_gan"],
        env=os.environ | {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=(folder / "told").open("w"), text=True,
    )  # fmt: skip
    for line in process.stdout:
        if f":{port}" in line:
            return SimpleNamespace(process=process, port=port, folder=folder)
    raise AssertionError(f"mien app ended before it served: {(folder / 'told').read_text()}")


@pytest.fixture
def started(tmp_path):
    running = []

    def begin():
        running.append(start(tmp_path))
        return running[-1]

    yield begin
    for one in running:
        one.process.kill()
        one.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    one = start(tmp_path_factory.mktemp("served"))
    yield one
    one.process.terminate()
    one.process.wait(PATIENCE)
    assert "Traceback" not in (one.folder / "told").read_text()


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "me.jpg"
    Image.fromarray(astronaut()[:260, 100:360]).save(path, quality=95)
    return path.read_bytes()


class Visitor:
    """A browser of its own, by the standard library alone."""

    def __init__(self, one):
        self.address = f"http://127.0.0.1:{one.port}"
        with urllib.request.urlopen(self.address, timeout=PATIENCE) as answer:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def ask(self, path, body=None, kind="application/json"):
        request = urllib.request.Request(
            f"{self.address}/api/{path}", body, {"Cookie": self.cookie, "Content-Type": kind}
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def send(self, content):
        body = (
            b'--e\r\nContent-Disposition: form-data; name="file"; filename="me.jpg"\r\n\r\n'
            + content
            + b"\r\n--e--\r\n"
        )
        return self.ask("photos", body, "multipart/form-data; boundary=e")


def left(folder):
    return [path for path in Path(folder).glob("mien-app-*/*/*") if path.is_file()]


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
@pytest.mark.parametrize("number", ["SIGHUP", "SIGQUIT", "SIGTERM", "SIGINT"])
def test_a_signal_leaves_no_photograph(started, photo, number):
    one = started()
    assert Visitor(one).send(photo)[0] == 200 and left(one.folder)
    one.process.send_signal(getattr(signal, number))
    one.process.wait(PATIENCE)
    assert not list(one.folder.glob("mien-app-*"))


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_what_a_killed_one_left_goes_when_the_next_starts_and_a_living_ones_stays(started, photo):
    living, killed = started(), started()
    for one in (living, killed):
        assert Visitor(one).send(photo)[0] == 200
    assert len(left(living.folder)) == 2
    killed.process.kill()
    killed.process.wait(PATIENCE)
    assert len(left(living.folder)) == 2
    started()
    assert len(left(living.folder)) == 1


def test_fifty_at_once_are_answered_and_nobody_has_anothers(served, photo):
    answers = [None] * 50

    def visit(k):
        mine = Visitor(served)
        status, told = mine.send(photo)
        answers[k] = status, json.loads(told).get("photo"), json.loads(mine.ask("session")[1])["photo"]

    threads = [threading.Thread(target=visit, args=(k,)) for k in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, *_ in answers} == {200}
    assert len({sent for _, sent, _ in answers}) == 50 and all(sent == kept for _, sent, kept in answers)


OURS = b" HTTP/1.1\r\nHost: 127.0.0.1\r\n"
STEPS = b"POST /api/steps" + OURS
ODD = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /" + OURS + b"Host: evil.example\r\n\r\n",
    "absolute": b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "absolute, our name": b"GET http://evil.example/x" + OURS + b"\r\n",
    "two lengths": STEPS + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "length and chunks": STEPS + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\nGET /api/session" + OURS + b"\r\n",
    "chunks of odd sizes": STEPS + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
    "chunks, spelt oddly": STEPS + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a negative length": STEPS + b"Content-Length: -5\r\n\r\n",
    "a folded header": b"GET /api/session" + OURS + b"Cookie: mien=\r\n x\r\n\r\n",
    "a space before the colon": b"GET /api/session" + OURS + b"Cookie : mien=x\r\n\r\n",
    "a long header": b"GET /" + OURS + b"X: " + b"x" * 200_000 + b"\r\n\r\n",
    "many headers": b"GET /api/session" + OURS + b"".join(b"X%d: x\r\n" % k for k in range(9000)) + b"\r\n",
    "a long line": b"GET /" + b"x" * 1_000_000 + OURS + b"\r\n",
    "a nought": b"GET /api/session" + OURS + b"Cookie: mien=\x00\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60) + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "connect": b"CONNECT evil.example:80" + OURS + b"\r\n",
    "trace": b"TRACE /" + OURS + b"\r\n",
    "options": b"OPTIONS *" + OURS + b"\r\n",
    "put": b"PUT /api/files/x" + OURS + b"Content-Length: 1\r\n\r\nx",
    "delete": b"DELETE /" + OURS + b"\r\n",
    "a socket": b"GET /api/session" + OURS + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "outside": b"GET /static/../../../../etc/passwd" + OURS + b"\r\n",
    "outside, spelt": b"GET /static/%2e%2e/%2e%2e/x" + OURS + b"\r\n",
    "a path of bytes": b"GET /api/files/\xff\xfe" + OURS + b"\r\n",
    "a half request": b"POST /api/photos" + OURS + b"Content-Length: 1000\r\n\r\nx",
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_what_no_browser_would_send_is_refused_and_the_next_is_answered(served, name):
    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as line:
        try:
            line.sendall(ODD[name])
            with contextlib.suppress(OSError):  # hung up on already
                line.shutdown(socket.SHUT_WR)
            answer = b""
            while part := line.recv(1 << 16):
                answer += part
        except ConnectionError:
            answer = b""  # hung up on, before all was said
    heads = [head for head in answer.split(b"\r\n") if head.startswith(b"HTTP/1.")]
    assert all(head.split()[1].startswith(b"4") for head in heads), heads
    assert b"Traceback" not in answer and b'"photos"' not in answer and b"/home" not in answer
    assert Visitor(served).ask("session")[0] == 200


@pytest.mark.parametrize("count", [1, 2, 5000])
def test_forged_cookies_are_nobodys(served, count):
    visitor = Visitor(served)
    name, own = visitor.cookie.split("=")
    forged = [f"{name}={own[:-1]}{'A' if own[-1] != 'A' else 'B'}", f"{name}={own}x", f"{name}=../../{own}", f"{name}="]
    assert visitor.send(b"x")[0] == 422  # known
    for value in forged:
        visitor.cookie = "; ".join([value] * count)
        try:
            status, told = visitor.ask("session")
        except OSError:
            continue  # hung up on
        assert status in (400, 403, 431) or (status == 200 and json.loads(told)["photo"] is None)
