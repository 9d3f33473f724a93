"""Serving the page until the process is told to end."""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gradio as gr

from vidstyle.errors import MediaError, UsageError
from vidstyle.options import RenderOptions
from vidstyle.ui.app import CSS, build_app
from vidstyle.ui.desk import Desks

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What one user may ask for.

    Attributes:
        upload: MiB of a file.
        frames: of a clip.
    """

    upload: int = 2048
    frames: int = 10_000


def serve(
    styles: Sequence[Path],
    limits: Limits,
    options: RenderOptions,
    host: str,
    port: int,
    password: str | None,
) -> None:
    """Serve the page.

    Args:
        styles, options: see :func:`~vidstyle.ui.app.build_app`.
        password: of the user ``vidstyle``; None for no question.

    Raises:
        UsageError: the address cannot be served at.
        MediaError: a style picture cannot be read.
    """
    desks = Desks(limits.frames)
    try:
        app = build_app(styles, desks, options).queue(max_size=64)
    except ValueError as error:
        raise MediaError(str(error)) from None
    launch = partial(
        app.launch,
        server_name=host,
        server_port=port,
        auth=("vidstyle", password) if password else None,
        max_file_size=f"{limits.upload}mb",
        theme=gr.themes.Base(font="system-ui", font_mono="monospace"),
        css=CSS,
        ssr_mode=False,
        quiet=True,
        prevent_thread_lock=True,
    )
    try:
        # In a thread: Gradio swallows exceptions, and with them a Ctrl-C that finds it launching.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(launch).result()
        if password is None and host not in ("127.0.0.1", "localhost"):
            log.warning("open to everybody who reaches %s: give a --password", host)
        log.info("page: http://%s:%d", host, port)
        threading.Event().wait()
    except OSError as error:
        raise UsageError(f"--host {host} --port {port}: cannot be served at ({error})") from None
    finally:
        desks.clear()
        app.close(verbose=False)
