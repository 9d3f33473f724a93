"""``vidstyle segment-render``: what a task of the farm runs."""

import re
from pathlib import Path

import click

from vidstyle.cli.options import farm_options, flow_cache_options, option
from vidstyle.errors import UsageError
from vidstyle.farm.work import WorkFolder
from vidstyle.runtime.progress import displayed

#: No grid is larger: a day of film at 120 frames a second, in segments of two frames.
_LARGEST = 10_000_000


@click.command("segment-render")
@click.argument("source", metavar="INPUT")
@farm_options
@option("--segments", required=True, metavar="A-B", help="Segments to render: 4, or 0-3.")
@option("--device", metavar="auto|cpu|cuda[:N]|mps",
        help="Device to run networks on; by default as in analyse.")  # fmt: skip
@flow_cache_options
def segment_render_command(
    source: str,
    work: Path,
    progress: str,
    overwrite: bool,
    segments: str,
    device: str | None,
    flow_cache: str | None,
    flow_cache_size: int,
) -> None:
    """Render segments of INPUT, which has been analysed into a work directory.

    Existing, intact segments are left alone; any number of machines may work at once, even on the
    same segment.

    \b
    vidstyle segment-render in.mp4 --work /farm/in --segments 0-3
    """
    numbers = parse_segments(segments)
    from vidstyle.farm.worker import Worker

    with displayed(progress) as display:
        worker = Worker(
            WorkFolder(work), source,
            device=device, flow_cache=flow_cache, flow_cache_size=flow_cache_size,
        )  # fmt: skip
        worker.render(numbers, display, overwrite)


def parse_segments(text: str) -> range:
    """``4`` or ``0-3``, both ends included.

    Raises:
        UsageError: anything else, or a range that runs backwards.
    """
    match = re.fullmatch(r"([0-9]{1,8})(?:-([0-9]{1,8}))?", text)
    if match is None:
        raise UsageError(f"--segments {text}: not a range; give one number, or two such as 0-3")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first or last > _LARGEST:
        raise UsageError(f"--segments {text}: the range is empty; give the smaller number first")
    return range(first, last + 1)
