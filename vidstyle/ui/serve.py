"""Serving the page until the process is told to stop."""

import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import gradio as gr
import uvicorn
from fastapi import FastAPI

from vidstyle.errors import UsageError
from vidstyle.options import RenderOptions
from vidstyle.ui.app import build_app
from vidstyle.ui.desk import Desks
from vidstyle.ui.guard import Guard
from vidstyle.ui.style_sheet import CSS

log = logging.getLogger(__name__)

#: Maximum seconds until a signal is noticed.
_WAKE = 0.5


@dataclass(frozen=True)
class Limits:
    """Limits per user.

    Attributes:
        upload: MiB per file.
        frames: per clip.
        pixels: per frame.
        results: MiB for a session's renders and their clips.
    """

    upload: int
    frames: int
    pixels: int
    results: int

    @property
    def hourly(self) -> int:
        """MiB that an address may upload in an hour."""
        return 4 * self.upload


@dataclass(frozen=True)
class Door:
    """Where the page is served, and who has access.

    Attributes:
        host: address or host name.
        names: further host names that browsers may use, besides ``host``, addresses and
            ``localhost``.
        password: of the user ``vidstyle``; None for no login.
    """

    host: str
    port: int
    names: tuple[str, ...] = ()
    password: str | None = None

    def __post_init__(self) -> None:
        """
        Raises:
            UsageError: an empty password, which would disable the login.
        """
        if self.password == "":
            raise UsageError("--password is empty; give a word, or leave the option out")

    @property
    def is_private(self) -> bool:
        """Whether only this machine has access."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def serve(
    styles: Sequence[Path],
    limits: Limits,
    options: RenderOptions,
    door: Door,
    uploads: Path,
) -> None:
    """Serve the page until the process is told to stop.

    Args:
        styles, options: see :func:`~vidstyle.ui.app.build_app`.
        uploads: folder where Gradio keeps uploads and results.

    Raises:
        UsageError: the page cannot be served at this address.
        MediaError: a style picture cannot be read.
    """
    # Gradio serves files in its own folder in place, and copies all others.
    uploads.mkdir(exist_ok=True)
    desks = Desks(limits.frames, limits.pixels, uploads)
    app = build_app(styles, desks, options, limits.results << 20).queue(max_size=64, api_open=False)
    page = gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        app,
        "/",
        auth=("vidstyle", door.password) if door.password else None,
        max_file_size=f"{limits.upload}mb",
        theme=gr.themes.Base(font="system-ui", font_mono="monospace"),
        css=CSS,
        ssr_mode=False,
        show_error=False,
        run_history=False,
        footer_links=[],
    )
    guard = Guard(page, {door.host, *door.names}, uploads, limits.hourly << 20)
    try:
        with _served(guard, door):
            if door.password is None and not door.is_private:
                log.warning("open to anyone who can reach %s: set a --password", door.host)
            log.info("page: http://%s:%d", door.host, door.port)
            _until_a_signal()
    finally:
        desks.clear()


def _until_a_signal() -> NoReturn:
    """Wait until a signal handler raises. Signals may reach another thread, but handlers run in
    this one once it wakes, so it wakes periodically."""
    while True:
        time.sleep(_WAKE)


@contextmanager
def _served(guard: Guard, door: Door) -> Iterator[None]:
    """Serve an ASGI application in a thread within the context: no code there can swallow a
    signal."""
    config = uvicorn.Config(guard, ws="none", log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    try:
        family = socket.AF_INET6 if ":" in door.host else socket.AF_INET
        listening = socket.create_server((door.host, door.port), family=family)
    except OSError as error:
        raise UsageError(
            f"--host {door.host} --port {door.port}: cannot serve there ({error.strerror})"
        ) from None
    with listening:
        thread = threading.Thread(target=server.run, args=([listening],), name="ui-server")
        thread.start()
        try:
            yield
        finally:
            server.should_exit = True
            thread.join()
