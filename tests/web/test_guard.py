"""The guard before the page: who may ask, what may be asked for, and whose it is. No server, no model."""

import asyncio
import base64

import pytest

pytest.importorskip("starlette", reason="starlette is not installed: pip install 'mien[web]'")
pytest.importorskip("httpx", reason="httpx is not installed: pip install 'mien[dev]'")
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mien.errors import InputError
from mien.web.door import guard as guard_module
from mien.web.door.accounts import admits, read_accounts
from mien.web.door.guard import OWNER, Guard
from mien.web.door.origins import Origins
from mien.web.door.transfer import safe_name

OWN = "http://127.0.0.1:7860"
PUBLIC = "https://faces.example"


async def page(scope, receive, send):
    """Stands for the page: answers with what reached it, or fails."""
    if scope["path"] == "/static/bad.js":
        raise KeyError("within")
    if scope["path"] == "/static/late.js":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError("within")
    seen = {"path": scope["path"], "owner": scope.get(OWNER), "method": scope["method"]}
    await JSONResponse(seen)(scope, receive, send)


@pytest.fixture
def make():
    """Return what makes a browser, cookie and all, that speaks to a guard of its own or to another's."""

    def browser(guard=None, url=OWN, opened=True, **how):
        origins = how.pop("origins", Origins())
        guard = guard or Guard(page, origins, **how)
        client = TestClient(guard, base_url=url, raise_server_exceptions=True)
        client.guard = guard
        if opened:
            assert client.get("/").status_code == 200
        return client

    return browser


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
    for path in ("/", "/static/x.js", "/api/session"):
        assert browser.get(path, headers={"Host": "evil.example"}).status_code == 421
        assert browser.get(path, headers={"Origin": "http://evil.example"}).status_code == 403
        asked = {"Origin": "null", "Access-Control-Request-Method": "POST"}
        assert browser.options(path, headers=asked).status_code == 403
    for path in ("/api/photos", "/api/preview", "/api/steps", "/api/jobs"):
        for origin in ("http://evil.example", "null", "http://127.0.0.1:80"):
            assert browser.post(path, headers={"Origin": origin}).status_code == 403
        assert browser.post(path, headers={"Host": "evil.example:7860"}).status_code == 421
        assert browser.post(path, headers={"Origin": OWN}).status_code == browser.post(path).status_code == 200
    both = [("Host", "127.0.0.1:7860"), ("Origin", OWN), ("Origin", "http://evil.example")]
    assert browser.get("/", headers=both).status_code == 403


def test_pictures_and_frames_of_other_websites_are_refused_and_links_are_not(make):
    browser = make()
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert browser.get("/", headers=link).status_code == 200
    assert browser.get("/api/session", headers=link).status_code == 403
    for site in ("cross-site", "same-site"):  # another port of this computer is the same site
        for dest in ("image", "iframe", "script", "empty"):
            for mode in ("navigate", "no-cors"):
                other = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
                assert browser.get("/", headers=other).status_code == 403
    assert browser.get("/api/session", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_a_website_that_was_named_may_show_the_page_within_its_own_and_no_other(make):
    browser = make(frames=["https://hub.example"], url="https://localhost")
    frame = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    shown = browser.get("/", headers=frame)
    assert (
        shown.status_code == 200 and "frame-ancestors https://hub.example" in shown.headers["content-security-policy"]
    )
    assert "SameSite=None; Secure; Partitioned" in shown.headers["set-cookie"]
    assert browser.get("/api/session", headers=frame).status_code == 403
    assert (
        browser.post("/api/steps", headers={"Origin": "https://hub.example"}).status_code == 403
    )  # shown is not asked


def test_only_the_page_and_its_answers_are_asked_for(make):
    browser = make()
    for path in ("/", "/static/page.js", "/api/session"):
        assert browser.get(path).status_code == 200, path
    paths = ("/config", "/login", "/docs", "/openapi.json", "/info", "/static/", "/static/a/b", "/static/../x",
             "//evil.example/", "/static/\x00", "config", "/api", "/apis/x", "/proxy=http://a.b/x")  # fmt: skip
    for path in paths:
        assert raw(browser, path)[0] == 404, path
    assert browser.post("/").status_code == browser.post("/static/page.js").status_code == 404


def test_a_browser_is_known_by_its_cookie_and_nobody_else_is(make):
    one = make()
    two = make(one.guard)
    owners = [b.get("/api/session").json()["owner"] for b in (one, one, two)]
    assert owners[0] == owners[1] != owners[2] and len(owners[0]) == 32
    assert one.get("/").headers["set-cookie"].startswith("mien=" + one.cookies["mien"])  # the same for another hour
    assert make(one.guard, opened=False).get("/api/session").status_code == 403


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


def test_without_the_cookie_nothing_is_done(make):
    bare = make(opened=False)
    assert bare.post("/api/photos").status_code == bare.get("/api/session").status_code == 403
    for wrong in ("", "short", "x" * 44, "x" * 42 + "é", '"' + "x" * 43):
        bare.cookies.clear()
        assert bare.get("/api/session", headers={"Cookie": f"mien={wrong}".encode()}).status_code == 403
    given = bare.get("/").headers["set-cookie"]
    assert "Max-Age=3600" in given and "HttpOnly" in given and "SameSite=Lax" in given and "Secure" not in given
    assert "Secure" in make(url="https://localhost", opened=False).get("/").headers["set-cookie"]


def test_what_goes_wrong_inside_is_told_neither_the_browser_nor_the_terminal(make, capfd):
    browser = make()
    answer = browser.get("/static/bad.js")
    assert answer.status_code == 500 and "KeyError" not in answer.text
    assert browser.get("/static/late.js").content == b""
    assert capfd.readouterr() == ("", "")


def test_every_answer_keeps_other_websites_out(make):
    browser = make()
    for path in ("/", "/nowhere", "/api/session"):
        headers = browser.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert (
            headers["cross-origin-resource-policy"] == "same-origin" and headers["x-content-type-options"] == "nosniff"
        )
        assert "access-control-allow-origin" not in headers


def test_sockets_are_closed(make):
    with pytest.raises(WebSocketDisconnect), make().websocket_connect("/api/session"):
        pass


def test_behind_a_proxy(make):
    browser = make(origins=Origins([PUBLIC]), prefix="/mien")
    for path in (
        "/mien",
        "/mien/",
        "/",
        "/mien/static/page.js",
        "/mien/api/session",
        "/api/session",
    ):  # path passed on, or taken off
        assert browser.get(path, headers={"Host": "faces.example"}).status_code == 200
    assert browser.get("/mien/api/session").json()["path"] == "/api/session"
    assert browser.post("/api/photos", headers={"Origin": PUBLIC}).status_code == 200  # Host is the proxy's idea of us


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
        for path in ("/", "/static/page.js", "/api/session"):
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
