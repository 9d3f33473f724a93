"""``vidstyle batch``: the shots of a folder, a list, an EDL or an OTIO timeline."""

import logging
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidstyle.choices import PROGRESSES
from vidstyle.cli.options import option, render_options
from vidstyle.cli.say import aligned, say
from vidstyle.errors import BatchError, UsageError, VidstyleError
from vidstyle.options import RenderOptions
from vidstyle.runtime.progress import displayed
from vidstyle.words import counted

if TYPE_CHECKING:
    from vidstyle.batch.run import Defaults, Result
    from vidstyle.batch.shot import Shot

log = logging.getLogger(__name__)

_FOLDER = click.Path(file_okay=False, path_type=Path)
_SHEET = "contact_sheet.html"


@click.command("batch")
@click.argument("listed", metavar="SHOTS", type=click.Path(path_type=Path))
@option("-o", "--output", "root", type=_FOLDER, metavar="DIR",
        help="Output folder; by default beside SHOTS.")  # fmt: skip
@option("--style", "styles", multiple=True, metavar="IMAGE",
        help="Style picture for shots that name none, as in render.")  # fmt: skip
@option("--object", "objects", multiple=True, metavar="SPEC",
        help="Object to style in shots that name none, as in render.")  # fmt: skip
@option("--media", type=_FOLDER, metavar="DIR",
        help="Folder to search for clips that a timeline does not locate.")  # fmt: skip
@option("--rate", metavar="FPS",
        help="Frame rate of an EDL, if it differs from its clips': 24000/1001.")  # fmt: skip
@option("--only", multiple=True, metavar="NAME", help="Render only this shot; may repeat.")
@render_options
@option("--overwrite", is_flag=True, help="Also replace files that this batch did not write.")
@option("--dry-run", is_flag=True, help="Print the shots and exit.")
@option("--progress", type=click.Choice(PROGRESSES), default="auto", show_default=True,
        help="How progress is reported.")  # fmt: skip
def batch_command(
    listed: Path,
    root: Path | None,
    styles: tuple[str, ...],
    objects: tuple[str, ...],
    media: Path | None,
    rate: str | None,
    only: tuple[str, ...],
    overwrite: bool,
    dry_run: bool,
    progress: str,
    **options: Any,
) -> None:
    """Render every shot in SHOTS: a folder of clips and image sequences, a list (.csv, .yaml) or
    an edit (.edl, .otio).

    Columns of a list: source, name, in, out, handles, object, style, output, strength, feather,
    invert, exclude, codec, model, … Only source is required; separate several objects or styles
    with "|". An OTIO clip carries the same fields in its metadata, under vidstyle; an EDL in a
    comment below the event: * VIDSTYLE: object=person style=art.jpg

    A failed shot does not stop the others, but the exit code is then 8. Run again, the same
    command renders only shots that are unfinished or have changed.

    \b
    vidstyle batch plates/ --object person --style art.jpg
    vidstyle batch cut.otio --style art.jpg --handles 8 --codec prores -o styled
    """
    from vidstyle.batch.listing import read_shots
    from vidstyle.batch.run import Defaults, run_batch
    from vidstyle.batch.sheet import write_sheet
    from vidstyle.batch.shot import Named

    first, last, handles = (options.pop(name) for name in ("first", "last", "handles"))
    defaults = Defaults(
        objects,
        styles,
        RenderOptions(**options),
        Named(first, last),
        handles,
    )
    shots = read_shots(listed, media, _rate(rate))
    _check_names(shots, only, listed)
    if root is None:
        root = listed.resolve().with_name(f"{listed.resolve().stem}.styled")
    if dry_run:
        say(_plan(shots, only, root, defaults))
        return
    with displayed(progress) as display:
        results = run_batch(shots, root, defaults, display, only=only, overwrite=overwrite)
        display.close()
        say(_table(results))
        try:
            title = listed.resolve().name
            write_sheet(root / _SHEET, results, title, overwrite=overwrite)
            say(root / _SHEET)
        except VidstyleError as error:
            log.warning("no contact sheet: %s", error)
        if failed := [result.name for result in results if result.state == "failed"]:
            raise BatchError(
                f"{len(failed)} of {counted(len(results), 'shot')} failed ({', '.join(failed[:5])}"
                f"{', …' if len(failed) > 5 else ''}); fix {'it' if len(failed) == 1 else 'them'} "
                "and run the same command again"
            )


def _rate(text: str | None) -> Fraction | None:
    try:
        rate = None if text is None else Fraction(text).limit_denominator(1001)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate is not None and not 1 <= rate <= 1000:
        raise UsageError(f"--rate {text}: give frames per second, such as 25 or 24000/1001")
    return rate


def _check_names(shots: "list[Shot]", only: tuple[str, ...], listed: Path) -> None:
    from vidstyle.batch.targets import names_of

    names = names_of(shots)
    for wanted in only:
        if wanted not in names:
            raise UsageError(f"--only {wanted}: {listed} names {', '.join(names[:20])}")


def _plan(shots: "list[Shot]", only: tuple[str, ...], root: Path, defaults: "Defaults") -> str:
    from vidstyle.batch.targets import names_of, target_of

    rows = [("shot", "source", "output", "look")]
    for shot, name in zip(shots, names_of(shots), strict=True):
        if only and name not in only:
            continue
        codec = shot.options.get("codec", defaults.options.codec)
        wanted = ", ".join(shot.objects or defaults.objects) or "whole frame"
        looks = f"{wanted} in the style of {', '.join(shot.styles or defaults.styles)}"
        rows.append((name, shot.trouble or shot.source, target_of(shot, name, codec, root), looks))
    return aligned(rows)


def _table(results: "list[Result]") -> str:
    from vidstyle.batch.sheet import frames_of

    rows = [("shot", "state", "frames", "seconds", "")]
    for result in results:
        outcome = result.error or (result.job.target if result.job else "")
        frames = str(frames_of(result) or "")
        rows.append((result.name, result.state, frames, f"{result.seconds:.1f}", outcome))
    return aligned(rows)
