"""``vidstyle ui``: the page, served to this machine."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from vidstyle.cli.options import allow_host, default_of, option
from vidstyle.errors import UsageError
from vidstyle.media.pattern import PICTURE_SUFFIXES
from vidstyle.options import RenderOptions
from vidstyle.runtime.extras import needs_extra
from vidstyle.runtime.scratch import temporary_folder

#: An option that bounds what is taken.
_limit = partial(option, type=click.IntRange(1), show_default=True)


@click.command("ui")
@option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to serve on; 0.0.0.0 lets other machines connect: set a --password then.",
)
@option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True)
@allow_host
@option("--password", metavar="WORD", help="Password of the user 'vidstyle'.")
@option(
    "--styles",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of style pictures that everyone can choose from.",
)
@_limit("--max-upload", metavar="MIB", default=2048, help="Largest file to accept.")
@_limit("--max-frames", metavar="N", default=10_000, help="Longest clip to accept.")
@_limit("--max-frame-pixels", metavar="N", default=4096 * 2304, help="Largest frames to accept.")
@_limit(
    "--max-results",
    metavar="MIB",
    default=4096,
    help="Disk space for each visitor's renders; once full, one must be removed first.",
)
@option("--model", metavar="NAME|PATH", help="Style model.", **default_of("model"))
@option(
    "--device",
    metavar="auto|cpu|cuda[:N]|mps",
    help="Device to run networks on.",
    **default_of("device"),
)
def ui_command(
    host: str,
    port: int,
    names: tuple[str, ...],
    password: str | None,
    styles: Path | None,
    max_upload: int,
    max_frames: int,
    max_frame_pixels: int,
    max_results: int,
    model: str,
    device: str,
) -> None:
    """Restyle clips in the browser: upload, point at the object, preview, render, download.

    \b
    vidstyle ui --styles paintings
    VIDSTYLE_PASSWORD=… vidstyle ui --host 0.0.0.0 --allow-host render01 --styles paintings
    """
    # Before Gradio is imported: it then reports its use to nobody.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    with _one_folder() as folder:
        with needs_extra("ui", "vidstyle ui"):
            from vidstyle.ui.models import kept_parts
            from vidstyle.ui.serve import Door, Limits, serve
        options = RenderOptions(model=model, device=device)
        kept_parts(options)  # a wrong model is reported now, not to each visitor
        limits = Limits(max_upload, max_frames, max_frame_pixels, max_results)
        door = Door(host, port, names, password)
        serve(_pictures(styles), limits, options, door, folder / "uploads")


@contextmanager
def _one_folder() -> Iterator[Path]:
    """All temporary files of this process, the page's uploads and results among them, lie in one
    folder that only this user sees, and go at its end."""
    with temporary_folder() as folder:
        before, tempfile.tempdir = tempfile.tempdir, str(folder)
        os.environ["GRADIO_TEMP_DIR"] = str(folder / "uploads")
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = before


def _pictures(styles: Path | None) -> list[Path]:
    if styles is None:
        return []
    found = sorted(path for path in styles.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    if not found:
        raise UsageError(f"--styles {styles}: holds no pictures; name another folder")
    return found
