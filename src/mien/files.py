"""Files that are written whole or not at all, in places where a file can be; and results that are kept."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import secrets
import stat
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.reading import read_json

ROOM = 200  # bytes of a name that leave room, of the 255 that disks take, for what marks a part
CLAIM = "made_by.json"
JSON_SIZE = 16 << 20  # bytes of which no note of ours has more
KINDS = {
    stat.S_IFIFO: "a named pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket",
}  # fmt: skip
_made: dict[Path, None] = {}  # folders
_HERE = f"{zlib.crc32(platform.node().encode()):08x}"  # process numbers mean something on one computer alone
_ODD = re.compile("[\ud800-\udfff]")  # what Python makes of bytes that are no text in the system's encoding
_PART = re.compile(rf"\.{_HERE}-(?P<process>[0-9]+)-[0-9a-f]{{8}}\.part$")


def path_text(path: str | Path) -> str:
    r"""Return a path, or words about one, as text that any table, note or file can hold: odd bytes become \xe9."""
    return _ODD.sub(lambda odd: f"\\x{ord(odd[0]) & 0xFF:02x}", str(path))


def hidden(path: Path, end: str) -> Path:
    """Return the hidden file ".name.end" beside `path`; a name too long for that is cut, and stays one of its own."""
    name, full = path.name, os.fsencode(path.name)
    if len(full) > ROOM:
        name = f"{full[:ROOM].decode('utf-8', 'ignore')}.{zlib.crc32(full):08x}"
    return path.with_name(f".{name}.{end}")


def place_of(path: Path) -> Path:
    """Return where a file of that name is written: where its links lead.

    Raises InputError where no file can stand: in the place of a folder, a pipe or a device, of a link in a circle,
    below a file, under a name that is too long.
    """
    try:
        target, kind = Path(os.path.realpath(path)), stat.S_IFREG
        with contextlib.suppress(FileNotFoundError):
            kind = stat.S_IFMT(path.stat().st_mode)
    except NotADirectoryError as error:
        raise InputError(f"{path}: there is no folder {path.parent}; make it first") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: no file can be written there ({reason}); choose another output") from error
    if kind == stat.S_IFDIR:
        raise InputError(f"{path}: a folder stands in the place of the output; give a file name inside it")
    if kind != stat.S_IFREG:
        raise InputError(f"{path}: is {KINDS.get(kind, 'no file')}, which would be lost; choose another output")
    return target


def identity(path: Path) -> tuple[int, int] | str:
    """Return what all names of one file have in common, by spelling, links and hard links; it may not be there yet."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        return os.path.realpath(path)
    return about.st_dev, about.st_ino


def check_place(path: Path) -> None:
    """Raise InputError where no file can be written: worth asking before long work."""
    target = place_of(path)
    if not target.parent.is_dir():
        missing = target.parent if path.is_symlink() else path.parent
        raise InputError(f"{path}: there is no folder {missing}; make it first")
    for one in (target, target.parent):
        if one.exists() and not os.access(one, os.W_OK):
            raise InputError(f"{path}: {one} is protected against writing; choose another output")


