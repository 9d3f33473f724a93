"""Time of a whole `vidstyle render`: fixed cost and cost per frame.

    python tools/bench_render.py CLIP --style IMAGE [--object SPEC] [--rounds 5] [--threads 2]

Runs the command on fewer and on more frames of CLIP, in separate processes and alternating rounds,
and prints the medians of wall and CPU time: per frame, from the difference between the two lengths,
and for the part independent of their number (start-up, styles, statistics). Covers whole frames
without and with the temporal step, an object whose box is a quarter of the frame, given as mattes,
and another one that is found and tracked.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from itertools import product
from pathlib import Path

import click
import cv2
import numpy as np

from vidstyle.media.video.reader import open_clip

LENGTHS = 16, 32  # frames; statistics are of 16, however many there are


@click.command(help=__doc__)
@click.argument("clip")
@click.option("--style", required=True, metavar="IMAGE")
@click.option("--object", "spec", metavar="SPEC", help="As of render's.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--threads", multiple=True, type=int, default=(1, 2), show_default=True)
def main(clip: str, style: str, spec: str | None, rounds: int, threads: tuple[int, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        mattes = write_mattes(Path(folder), open_clip(clip).info.size, max(LENGTHS))
        cases = {
            "whole, no temporal step": ["--temporal", "off"],
            "whole": [],
            "a quarter": ["--object", f"matte:{mattes}"],
            **({spec: ["--object", spec]} if spec else {}),
        }
        runs = list(product(cases, threads, LENGTHS))
        spent = defaultdict(list)
        for _, run in product(range(rounds), runs):
            case, hands, length = run
            options = [*cases[case], "--out", str(length - 1), "-o", f"{folder}/styled.mp4"]
            spent[run].append(timed([clip, "--style", style, *options], hands))
    click.echo("| object | threads | s a frame | processor | s once | processor |")
    click.echo("|---|---|---|---|---|---|")
    for case, hands in product(cases, threads):
        few, many = (
            [statistics.median(each) for each in zip(*spent[case, hands, n], strict=True)]
            for n in LENGTHS
        )
        each = [(b - a) / (LENGTHS[1] - LENGTHS[0]) for a, b in zip(few, many, strict=True)]
        once = [a - LENGTHS[0] * one for a, one in zip(few, each, strict=True)]
        click.echo(
            f"| {case} | {hands} | {each[0]:.3f} | {each[1]:.3f} | {once[0]:.1f} | {once[1]:.1f} |"
        )


def write_mattes(folder: Path, size: tuple[int, int], count: int) -> Path:
    """A centred rectangle, half as wide and half as high as the frame."""
    height, width = size
    matte = np.zeros(size, np.uint8)
    matte[height // 4 : height - height // 4, width // 4 : width - width // 4] = 255
    for index in range(count):
        cv2.imwrite(str(folder / f"matte.{index:04d}.png"), matte)
    return folder / "matte.%04d.png"


def timed(arguments: list[str], threads: int) -> tuple[float, float]:
    """Wall and CPU seconds of a render in a separate process."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-m", "vidstyle", "render", *arguments, "--overwrite"]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*command, "--progress", "none"], check=True, env=environment,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, sum(getattr(after, k) - getattr(before, k) for k in ("ru_utime", "ru_stime"))


if __name__ == "__main__":
    main()
