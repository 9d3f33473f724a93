"""Where a render's time goes, stage by stage, compared with the machine's theoretical best.

    OMP_NUM_THREADS=1 python tools/bench.py CLIP --style IMAGE [--areas 5,25,100] [--model vgg19]

An object of each area (a still rectangle with the frame's proportions, given as mattes) is restyled
in CLIP. Times are CPU milliseconds per frame, so that other load on the machine matters little:
single-threaded for the stages of a frame, medians over batches of two; over all threads for
decoding, encoding, and tracking the rectangle's content from the first frame, means.

The bound of a stage is the data it must read and write once, over the bandwidth of a large copy;
for ``style``, the multiplications of plain convolutions over the rate of a large matrix product.
Winograd convolutions need fewer, so it may be faster than the bound.
"""

import math
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from vidstyle.media.frame import Box
from vidstyle.media.video.reader import open_clip
from vidstyle.options import DEFAULTS, RenderOptions, StyledObject
from vidstyle.pipeline.analysis import Take
from vidstyle.pipeline.output import open_output
from vidstyle.pipeline.preparation import Preparation, Request, layer_context, new_layers
from vidstyle.runtime.progress import Silence
from vidstyle.runtime.timing import Stages
from vidstyle.segment.objects import find_mattes
from vidstyle.segment.prompts import parse_object
from vidstyle.style.painting import painted
from vidstyle.style.stylizer import Stylizer, Transfer
from vidstyle.style.supersampled import margin_around

BATCH = 2
REPEATS = 5


class ThreadTime(Stages):
    """CPU seconds of this thread, recorded individually."""

    def __init__(self) -> None:
        super().__init__()
        self.each: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.thread_time()
        yield
        self.each[name].append(time.thread_time() - start)

    def frame(self, name: str) -> float:
        """Median milliseconds per frame; the first batch is a warm-up."""
        return 1e3 * statistics.median(self.each[name][1:]) / BATCH


