"""Names and passwords for a page that others can reach: HTTP's basic authentication, from a private file."""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Mapping
from pathlib import Path

from mien.errors import InputError

MOST = 1 << 16  # bytes of the file


def read_accounts(path: Path) -> dict[str, str]:
    """Return passwords by name from lines `NAME:PASSWORD`; empty lines and those that begin with # do not count.

    Raises InputError for a file that is none, that others may read, or a line that is no account.
    """
    if not path.is_file():
        raise InputError(f"--auth {path}: no such file; write NAME:PASSWORD into it, a line each")
    status = path.stat()
    if os.name != "nt" and status.st_mode & 0o077:
        raise InputError(f"--auth {path}: others may read it; chmod 600 {path}")
    if status.st_size > MOST:
        raise InputError(f"--auth {path}: larger than a file of passwords; expected lines NAME:PASSWORD")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except ValueError as error:
        raise InputError(f"--auth {path}: is not text in UTF-8; expected lines NAME:PASSWORD") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            name, colon, password = line.partition(":")
            if not name or not colon or not password:
                raise InputError(f"--auth {path}: line {number}: expected NAME:PASSWORD")
            found[name] = password
    if not found:
        raise InputError(f"--auth {path}: names nobody; expected lines NAME:PASSWORD")
    return found


def admits(accounts: Mapping[str, str], header: str) -> bool:
    """Return whether an Authorization header names one of the accounts; it takes as long, whatever is wrong in it."""
    kind, _, encoded = header.partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True)
    except ValueError:
        given = b""
    fits = [hmac.compare_digest(f"{name}:{password}".encode(), given) for name, password in accounts.items()]
    return kind.lower() == "basic" and any(fits)
