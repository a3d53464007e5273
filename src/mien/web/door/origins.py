"""Who may speak to the page: the names that it answers to, and the websites that may send it anything.

A website elsewhere can make a browser ask this computer. Two headers that no website can forge give it away: Host, the
name that the browser believes it speaks to (another one than ours where a foreign name was made to lead here), and
Origin, the website that asks.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from mien.errors import InputError

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?", re.ASCII)


class Origins:
    """The names and websites that are this page's own; of others, those that its user named."""

    def __init__(self, allowed: Sequence[str] = (), host: str = ""):
        """`allowed` are origins as browsers write them, `host` the name on which the page is served.

        Raises InputError for what is no origin.
        """
        self.allowed = frozenset(map(origin_of, allowed))
        self._names = {"localhost", host.lower()} | {_name(origin.split("//")[1]) for origin in self.allowed}

    def answers_to(self, host: str, reached: str = "") -> bool:
        """Return whether a Host header is ours: loopback, a name that the user gave, or the address that was `reached`.

        Any port will do: a tunnel or a container may lead here from another, and no website can choose it.
        """
        if not HOST.fullmatch(host.lower()):
            return False
        name = _name(host.lower())
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
            return address.is_loopback or address == ipaddress.ip_address(reached)
        except ValueError:
            return False

    def takes_from(self, origin: str, host: str) -> bool:
        """Return whether an Origin header is the page's own, at the name in `host`, or one that the user allowed."""
        own = {f"{scheme}://{host.lower()}" for scheme in ("http", "https")}  # a proxy may have taken TLS off
        return origin.lower() in own | self.allowed


def origin_of(text: str, option: str = "--allow") -> str:
    """Return the origin that a user's word names, as browsers write it. Raises InputError for what names none."""
    try:
        parts = urlsplit(text.strip().lower())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not HOST.fullmatch(parts.netloc) or parts.path.strip("/"):
        raise InputError(f"{option} {text}: expected an address such as https://faces.example, without a path")
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{parts.netloc.rpartition(':')[0] if port == usual else parts.netloc}"


def _name(host: str) -> str:
    """Return a Host without its port and brackets."""
    found = HOST.fullmatch(host)
    return found[1].strip("[]") if found else ""
