"""Accuracy and speed of each `vidstyle export` format, compared with eager PyTorch.

    OMP_NUM_THREADS=1 python tools/bench_export.py CLIP --style IMAGE [--size 854x480] [--rounds 5]

Exports a model in every format that this machine can make and run, and restyles frames of CLIP with
each. Prints differences from eager PyTorch on frames that int8 was not calibrated on, in 8-bit
levels, and CPU time per frame: medians over interleaved rounds, so that other load on the machine
affects all formats alike.
"""

import logging
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import torch

from vidstyle.choices import EXPORTS
from vidstyle.errors import VidstyleError
from vidstyle.export.calibration import calibration_pictures, parted
from vidstyle.export.export import CPU, export
from vidstyle.export.formats import FORMATS, load
from vidstyle.export.graph import Runtime, StyleGraph
from vidstyle.export.parity import compare
from vidstyle.export.probe import Probe, paired_probes
from vidstyle.pipeline.analysis import style_picture
from vidstyle.style.build import BUNDLED, build_stylizer

EAGER = "eager"


@click.command(help=__doc__)
@click.argument("clip")
@click.option("--style", "styles", multiple=True, required=True, metavar="IMAGE")
@click.option("--model", default=BUNDLED, show_default=True, metavar="NAME|PATH")
@click.option("--size", default="854x480", show_default=True, metavar="WxH")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
def main(clip: str, styles: tuple[str, ...], model: str, size: str, rounds: int) -> None:
    logging.disable(logging.WARNING)
    width, height = (int(side) for side in size.split("x"))
    stylizer = build_stylizer(model, CPU)
    looks = [style_picture(style, (height, width)) for style in styles]
    calibration, _ = parted(paired_probes(stylizer, calibration_pictures(clip), looks))
    frames = calibration_pictures(clip, min(height, width))
    _, trials = parted(paired_probes(stylizer, frames, looks))

    graph = StyleGraph(stylizer.network)
    runtimes: dict[str, Runtime] = {EAGER: lambda images, maps: graph(images, *maps)}
    with tempfile.TemporaryDirectory() as folder:
        for name in EXPORTS:
            file = Path(folder, "model").with_suffix(FORMATS[name].suffix)
            try:
                export(model, name, file, calibration=calibration, trials=trials)
                runtimes[name], _ = load(name, file, CPU)
            except VidstyleError as reason:
                click.echo(f"no {name}: {str(reason).replace(folder, '')}", err=True)
        seconds = time_each(runtimes, trials[0], rounds)

    rows, columns = trials[0].images.shape[-2:]
    click.echo(f"{columns}x{rows}, {len(trials)} frames, {rounds} rounds\n")
    click.echo(
        "| format | mean | largest | PSNR | ms a frame | of eager |\n|---|---|---|---|---|---|"
    )
    for name, runtime in runtimes.items():
        gap = compare(runtimes[EAGER], runtime, trials)
        spent = 1e3 * statistics.median(seconds[name])
        ratios = [a / b for a, b in zip(seconds[name], seconds[EAGER], strict=True)]
        click.echo(
            f"| {name} | {gap.mean:.4f} | {gap.largest:.3f} | {gap.psnr:.1f} dB | {spent:.0f} | "
            f"{statistics.median(ratios):.2f} |"
        )


@torch.inference_mode()
def time_each(
    runtimes: Mapping[str, Runtime], probe: Probe, rounds: int
) -> dict[str, Sequence[float]]:
    """CPU seconds of every round, by runtime, excluding a warm-up round."""
    seconds: dict[str, list[float]] = {name: [] for name in runtimes}
    for _ in range(1 + rounds):
        for name, runtime in runtimes.items():
            start = time.process_time()
            runtime(probe.images, probe.maps)
            seconds[name].append(time.process_time() - start)
    return {name: each[1:] for name, each in seconds.items()}


if __name__ == "__main__":
    main()
