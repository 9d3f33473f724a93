"""Whether the memory of a render grows with the length of the shot.

    python tools/bench_memory.py [--frames 60 --frames 600] [--size 320x180] [--model NAME|PATH]

Renders a camera move over a photograph, in a process of its own for each length, and prints the
peak of its resident memory. Ends with exit code 1 when the longest takes over 5 % more than the
shortest.
"""

import math
import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import click
import cv2
import skimage.data

LIMIT = 1.05
RATE = 25
# Of the 512x512 photograph: the camera's path is centred here, and her face lies around it.
CENTRE = (232, 140)


@click.command(help=__doc__)
@click.option("--frames", "counts", type=int, multiple=True, default=(60, 600), show_default=True)
@click.option("--size", default="320x180", show_default=True, metavar="WxH")
@click.option("--object", "spec", help="SPEC as for render; her face by default.")
@click.option("--model", default="micro", show_default=True)
@click.option("--batch", type=int, default=8, show_default=True)
def main(counts: tuple[int, ...], size: str, spec: str | None, model: str, batch: int) -> None:
    width, height = (int(side) for side in size.split("x"))
    face = f"box:{width // 3},{height // 5},{width * 2 // 3},{height * 4 // 5}"
    peaks: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        style = folder / "style.png"
        coffee = skimage.data.coffee()
        cv2.imwrite(str(style), cv2.cvtColor(coffee, cv2.COLOR_RGB2BGR))
        for count in sorted(counts):
            clip = folder / f"{count}.mp4"
            write_pan(clip, count, (height, width))
            command = [
                *(sys.executable, "-m", "vidstyle", "-q", "render", str(clip)),
                *("--style", str(style), "--object", spec or face, "--model", model),
                *("--device", "cpu", "--batch", str(batch), "-o", str(folder / f"out{count}.mp4")),
            ]
            start = time.perf_counter()
            peaks[count] = peak_memory(command)
            seconds = time.perf_counter() - start
            click.echo(f"{count:5} frames  {peaks[count]:7.1f} MiB  {seconds:6.1f} s")
    ratio = peaks[max(counts)] / peaks[min(counts)]
    click.echo(f"ratio {ratio:.3f} (at most {LIMIT})")
    sys.exit(ratio > LIMIT)


def write_pan(path: Path, count: int, size: tuple[int, int]) -> None:
    """A camera that sways over a photograph, H.264, 25 frames a second.

    Args:
        size: (H, W), even.
    """
    photograph = skimage.data.astronaut()
    height, width = size
    scale = max(height / 280, width / 420)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "16"})
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        for index in range(count):
            x = CENTRE[0] + 20 * math.sin(2 * math.pi * index / 60)
            y = CENTRE[1] + 4 * math.sin(2 * math.pi * index / 45)
            view = cv2.getRectSubPix(
                photograph, (round(width / scale), round(height / scale)), (x, y)
            )
            picture = cv2.resize(view, (width, height), interpolation=cv2.INTER_CUBIC)
            frame = av.VideoFrame.from_ndarray(picture)
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def peak_memory(command: list[str]) -> float:
    """Run a command and give the peak of its resident memory in MiB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise click.ClickException(f"the render ended with exit code {process.returncode}")
    # macOS counts bytes, Linux KiB.
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main()
