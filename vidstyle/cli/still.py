"""``vidstyle still``: pictures in, restyled pictures out."""

from pathlib import Path
from typing import Any

import click

from vidstyle.cli.options import option, still_options
from vidstyle.cli.say import say
from vidstyle.errors import UsageError
from vidstyle.media.video.target import check_target
from vidstyle.options import RenderOptions, pair
from vidstyle.runtime.atomic import write_text
from vidstyle.runtime.progress import displayed
from vidstyle.words import counted as plural

_PATH = click.Path(path_type=Path)


@click.command("still")
@click.argument("sources", metavar="IMAGE...", nargs=-1, required=True, type=_PATH)
@option("-o", "--output", "target", type=_PATH, required=True,
        help="A PNG or JPEG file for one IMAGE; otherwise a folder.")  # fmt: skip
@option("--kind", type=click.Choice(["png", "jpg"]), default="png", show_default=True,
        help="Format of the pictures in the folder.")  # fmt: skip
@option("--cut-out", is_flag=True, help="Write the object alone, the rest transparent.")
@option("--grid", metavar="S,S,…", help="Show several strengths in one picture, beside the plate.")
@option("--fail-below", multiple=True, metavar="NAME=VALUE",
        help="Do not write a picture whose SSIM or gradient correlation with the input, inside "
        "the object, is lower: ssim=0.8, gradient=0.95; exit code 7.")  # fmt: skip
@option("--window", metavar="CENTRE,WIDTH",
        help="Window of DICOM pictures, from black to white; by default their own.")  # fmt: skip
@still_options
def still_command(
    sources: tuple[Path, ...],
    target: Path,
    kind: str,
    cut_out: bool,
    grid: str | None,
    fail_below: tuple[str, ...],
    window: str | None,
    styles: tuple[str, ...],
    objects: tuple[str, ...],
    progress: str,
    resume: bool,
    overwrite: bool,
    report: str | None,
    **options: Any,
) -> None:
    """Restyle pictures, or one object of each, and leave every other pixel alone.

    IMAGE is a picture, a folder of pictures, or a DICOM file (not for diagnosis). Bit depth, EXIF,
    colour profile and transparency are kept. A failed picture does not stop the others; the exit
    code is then that of the first failure.

    \b
    vidstyle still shoe.jpg --object box:40,60,600,420 --style art.jpg -o shoe.png --cut-out
    vidstyle still photos/ --object matte:mattes/ --style art.jpg -o styled/ --resume
    vidstyle still ct/ --style art.jpg --preserve structure --fail-below ssim=0.7 -o styled/
    """
    from vidstyle.evaluate.gate import Threshold
    from vidstyle.still.dicom import Window
    from vidstyle.still.job import MEASURES, StillJob, restyle_stills
    from vidstyle.still.source import find_stills
    from vidstyle.still.summary import HEAD, Entry, as_json, counted

    job = StillJob(
        sources=find_stills(sources),
        target=target,
        objects=pair(objects, styles),
        options=RenderOptions(**options),
        kind=f".{kind}",
        grid=_strengths(grid),
        cut_out=cut_out,
        window=None if window is None else Window.parse(window),
        bounds=[Threshold.parse(text, MEASURES, largest=False) for text in fail_below],
        resume=resume,
        overwrite=overwrite,
    )
    if report:
        check_target(report, None)
    with displayed(progress) as display:
        display.stage("stills", len(job.sources))
        say(HEAD)

        def on_entry(entry: Entry) -> None:
            say(entry.line())
            display.advance(1)

        studio, entries, failure = restyle_stills(job, on_entry)
        display.close()
        say(counted(entries))
        if report:
            write_text(Path(report), as_json(entries, job.objects, job.options, studio.parts))
        if failure is not None:
            failed = sum(entry.status == "failed" for entry in entries)
            reason = next(entry.reason for entry in entries if entry.status == "failed")
            raise type(failure)(
                f"{failed} of {plural(len(entries), 'picture')} failed; the first: {reason}"
            )


def _strengths(text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--grid {text}: give strengths, such as 0.25,0.5,1") from None
