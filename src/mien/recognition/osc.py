"""Faces sent live by Open Sound Control 1.0 over UDP, as other programs and puppets listen to it.

A face is one bundle: `/frame` (number, seconds), `/blendshape` (ARKit's name, 0-1) 52 times, and where they are known
`/head` (yaw, pitch, roll in degrees). Of several people each address begins with `/face/N`.
"""

from __future__ import annotations

import socket
import struct
import time

from mien.errors import InputError
from mien.recognition.table import Row
from mien.recognition.vocabularies.arkit import HEAD, shapes
from mien.whole_numbers import whole_number

NOW = struct.pack(">Q", 1)  # the time tag that means at once


def text(value: str) -> bytes:
    """Return an OSC string: ASCII, ended and filled by zeros to a multiple of four bytes."""
    data = value.encode("ascii", "replace")
    return data + b"\0" * (4 - len(data) % 4)


def message(address: str, *values: str | int | float) -> bytes:
    """Return an OSC message: an address, the types of its arguments, and these."""
    tags = "".join({str: "s", int: "i", float: "f"}[type(value)] for value in values)
    packed = [text(v) if isinstance(v, str) else struct.pack(">i" if isinstance(v, int) else ">f", v) for v in values]
    return text(address) + text(f",{tags}") + b"".join(packed)


def bundle(*messages: bytes) -> bytes:
    """Return a bundle of messages that count at once."""
    return text("#bundle") + NOW + b"".join(struct.pack(">i", len(one)) + one for one in messages)


def face_bundle(row: Row, several: bool = False) -> bytes:
    """Return what is sent of a face."""
    before = f"/face/{row['number']}" if several else ""
    told = [message(f"{before}/frame", int(row.get("frame", 0)), float(row.get("time", 0.0)))]
    told += [message(f"{before}/blendshape", name, float(value)) for name, value in shapes(row).items()]
    if {*HEAD.values()} <= row.keys():
        told.append(message(f"{before}/head", *(float(row[name]) for name in HEAD.values())))
    return bundle(*told)


class Sender:
    """Sends faces to "HOST:PORT", those of a clip no sooner than the clip would show them.

    Raises InputError for what is no address.
    """

    def __init__(self, where: str, several: bool = False):
        self.several = several
        host, _, port = where.rpartition(":")
        try:
            if not (host and 0 < (whole_number(port) or 0) < 65_536):
                raise ValueError("expected HOST:PORT, as 127.0.0.1:9000")
            found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0]
        except (OSError, ValueError) as error:
            raise InputError(f"--osc {where}: {error}") from None
        self._where, self._place = where, found[4]
        self._socket = socket.socket(found[0], socket.SOCK_DGRAM)
        self._begin: tuple[str, float] | None = None  # clip, and when it began by our clock

    def send(self, row: Row) -> None:
        """Send a row's face, if it has one. Raises InputError where the network refuses."""
        if "number" not in row:
            return
        if "time" in row:
            if self._begin is None or self._begin[0] != row["path"]:
                self._begin = row["path"], time.monotonic() - row["time"]
            time.sleep(max(0.0, self._begin[1] + row["time"] - time.monotonic()))
        try:
            self._socket.sendto(face_bundle(row, self.several), self._place)
        except OSError as error:
            raise InputError(f"--osc {self._where}: cannot be reached ({error.strerror})") from None

    def close(self) -> None:
        """Let the socket go."""
        self._socket.close()
