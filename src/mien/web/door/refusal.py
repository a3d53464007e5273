"""An answer that ends a request: its status and a line that says why, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse


class Refusal(Exception):
    """A request that goes no further."""

    def __init__(self, status: int, why: str, headers: Mapping[str, str] | None = None):
        super().__init__(why)
        self.answer = JSONResponse({"error": why}, status, dict(headers or {}))
