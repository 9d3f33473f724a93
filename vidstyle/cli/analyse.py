"""``vidstyle analyse``: what must be known of a clip before its segments are rendered anywhere."""

from pathlib import Path
from typing import Any

import click

from vidstyle.cli.options import (
    farm_options,
    object_options,
    option,
    read_render_options,
    render_options,
)
from vidstyle.cli.say import say
from vidstyle.farm.work import WorkFolder
from vidstyle.options import pair
from vidstyle.runtime.progress import displayed


@click.command("analyse")
@click.argument("source", metavar="INPUT")
@object_options
@farm_options
@option(
    "--list-objects",
    is_flag=True,
    help="List the objects that --object can name, draw them to a picture in the work directory, "
    "and exit.",
)
@option(
    "--review",
    is_flag=True,
    help="Write a review video of all mattes, with their confidence, to the work directory.",
)
@render_options
def analyse_command(
    source: str,
    styles: tuple[str, ...],
    objects: tuple[str, ...],
    keys: tuple[str, ...],
    matte_target: str | None,
    work: Path,
    progress: str,
    overwrite: bool,
    list_objects: bool,
    review: bool,
    **options: Any,
) -> None:
    """Analyse INPUT once for all machines: write its cuts, objects and statistics to a work
    directory.

    Takes the options of render, which then apply to segment-render and join. Without --segment,
    shots are split into segments of 64 frames.

    \b
    vidstyle analyse in.mp4 --list-objects --work in.work
    vidstyle analyse in.mp4 --object person --style art.jpg --work in.work
    vidstyle segment-render in.mp4 --work in.work --segments 0-3
    vidstyle join in.mp4 --work in.work -o out.mp4
    """
    from vidstyle.farm.analysis import analyse_into, list_into
    from vidstyle.pipeline.preparation import Request

    folder = WorkFolder(work)
    settings = read_render_options(source, options)
    with displayed(progress) as display:
        if list_objects:
            for found in list_into(folder, source, settings, display):
                say(found)
            say(folder.objects)
            return
        request = Request(source=source, objects=pair(objects, styles, keys), options=settings)
        manifest = analyse_into(
            folder,
            request,
            display,
            matte_target=matte_target,
            review=review,
            overwrite=overwrite,
        )
    say(f"{folder.manifest}: segments 0-{len(manifest.segments) - 1}")
