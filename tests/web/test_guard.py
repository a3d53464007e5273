"""The guard before the page: who may ask, what may be asked for, and whose it is. No server, no model."""

import asyncio
import base64
import json

import pytest

pytest.importorskip("gradio", reason="gradio is not installed: pip install 'mien[web]'")
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mien.errors import InputError
from mien.web import guard as guard_module
from mien.web.door.accounts import admits, read_accounts
from mien.web.door.guard import Guard
from mien.web.orders import FILE, MOST, STATE, VALUE, TooLarge, read_all, read_order
from mien.web.door.origins import Origins
from mien.web.door.store import Store
from mien.web.door.transfer import safe_name

OWN = "http://127.0.0.1:7860"
INPUTS = {0: [FILE, VALUE, STATE], 1: []}
PUBLIC = "https://faces.example"


async def page(scope, receive, send):
    """Stands for gradio: answers with what reached it, or fails as it does."""
    if scope["path"] == "/assets/bad.js":
        raise KeyError("within")
    if scope["path"] == "/assets/late.js":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError("within")
    body = b"" if scope["method"] == "GET" else await read_all(receive)
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    seen = {"path": scope["path"], "query": scope["query_string"].decode(), "body": body.decode(), "headers": headers}
    await JSONResponse(seen)(scope, receive, send)


@pytest.fixture
def make(tmp_path):
    """Return what makes a browser, cookie and all, that speaks to a guard of its own or to another's."""

    def browser(guard=None, url=OWN, opened=True, **how):
        origins = how.pop("origins", Origins())
        guard = guard or Guard(page, Store(tmp_path / "store"), origins, INPUTS, 2000, **how)
        client = TestClient(guard, base_url=url, raise_server_exceptions=True)
        client.guard = guard
        if opened:
            assert client.get("/").status_code == 200
        return client

    return browser


def upload(browser, body=b"a picture", name="me.png", **more):
    return browser.post("/gradio_api/upload?upload_id=x", files={"files": (name, body, "image/png")}, **more)