@click.command(help=__doc__)
@click.argument("clip")
@click.option("--style", required=True, metavar="IMAGE")
@click.option("--areas", default="5,25,100", show_default=True, help="Percent of the frame.")
@click.option("--frames", "count", type=click.IntRange(4), default=12, show_default=True)
@click.option("--model", default=DEFAULTS.model, show_default=True, metavar="NAME|PATH")
def main(clip: str, style: str, areas: str, count: int, model: str) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    bandwidth, rate = copy_rate(), product_rate()
    click.echo(f"copy {bandwidth / 1e9:.1f} GB/s, matrix product {rate / 1e9:.0f} GFLOP/s\n")
    click.echo("| area | stage | ms a frame | bound | ratio |\n|---|---|---|---|---|")
    options = RenderOptions(device="cpu", batch=BATCH, last=count - 1, model=model)
    for area in (int(text) for text in areas.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            for stage, spent, least in measure(clip, style, area / 100, options, Path(folder)):
                bound = 1e3 * (least[0] / bandwidth + least[1] / rate)
                click.echo(
                    f"| {area}% | {stage} | {spent:.1f} | {bound:.1f} | {spent / bound:.1f} |"
                )


def measure(
    clip: str, style: str, area: float, options: RenderOptions, folder: Path
) -> list[tuple[str, float, tuple[float, float]]]:
    """Stages with their milliseconds per frame, and the least bytes and FLOPs they need.

    Args:
        area: of the object, as a fraction of the frame.
    """
    _, count = options.range
    assert count is not None
    mattes = folder / "matte.%04d.png"
    spec = None if area == 1 else f"matte:{mattes}"
    rectangle = write_mattes(mattes, open_clip(clip).info.size, area, count)
    request = Request(source=clip, objects=[StyledObject(spec, style)], options=options)
    preparation = Preparation(request)
    take = preparation.find_take(Silence())
    analyses = preparation.analyse(take, folder, Silence())

    start = time.process_time()
    frames = list(take.reader.frames(0, count))
    decode = 1e3 * (time.process_time() - start) / count

    stages = ThreadTime()
    context = layer_context(preparation.parts, take, stages)
    layer = new_layers(analyses, 0, options, context)[0]
    done: list[Tensor] = []
    for index in range(0, count, BATCH):
        group = frames[index : index + BATCH]
        done += layer.render(group, torch.stack([frame.image for frame in group]))

    start = time.process_time()
    with open_output(str(folder / "styled.mp4"), clip, take, options) as writer:
        for frame, image in zip(frames, done, strict=True):
            writer.write(replace(frame, image=image))
    encode = 1e3 * (time.process_time() - start) / count

    stylizer, enlarged = preparation.parts.stylizer.model, analyses[0].transfers[0]
    assert isinstance(stylizer, Stylizer)
    assert enlarged is not None
    transfer = enlarged.frozen
    margin = margin_around(stylizer, enlarged) + math.ceil(options.feather)
    box = rectangle.padded(margin, stylizer.grid, take.size)
    height, width = take.size
    whole, seen = height * width, box.height * box.width
    flops = enlarged.factor**2 * flops_of(stylizer, transfer, box)
    segment = []
    if spec is not None:
        spent = track(preparation, take, str(mattes) % 0)
        segment.append(("segment", spent, (whole * (3 + 1), 0)))
    # 4:2:0 has 1.5 bytes a pixel, a frame 3, features of the picture 4 bytes a channel.
    return [
        ("decode", decode, (whole * (1.5 + 3), 0)),
        *segment,
        ("style", stages.frame("style"), (0, flops)),
        ("flow", stages.frame("flow"), (seen * 4 * (3 + 3 + 2 + 1), 0)),
        ("temporal", stages.frame("temporal"), (seen * 4 * (3 + 3 + 2 + 1 + 3), 0)),
        ("composite", stages.frame("composite"), (whole * (3 + 3) + seen * (3 + 12 + 4 + 3), 0)),
        ("encode", encode, (whole * (3 + 1.5), 0)),
    ]


def track(preparation: Preparation, take: Take, mask: str) -> float:
    """Milliseconds per frame to track and steady the object of the first frame's mask."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        find_mattes(
            parse_object(f"mask:{mask}"),
            take,
            take.spans,
            preparation.parts,
            Path(folder),
            lambda _: None,
            preparation.parts.edges,
        )
        return 1e3 * (time.process_time() - start) / take.frame_count


def write_mattes(pattern: Path, size: tuple[int, int], area: float, count: int) -> Box:
    """Write mattes with a centred rectangle."""
    height, width = size
    top, left = (round(side * (1 - area**0.5) / 2) for side in size)
    matte = np.zeros(size, np.uint8)
    matte[top : height - top, left : width - left] = 255
    for index in range(count):
        cv2.imwrite(str(pattern) % index, matte)
    return Box(left, top, width - left, height - top)


def flops_of(stylizer: Stylizer, transfer: Transfer, box: Box) -> float:
    """FLOPs of one frame with plain convolutions."""
    height, width = (-(-side // stylizer.grid) * stylizer.grid for side in (box.height, box.width))
    # With gradients enabled, plain convolutions are used.
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:
        painted(stylizer.network, torch.zeros(1, 3, height, width), transfer.features)
    return float(counter.get_total_flops())


def copy_rate() -> float:
    """Bytes read and written per second."""
    source = torch.ones(2**26)
    target = torch.empty_like(source)
    return 2 * source.nbytes / median_time(lambda: target.copy_(source))


def product_rate() -> float:
    """FLOPs per second of the faster of two libraries: a 2048-square product and a convolution."""
    side = 2048
    square = torch.ones(side, side)
    product = 2 * side**3 / median_time(lambda: square @ square)
    features, weight = torch.ones(1, 64, 130, 130), torch.ones(64, 64, 3, 3)
    convolution = (
        2 * 128**2 * 64**2 * 9 / median_time(lambda: torch.nn.functional.conv2d(features, weight))
    )
    return max(product, convolution)


def median_time(call: Callable[[], object]) -> float:
    """Median CPU seconds of this thread."""
    times = []
    for _ in range(REPEATS):
        start = time.thread_time()
        call()
        times.append(time.thread_time() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
