"""Serves the page, by default to this computer alone, and asks nobody else for anything."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mien.about import DEFAULT
from mien.editing.editor import Editor
from mien.errors import InputError, missing
from mien.media.credentials import read_signer
from mien.web.door.accounts import read_accounts
from mien.web.door.folder import living_folder
from mien.web.door.origins import Origins, origin_of
from mien.web.studio import Studio
from mien.weights.resolve import zoo

if TYPE_CHECKING:
    from mien.web.door.guard import Guard

HOST = "127.0.0.1"  # this computer alone
GRACE = 1  # seconds that open connections have when the page is stopped
STARTS = 60  # seconds that the server may take to begin


def serve(
    port: int,
    models: Sequence[str],
    device: str = "cpu",
    ready: Callable[[str], object] = print,
    host: str = HOST,
    allow: Sequence[str] = (),
    root_path: str = "",
    auth: Path | None = None,
    sign: tuple[Path, Path] | None = None,
    frames: Sequence[str] = (),
    begun: Callable[[], object] = lambda: None,
) -> None:
    """Serve the page until Ctrl-C or a polite kill; `ready` is given its address, once it answers. Before, `begun` is
    called, once all that is needed is there, and the models are loaded.

    `models` are weights besides those of the zoo; the page begins with the first of them. Photographs and results
    lie in a folder of their own, which is deleted at the end, or at the next start after a kill that is not polite.
    `host` is the address to listen on, `allow` the addresses under which a proxy shows the page, `root_path` the path
    or whole address below which it does, `auth` a file of names and passwords, `sign` certificates and key by which
    downloads are signed, `frames` websites that may show the page within their own. Raises InputError where
    starlette or uvicorn are not installed, the port is taken, or weights cannot be had.
    """
    accounts = read_accounts(auth) if auth else None
    origins = Origins([*allow, *proxied(root_path)], host)
    shown_in = [origin_of(frame, "--frame") for frame in frames]
    refuse_taken(host, port)
    try:
        from mien.web.application import Application
    except ModuleNotFoundError as error:
        raise missing("mien app", error) from error
    signer = read_signer(*sign) if sign else None
    begun()
    with living_folder("mien-app-") as folder:
        editors = opened(models, device)
        studio = Studio(editors, editors["evaluator"])
        app = Application(studio, folder, first_model(studio, models), signer)
        studio.begin(app.api.model)
        guard = app.guarded(origins, accounts, below(root_path), port, shown_in)
        try:
            with serving(guard, host, port), app.swept():
                try:
                    with suppress(KeyboardInterrupt):
                        ready(f"http://{shown_host(host)}:{port}")
                        threading.Event().wait()
                finally:
                    app.close()  # before the connections are, which may take a while
        finally:
            app.wait()


def opened(models: Sequence[str], device: str) -> dict[str, Editor]:
    """Return models by name: those that are asked for, and of the zoo's those that this computer can run."""
    editors = {name: Editor(name, device) for name in models}
    for name in zoo():
        if name not in editors:
            with suppress(InputError):  # a paper's needs PyTorch, which not everybody has
                editors[name] = Editor(name, device)
    return editors


def refuse_taken(host: str, port: int) -> None:
    """Raise InputError for an address that is not to be had, before anything is loaded."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except socket.gaierror as error:
        raise InputError(f"--host {host}: is no address of this computer; 127.0.0.1 is the usual one") from error
    except OSError as error:
        place = f"--port {port}" if host == HOST else f"--host {host} --port {port}"
        raise InputError(f"{place}: is taken or not to be had; choose another") from error


def proxied(root_path: str) -> list[str]:
    """Return the origin that a root path names if it is a whole address; nothing if it is a path.

    Raises InputError for what is neither.
    """
    if "://" in root_path:
        return ["/".join(root_path.split("/")[:3])]
    if root_path and not root_path.startswith("/"):
        raise InputError(f"--root-path {root_path}: expected a path such as /mien, or a whole address with it")
    return []


def below(root_path: str) -> str:
    """Return the path below which a proxy shows the page, of a path or a whole address."""
    return "/" + "/".join(root_path.split("/")[3:]) if "://" in root_path else root_path


@contextmanager
def serving(app: Guard, host: str, port: int) -> Iterator[None]:
    """Serve an application from another thread. Raises InputError where that cannot begin."""
    import uvicorn

    # Whatever strangers send is answered, and not told in the terminal.
    config = uvicorn.Config(app, host=host, port=port, log_level="critical", timeout_graceful_shutdown=GRACE, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    begun = threading.Event()
    for _ in range(STARTS * 20):
        if server.started or not thread.is_alive():
            break
        begun.wait(0.05)
    try:
        if not server.started:
            raise InputError(f"--port {port}: cannot be served; choose another")
        yield
    finally:
        server.should_exit = True
        thread.join(GRACE + 10)


def to_others(host: str) -> bool:
    """Return whether other computers than this one may reach what listens on `host`."""
    with suppress(ValueError):
        return not ipaddress.ip_address(host).is_loopback
    return host != "localhost"


def shown_host(host: str) -> str:
    """Return the host by which a browser on this computer finds the page."""
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            return HOST if address.version == 4 else "[::1]"
        return str(address) if address.version == 4 else f"[{address}]"
    return host


def first_model(studio: Studio, models: Sequence[str]) -> str:
    """Return the model that the page begins with. Raises InputError for one that changes no face."""
    for name in models:
        if name not in studio.abilities:
            raise InputError(f"--model {name}: changes no face; give one that transfers or edits")
    return next(name for name in (*models, DEFAULT, *studio.abilities) if name in studio.abilities)
