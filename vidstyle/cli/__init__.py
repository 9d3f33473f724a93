"""The command line: one short file a command; errors become one line and an exit code here."""

import logging
import os
import signal
import sys
import traceback
from types import FrameType
from typing import NoReturn

import click

from vidstyle import __version__
from vidstyle.cli.analyse import analyse_command
from vidstyle.cli.batch import batch_command
from vidstyle.cli.evaluate import evaluate_command
from vidstyle.cli.export import export_command
from vidstyle.cli.farm import farm_command
from vidstyle.cli.heap import use_one_heap
from vidstyle.cli.join import join_command
from vidstyle.cli.live import live_command
from vidstyle.cli.logs import is_json, start_logging
from vidstyle.cli.models import models
from vidstyle.cli.render import render_command
from vidstyle.cli.segment_render import segment_render_command
from vidstyle.cli.still import still_command
from vidstyle.cli.study import study
from vidstyle.cli.train import train_command
from vidstyle.cli.ui import ui_command
from vidstyle.errors import Cancelled, DeviceError, Terminated, VidstyleError
from vidstyle.memory import is_out_of_memory

__all__ = ["main"]

_STOPPING = (signal.SIGINT, signal.SIGTERM)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vidstyle")
@click.option("-v", "--verbose", is_flag=True, help="Log details.")
@click.option("-q", "--quiet", is_flag=True, help="Log warnings only.")
@click.option("--log-json", is_flag=True, envvar="VIDSTYLE_LOG_JSON", help="Log JSON lines.")
def cli(verbose: bool, quiet: bool, log_json: bool) -> None:
    """Restyle one object of a film shot, and leave every other pixel alone."""
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    start_logging(level, log_json)


cli.add_command(render_command)
cli.add_command(analyse_command)
cli.add_command(segment_render_command)
cli.add_command(join_command)
cli.add_command(farm_command)
cli.add_command(batch_command)
cli.add_command(evaluate_command)
cli.add_command(live_command)
cli.add_command(export_command)
cli.add_command(models)
cli.add_command(still_command)
cli.add_command(study)
cli.add_command(train_command)
cli.add_command(ui_command)


def main() -> NoReturn:
    """Run the command line and exit with the code that :mod:`vidstyle.errors` gives."""
    use_one_heap()
    # The AV1 encoder tells its settings on standard error, unless told to name errors only.
    os.environ.setdefault("SVT_LOG", "1")
    for number in _STOPPING:
        signal.signal(number, _stop)
    try:
        cli.main(prog_name="vidstyle", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        fail(error.format_message(), 2)
    except click.Abort:
        fail("cancelled", Cancelled.exit_code)
    except VidstyleError as error:
        fail(str(error), error.exit_code)
    except Exception as error:
        if is_out_of_memory(error):
            fail("out of memory; use a smaller --batch", DeviceError.exit_code)
        traceback.print_exc()
        fail(f"this is a bug: {error}", 1)
    sys.exit(0)


def fail(message: str, code: int) -> NoReturn:
    """One line on standard error, and out."""
    line = " ".join(message.split())
    if is_json():
        logging.getLogger("vidstyle").error(line)
    else:
        print(f"vidstyle: {line}", file=sys.stderr)
    sys.exit(code)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    # A second signal must not interrupt the cleaning up after the first.
    for stopping in _STOPPING:
        signal.signal(stopping, signal.SIG_IGN)
    raise Terminated("terminated") if number == signal.SIGTERM else Cancelled("cancelled")
