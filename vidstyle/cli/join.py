"""``vidstyle join``: the clip from its segments."""

from pathlib import Path

import click

from vidstyle.cli.options import farm_options, flow_cache_options, option
from vidstyle.cli.say import say
from vidstyle.farm.work import WorkFolder
from vidstyle.media.video.target import default_target
from vidstyle.runtime.progress import displayed


@click.command("join")
@click.argument("source", metavar="INPUT")
@farm_options
@option("-o", "--output", "target", help="A video file, or a pattern: styled.%04d.png.")
@option("--repair", is_flag=True, help="Render missing or damaged segments on this machine.")
@flow_cache_options
def join_command(
    source: str,
    work: Path,
    progress: str,
    overwrite: bool,
    target: str | None,
    repair: bool,
    flow_cache: str | None,
    flow_cache_size: int,
) -> None:
    """Join the segments in a work directory into one clip, with the audio of INPUT.

    Every segment's checksum is verified first.

    \b
    vidstyle join in.mp4 --work /farm/in -o out.mp4
    vidstyle join in.mp4 --work /farm/in -o out.mp4 --repair
    """
    from vidstyle.farm.join import join
    from vidstyle.farm.worker import Worker

    folder, target = WorkFolder(work), target or default_target(source)
    with displayed(progress) as display:
        worker = Worker(folder, source, flow_cache=flow_cache, flow_cache_size=flow_cache_size)
        join(worker, folder, source, target, display, repair=repair, overwrite=overwrite)
    say(target)
