"""An example client of the page: a photograph in, a smile, a file out. The Python standard library alone.

mien app &
python integrations/page_client.py me.jpg out.png
"""

from __future__ import annotations

import http.cookiejar
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


class Client:
    """What a script asks the page for; it is a browser of its own, with a cookie of its own."""

    def __init__(self, address: str = "http://127.0.0.1:7860"):
        self.address = address
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)
        self._opener.open(address).close()  # gives the cookie

    def ask(
        self, path: str, body: bytes | None = None, kind: str = "application/json", method: str | None = None
    ) -> bytes:
        """Return an answer; raises ValueError with the page's line where it says what is wrong."""
        request = urllib.request.Request(f"{self.address}/api/{path}", body, {"Content-Type": kind}, method=method)
        try:
            with self._opener.open(request) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise ValueError(json.loads(error.read())["error"]) from error

    def post(self, path: str, asked: Any) -> Any:
        """Ask with JSON, and return the JSON that is answered."""
        return json.loads(self.ask(path, json.dumps(asked).encode()))

    def send(self, file: Path) -> Any:
        """Begin with a photograph."""
        edge = "mien-example"
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
        body = head.encode() + file.read_bytes() + f"\r\n--{edge}--\r\n".encode()
        return json.loads(self.ask("photos", body, f"multipart/form-data; boundary={edge}"))


def main(photo: Path, output: Path, address: str = "http://127.0.0.1:7860") -> None:
    """Give everybody in a photograph a smile, and the leftmost a wink besides."""
    client = Client(address)
    faces = client.send(photo)["faces"]
    for number in range(1, len(faces) + 1):
        words = [{"name": "happiness", "strength": 0.8, "only": []}]
        words += [{"name": "wink-left", "strength": 1, "only": []}] if number == 1 else []
        project = client.post("steps", {"face": number, "look": {"words": words}, "note": "smile"})
    step = project["steps"][project["at"]]["number"]
    output.write_bytes(client.ask(f"steps/{step}/file?form=PNG"))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]), *sys.argv[3:])
