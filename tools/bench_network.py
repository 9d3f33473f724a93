"""What variants of the style network take for a frame of 854×480, on one thread.

    OMP_NUM_THREADS=1 python tools/bench_network.py [--size 854x480]

Weights are random: time does not hang on them. Processor milliseconds, medians of alternating
rounds, and each as a part of the first, which is the bundled model's. ``micro`` sees the bands of
the lapped transform, which are there anyway; ``mobilenet`` and ``vgg19`` see the picture. Last come
other levels of the pyramid than half and full size.
"""

import statistics
import time

import click
import torch
from levels import levels

from vidstyle.crew import Crew
from vidstyle.style.network import Architecture, StyleNetwork
from vidstyle.style.pyramid import SCALES
from vidstyle.style.stylizer import Stylizer

ROUNDS = 7

VARIANTS = {
    "micro, 64 channels, 4 deep": (Architecture(64, 4, "micro", 16), SCALES),
    "micro, 64 channels, 3 deep": (Architecture(64, 3, "micro", 16), SCALES),
    "micro, 64 channels, 2 deep": (Architecture(64, 2, "micro", 16), SCALES),
    "micro, 48 channels, 4 deep": (Architecture(48, 4, "micro", 16), SCALES),
    "micro, 32 channels, 4 deep": (Architecture(32, 4, "micro", 16), SCALES),
    "mobilenet, 64 channels, 4 deep": (Architecture(64, 4, "mobilenet", 16), SCALES),
    "vgg19, 64 channels, 4 deep": (Architecture(64, 4, "vgg19", 16), SCALES),
    "micro, full size alone": (Architecture(64, 4, "micro", 16), (1,)),
    "micro, half size alone": (Architecture(64, 4, "micro", 16), (2,)),
    "micro, a quarter, then half": (Architecture(64, 4, "micro", 16), (4, 2)),
    "micro, a quarter, half, full": (Architecture(64, 4, "micro", 16), (4, 2, 1)),
}


@click.command(help=__doc__)
@click.option("--size", default="854x480", show_default=True, metavar="WxH")
def main(size: str) -> None:
    torch.set_num_threads(1)
    width, height = map(int, size.split("x"))
    torch.manual_seed(0)
    frame = torch.rand(1, 3, height, width)
    small = torch.rand(1, 3, 256, 256)
    sample = [(small, torch.ones(1, 1, 256, 256))]
    ready = {}
    for name, (sizes, scales) in VARIANTS.items():
        stylizer = Stylizer(StyleNetwork(sizes), torch.device("cpu"), 0.1, crew=Crew())
        with levels(scales):
            transfer = stylizer.transfer(lambda: sample, stylizer.style(small.flip(1)))
        ready[name] = stylizer, transfer, scales
    times: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for _ in range(ROUNDS + 1):
        for name, (stylizer, transfer, scales) in ready.items():
            with levels(scales):
                start = time.thread_time()
                stylizer(frame, transfer)
                times[name].append(1e3 * (time.thread_time() - start))
    first = None
    click.echo("| encoder, texture, depth | parameters | ms a frame | of the first |")
    click.echo("|---|---|---|---|")
    for name, each in times.items():
        middle = statistics.median(each[1:])  # the first round warms up
        first = first or middle
        count = sum(parameter.numel() for parameter in ready[name][0].network.parameters())
        click.echo(f"| {name} | {count:,} | {middle:.0f} | {middle / first:.2f} |")


if __name__ == "__main__":
    main()
