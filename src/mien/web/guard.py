"""The one guard before the page: who may ask, what may be asked for, and whose it is.

Gradio serves much that this page does not need, opens paths and addresses that events name, and keeps what is sent
under names that others can find. So nothing reaches it but what the page's own scripts need, and that in the guard's
words: files come and go through the store, and a browser's sessions bear the browser's name, so that nobody can join,
read or end another's.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.web.accounts import admits
from mien.web.orders import TooLarge, read_all, read_order
from mien.web.origins import Origins
from mien.web.store import Store
from mien.web.transfer import hand_out, take_in

API = "/gradio_api"
PLAIN = re.compile(r"/(config|theme\.css|favicon\.ico|(assets|static)/[\w./@+-]*)?")  # the page and its scripts
SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)
TOKEN = re.compile(r"[\w-]{43}", re.ASCII)
WRONG = 1.0  # seconds that a wrong password costs
BETWEEN = {"x-forwarded-host", "x-gradio-server"}  # headers from which gradio would learn its own name
POLICY = "; ".join(
    ("default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:", "object-src 'none'", "base-uri 'self'",
     "form-action 'self'", "frame-ancestors 'none'")
)  # fmt: skip
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
FOREIGN_HOST = "mien: this page does not answer to that name; if it is yours, start it with --allow http://NAME:PORT"
FOREIGN_ORIGIN = "mien: another website may not use this page; if it is yours, start it with --allow https://NAME"
NO_COOKIE = "mien: open the page itself first, in a browser that takes its cookie"


class Refusal(Exception):
    """A request that goes no further: its status and a line that says why."""

    def __init__(self, status: int, why: str, headers: Mapping[str, str] | None = None):
        super().__init__(why)
        self.answer = PlainTextResponse(why + "\n", status, headers)


class Guard:
    """ASGI: stands before the application that makes the page."""

    def __init__(
        self,
        page: ASGIApp,
        store: Store,
        origins: Origins,
        inputs: Mapping[int, Sequence[str]],
        most: int,
        accounts: Mapping[str, str] | None = None,
        prefix: str = "",
        cookie: str = "mien",
    ):
        """`inputs` are the kinds of what each event of the page is sent, as `orders` knows them.

        `most` is the bytes that may be sent at once, `accounts` passwords by name if not everybody may enter,
        `prefix` the path below which a proxy shows the page, `cookie` the name under which browsers keep their token.
        """
        self.page, self.store, self.origins, self.inputs, self.most = page, store, origins, inputs, most
        self.accounts, self.prefix, self.cookie = accounts, prefix.rstrip("/"), cookie
        self._salt = secrets.token_bytes(16)
        self._wrong = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the page answer; nothing that goes wrong in there reaches the terminal."""
        if scope["type"] == "lifespan":
            await self.page(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # the page uses none
        else:
            answered = Answered(send, scope)
            try:
                await self._answer(dict(scope), receive, answered)
            except Refusal as refusal:
                await answered.end(refusal.answer)
            except ClientDisconnect:
                pass
            except Exception:
                await answered.end(PlainTextResponse("mien: that cannot be answered\n", 500))

    async def _answer(self, scope: Scope, receive: Receive, send: Answered) -> None:
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        if self.prefix and f"{path}/".startswith(f"{self.prefix}/"):  # a proxy that passes paths on as they are
            path = path[len(self.prefix) :]
        path = path if path.startswith(f"{API}/file=") else path.rstrip("/") or "/"
        self._refuse_strangers(scope, headers, path)
        await self._refuse_unknown(headers)
        getting = method in ("GET", "HEAD")
        token = self._token(headers)
        if getting and PLAIN.fullmatch(path) and ".." not in path:
            if path == "/" and token is None:
                send.cookie = self._new_cookie(scope)
            return await self.page(changed(scope, path), receive, send)
        if not path.startswith(f"{API}/"):
            raise Refusal(404, "mien: there is no such page")
        if token is None:
            raise Refusal(403, NO_COOKIE)
        owner = hashlib.sha256(self._salt + token.encode()).hexdigest()[:32]
        part = path[len(API) + 1 :]
        if getting and part.startswith("file="):
            return await hand_out(self.store.find(owner, part[len("file=") :]), scope, receive, send)
        if method == "POST" and part == "upload":
            return await take_in(self.store, owner, self.most, scope, receive, send)
        if method == "GET" and part == "upload_progress":
            done = Response('data: {"msg": "done"}\n\n', media_type="text/event-stream")
            return await done(scope, receive, send)
        if method == "POST" and part == "queue/join":
            return await self._join(scope, receive, send, owner)
        if method == "GET" and part == "queue/data":
            asked = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]
            query = urlencode({"session_hash": session(owner, asked)})
            return await self.page(changed(scope, path, query), receive, send)
        if method == "GET" and (alive := re.fullmatch(r"heartbeat/([^/]*)", part)):
            return await self.page(changed(scope, f"{API}/heartbeat/{session(owner, alive[1])}"), receive, send)
        raise Refusal(404, "mien: there is no such page")

    def _refuse_strangers(self, scope: Scope, headers: Headers, path: str) -> None:
        """Raise Refusal for another name than ours and for another website."""
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        reached = (scope.get("server") or ("", 0))[0]
        if len(hosts) != 1 or not self.origins.answers_to(hosts[0], reached or ""):
            raise Refusal(421, FOREIGN_HOST)
        if any(not self.origins.takes_from(origin, hosts[0]) for origin in origins):
            raise Refusal(403, FOREIGN_ORIGIN)
        # Browsers also say so where they send no Origin: for pictures, scripts and frames.
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            link = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
            if not link or scope["method"] != "GET" or path != "/":
                raise Refusal(403, FOREIGN_ORIGIN)

    async def _refuse_unknown(self, headers: Headers) -> None:
        """Raise Refusal, after a while, for who has no account where one is needed."""
        given = headers.get("authorization", "")
        if self.accounts is None or admits(self.accounts, given):
            return
        if given:
            async with self._wrong:  # one guess after the other, however many guess
                await asyncio.sleep(WRONG)
        raise Refusal(401, "mien: a name and a password are needed", {"WWW-Authenticate": 'Basic realm="mien"'})

    def _token(self, headers: Headers) -> str | None:
        """Return what a browser is known by, which nobody else can guess."""
        try:
            kept = SimpleCookie("; ".join(headers.getlist("cookie"))).get(self.cookie)
        except CookieError:
            return None
        return kept.value if kept and TOKEN.fullmatch(kept.value) else None

    def _new_cookie(self, scope: Scope) -> str:
        """Return a cookie that no script reads and no other website's request bears."""
        secure = "; Secure" if scope["scheme"] == "https" else ""
        return f"{self.cookie}={secrets.token_urlsafe(32)}; Path=/; HttpOnly; SameSite=Lax{secure}"

    async def _join(self, scope: Scope, receive: Receive, send: Send, owner: str) -> None:
        """Pass an event on, of which nothing is left but what such an event of the page can hold."""
        try:
            order = read_order(await read_all(receive), self.inputs)
        except TooLarge as error:
            raise Refusal(413, "mien: that is more than an event of the page holds") from error
        except ValueError as error:
            raise Refusal(400, "mien: that is no event of the page") from error
        order["session_hash"] = session(owner, order["session_hash"])
        body = json.dumps(order).encode()
        scope = changed(scope, f"{API}/queue/join")
        headers = MutableHeaders(scope=scope)
        headers["content-type"], headers["content-length"] = "application/json", str(len(body))
        await self.page(scope, again(body, receive), send)


