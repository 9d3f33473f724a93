"""``vidstyle render``: a clip in, the restyled clip out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from vidstyle.cli.options import (
    object_options,
    option,
    quality_options,
    read_render_options,
    render_options,
    run_options,
)
from vidstyle.cli.say import say
from vidstyle.errors import UsageError
from vidstyle.media.video.target import check_free, check_target, default_target
from vidstyle.options import QualityOptions, pair
from vidstyle.runtime.progress import displayed


@click.command("render")
@click.argument("source", metavar="INPUT")
@object_options
@option("-o", "--output", "target", help="A video file, or a pattern: styled.%04d.png.")
@render_options
@quality_options
@run_options
def render_command(
    source: str,
    styles: tuple[str, ...],
    objects: tuple[str, ...],
    keys: tuple[str, ...],
    target: str | None,
    matte_target: str | None,
    qc: bool,
    qc_step: int,
    page: str | None,
    fail_above: tuple[str, ...],
    fail_below: tuple[str, ...],
    progress: str,
    resume: bool,
    overwrite: bool,
    dry_run: bool,
    report: str | None,
    **options: Any,
) -> None:
    """Restyle one or more objects of INPUT, and leave every other pixel alone.

    INPUT is a video file, an image sequence (shot.%04d.png, shot.####.png) or a folder.

    \b
    vidstyle render in.mp4 --object person --style art.jpg
    vidstyle render in.mp4 --object person --style a.jpg --object dog --style b.jpg -o out.mov
    """
    from vidstyle.pipeline.job import Job, is_made, outputs, plan, run
    from vidstyle.pipeline.made import Made
    from vidstyle.pipeline.report import has_passed

    quality = None
    if qc or page or fail_above or fail_below:
        quality = QualityOptions(qc_step, page, fail_above, fail_below)
    target = target or default_target(source)
    job = Job(
        source=source,
        target=target,
        objects=pair(objects, styles, keys),
        options=read_render_options(source, options),
        matte_target=matte_target,
        overwrite=overwrite,
        remembered=True,
        quality=quality,
    )
    if resume and not overwrite:
        # What a cancelled run left is rendered again; what is not known of stays.
        for unknown in Made.beside(target).unknown(outputs(job)):
            check_free(unknown, overwrite)
        job = replace(job, overwrite=True)
    taken = {*outputs(job), *styles}
    for file in filter(None, (report, page)):
        check_target(file, source)
        if Path(file).resolve() in {Path(name).resolve() for name in taken}:
            raise UsageError(f"{file}: is used for something else already; name another file")
        taken.add(file)
    # What was not scored, or did not pass, is not done.
    if resume and is_made(job) and (quality is None or has_passed(report)):
        say(f"{job.target}: already there")
        return
    with displayed(progress) as display:
        if dry_run:
            say(plan(job, display))
            return
        done = run(job, display)
        display.close()
        if report:
            done.write(Path(report))
        say(job.target)
        done.check_quality()
