"""The page as a Hugging Face Space: behind its proxy, shown within its website and at an address of its own."""

from __future__ import annotations

import os
from typing import Any

HUB = "https://huggingface.co"
PORT = 7860


def settings(host: str) -> dict[str, Any]:
    """Return how the page is served where browsers reach it by `host`, as NAME.hf.space; by none, on this computer."""
    if not host:
        return {"port": PORT, "models": ()}
    return {"port": PORT, "models": (), "host": "0.0.0.0", "allow": [f"https://{host}"], "frames": [HUB]}


def main() -> None:
    """Serve until the Space is stopped."""
    from mien.web.server import serve

    serve(**settings(os.environ.get("SPACE_HOST", "")))


if __name__ == "__main__":
    main()
