"""Serves the page to this computer alone, and asks nobody else for anything."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mien.about import DEFAULT
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.web.session import Session
from mien.web.upload import MEGABYTES
from mien.weights.resolve import zoo

if TYPE_CHECKING:
    import gradio as gr

HOST = "127.0.0.1"  # and never another: nobody but this computer is to see the photographs
STYLE = Path(__file__).parent / "page.css"


def serve(port: int, models: Sequence[str], device: str = "cpu", ready: Callable[[str], object] = print) -> None:
    """Serve the page until Ctrl-C or a polite kill; `ready` is given its address, once it answers.

    `models` are weights besides those of the zoo; the page begins with the first of them. Photographs and results
    lie in a folder of their own, which is deleted at the end. Raises InputError where gradio is not installed, the
    port is taken, or weights cannot be had.
    """
    refuse_taken(port)
    with tempfile.TemporaryDirectory(prefix="mien-app-") as folder:
        # Gradio reads these when it is imported: no telemetry, no look for newer versions.
        os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "GRADIO_TEMP_DIR": folder}
        try:
            from mien.web.events import build
        except ModuleNotFoundError as error:
            if error.name != "gradio":
                raise
            raise InputError("mien app needs the package gradio; pip install 'mien[web]'") from error
        editors = {name: Editor(name, device) for name in dict.fromkeys((*models, *zoo()))}
        session = Session(editors, editors["evaluator"], Path(folder) / "made")
        page = build(session, first_model(session, models))
        launch(page, port)
        ready(f"http://{HOST}:{port}")
        try:
            until_stopped()
        finally:
            page.close(verbose=False)


def refuse_taken(port: int) -> None:
    """Raise InputError for a port that is not to be had, before anything is loaded."""
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        raise InputError(f"--port {port}: is taken or not to be had; choose another") from error


def launch(page: gr.Blocks, port: int) -> None:
    """Begin to serve."""
    import gradio as gr

    theme = gr.themes.Default(
        primary_hue="teal", neutral_hue="slate", font=["system-ui", "sans-serif"], font_mono=["monospace"]
    )  # gradio's own fonts would come from elsewhere
    page.launch(
        server_name=HOST, server_port=port, share=False, prevent_thread_lock=True, quiet=True, ssr_mode=False,
        max_file_size=MEGABYTES * 2**20, footer_links=[], pwa=False, mcp_server=False,
        enable_monitoring=False, state_session_capacity=100, css_paths=STYLE, theme=theme,
    )  # fmt: skip


def first_model(session: Session, models: Sequence[str]) -> str:
    """Return the model that the page begins with. Raises InputError for one that changes no face."""
    for name in models:
        if name not in session.abilities:
            raise InputError(f"--model {name}: changes no face; give one that transfers or edits")
    return next(name for name in (*models, DEFAULT, *session.abilities) if name in session.abilities)


def until_stopped() -> None:
    """Wait for Ctrl-C or for a polite kill."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with suppress(KeyboardInterrupt):
        stop.wait()
