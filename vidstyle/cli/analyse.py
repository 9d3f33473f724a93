"""``vidstyle analyse``: what must be known of a clip before its segments are rendered anywhere."""

from pathlib import Path
from typing import Any

import click

from vidstyle.cli.options import (
    farm_options,
    object_options,
    pair,
    read_render_options,
    render_options,
)
from vidstyle.farm.analysis import analyse_into
from vidstyle.farm.work import WorkFolder
from vidstyle.preparation import Request
from vidstyle.progress import telling


@click.command("analyse")
@click.argument("source", metavar="INPUT")
@object_options
@farm_options
@render_options
def analyse_command(
    source: str,
    styles: tuple[str, ...],
    objects: tuple[str, ...],
    matte_target: str | None,
    work: Path,
    progress: str,
    overwrite: bool,
    **options: Any,
) -> None:
    """Find cuts, objects and statistics of INPUT, once for all machines, into a work directory.

    Takes render's options, which then hold for segment-render and join. Without --segment the
    grid is of 64 frames.

    \b
    vidstyle analyse in.mp4 --object person --style art.jpg --work in.work
    vidstyle segment-render in.mp4 --work in.work --segments 0-3
    vidstyle join in.mp4 --work in.work -o out.mp4
    """
    request = Request(
        source=source, objects=pair(objects, styles), options=read_render_options(source, options)
    )
    folder = WorkFolder(work)
    with telling(progress) as told:
        manifest = analyse_into(
            folder, request, told, matte_target=matte_target, overwrite=overwrite
        )
    click.echo(f"{folder.manifest}: segments 0-{len(manifest.segments) - 1}")