def raw(browser, path):
    """Ask for a path as it is: clients tidy up paths before they send them. Return status and body."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        await asyncio.sleep(0 if not sent else 3600)
        return {"type": "http.request", "body": b""}

    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = [(b"host", b"127.0.0.1:7860"), (b"cookie", cookie.encode())]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers, "scheme": "http"}
    asyncio.run(browser.guard(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def join(browser, order, **more):
    return browser.post("/gradio_api/queue/join", content=json.dumps(order), **more)


ORDER = {"fn_index": 1, "data": [], "session_hash": "mine"}


@pytest.mark.parametrize(
    "host, ours",
    [
        ("127.0.0.1:7860", True), ("localhost", True), ("LOCALHOST:80", True), ("[::1]:7860", True),
        ("127.8.8.8", True), ("192.0.2.7:7860", True), ("faces.example", True), ("faces.example:8443", True),
        ("mine.lan:7860", True),
        ("evil.example:7860", False), ("localhost.evil.example", False), ("127.0.0.1.evil.example", False),
        ("192.0.2.8:7860", False), ("0.0.0.0:7860", False), ("", False), ("localhost@evil.example", False),
        ("evil.example/localhost", False), ("localhost:7860:1", False), ("[::1", False), ("2130706433", False),
        ("localhost\x00", False), ("xn--loclhost-2ya", False), ("ｌocalhost", False),
    ],
)  # fmt: skip
def test_only_this_computers_own_names_are_answered(host, ours):
    assert Origins([PUBLIC], "mine.lan").answers_to(host, reached="192.0.2.7") is ours


@pytest.mark.parametrize(
    "origin, taken",
    [
        (OWN, True), ("https://127.0.0.1:7860", True), (PUBLIC, True), ("HTTPS://Faces.Example", True),
        ("http://127.0.0.1:7861", False), ("http://localhost:7860", False), ("null", False), ("", False),
        ("http://evil.example", False), ("http://faces.example", False), ("https://faces.example.evil.example", False),
        ("http://127.0.0.1:7860.evil.example", False), ("file://", False), (f"{OWN} http://evil.example", False),
    ],
)  # fmt: skip
def test_only_the_pages_own_website_is_listened_to(origin, taken):
    assert Origins([PUBLIC]).takes_from(origin, "127.0.0.1:7860") is taken


def test_an_allowed_address_is_one_or_a_line():
    assert Origins(["https://Faces.Example:443/", "http://x:80"]).allowed == {PUBLIC, "http://x"}
    for text in (
        "faces.example",
        "ftp://x",
        "https://",
        "https://x/path",
        "https://a b",
        "*",
        "http://x:99999",
        "http://[",
    ):
        with pytest.raises(InputError, match="--allow"):
            Origins([text])


def test_foreign_names_and_websites_are_refused(make):
    browser = make()
    for path in ("/", "/config", "/assets/x.js", "/gradio_api/queue/data?session_hash=a"):
        assert browser.get(path, headers={"Host": "evil.example"}).status_code == 421
        assert browser.get(path, headers={"Origin": "http://evil.example"}).status_code == 403
        assert (
            browser.options(path, headers={"Origin": "null", "Access-Control-Request-Method": "POST"}).status_code
            == 403
        )
    for origin in ("http://evil.example", "null", "http://127.0.0.1:80"):
        assert upload(browser, headers={"Origin": origin}).status_code == 403
        assert join(browser, ORDER, headers={"Origin": origin}).status_code == 403
    assert upload(browser, headers={"Host": "evil.example:7860"}).status_code == 421
    assert upload(browser, headers={"Origin": OWN}).status_code == join(browser, ORDER).status_code == 200
    both = [("Host", "127.0.0.1:7860"), ("Origin", OWN), ("Origin", "http://evil.example")]
    assert browser.get("/config", headers=both).status_code == 403


def test_pictures_and_frames_of_other_websites_are_refused_and_links_are_not(make):
    browser = make()
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert browser.get("/", headers=link).status_code == 200
    assert browser.get("/config", headers=link).status_code == 403
    for site in ("cross-site", "same-site"):  # another port of this computer is the same site
        for dest in ("image", "iframe", "script", "empty"):
            for mode in ("navigate", "no-cors"):
                other = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
                assert browser.get("/", headers=other).status_code == 403
    assert browser.get("/config", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_only_what_the_page_needs_is_served(make):
    browser = make()
    for path in ("/", "/config", "/theme.css?v=1", "/assets/index-1.js", "/static/js/x.js", "/gradio_api/heartbeat/ab"):
        assert browser.get(path).status_code == 200, path
    closed = (
        "proxy=http://evil.example/x.png", "proxy=https://x.hf.space/", "file/etc/passwd", "info", "openapi.json",
        "runs", "stream/a/b/1/playlist.m3u8", "startup-events", "app_id", "token", "user", "login_check", "dev/reload",
        "deep_link", "call/v2/x/1", "queue/status", "vibe-code", "mcp/sse", "custom_component/a/client/b/c", "",
        "heartbeat/a/b", "../config", "queue/../../config",
    )  # fmt: skip
    for part in closed:
        assert raw(browser, f"/gradio_api/{part}")[0] == 404, part
    for part in ("run/x", "api/x", "call/x", "stream/x", "cancel", "reset", "component_server", "process_recording",
                 "vibe-edit", "run-history/connect", "queue/data", "file=x", "heartbeat/x"):  # fmt: skip
        assert browser.post(f"/gradio_api/{part}", json={}).status_code == 404, part
    paths = ("/login", "/logout", "/monitoring", "/monitoring/x", "/svelte/x", "/docs", "/manifest.json", "/pwa_icon")
    for path in (
        *paths,
        "/static/../config",
        "/assets/../x",
        "//evil.example/",
        "/assets/\x00",
        "config",
        "/gradio_api",
    ):
        assert raw(browser, path)[0] == 404, path
    assert browser.post("/login", data={"username": "a", "password": "b"}).status_code == 404
    assert browser.get("/config?deep_link=x").json()["query"] == ""


def test_a_browser_reads_what_it_sent_and_nobody_else_does(make, tmp_path):
    one = make()
    two = make(one.guard)
    (path,) = upload(one, b"mine", "Café 1.png").json()
    assert path.startswith(str(tmp_path)) and path.endswith("Café 1.png")
    got = one.get(f"/gradio_api/file={path}")
    assert got.content == b"mine" and got.headers["content-type"] == "image/png"
    assert "no-store" in got.headers["cache-control"] and "sandbox" in got.headers["content-security-policy"]
    assert two.get(f"/gradio_api/file={path}").status_code == 404
    assert make(one.guard, opened=False).get(f"/gradio_api/file={path}").status_code == 403
    (same,) = upload(two, b"mine", "Café 1.png").json()  # the same file, but not the same place
    assert same != path


def test_whatever_was_not_sent_looks_alike_however_it_is_spelt(make, tmp_path):
    browser = make()
    (path,) = upload(browser).json()
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    folder, name = path.rsplit("/", 1)
    spelt = [
        str(secret), "/etc/passwd", f"{folder}/../sent/{name}", f"{folder}//{name}", f"{folder}/./{name}", f"/{path}",
        f"{folder}/../../../secret.png", folder, f"{path}/", f"{path}\x00", f"{path}\x00.png", f"file://{path}", "",
        f"{folder}/%2e%2e/sent/{name}", path.replace("/", "\\"), path.upper(), "http://evil.example/x.png", "C:\\x",
        "http://127.0.0.1:1/x.png", "\\\\evil.example\\x", "/proc/self/environ", f"{path}?x=1", f"{path} ", f" {path}",
    ]  # fmt: skip
    assert {raw(browser, f"/gradio_api/file={s}") for s in spelt} == {(404, b"mien: there is no such file\n")}
    assert browser.get(f"/gradio_api/file={path}").content == b"a picture"
    told = set()
    for sent in (*spelt, secret, None, 5, [path], {"path": path}):
        with pytest.raises(InputError) as error:
            browser.guard.store.sent("somebody", sent)
        told.add(str(error.value))
    assert len(told) == 1


def test_uploads_have_bounds_and_leave_nothing_where_they_fail(make, tmp_path):
    browser = make()
    assert upload(browser, bytes(2000)).status_code == 200
    before = list((tmp_path / "store").rglob("*"))
    assert upload(browser, bytes(2001)).status_code == 413
    assert upload(browser, bytes(1 << 20)).status_code == 413
    url = "/gradio_api/upload"
    assert browser.post(url, files=[("files", ("a", b"1")), ("files", ("b", b"2"))]).status_code == 400
    assert browser.post(url, files={"other": ("a", b"1")}).status_code == 400
    assert browser.post(url, data={"files": "a"}).status_code == 400
    assert browser.post(url, content=b"x").status_code == 400
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x", "multipart/form-data; boundary="):
        assert browser.post(url, content=b"--y\r\nrubbish", headers={"Content-Type": kind}).status_code == 400
    assert list((tmp_path / "store").rglob("*")) == before


@pytest.mark.parametrize(
    "name, kept",
    [
        ("me.png", "me.png"), ("../../x.png", "x.png"), ("/etc/passwd", "passwd"), ("C:\\a\\b.jpg", "b.jpg"),
        ("..", "photograph"),
        ("", "photograph"), ("a\x00b\n.png", "a_b_.png"), ("<script>.png", "_script_.png"), (".htaccess", "htaccess"),
        ("\ud800.png", "_.png"), ("x" * 5000 + ".png", "x" * 120 + ".png"), ("木" * 500 + ".png", "木" * 40 + ".png"),
    ],
)  # fmt: skip
def test_names_are_kept_where_they_can_be(name, kept):
    assert safe_name(name) == kept and len(safe_name(name).encode()) < 200


def test_sessions_bear_their_browsers_name(make):
    one = make()
    two = make(one.guard)
    names = [json.loads(join(b, ORDER).json()["body"])["session_hash"] for b in (one, one, two)]
    assert names[0] == names[1] != names[2] and all(name.endswith(".mine") for name in names)
    asked = [b.get("/gradio_api/queue/data?session_hash=mine&x=1").json()["query"] for b in (one, two)]
    assert asked == [f"session_hash={names[0]}", f"session_hash={names[2]}"]
    assert one.get("/gradio_api/heartbeat/mine").json()["path"] == f"/gradio_api/heartbeat/{names[0]}"
    for stolen in (names[0], "a/b", "", "x" * 65, "ä", None, 5, ["mine"]):
        assert join(two, ORDER | {"session_hash": stolen}).status_code == 400
    assert two.get(f"/gradio_api/queue/data?session_hash={names[0]}").status_code == 400


def test_without_the_cookie_nothing_is_done(make):
    bare = make(opened=False)
    assert upload(bare).status_code == join(bare, ORDER).status_code == 403
    for wrong in ("", "short", "x" * 44, "x" * 42 + "é", '"' + "x" * 43):
        bare.cookies.clear()
        assert upload(bare, headers={"Cookie": f"mien={wrong}".encode()}).status_code == 403
    given = bare.get("/").headers["set-cookie"]
    assert "HttpOnly" in given and "SameSite=Lax" in given and "Secure" not in given
    assert "Secure" in make(url="https://localhost", opened=False).get("/").headers["set-cookie"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"5", b"{", b"\xff", b"null", b"[" * 100_000, b'{"data":' + b"[" * 60_000, b'{"fn_index": 0}',
        b'{"fn_index": 7, "data": []}', b'{"fn_index": true, "data": []}', b'{"fn_index": 1.0, "data": []}',
        b'{"fn_index": [1], "data": []}', b'{"fn_index": 0, "data": {}}', b'{"fn_index": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused(make, body):
    assert make().post("/gradio_api/queue/join", content=body).status_code == 400


def test_an_event_is_bounded_and_holds_only_what_the_page_sends(make):
    browser = make()
    assert browser.post("/gradio_api/queue/join", content=b" " * (MOST + 1)).status_code == 413
    sent = {"path": "http://evil.example/x", "url": "http://evil.example/x", "meta": {"_type": "gradio.FileData"}}
    more = {"event_data": {"a": 1}, "oauth_token": "x", "simple_format": True, "event_id": "x", "trigger_id": 3}
    order = ORDER | more | {"fn_index": 0, "data": [sent, {"__type__": "update"}, sent, sent]}
    assert json.loads(join(browser, order).json()["body"]).items() >= {
        ("fn_index", 0), ("trigger_id", 3), ("event_data", None)
    }  # fmt: skip
    assert json.loads(join(browser, order).json()["body"])["data"] == [{"path": sent["path"]}, None, None]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, [1], {"a": 1}])
def test_values_that_nothing_holds_are_nothing(value):
    body = json.dumps(ORDER | {"fn_index": 0, "data": [value, value]}).encode()
    file, plain, state = read_order(body, INPUTS)["data"]
    assert file == {"path": ""} and plain is None and state is None


def test_a_body_without_an_end_is_not_read_to_it():
    async def endless():
        return {"type": "http.request", "body": bytes(1000), "more_body": True}

    with pytest.raises(TooLarge):
        asyncio.run(read_all(endless))


def test_what_goes_wrong_inside_is_told_neither_the_browser_nor_the_terminal(make, capfd):
    browser = make()
    answer = browser.get("/assets/bad.js")
    assert answer.status_code == 500 and "KeyError" not in answer.text
    assert browser.get("/assets/late.js").content == b""
    assert capfd.readouterr() == ("", "")


def test_every_answer_keeps_other_websites_out(make):
    browser = make()
    for path in ("/", "/nowhere", "/gradio_api/file=x"):
        headers = browser.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert (
            headers["cross-origin-resource-policy"] == "same-origin" and headers["x-content-type-options"] == "nosniff"
        )
        assert "access-control-allow-origin" not in headers


def test_sockets_are_closed(make):
    with pytest.raises(WebSocketDisconnect), make().websocket_connect("/gradio_api/queue/join"):
        pass


def test_behind_a_proxy(make):
    browser = make(origins=Origins([PUBLIC]), prefix="/mien")
    for path in ("/mien", "/mien/", "/", "/mien/config", "/config"):  # proxies pass the path on, or take it off
        assert browser.get(path, headers={"Host": "faces.example"}).status_code == 200
    assert upload(browser, headers={"Origin": PUBLIC}).status_code == 200  # Host is the proxy's idea of us
    forged = {"X-Forwarded-Host": "evil.example", "X-Gradio-Server": "http://evil.example"}
    assert not {name.lower() for name in forged} & browser.get("/", headers=forged).json()["headers"].keys()


def test_accounts(make, tmp_path, monkeypatch):
    monkeypatch.setattr(guard_module, "WRONG", 0.0)
    file = tmp_path / "accounts"
    file.write_text("# who may enter\n\nann:söme:thing\nbob:x\n")
    file.chmod(0o600)
    browser = make(accounts=read_accounts(file), opened=False)

    def basic(text, kind="Basic"):
        return {"Authorization": f"{kind} {base64.b64encode(text.encode()).decode()}"}

    for headers in (
        {},
        basic("ann:x"),
        basic("bob:"),
        basic(":"),
        basic("bob:x", "Bearer"),
        {"Authorization": "Basic é"},
    ):
        for path in ("/", "/config", "/assets/x.js", "/gradio_api/file=x"):
            sent = {name: value.encode() for name, value in headers.items()}
            answer = browser.get(path, headers=sent)
            assert answer.status_code == 401 and "Basic" in answer.headers["www-authenticate"]
    for who in ("ann:söme:thing", "bob:x"):
        assert browser.get("/", headers=basic(who)).status_code == 200
    assert not admits({}, "Basic Og==")


@pytest.mark.parametrize(
    "text, mode, told",
    [("a:b", 0o644, "others may read"), ("a", 0o600, "line 1"), (":b", 0o600, "line 1"), ("", 0o600, "nobody")],
)
def test_a_file_of_accounts_is_one_or_a_line(tmp_path, text, mode, told):
    file = tmp_path / "accounts"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(InputError, match=rf"--auth .*{told}"):
        read_accounts(file)
    with pytest.raises(InputError, match="--auth"):
        read_accounts(tmp_path)
