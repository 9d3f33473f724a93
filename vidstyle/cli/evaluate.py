"""``vidstyle evaluate``: how steady, how sharp and how much in style results are."""

from contextlib import closing
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
from vidstyle.runtime.progress import build_progress

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("evaluate")
@click.argument("original", metavar="ORIGINAL")
@click.argument("results", metavar="RESULT...", nargs=-1, required=True)
@option("--style", metavar="IMAGE", help="Measure style distance to this picture.")
@option(
    "--matte",
    metavar="PATTERN|FILE",
    help="The object's mattes, one a frame or one for all: scores inside, a band along its edge, "
    "and outside too.",
)
@option(
    "--reference",
    metavar="CLIP",
    help="Whose detail results should have; the first of several results by default.",
)
@option(
    "--flow",
    metavar="NAME|DIR",
    default="auto",
    show_default=True,
    help="Who judges motion: raft-large, raft-small, dis, or a folder of true flows (.flo). "
    "auto: the best on this machine that no render used.",
)
@option(
    "--flow-size",
    type=click.IntRange(64),
    metavar="PX",
    default=360,
    show_default=True,
    help="Largest short side for the flow.",
)
@flow_cache_options
@option(
    "--report",
    "reports",
    type=_FILE,
    multiple=True,
    metavar="FILE.json",
    help="What `render --report` wrote: names the flow that may not judge; may repeat.",
)
@option(
    "--teacher",
    metavar="NAME|FILE",
    default="auto",
    show_default=True,
    help="In whose eyes style is compared, as in train.",
)
@option(
    "--gaps",
    metavar="N,…",
    default="1,10",
    show_default=True,
    help="Frames that compared pairs are apart.",
)
@option("--in", "first", type=click.IntRange(0), default=0, help="First frame.")
@option("--out", "last", type=click.IntRange(0), help="Last frame.")
@option(
    "--part",
    is_flag=True,
    help="Results and mattes hold only these frames, as a render with "
    "the same --in and --out makes them.",
)
@option(
    "--step",
    type=click.IntRange(1),
    metavar="N",
    default=1,
    show_default=True,
    help="Score every nth frame.",
)
@option("--row", type=click.IntRange(0), metavar="Y", help="Of the x–t slices.")
@option("--json", "json_file", type=_FILE, metavar="FILE", help="Means, and values by frame.")
@option("--csv", "csv_file", type=_FILE, metavar="FILE", help="Values by frame and clip.")
@option("--html", "html_file", type=_FILE, metavar="FILE", help="A report with plots and pictures.")
@option(
    "--fail-above",
    multiple=True,
    metavar="NAME=VALUE",
    help="Exit with code 7 when a result's mean is larger, as e_warp.gap1.inside=0.004.",
)
@option(
    "--fail-below",
    multiple=True,
    metavar="NAME=VALUE",
    help="Exit with code 7 when it is smaller, as detail.all=0.9.",
)
@option("--device", metavar="auto|cpu|cuda[:N]", default=DEFAULTS.device, show_default=True,
        help="Where networks run.")  # fmt: skip
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
    """Score each RESULT against ORIGINAL, the clip that it was made of.

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
        with closing(build_progress(progress)) as display:
            done = evaluate(job, display)
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