class Answered:
    """Sends an answer with what all answers bear, and knows how much of it is sent."""

    def __init__(self, send: Send, scope: Scope):
        self._send, self._scope = send, scope
        self.cookie = ""
        self.begun = self.over = False

    async def __call__(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in ALWAYS.items():
                headers.setdefault(name, value)
            if self.cookie:
                headers.append("set-cookie", self.cookie)
        elif message["type"] == "http.response.body":
            self.over = not message.get("more_body", False)
        await self._send(message)

    async def end(self, answer: Response) -> None:
        """Send an answer, or an end to the one that was begun."""

        async def nothing() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        if not self.begun:
            await answer(self._scope, nothing, self)
        elif not self.over:
            await self({"type": "http.response.body", "body": b""})


def session(owner: str, name: object) -> str:
    """Return a session's name behind the guard: its browser's, and what the browser calls it. Raises Refusal."""
    if not isinstance(name, str) or not SESSION.fullmatch(name):
        raise Refusal(400, "mien: that is no session of the page")
    return f"{owner}.{name}"


def owner_of(name: str) -> str:
    """Return whose session it is that has this name behind the guard."""
    return name.partition(".")[0]


def changed(scope: Scope, path: str, query: str = "") -> Scope:
    """Return a request with another path and query, without headers from which gradio would believe its name."""
    headers = [(name, value) for name, value in scope["headers"] if name.decode("latin-1").lower() not in BETWEEN]
    return {**scope, "path": path, "raw_path": path.encode(), "query_string": query.encode(), "headers": headers}


def again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body that was read before, and then what comes."""
    left = [body]

    async def given() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return given
