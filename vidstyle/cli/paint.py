"""``vidstyle paint``: frames of a clip, painted as keys."""

from typing import Any

import click

from vidstyle.cli.options import default_of, option, paint_options, read_render_options
from vidstyle.cli.say import say
from vidstyle.options import PaintOptions
from vidstyle.runtime.progress import displayed


@click.command("paint")
@click.argument("source", metavar="INPUT")
@option("--object", "object_name", metavar="SPEC",
        help="What to paint: a SPEC as in render. By default the whole frame.")  # fmt: skip
@option("--style", required=True, metavar="IMAGE", help="Style picture.")
@option("--key", "keys", multiple=True, required=True, metavar="FRAME|auto|FILE@FRAME",
        help="Frame to paint, by number from 0; may repeat. auto picks frames until their keys "
        "cover enough of the object throughout. FILE@FRAME is an existing key, which the others "
        "must match.")  # fmt: skip
@option("-o", "--output", "target", required=True,
        help="A PNG file for one key; else a pattern, painted.####.png, or a folder.")  # fmt: skip
@option("--strokes", metavar="X", help="Stroke size: 2 for bolder strokes, 0.5 for finer.",
        **default_of("strokes", PaintOptions))  # fmt: skip
@option("--structure", help="How much the plate's structure prevails over the style: 0 is the "
        "style's texture alone, 1 keeps all edges.",
        **default_of("structure", PaintOptions))  # fmt: skip
@paint_options
def paint_command(
    source: str,
    object_name: str | None,
    style: str,
    keys: tuple[str, ...],
    target: str,
    strokes: float,
    structure: float,
    progress: str,
    overwrite: bool,
    **options: Any,
) -> None:
    """Paint keyframes of INPUT in a style, slowly but at high quality; `vidstyle render --key`
    carries them through their shots.

    A key is the size of the plate, and its alpha is the object's matte; retouch it where needed.
    Each further key starts from what the existing keys show of its frame. Requires the vgg19
    weights (`vidstyle models fetch vgg19`).

    \b
    vidstyle paint shot.mp4 --object person --style art.jpg --key 20 -o painted.0020.png
    vidstyle render shot.mp4 --object person --key painted.0020.png@20
    vidstyle paint shot.mp4 --object person --style art.jpg --key auto -o keys/
    """
    from vidstyle.painter.job import PaintJob, run

    job = PaintJob(
        source=source,
        object=object_name,
        style=style,
        keys=keys,
        target=target,
        look=PaintOptions(strokes, structure),
        options=read_render_options(source, options),
        overwrite=overwrite,
    )
    with displayed(progress) as display:
        done = run(job, display)
    for name in done:
        say(f"{name.path}@{name.frame}")
