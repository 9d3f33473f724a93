"""``vidstyle evaluate``: how steady, how sharp and how much in style results are."""

from pathlib import Path

import click

from vidstyle.choices import PROGRESSES
from vidstyle.cli.options import flow_cache_options, option
from vidstyle.cli.say import say
from vidstyle.errors import UsageError
from vidstyle.media.video.target import check_target
from vidstyle.options import DEFAULTS
from vidstyle.runtime.atomic import write_text
from vidstyle.runtime.extras import needs_extra
from vidstyle.runtime.progress import displayed

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("evaluate")
@click.argument("original", metavar="ORIGINAL")
@click.argument("results", metavar="RESULT...", nargs=-1, required=True)
@option("--style", metavar="IMAGE", help="Measure style distance to this picture.")
@option(
    "--matte",
    metavar="PATTERN|FILE",
    help="The object's mattes, one per frame or one for all frames; adds scores inside the object, "
    "in a band along its edge, and outside.",
)
@option(
    "--reference",
    metavar="CLIP",
    help="Clip whose level of detail the results should match; by default the first of several "
    "results.",
)
@option(
    "--flow",
    metavar="NAME|DIR",
    default="auto",
    show_default=True,
    help="Optical flow to judge motion by: raft-large, raft-small, dis, or a folder of "
    "ground-truth flows (.flo). auto picks the best on this machine that no render used.",
)
@option(
    "--flow-size",
    type=click.IntRange(64),
    metavar="PX",
    default=360,
    show_default=True,
    help="Maximum short side for optical flow.",
)
@flow_cache_options
@option(
    "--report",
    "reports",
    type=_FILE,
    multiple=True,
    metavar="FILE.json",
    help="Report written by `render --report`; the flow it names may not judge motion. May repeat.",
)
@option(
    "--teacher",
    metavar="NAME|FILE",
    default="auto",
    show_default=True,
    help="Network to compare style with, as in train --perceptual.",
)
@option(
    "--gaps",
    metavar="N,…",
    default="1,10",
    show_default=True,
    help="Frame distances between the pairs compared.",
)
@option("--in", "first", type=click.IntRange(0), default=0, help="First frame.")
@option("--out", "last", type=click.IntRange(0), help="Last frame.")
@option(
    "--part",
    is_flag=True,
    help="Results and mattes contain only these frames, as rendered with the same --in and --out.",
)
@option(
    "--step",
    type=click.IntRange(1),
    metavar="N",
    default=1,
    show_default=True,
    help="Score every nth frame.",
)
@option("--row", type=click.IntRange(0), metavar="Y", help="Row of the x–t slices.")
@option("--json", "json_file", type=_FILE, metavar="FILE",
        help="Write means and per-frame values as JSON.")  # fmt: skip
@option("--csv", "csv_file", type=_FILE, metavar="FILE",
        help="Write values per frame and clip as CSV.")  # fmt: skip
@option("--html", "html_file", type=_FILE, metavar="FILE",
        help="Write a report with plots and pictures.")  # fmt: skip
@option(
    "--fail-above",
    multiple=True,
    metavar="NAME=VALUE",
    help="Exit with code 7 if a result's mean is larger, such as e_warp.gap1.inside=0.004.",
)
@option(
    "--fail-below",
    multiple=True,
    metavar="NAME=VALUE",
    help="Exit with code 7 if a result's mean is smaller, such as detail.all=0.9.",
)
@option("--device", metavar="auto|cpu|cuda[:N]", default=DEFAULTS.device, show_default=True,
        help="Device to run networks on.")  # fmt: skip
@option("--progress", type=click.Choice(PROGRESSES), default="auto", show_default=True,
        help="How progress is reported.")  # fmt: skip
def evaluate_command(
    original: str,
    results: tuple[str, ...],
    style: str | None,
    matte: str | None,
    reference: str | None,
    flow: str,
    flow_size: int,
    flow_cache: str | None,
    flow_cache_size: int,
    reports: tuple[Path, ...],
    teacher: str,
    gaps: str,
    first: int,
    last: int | None,
    part: bool,
    step: int,
    row: int | None,
    json_file: Path | None,
    csv_file: Path | None,
    html_file: Path | None,
    fail_above: tuple[str, ...],
    fail_below: tuple[str, ...],
    device: str,
    progress: str,
) -> None:
    """Score each RESULT against ORIGINAL, the clip that it was made from.

    \b
    vidstyle evaluate in.mp4 styled.mp4 --style art.jpg --matte 'm.%04d.png' --html report.html
    vidstyle evaluate in.mp4 ours.mp4 theirs.mp4 --reference per_frame.mp4 --csv scores.csv
    vidstyle evaluate in.mp4 styled.mp4 --report render.json --fail-above e_warp.gap1.all=0.004
    """
    targets = [file for file in (json_file, csv_file, html_file) if file is not None]
    inputs = [original, *results, *filter(None, (style, matte, reference)), *map(str, reports)]
    for target in targets:
        for source in inputs:
            check_target(str(target), source)
    if len(set(targets)) < len(targets):
        raise UsageError(f"{targets[0]}: one file cannot hold two reports; name several")
    with needs_extra("evaluate", "vidstyle evaluate"):
        from vidstyle.evaluate.evaluation import Job, evaluate
        from vidstyle.evaluate.gate import check
        from vidstyle.evaluate.page import as_html
        from vidstyle.evaluate.tables import as_csv, as_json, as_text

        job = Job(
            plate=original,
            results=results,
            style=style,
            matte=matte,
            reference=reference,
            flow=flow,
            flow_size=flow_size,
            flow_cache=flow_cache,
            flow_cache_size=flow_cache_size,
            reports=reports,
            teacher=teacher,
            gaps=_numbers(gaps),
            first=first,
            last=last,
            part=part,
            step=step,
            row=row,
            device=device,
            fail_above=fail_above,
            fail_below=fail_below,
        )
    with displayed(progress) as display:
        with needs_extra("evaluate", "vidstyle evaluate"):
            done = evaluate(job, display)
        display.close()
        if json_file:
            write_text(json_file, as_json(done))
        if csv_file:
            write_text(csv_file, as_csv(done.scores))
        if html_file:
            write_text(html_file, as_html(done))
        say(as_text(done.scores))
        check(done.thresholds, done.scores)


def _numbers(gaps: str) -> list[int]:
    """``1,10``, in order and each once."""
    numbers = {int(part) if part.strip().isdecimal() else 0 for part in gaps.split(",")}
    if min(numbers) < 1:
        raise UsageError(f"--gaps {gaps}: give numbers of frames, such as 1,10")
    return sorted(numbers)
