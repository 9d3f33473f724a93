"""Speed of the style network and of a whole render on a GPU, and which optimisations would pay.

    python tools/bench_gpu.py --size 854x480 --size 1920x1080 --size 3840x2160
    python tools/bench_gpu.py --device cpu --size 64x48 --batch 2 --frames 4    # smoke test

Three tables, for every size and batch. The network: as a render runs it (fp16 autocast, channels
last on CUDA), and in fp32, channels first, with torch.compile, and compiled with CUDA graphs;
medians of --rounds interleaved rounds, with the largest difference from fp32 in 8-bit levels.
Copies: plates to the device and results back in sequence, as in a render, and on separate streams
alongside the network. The whole render of a generated clip. Utilisation is from nvidia-smi. On a
CPU only what applies to a CPU is measured.
"""

import copy
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import click
import cv2
import torch
from bench_memory import write_pan
from torch import Tensor

from vidstyle.export.probe import natural_noise
from vidstyle.media.frame import unit_range
from vidstyle.options import DEFAULTS, RenderOptions, StyledObject
from vidstyle.pipeline.job import Job, run
from vidstyle.runtime.device import copied_to, select_device
from vidstyle.runtime.progress import Silence
from vidstyle.style import stylizer as product_stylizer
from vidstyle.style.build import build_stylizer, choose_model
from vidstyle.style.painting import painted
from vidstyle.style.stylizer import Stylizer, Through, Transfer
from vidstyle.style.transform import AffineMap

#: Consecutive batches when copies are measured.
IN_A_ROW = 8


@click.command(help=__doc__)
@click.option("--device", "device_name", default="cuda", show_default=True)
@click.option("--size", "sizes", multiple=True, metavar="WxH",
              default=("854x480", "1920x1080", "3840x2160"), show_default=True)  # fmt: skip
@click.option("--batch", "batches", type=click.IntRange(1), multiple=True,
              default=(1, 2, 4, 8, 16), show_default=True)  # fmt: skip
@click.option("--frames", type=click.IntRange(2), default=64, show_default=True,
              help="Of the clip that is rendered.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--call-pixels", type=click.IntRange(1),
              help="Pixels in one network call, in place of the product's bound.")  # fmt: skip
@click.option("--model", default=DEFAULTS.model, show_default=True, metavar="NAME|PATH")
def main(
    device_name: str,
    sizes: tuple[str, ...],
    batches: tuple[int, ...],
    frames: int,
    rounds: int,
    call_pixels: int | None,
    model: str,
) -> None:
    device = select_device(device_name)
    if call_pixels is not None:
        product_stylizer.CALL_PIXELS[device.type] = call_pixels
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    model, _ = choose_model(model, device)
    click.echo(f"{model} on {name}, PyTorch {torch.__version__}")
    measured = [(*(int(side) for side in size.split("x")), batch) for size in sizes
                for batch in batches]  # fmt: skip
    bench_network(device, measured, rounds, model)
    if device.type == "cuda":
        bench_copies(device, measured, rounds, model)
    bench_render(device, sizes, batches, frames, model)


def bench_network(
    device: torch.device, measured: Sequence[tuple[int, ...]], rounds: int, model: str
) -> None:
    click.echo("\n| size | batch | network | frames/s | of a render's | MiB | difference |")
    click.echo("|---|---|---|---|---|---|---|")
    stylizer = build_stylizer(model, device)
    transfer = frozen(stylizer)
    for width, height, batch in measured:
        images = plates_of(width, height, batch).to(device)
        stylizers = {"as rendered": stylizer}
        for name, variant in variants(stylizer).items():
            stylizers[name] = Stylizer(stylizer.network, device, stylizer.ridge, variant)
        exact = stylizers["fp32"](images, transfer)
        seconds: dict[str, list[float]] = {}
        peaks, gaps = {}, {}
        for name, each in stylizers.items():
            try:
                # Compiles and selects algorithms.
                for _ in range(3):
                    result = each(images, transfer)
            except Exception as error:
                click.echo(f"{name}: {str(error).strip().splitlines()[0]}", err=True)
                continue
            gaps[name] = 255 * float((result - exact).abs().max())
            with peak_memory(device) as peaks[name]:
                each(images, transfer)
            seconds[name] = []
        for _, name in product(range(rounds), seconds):
            with timed(device, seconds[name]):
                stylizers[name](images, transfer)
        rendered = statistics.median(seconds["as rendered"])
        for name, each_round in seconds.items():
            spent = statistics.median(each_round)
            click.echo(
                f"| {width}x{height} | {batch} | {name} | {batch / spent:.1f} | "
                f"{rendered / spent:.2f} | {told(peaks[name])} | {gaps[name]:.2f} |"
            )


def variants(stylizer: Stylizer) -> Mapping[str, Through]:
    """Alternative ways to run plates through the network."""

    def exact(plates: Tensor, features: AffineMap) -> Tensor:
        return painted(stylizer.network, plates, features)

    if stylizer.device.type != "cuda":
        return {"fp32": exact}
    first = copy.deepcopy(stylizer.network).to(memory_format=torch.contiguous_format)

    def half(plates: Tensor, features: AffineMap) -> Tensor:
        with torch.autocast("cuda", torch.float16):
            return painted(stylizer.network, plates, features)

    def channels_first(plates: Tensor, features: AffineMap) -> Tensor:
        with torch.autocast("cuda", torch.float16):
            return painted(first, plates, features)

    return {
        "fp32": exact,
        "channels first": channels_first,
        "compiled": torch.compile(half, dynamic=False),
        "CUDA graphs": torch.compile(half, dynamic=False, mode="reduce-overhead"),
    }


