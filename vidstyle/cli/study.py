"""``vidstyle study``: which of several results people prefer."""

from pathlib import Path

import click

from vidstyle.cli.options import allow_host, option
from vidstyle.errors import Cancelled, Terminated, UsageError
from vidstyle.evaluate.study.answers import Answers
from vidstyle.evaluate.study.server import RATERS, StudyServer
from vidstyle.evaluate.study.study import ANSWERS, Study
from vidstyle.media.video.target import check_target
from vidstyle.runtime.atomic import write_text
from vidstyle.runtime.extras import needs_extra
from vidstyle.words import counted

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
@option("--reference", type=_FOLDER, metavar="DIR",
        help="Show the file of the same name from here for reference.")  # fmt: skip
@option("--question", default="Which one looks better?", show_default=True,
        help="Question that raters are asked.")  # fmt: skip
@option("--trials", type=click.IntRange(1), metavar="N", help="Maximum trials per rater.")
def make_command(
    folders: tuple[Path, ...],
    target: Path,
    reference: Path | None,
    question: str,
    trials: int | None,
) -> None:
    """Make a study from two or more FOLDERs, one per method.

    Files of the same name (mp4, webm, png, jpg, webp) are results for the same plate. They are
    copied under names that give nothing away; sides and order are randomised for each rater.

    \b
    vidstyle study make ours/ theirs/ --reference plates/ -o study
    """
    from vidstyle.evaluate.study.make import make_study

    made = make_study(folders, target, question, reference, trials)
    count = len(made.trials_of(""))
    items, trials_each = counted(len(made.items), "item"), counted(count, "trial")
    click.echo(f"{target}: {items}, {trials_each} a rater")


@study.command("serve")
@click.argument("folder", metavar="STUDY", type=_FOLDER)
@option("--host", default="127.0.0.1", show_default=True,
        help="Address to serve on; 0.0.0.0 lets other machines connect.")  # fmt: skip
@option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True,
        help="Port to serve on; 0 picks a free one.")  # fmt: skip
@allow_host
@option("--raters", type=click.IntRange(1), metavar="N", default=RATERS, show_default=True,
        help="Maximum new raters per hour from one address; raise for a large room.")  # fmt: skip
def serve_command(folder: Path, host: str, port: int, names: tuple[str, ...], raters: int) -> None:
    """Serve STUDY's page to raters until interrupted; answers go to its answers.sqlite.

    Nothing is stored that identifies raters or says when they answered.

    \b
    vidstyle study serve study --host 0.0.0.0 --port 8765
    vidstyle study serve study --host 0.0.0.0 --allow-host render01
    """
    with StudyServer(folder, host, port, raters, names) as server:
        click.echo(f"{server.url} (press Ctrl-C to stop)")
        try:
            server.serve_forever()
        except Terminated:
            raise
        except Cancelled:
            click.echo(f"{len(server.answers.all())} answers")


@study.command("report")
@click.argument("folder", metavar="STUDY", type=_FOLDER)
@option("--json", "json_file", type=_FILE, metavar="FILE", help="Write all numbers as JSON.")
@option("--plot", "plot_file", type=_FILE, metavar="FILE.svg",
        help="Plot strengths and rates.")  # fmt: skip
def report_command(folder: Path, json_file: Path | None, plot_file: Path | None) -> None:
    """Report which method is preferred in STUDY, and with what confidence.

    Gives rates with Wilson intervals, a sign test for every pair of methods, and Bradley–Terry
    strengths.

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
