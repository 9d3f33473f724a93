"""``vidstyle study``: which of several results people prefer."""

from pathlib import Path

import click

from vidstyle.cli.options import option
from vidstyle.errors import Cancelled, Terminated, UsageError
from vidstyle.evaluate.study.answers import Answers
from vidstyle.evaluate.study.server import RATERS, StudyServer
from vidstyle.evaluate.study.study import ANSWERS, Study
from vidstyle.media.video.target import check_target
from vidstyle.runtime.atomic import write_text
from vidstyle.runtime.extras import needs_extra

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group("study")
def study() -> None:
    """Let people compare results blind, side by side.

    \b
    vidstyle study make ours/ theirs/ --reference plates/ -o study
    vidstyle study serve study
    vidstyle study report study --plot study.svg
    """


@study.command("make")
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True, type=_FOLDER)
@option("-o", "--output", "target", type=_FOLDER, required=True, help="The study's folder.")
@option("--reference", type=_FOLDER, metavar="DIR", help="Show its file of the same name beside.")
@option("--question", default="Which one looks better?", show_default=True, help="Asked of raters.")
@option("--trials", type=click.IntRange(1), metavar="N", help="At most so many for each rater.")
def make_command(
    folders: tuple[Path, ...],
    target: Path,
    reference: Path | None,
    question: str,
    trials: int | None,
) -> None:
    """Make a study of two FOLDERs or more, one a method.

    Files of one name (mp4, webm, png, jpg, webp) are results of one plate. They are copied under
    names that give nothing away; sides and order are drawn for each rater.

    \b
    vidstyle study make ours/ theirs/ --reference plates/ -o study
    """
    from vidstyle.evaluate.study.make import make_study

    made = make_study(folders, target, question, reference, trials)
    count = len(made.trials_of(""))
    click.echo(f"{target}: {len(made.items)} items, {count} trials a rater")


@study.command("serve")
@click.argument("folder", metavar="STUDY", type=_FOLDER)
@option("--host", default="127.0.0.1", show_default=True,
        help="Address to serve at; 0.0.0.0 lets other machines in.")  # fmt: skip
@option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True,
        help="0: any that is free.")  # fmt: skip
@option("--raters", type=click.IntRange(1), metavar="N", default=RATERS, show_default=True,
        help="Raters that one address may send in an hour; more for a large room.")  # fmt: skip
def serve_command(folder: Path, host: str, port: int, raters: int) -> None:
    """Serve STUDY's page to raters until interrupted; answers go to answers.sqlite in it.

    Nothing is kept that identifies a rater, or says when they answered.

    \b
    vidstyle study serve study --host 0.0.0.0 --port 8765
    """
    with StudyServer(folder, host, port, raters) as server:
        click.echo(f"{server.url} (Ctrl-C ends it)")
        try:
            server.serve_forever()
        except Terminated:
            raise
        except Cancelled:
            click.echo(f"{len(server.answers.all())} answers")


@study.command("report")
@click.argument("folder", metavar="STUDY", type=_FOLDER)
@option("--json", "json_file", type=_FILE, metavar="FILE", help="All numbers.")
@option("--plot", "plot_file", type=_FILE, metavar="FILE.svg", help="Strengths and rates.")
def report_command(folder: Path, json_file: Path | None, plot_file: Path | None) -> None:
    """Tell who is preferred in STUDY, and how sure that is.

    Rates with Wilson's interval, a sign test for every two methods, and Bradley–Terry strengths.

    \b
    vidstyle study report study --json study.json --plot study.svg
    """
    with needs_extra("study", "study report"):
        from vidstyle.evaluate.study.preference import preferences
        from vidstyle.evaluate.study.tables import as_json, as_svg, as_text
    for path in filter(None, (json_file, plot_file)):
        check_target(str(path), None)
    made = Study.read(folder)
    answers = Answers(folder / ANSWERS).all()
    if not answers:
        raise UsageError(f"{folder}: no answers yet; let raters in with 'vidstyle study serve'")
    found = preferences(made.methods, answers)
    click.echo(as_text(made, found))
    if json_file:
        write_text(json_file, as_json(made, found))
    if plot_file:
        write_text(plot_file, as_svg(made, found))
