"""A folder of pictures through ``vidstyle still``, interrupted and resumed: speed and memory.

    OMP_NUM_THREADS=1 python tools/bench_stills.py
    python tools/bench_stills.py --count 50 --size 640x480

For N pictures and for 10 N: the first run is ended by SIGTERM once half of them are done, and the
second resumes. Prints how many pictures were left for the second run, its pictures per second,
including start-up, and the larger of the two peaks of resident memory.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import cv2
import skimage.data

CANCELLED = 143
POLL = 0.02  # seconds


@click.command(help=__doc__)
@click.option("--count", default=200, show_default=True, help="N.")
@click.option("--size", default="160x120", show_default=True, metavar="WxH")
@click.option("--model", default="micro", show_default=True)
def main(count: int, size: str, model: str) -> None:
    width, height = (int(side) for side in size.split("x"))
    for number in (count, 10 * count):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_photos(folder / "photos", number, (height, width))
            cv2.imwrite(str(folder / "style.png"), skimage.data.coffee()[..., ::-1])
            left, seconds, peak = end_and_resume(folder, number, model)
        click.echo(
            f"{number:5} pictures of {size}: {left} after resuming, {left / seconds:.1f} a second, "
            f"peak {peak:.0f} MiB"
        )


def write_photos(folder: Path, count: int, size: tuple[int, int]) -> None:
    """Different windows of a photograph as PNG; ``size`` is (H, W)."""
    folder.mkdir()
    height, width = size
    photograph = cv2.resize(skimage.data.astronaut()[..., ::-1], (width + 100, height + 100))
    for index in range(count):
        y, x = divmod(index, 100)
        window = photograph[y % 100 : y % 100 + height, x : x + width]
        cv2.imwrite(str(folder / f"{index:06}.png"), window)


def end_and_resume(folder: Path, count: int, model: str) -> tuple[int, float, float]:
    """How many pictures the second run made, in how many seconds; the peak of both in MiB."""
    styled = folder / "styled"
    command = [
        *(sys.executable, "-m", "vidstyle", "-q", "still", str(folder / "photos")),
        *("--style", str(folder / "style.png"), "--model", model, "--device", "cpu"),
        *("-o", str(styled), "--resume"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while sum(1 for _ in styled.glob("*.png")) < count // 2 and _runs(process):
        time.sleep(POLL)
    process.send_signal(signal.SIGTERM)
    first = _peak(process, CANCELLED)
    done = sum(1 for _ in styled.glob("*.png"))
    begin = time.perf_counter()
    second = _peak(subprocess.Popen(command, stdout=subprocess.DEVNULL), 0)
    seconds = time.perf_counter() - begin
    if any(cv2.imread(str(path)) is None for path in styled.glob("*.png")):
        raise click.ClickException("a picture is not whole")
    if (made := sum(1 for _ in styled.glob("*.png"))) != count:
        raise click.ClickException(f"{made} pictures of {count}")
    return count - done, seconds, max(first, second)


def _runs(process: subprocess.Popen[bytes]) -> bool:
    """Whether it is still running; it can still be waited for."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _peak(process: subprocess.Popen[bytes], code: int) -> float:
    """Wait for it to end with this exit code; returns its peak resident memory in MiB."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != code:
        raise click.ClickException(f"exit code {process.returncode} where {code} is due")
    # macOS counts bytes, Linux KiB.
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main()
