"""``vidstyle ui``: the page, served to this machine."""

import os
import tempfile
from pathlib import Path

import click

from vidstyle.cli.options import default_of, option
from vidstyle.errors import UsageError
from vidstyle.extras import needs_extra
from vidstyle.options import RenderOptions
from vidstyle.pattern import PICTURE_SUFFIXES


@click.command("ui")
@option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to serve at; 0.0.0.0 lets other machines in: give a --password then.",
)
@option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True)
@option("--password", metavar="WORD", help="Asked for, of the user 'vidstyle'.")
@option(
    "--styles",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Style pictures for everybody to choose from.",
)
@option(
    "--max-upload",
    type=click.IntRange(1),
    metavar="MIB",
    default=2048,
    show_default=True,
    help="Largest file that is taken.",
)
@option(
    "--max-frames",
    type=click.IntRange(1),
    metavar="N",
    default=10_000,
    show_default=True,
    help="Longest clip that is taken.",
)
@option("--model", metavar="NAME|PATH", help="Style model.", **default_of("model"))
@option("--device", metavar="auto|cpu|cuda[:N]", help="Where networks run.", **default_of("device"))
def ui_command(
    host: str,
    port: int,
    password: str | None,
    styles: Path | None,
    max_upload: int,
    max_frames: int,
    model: str,
    device: str,
) -> None:
    """Restyle clips in the browser: upload, point at the object, preview, render, download.

    \b
    vidstyle ui --styles paintings
    VIDSTYLE_PASSWORD=… vidstyle ui --host 0.0.0.0 --styles paintings
    """
    # Before Gradio is imported: it tells nobody of its use, and keeps uploads to this user.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    if "GRADIO_TEMP_DIR" not in os.environ:
        os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp(prefix="vidstyle-uploads-")
    with needs_extra("ui", "vidstyle ui"):
        from vidstyle.ui.app import Limits
        from vidstyle.ui.serve import serve
    pictures = [] if styles is None else sorted(
        path for path in styles.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES
    )  # fmt: skip
    if styles is not None and not pictures:
        raise UsageError(f"--styles {styles}: holds no pictures; name another folder")
    options = RenderOptions(model=model, device=device)
    serve(pictures, Limits(max_upload, max_frames), options, host, port, password)
