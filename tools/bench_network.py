"""CPU time of style networks for a frame of 854×480, on one thread.

    OMP_NUM_THREADS=1 python tools/bench_network.py [--size 854x480] [--model vgg19]

The first row is the model given by --model; below it are networks with random weights, since time
does not depend on them: ``micro`` with more and fewer channels and layers, an encoder that sees the
picture instead of the bands of the lapped transform, and ``vgg19``. CPU milliseconds, medians of
alternating rounds, also relative to the first row.
"""

import statistics
import time
from dataclasses import replace

import click
import torch

from vidstyle.runtime.workers import WorkerPool
from vidstyle.style.build import BUNDLED, build_network
from vidstyle.style.micro import Architecture, MicroNetwork
from vidstyle.style.network import StyleNetwork
from vidstyle.style.stylizer import Stylizer
from vidstyle.style.vgg import RIDGE, VggNetwork

WHOLE = Architecture()
VARIANTS = {
    "micro": WHOLE,
    "micro, 64 features": replace(WHOLE, features=64),
    "micro, two thirds as deep": replace(WHOLE, depth=(2, 4, 4, 4)),
    "micro, half as wide": replace(WHOLE, fine=32, coarse=64, brush=48),
    "micro, with attention": replace(WHOLE, attention=16),
    "mobilenet": replace(WHOLE, encoder="mobilenet"),
}


@click.command(help=__doc__)
@click.option("--size", default="854x480", show_default=True, metavar="WxH")
@click.option("--model", default=BUNDLED, show_default=True, metavar="NAME|PATH")
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True)
def main(size: str, model: str, rounds: int) -> None:
    torch.set_num_threads(1)
    width, height = map(int, size.split("x"))
    torch.manual_seed(0)
    named, _ = build_network(model)
    networks: dict[str, StyleNetwork] = {f"--model {model}": named}
    networks |= {name: MicroNetwork(sizes) for name, sizes in VARIANTS.items()}
    networks["vgg19"] = VggNetwork()
    frame = torch.rand(1, 3, height, width)
    small = torch.rand(1, 3, 256, 256)
    sample = [(small, torch.ones(1, 1, 256, 256))]
    ready = {}
    for name, network in networks.items():
        stylizer = Stylizer(network, torch.device("cpu"), RIDGE, workers=WorkerPool())
        ready[name] = stylizer, stylizer.transfer(lambda: sample, stylizer.style(small.flip(1)))
    times: dict[str, list[float]] = {name: [] for name in ready}
    for _ in range(rounds + 1):
        for name, (stylizer, transfer) in ready.items():
            start = time.thread_time()
            stylizer(frame, transfer)
            times[name].append(1e3 * (time.thread_time() - start))
    # The first round is a warm-up.
    medians = {name: statistics.median(each[1:]) for name, each in times.items()}
    first = next(iter(medians.values()))
    click.echo("| network | parameters | ms a frame | of the first |")
    click.echo("|---|---|---|---|")
    for name, spent in medians.items():
        count = sum(parameter.numel() for parameter in networks[name].parameters())
        click.echo(f"| {name} | {count:,} | {spent:.0f} | {spent / first:.2f} |")


if __name__ == "__main__":
    main()
