"""Serves the page, by default to this computer alone, and asks nobody else for anything."""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mien.about import DEFAULT
from mien.editing.editor import Editor
from mien.errors import InputError, missing
from mien.web.accounts import read_accounts
from mien.web.folder import living_folder
from mien.web.origins import Origins
from mien.web.session import Session
from mien.web.upload import MEGABYTES
from mien.weights.resolve import zoo

if TYPE_CHECKING:
    import gradio as gr

    from mien.web.guard import Guard

HOST = "127.0.0.1"  # this computer alone
STYLE = Path(__file__).parent / "page.css"
WAITING = 200  # events that may wait for their turn, of all browsers
SESSIONS = 100  # whose photographs the page remembers; of more, the oldest begin anew
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
) -> None:
    """Serve the page until Ctrl-C or a polite kill; `ready` is given its address, once it answers.

    `models` are weights besides those of the zoo; the page begins with the first of them. Photographs and results
    lie in a folder of their own, which is deleted at the end, or at the next start after a kill that is not polite.
    `host` is the address to listen on, `allow` the addresses under which a proxy shows the page, `root_path` the path
    or whole address below which it does, `auth` a file of names and passwords. Raises InputError where gradio is not
    installed, the port is taken, or weights cannot be had.
    """
    accounts = read_accounts(auth) if auth else None
    origins = Origins([*allow, *proxied(root_path)], host)
    refuse_taken(host, port)
    with living_folder("mien-app-") as folder:
        # Gradio reads these when it is imported: no telemetry, no look for newer versions.
        os.environ |= {
            "GRADIO_ANALYTICS_ENABLED": "False",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "GRADIO_TEMP_DIR": str(folder),
        }
        try:
            from mien.web.events import build
        except ModuleNotFoundError as error:
            raise missing("mien app", error) from error
        editors = {name: Editor(name, device) for name in dict.fromkeys((*models, *zoo()))}
        session = Session(editors, editors["evaluator"], folder)
        page = build(session, first_model(session, models))
        try:
            with serving(guarded(page, session, origins, accounts, root_path, port), host, port):
                try:
                    with suppress(KeyboardInterrupt):
                        ready(f"http://{shown_host(host)}:{port}")
                        threading.Event().wait()
                finally:
                    session.close()  # before the connections are, which may take a while
        finally:
            session.wait()
    gc.freeze()  # else Python looks through all that gradio made, for seconds, before it ends


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


def guarded(
    page: gr.Blocks, session: Session, origins: Origins, accounts: Mapping[str, str] | None, root_path: str, port: int
) -> Guard:
    """Return the page as an ASGI application, behind its guard."""
    import gradio as gr
    from fastapi import FastAPI

    from mien.web.guard import Guard
    from mien.web.values import kinds_of

    theme = gr.themes.Default(
        primary_hue="teal", neutral_hue="slate", font=["system-ui", "sans-serif"], font_mono=["monospace"]
    )  # gradio's own fonts would come from elsewhere
    page.queue(max_size=WAITING)
    page.state_session_capacity, page.is_running = SESSIONS, True
    most = MEGABYTES * 2**20
    app = gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None), page, path="/", footer_links=[], run_history=False,
        root_path=root_path or None, show_error=False, max_file_size=most, ssr_mode=False, enable_monitoring=False,
        pwa=False, mcp_server=False, css_paths=STYLE, theme=theme,
    )  # fmt: skip
    below = "/" + "/".join(root_path.split("/")[3:]) if "://" in root_path else root_path
    inputs = {number: kinds_of(event.inputs) for number, event in page.fns.items()}
    return Guard(app, session.store, origins, inputs, most, accounts, below, f"mien-{port}")


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


def first_model(session: Session, models: Sequence[str]) -> str:
    """Return the model that the page begins with. Raises InputError for one that changes no face."""
    for name in models:
        if name not in session.abilities:
            raise InputError(f"--model {name}: changes no face; give one that transfers or edits")
    return next(name for name in (*models, DEFAULT, *session.abilities) if name in session.abilities)
