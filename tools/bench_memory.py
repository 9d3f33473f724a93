"""Memory use of a render: whether it grows with the length of the shot and with its size.

    python tools/bench_memory.py
    python tools/bench_memory.py --frames 12 --object face --object whole --size 854x480 --size …

Renders a camera move over a photograph, in a separate process for each length, size and object, and
prints its peak resident memory and its CPU seconds per frame, including start-up and analysis.
Exits with code 1 if the longest shot of a size takes over 5 % more memory than the shortest.
"""

import math
import os
import subprocess
import sys
import tempfile
from fractions import Fraction
from itertools import product
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
@click.option("--size", "sizes", multiple=True, default=("320x180",), show_default=True,
              metavar="WxH")  # fmt: skip
@click.option("--object", "objects", multiple=True, default=("face",), show_default=True,
              help="face (in a quarter of the frame), whole, or a SPEC of render.")  # fmt: skip
@click.option("--model", default="micro", show_default=True)
@click.option("--batch", type=int, default=8, show_default=True)
def main(
    counts: tuple[int, ...],
    sizes: tuple[str, ...],
    objects: tuple[str, ...],
    model: str,
    batch: int,
) -> None:
    grows = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        style = folder / "style.png"
        coffee = skimage.data.coffee()
        cv2.imwrite(str(style), cv2.cvtColor(coffee, cv2.COLOR_RGB2BGR))
        for size, wanted in product(sizes, objects):
            width, height = (int(side) for side in size.split("x"))
            peaks = []
            for count in sorted(counts):
                clip = folder / f"{size}-{count}.mp4"
                if not clip.exists():
                    write_pan(clip, count, (height, width))
                command = [
                    *(sys.executable, "-m", "vidstyle", "-q", "render", str(clip)),
                    *("--style", str(style), *spec_of(wanted, width, height), "--model", model),
                    *("--device", "cpu", "--batch", str(batch), "--overwrite"),
                    *("-o", str(folder / "styled.mp4")),
                ]
                peak, seconds = peak_and_seconds(command)
                peaks.append(peak)
                click.echo(
                    f"{size:>9}  {wanted}  {count:3} frames  {peak:7.1f} MiB  "
                    f"{seconds / count:6.2f} s a frame"
                )
            if len(peaks) > 1:
                ratio = peaks[-1] / peaks[0]
                grows |= ratio > LIMIT
                click.echo(f"ratio {ratio:.3f} (at most {LIMIT})")
    sys.exit(grows)


def spec_of(wanted: str, width: int, height: int) -> list[str]:
    if wanted == "whole":
        return []
    face = f"box:{width * 7 // 24},{height // 5},{width * 17 // 24},{height * 4 // 5}"
    return ["--object", face if wanted == "face" else wanted]


def write_pan(path: Path, count: int, size: tuple[int, int]) -> None:
    """A camera swaying over a photograph, H.264, 25 frames per second.

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


def peak_and_seconds(command: list[str]) -> tuple[float, float]:
    """Run a command; returns its peak resident memory in MiB and its CPU seconds."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise click.ClickException(f"the render ended with exit code {process.returncode}")
    # macOS counts bytes, Linux KiB.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return usage.ru_maxrss / unit, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