def bench_copies(
    device: torch.device, measured: Sequence[tuple[int, ...]], rounds: int, model: str
) -> None:
    click.echo("\n| size | batch | copies | frames/s | % in use |\n|---|---|---|---|---|")
    stylizer = build_stylizer(model, device)
    transfer = frozen(stylizer)
    for width, height, batch in measured:
        codes = (255 * plates_of(width, height, batch)).byte().movedim(1, -1).contiguous()
        row = [codes + step for step in range(IN_A_ROW)]
        for name, way in (("in order", in_order), ("on streams", on_streams)):
            way(row[:2], stylizer, transfer)
            seconds: list[float] = []
            with utilisation(device) as used:
                for _ in range(rounds):
                    with timed(device, seconds):
                        way(row, stylizer, transfer)
            rate = batch * IN_A_ROW / statistics.median(seconds)
            click.echo(f"| {width}x{height} | {batch} | {name} | {rate:.1f} | {told(used)} |")


def in_order(row: Sequence[Tensor], stylizer: Stylizer, transfer: Transfer) -> None:
    """As a layer does it."""
    for codes in row:
        stylizer(unit_range(copied_to(stylizer.device, codes)), transfer).cpu()


def on_streams(row: Sequence[Tensor], stylizer: Stylizer, transfer: Transfer) -> None:
    """Upload the next plates and download the last results while the network runs."""
    device = stylizer.device
    current = torch.cuda.current_stream(device)
    coming, going = torch.cuda.Stream(device), torch.cuda.Stream(device)

    def sent(codes: Tensor) -> Tensor:
        with torch.cuda.stream(coming):
            there = copied_to(device, codes)
        there.record_stream(current)
        return there

    plates, last = sent(row[0]), None
    for index in range(len(row)):
        current.wait_stream(coming)
        here = plates
        if index + 1 < len(row):
            plates = sent(row[index + 1])
        styled = stylizer(unit_range(here), transfer)
        going.wait_stream(current)
        with torch.cuda.stream(going):
            result = torch.empty(styled.shape, pin_memory=True).copy_(styled, non_blocking=True)
        styled.record_stream(going)
        if last is not None:
            last.synchronize()
        last = going.record_event()
        del result
    going.synchronize()


def bench_render(
    device: torch.device, sizes: Sequence[str], batches: Sequence[int], frames: int, model: str
) -> None:
    click.echo("\n| size | batch | frames/s | seconds by stage | % in use | MiB |")
    click.echo("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        style = folder / "style.png"
        cv2.imwrite(str(style), (255 * plates_of(320, 240, 1)[0].movedim(0, -1)).byte().numpy())
        for size in sizes:
            width, height = (int(side) for side in size.split("x"))
            clip = folder / f"{size}.mp4"
            write_pan(clip, frames, (height, width))
            for batch in batches:
                job = Job(
                    source=str(clip),
                    objects=[StyledObject(None, str(style))],
                    options=RenderOptions(device=str(device), batch=batch, model=model),
                    target=str(folder / "styled.mp4"),
                    overwrite=True,
                )
                clock = RenderClock()
                with peak_memory(device) as peak, utilisation(device) as used:
                    report = run(job, clock)
                spent = time.perf_counter() - clock.start
                stages = ", ".join(
                    f"{stage} {seconds:.1f}"
                    for stage, seconds in report.content["seconds"].items()
                    if stage != "analysis"
                )
                click.echo(
                    f"| {size} | {batch} | {frames / spent:.1f} | {stages} | {told(used)} | "
                    f"{told(peak)} |"
                )


class RenderClock(Silence):
    """Records when rendering began, after the analysis."""

    start = 0.0

    def stage(self, name: str, total: int) -> None:  # noqa: ARG002
        if name == "render":
            self.start = time.perf_counter()


def plates_of(width: int, height: int, batch: int) -> Tensor:
    """(N, 3, H, W) in [0, 1], with the spectrum of photographs."""
    return natural_noise((1, 3, height, width), seed=0).float().expand(batch, -1, -1, -1)


def frozen(stylizer: Stylizer) -> Transfer:
    """Statistics frozen from one noise picture to another."""
    plate, style = (natural_noise((1, 3, 240, 320), seed).float() for seed in (0, 1))
    inside = torch.ones_like(plate[:, :1])
    return stylizer.transfer(lambda: [(plate, inside)], stylizer.style(style**2))


@contextmanager
def timed(device: torch.device, seconds: list[float]) -> Iterator[None]:
    """Append the wall time until the device is done."""
    synchronise(device)
    start = time.perf_counter()
    yield
    synchronise(device)
    seconds.append(time.perf_counter() - start)


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextmanager
def peak_memory(device: torch.device) -> Iterator[list[float]]:
    """Peak MiB of tensors, added to the list at the end; nothing on a CPU."""
    peak: list[float] = []
    if device.type != "cuda":
        yield peak
        return
    torch.cuda.reset_peak_memory_stats(device)
    yield peak
    peak.append(torch.cuda.max_memory_allocated(device) / 2**20)


@contextmanager
def utilisation(device: torch.device) -> Iterator[list[float]]:
    """Percentage of time that kernels ran, sampled ten times a second, added to the list at the
    end; nothing on a CPU."""
    used: list[float] = []
    if device.type != "cuda":
        yield used
        return
    card = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
    command = ["nvidia-smi", "-i", card, "--query-gpu=utilization.gpu", "-lms", "100",
               "--format=csv,noheader,nounits"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch:
        yield used
        watch.terminate()
        text, _ = watch.communicate()
    used.extend(float(line) for line in text.split() if line.isdigit())


def told(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.0f}" if values else "–"


if __name__ == "__main__":
    main()
