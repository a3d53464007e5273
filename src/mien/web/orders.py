"""Events that the page's scripts send, read with bounds: of each only what such an event can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.types import Receive

MOST = 1 << 18  # bytes of an event
LONGEST = 4096  # characters of a word or a path in it
FILE, STATE, VALUE = "file", "state", "value"
"""Kinds of inputs: a file that was sent, what the server keeps for itself, and all else."""


class TooLarge(Exception):
    """More was sent than is taken."""


async def read_all(receive: Receive, most: int = MOST) -> bytes:
    """Return a request's body. Raises TooLarge, without having read it all, and ValueError if it is cut short."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ValueError("cut short")
        body += message.get("body", b"")
        if len(body) > most:
            raise TooLarge
        if not message.get("more_body", False):
            return bytes(body)


def read_order(body: bytes, inputs: Mapping[int, Sequence[str]]) -> dict[str, Any]:
    """Return an event as gradio takes it: as many values as its inputs, each of a kind that gradio does not act upon.

    `inputs` are the kinds of each event's inputs. Raises ValueError for what is no event of the page.
    """
    try:
        sent = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(sent, dict):
        raise ValueError("no object")
    number, data, trigger = sent.get("fn_index"), sent.get("data"), sent.get("trigger_id")
    if type(number) is not int or number not in inputs or not isinstance(data, list):
        raise ValueError("no event")
    kinds = inputs[number]
    data = [*data, *[None] * len(kinds)]
    return {
        "fn_index": number,
        "data": [reduced(kind, value) for kind, value in zip(kinds, data, strict=False)],
        "session_hash": sent.get("session_hash"),
        "trigger_id": trigger if type(trigger) is int and 0 <= trigger < 2**31 else None,
        "event_data": None,
    }


def reduced(kind: str, value: Any) -> Any:
    """Return what is left of a value: of a file its path alone, which gradio then neither opens nor fetches."""
    if kind == FILE:
        path = value.get("path") if isinstance(value, dict) else None
        return {"path": reduced(VALUE, path) if isinstance(path, str) else ""} if value is not None else None
    if kind == STATE or isinstance(value, dict | list):
        return None
    if isinstance(value, float | int) and not isinstance(value, bool):
        return value if abs(value) < 1e9 else None  # no NaN, no infinity, no number that is too long for a float
    return value[:LONGEST].encode("utf-8", "replace").decode() if isinstance(value, str) else value
