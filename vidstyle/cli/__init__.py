"""The command line: one short file a command; errors become one line and an exit code here."""

import errno
import io
import logging
import os
import sys
import traceback
from importlib import import_module
from typing import NoReturn

import click

from vidstyle import __version__
from vidstyle.cli.heap import use_one_heap
from vidstyle.cli.logs import is_json, start_logging
from vidstyle.cli.stop import Stop
from vidstyle.errors import Cancelled, DeviceError, MediaError, VidstyleError
from vidstyle.media import limits
from vidstyle.media.access import refused
from vidstyle.runtime.progress import say_no_more

__all__ = ["main"]

# What each command is called, in its own module: those named are imported, with what they need.
_COMMANDS = {
    "render": "render_command",
    "analyse": "analyse_command",
    "segment-render": "segment_render_command",
    "join": "join_command",
    "farm": "farm_command",
    "batch": "batch_command",
    "evaluate": "evaluate_command",
    "live": "live_command",
    "export": "export_command",
    "models": "models",
    "paint": "paint_command",
    "still": "still_command",
    "study": "study",
    "train": "train_command",
    "ui": "ui_command",
}


class _Commands(click.Group):
    """Imports a command when it is called for, so that --version waits for no library."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"vidstyle.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = getattr(module, _COMMANDS[cmd_name])
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="In the environment, VIDSTYLE_<NAME> sets an option of a command; of one that may "
    "repeat, each line is a value.",
)
@click.version_option(__version__, prog_name="vidstyle")
@click.option("-v", "--verbose", is_flag=True, help="Log details.")
@click.option("-q", "--quiet", is_flag=True, help="Log warnings only.")
@click.option("--log-json", is_flag=True, envvar="VIDSTYLE_LOG_JSON", help="Log JSON lines.")
@click.option("--max-pixels", type=click.IntRange(1, 2**31 - 1), envvar=limits.VARIABLE,
              metavar="N", default=limits.MOST, show_default=True,
              help="Refuse frames and pictures with more pixels than this.")  # fmt: skip
def cli(verbose: bool, quiet: bool, log_json: bool, max_pixels: int) -> None:
    """Restyle one object of a film shot, and leave every other pixel alone."""
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    start_logging(level, log_json)
    # For what this process starts as well.
    os.environ[limits.VARIABLE] = str(max_pixels)


def main() -> NoReturn:
    """Run the command line and exit with the code that :mod:`vidstyle.errors` gives."""
    use_one_heap()
    # The AV1 encoder prints its settings on standard error, unless it is set to errors only.
    os.environ.setdefault("SVT_LOG", "1")
    # What PyTorch cannot do yet on a GPU of Apple's it leaves to the CPU, with a warning.
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    # OpenCV would take all cores: it looks at a variable of its own.
    if count := os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]:
        os.environ.setdefault("OPENCV_FOR_THREADS_NUM", count)
    # Names of files that are no text go out as the bytes that they are.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")
    stop = Stop()
    stop.listen()
    try:
        cli.main(prog_name="vidstyle", standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.message)
        sys.exit(0)
    except click.ClickException as error:
        fail(error.format_message(), 2)
    except click.Abort:
        fail("cancelled", Cancelled.exit_code)
    except (VidstyleError, Cancelled) as error:
        reason = stop.error or error
        fail(str(reason), reason.exit_code)
    except Exception as error:
        if stop.error is not None:
            fail(str(stop.error), stop.error.exit_code)
        if told := _lack(error):
            fail(told, MediaError.exit_code)
        # It imports torch, which --version need not wait for.
        from vidstyle.runtime.memory import is_out_of_memory

        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            fail(f"{error.filename}: the file name is too long; give a shorter one", 2)
        if is_out_of_memory(error):
            fail("out of memory; use a smaller --batch", DeviceError.exit_code)
        traceback.print_exc()
        fail(f"this is a bug: {error}", 1)
    sys.exit(0)


def _lack(error: Exception) -> str | None:
    """What to say where the machine lacks room or permission for something, wherever that was
    found."""
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        if error.filename is None:
            say_no_more(sys.stdout)
        where = error.filename or "standard output, or a temporary file"
        return f"{where}: cannot be written ({error.strerror}); free the disk and run again"
    if "No usable temporary directory" in str(error):
        return "no temporary folder is writable; set TMPDIR"
    return refused(error)


def fail(message: str, code: int) -> NoReturn:
    """One line on standard error, and out."""
    line = " ".join(message.split())
    if is_json():
        logging.getLogger("vidstyle").error(line)
    else:
        print(f"vidstyle: {line}", file=sys.stderr)
    sys.exit(code)
