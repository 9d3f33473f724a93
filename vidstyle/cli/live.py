"""``vidstyle live``: a camera or stream, restyled as it comes."""

from functools import partial
from typing import Any

import click

from vidstyle.cli.options import live_options, option
from vidstyle.cli.say import say
from vidstyle.options import RenderOptions, pair


@click.command("live")
@click.argument("source")
@option("--style", "styles", multiple=True, required=True, metavar="IMAGE", help="Style picture.")
@option(
    "--object",
    "objects",
    multiple=True,
    metavar="SPEC",
    help="What to style, found in the first frames: a SPEC as in render, except matte:. By default "
    "the whole frame.",
)
@option(
    "-o",
    "--output",
    "target",
    metavar="URL|FILE",
    help="A stream (rtmp://, rtsp://, srt://, udp://) or a file; by default a window.",
)
@option(
    "--height",
    type=click.IntRange(32, 4320),
    metavar="PX",
    help="Height of the output; by default the largest that this machine restyles in real time.",
)
@option("--seconds", type=click.FloatRange(0, min_open=True), metavar="S",
        help="Stop after this many seconds.")  # fmt: skip
@option("--overwrite", is_flag=True, help="Replace an existing file.")
@live_options
def live_command(
    source: str,
    styles: tuple[str, ...],
    objects: tuple[str, ...],
    target: str | None,
    height: int | None,
    seconds: float | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Restyle SOURCE in real time: a camera (0, 1, …), a stream (rtsp://…) or a file, played at
    its own speed. Frames that arrive too fast are dropped; the picture is as large as the machine
    can keep up with.

    \b
    vidstyle live 0 --style art.jpg
    vidstyle live rtsp://camera/stream --object person --style art.jpg -o rtmp://host/live/key
    """
    from vidstyle.live.run import LiveJob, live
    from vidstyle.live.sink import check_sink, open_sink

    rendering = RenderOptions(**options)
    check_sink(target, source, overwrite, rendering.codec)
    job = LiveJob(
        source=source,
        objects=pair(objects, styles),
        options=rendering,
        height=height,
        seconds=seconds,
    )
    say(live(job, partial(open_sink, target, codec=rendering.codec)))