def check_folder(path: Path) -> None:
    """Raise InputError where no folder can be made or written into: worth asking before long work."""
    for one in (path, *path.parents):
        try:
            kind = stat.S_IFMT(one.stat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            if one.is_symlink():
                raise InputError(f"{path}: {one} is a link to nothing; expected a folder to write into") from None
            continue
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{path}: no folder can be made there ({reason}); choose another") from error
        if kind != stat.S_IFDIR:
            raise InputError(f"{path}: {one} is a file; expected a folder to write into")
        if not os.access(one, os.W_OK | os.X_OK):
            raise InputError(f"{path}: {one} is protected against writing; choose another folder")
        return


def is_new(folder: Path) -> bool:
    """Whether nothing stands in a folder, or nothing but what processes that were killed while they wrote left."""
    return not folder.is_dir() or all(path.name.endswith(".part") for path in folder.iterdir())


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise InputError with `path` where the disk refuses: no room, no permission."""
    try:
        yield
    except OSError as error:
        reason = f"cannot be written ({error.strerror or error})"
        raise InputError(f"{path}: {reason}; it was left as it was, free space or choose another place") from error


def make_folder(path: Path) -> None:
    """Make a folder, and those above it. Raises InputError where that cannot be."""
    with writing(path):
        new_folder(path)


def new_folder(path: Path) -> None:
    """Make a folder, and those above it; `remove_empty` knows of them. Raises OSError."""
    _made.update(dict.fromkeys(one for one in map(Path.absolute, (path, *path.parents)) if not one.exists()))
    path.mkdir(parents=True, exist_ok=True)


def remove_empty() -> None:
    """Remove the folders that this process made and into which nothing came."""
    for one in sorted(_made, key=lambda path: len(path.parts), reverse=True):
        with contextlib.suppress(OSError):
            one.rmdir()
    _made.clear()


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to, which takes the place of `path` if all goes well and vanishes if not.

    So `path` is always whole, whoever else writes it at the same time, and a link to it stays a link; its folder is
    made, and a file that was there keeps who may read it. Raises InputError as `place_of` does, and where the disk
    refuses (no room, no permission); what was at `path` before then still is.
    """
    target = place_of(path)
    with writing(path):
        new_folder(target.parent)
        beside = hidden(target, f"{_HERE}-{os.getpid()}-{secrets.token_hex(4)}.part")
        try:
            yield beside
            with beside.open("rb") as file:
                os.fsync(file.fileno())  # a full disk may show only here
            with contextlib.suppress(OSError):  # there was none, or the disk knows no permissions
                beside.chmod(stat.S_IMODE(target.stat().st_mode))
            place_of(path)  # a pipe may have come meanwhile
            beside.replace(target)
        finally:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)


def remove_parts(path: Path) -> None:
    """Remove what processes that were killed while they wrote `path` left beside it."""
    with contextlib.suppress(InputError):
        target = place_of(path)
        remove_parts_in(target.parent, hidden(target, "").name)


def remove_parts_in(folder: Path, begin: str = ".") -> None:
    """Remove what processes that were killed while they wrote into a folder left in it, of names that `begin` so."""
    with contextlib.suppress(OSError):
        for one in folder.iterdir():
            part = _PART.search(one.name)
            if part and one.name.startswith(begin) and not _lives(int(part["process"])):
                one.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    """Whether a process of this computer is there, as far as one can ask."""
    if os.name == "nt":  # where asking would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """Hold a folder or a file that is there; it is free again when this process ends, however it does.

    Raises InputError where another process holds it. Where the system knows no such locks nothing is held.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with writing(place):
        handle = os.open(place, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{place}: another mien is at work there; wait for its end, or choose another") from error
        except OSError:  # the disk knows no locks
            pass
        yield
    finally:
        os.close(handle)


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file whole or not at all; text in UTF-8. Raises InputError as `whole` does."""
    with whole(path) as beside:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` as JSON, whole or not at all. Raises InputError as `whole` does."""
    write_whole(path, json.dumps(content, indent=1) + "\n")


def check_json(path: Path, *keys: str) -> None:
    """Raise InputError where no JSON file can be written, or where it would replace one without these keys."""
    check_place(path)
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            before = json.loads(file.read(JSON_SIZE))
    except (OSError, ValueError, RecursionError):
        before = None
    if not isinstance(before, dict) or not before.keys() >= set(keys):
        raise InputError(f"{path}: was not written by mien, and would be replaced; choose another place")


_KEPT = "is not a part that this evaluation kept; remove it, then go on"


def kept(path: Path, made_by: Mapping[str, Any], compute: Callable[[], Any], form: Any = object) -> Any:
    """Return what `path` keeps, or what `compute` gives, which is then kept; values that JSON can hold.

    `made_by` says all that the value depends on. Raises InputError where `path` keeps something made otherwise,
    or a value that has not the `form` that `mien.reading.misfit` takes.
    """
    asked = json.loads(json.dumps(made_by))  # as it will be read again: tuples are lists
    if path.is_file():
        note = read_json(path, _KEPT, {"made_by": dict, "value": form})
        before, value = note["made_by"], note["value"]
        if before != asked:
            changed = sorted(k for k in {*before, *asked} if before.get(k) != asked.get(k))
            raise InputError(
                f"{path}: was made with other data or settings ({', '.join(changed)} differ); choose another folder"
            )
        return value
    value = compute()
    write_json(path, {"made_by": asked, "value": value})
    return read_json(path, _KEPT)["value"]  # the same whether computed now or before


def claim(folder: Path, made_by: Mapping[str, Any]) -> None:
    """Mark `folder` as made by this, so that nothing made otherwise is ever taken for it.

    Raises InputError where it was marked differently before.
    """
    kept(folder / CLAIM, made_by, lambda: None)
