"""Speed and accuracy of bfloat16 on a CPU with native support.

    OMP_NUM_THREADS=1 python tools/bench_half.py ../shared/data/davis/parkour/frames \\
        --style ../shared/data/style/wave.jpg --model micro --model vgg19

A row for each model unchanged and with --backend torch-bf16: network seconds for a frame of the
clip on one thread and on two, for one of 1920×1080 on one thread, and the mean difference of its
pictures from those of the unchanged model, in 8-bit levels. Times are medians of wall time.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.media.picture import read_by_opencv
from vidstyle.media.video.reader import open_clip
from vidstyle.runtime.workers import WorkerPool
from vidstyle.style.build import BUNDLED, build_stylizer

CPU = torch.device("cpu")
FRAMES = 8


@click.command(help=__doc__)
@click.argument("clip")
@click.option("--style", type=click.Path(path_type=Path), required=True, metavar="IMAGE")
@click.option("--model", "models", multiple=True, default=[BUNDLED], show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
def main(clip: str, style: Path, models: tuple[str, ...], rounds: int) -> None:
    torch.set_num_threads(1)
    frames = torch.stack([_tensor(f.image.numpy()) for f in open_clip(clip).frames(0, FRAMES)])
    large = F.interpolate(frames[:1], size=(1080, 1920), mode="bilinear")
    painting = _tensor(read_by_opencv(style, cv2.IMREAD_COLOR_RGB))[None]
    inside = torch.ones_like(frames[:1, :1])
    click.echo("| model | one thread | two threads | 1920×1080, one thread | levels off |")
    click.echo("|---|---|---|---|---|")
    for model in models:
        plain: Tensor | None = None
        for half in (False, True):
            one, two = (
                build_stylizer(model, CPU, workers=WorkerPool(count), bfloat16=half)
                for count in (1, 2)
            )
            frozen = one.transfer(lambda: [(frames[:1], inside)], one.style(painting))
            painted = one(frames[:1], frozen)
            plain = painted if plain is None else plain
            seconds = (
                _median(partial(one, frames[:1], frozen), rounds),
                _median(partial(two, frames, frozen), rounds) / len(frames),
                _median(partial(one, large, frozen), rounds),
            )
            off = 255 * float((painted - plain).abs().mean())
            row = [model + ", bfloat16" * half, *(f"{each:.2f}" for each in seconds), f"{off:.2f}"]
            click.echo(f"| {' | '.join(row)} |")


def _tensor(picture: object) -> Tensor:
    """(H, W, 3) uint8 → (3, H, W) in [0, 1]."""
    return torch.as_tensor(picture).permute(2, 0, 1) / 255


def _median(work: Callable[[], object], rounds: int) -> float:
    """Seconds, after a warm-up round."""
    spent = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent[1:])


if __name__ == "__main__":
    main()
