"""The one guard before the page: who may ask, from where, and whose it is.

Nothing reaches the page's own answers but from this computer's names and the page's own website; each browser is known
by a cookie that nobody else can guess or read, and everything is asked for in its name.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.web.door.accounts import admits
from mien.web.door.origins import Origins
from mien.web.door.refusal import Refusal

OWNER = "mien.owner"
"""Where in a request's scope stands whose it is."""

PLAIN = re.compile(r"/(static/[\w.-]+)?")  # the page and its scripts
KNOWN = 3600  # seconds for which a browser is known after it last asked
TOKEN = re.compile(r"[\w-]{43}", re.ASCII)
WRONG = 1.0  # seconds that a wrong password costs
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors "
)
ALWAYS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
FOREIGN_HOST = "this page does not answer to that name; if it is yours, start it with --allow http://NAME:PORT"
FOREIGN_ORIGIN = "another website may not use this page; if it is yours, start it with --allow https://NAME"
NO_COOKIE = "open the page itself first, in a browser that takes its cookie"


class Guard:
    """ASGI: stands before the application that makes the page."""

    def __init__(
        self,
        page: ASGIApp,
        origins: Origins,
        accounts: Mapping[str, str] | None = None,
        prefix: str = "",
        cookie: str = "mien",
        frames: Sequence[str] = (),
    ):
        """`accounts` are passwords by name if not everybody may enter.

        `prefix` is the path below which a proxy shows the page, `cookie` the name under which browsers keep their
        token, `frames` are origins of websites that may show the page within their own.
        """
        self.page, self.origins, self.accounts = page, origins, accounts
        self.prefix, self.cookie, self.frames = prefix.rstrip("/"), cookie, tuple(frames)
        self.always = ALWAYS | {"Content-Security-Policy": POLICY + (" ".join(frames) or "'none'")}
        self._salt = secrets.token_bytes(16)
        self._wrong = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the page answer; nothing that goes wrong in there reaches the terminal."""
        if scope["type"] == "lifespan":
            await self.page(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # the page uses none
        else:
            answered = Answered(send, scope, self.always)
            try:
                await self._answer(dict(scope), receive, answered)
            except Refusal as refusal:
                await answered.end(refusal.answer)
            except ClientDisconnect:
                pass
            except Exception:
                await answered.end(Refusal(500, "that cannot be answered").answer)

    async def _answer(self, scope: Scope, receive: Receive, send: Answered) -> None:
        headers, path = Headers(scope=scope), scope["path"]
        if self.prefix and f"{path}/".startswith(f"{self.prefix}/"):  # a proxy that passes paths on as they are
            path = path[len(self.prefix) :]
        path = path.rstrip("/") or "/"
        self._refuse_strangers(scope, headers, path)
        await self._refuse_unknown(headers)
        token = self._token(headers)
        if scope["method"] in ("GET", "HEAD") and PLAIN.fullmatch(path) and ".." not in path:
            if path == "/":
                send.cookie = self._given(scope, token or secrets.token_urlsafe(32))
        elif not path.startswith("/api/"):
            raise Refusal(404, "there is no such page")
        elif token is None:
            raise Refusal(403, NO_COOKIE)
        else:
            scope[OWNER] = hashlib.sha256(self._salt + token.encode()).hexdigest()[:32]
            send.cookie = self._given(scope, token)  # an hour from now
        scope.update(path=path, raw_path=path.encode(), root_path="")
        await self.page(scope, receive, send)

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
            wanted = ("document", "iframe") if self.frames else ("document",)
            link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") in wanted
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
        raise Refusal(401, "a name and a password are needed", {"WWW-Authenticate": 'Basic realm="mien"'})

    def _token(self, headers: Headers) -> str | None:
        """Return what a browser is known by, which nobody else can guess."""
        try:
            kept = SimpleCookie("; ".join(headers.getlist("cookie"))).get(self.cookie)
        except CookieError:
            return None
        return kept.value if kept and TOKEN.fullmatch(kept.value) else None

    def _given(self, scope: Scope, token: str) -> str:
        """Return a cookie that no script reads and no other website's request bears."""
        if self.frames:  # of a page within another website's, which browsers keep for that pair of websites
            kind = "SameSite=None; Secure; Partitioned"
        else:
            kind = "SameSite=Lax" + ("; Secure" if scope["scheme"] == "https" else "")
        return f"{self.cookie}={token}; Path=/; Max-Age={KNOWN}; HttpOnly; {kind}"


class Answered:
    """Sends an answer with what all answers bear, and knows how much of it is sent."""

    def __init__(self, send: Send, scope: Scope, always: Mapping[str, str]):
        self._send, self._scope, self._always = send, scope, always
        self.cookie = ""
        self.begun = self.over = False

    async def __call__(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in self._always.items():
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
