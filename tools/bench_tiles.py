"""Cost of the style network for one frame of a given size under a memory limit.

    OMP_NUM_THREADS=1 python tools/bench_tiles.py 3840x2160 --max-memory 512 [--model vgg19]

Prints the tiles, the pixels they see per pixel of the frame, CPU seconds, and the peak increase in
resident memory, next to the bytes of the frame before and after.
"""

import resource
import sys
import time
from pathlib import Path

import click
import skimage.data
import torch
import torch.nn.functional as F

from vidstyle.cli.heap import use_one_heap
from vidstyle.style.build import BUNDLED, build_stylizer
from vidstyle.style.stylizer import TILE_PIXELS
from vidstyle.style.tiles import tiles, with_halo


@click.command(help=__doc__)
@click.argument("size", metavar="WxH")
@click.option("--max-memory", type=int, default=4096, show_default=True, metavar="MIB")
@click.option("--model", default=BUNDLED, show_default=True, metavar="NAME|PATH")
def main(size: str, max_memory: int, model: str) -> None:
    use_one_heap()
    width, height = (int(side) for side in size.split("x"))
    memory = max_memory * 2**20
    stylizer = build_stylizer(model, torch.device("cpu"), memory=memory)
    photograph = torch.from_numpy(skimage.data.astronaut()).movedim(-1, 0)[None] / 255
    style = stylizer.style(photograph.flip(1) ** 2)
    transfer = stylizer.transfer(lambda: [(photograph, torch.ones_like(photograph[:, :1]))], style)
    frame = F.interpolate(photograph, (height, width), mode="bilinear")
    halo = stylizer.network.reach
    bound = min(memory // stylizer.network.pixel_bytes, TILE_PIXELS["cpu"])
    seen = [with_halo(tile, (height, width), halo) for tile in tiles((height, width), bound, halo)]
    before, start = resident(), time.process_time()
    stylizer(frame, transfer)
    seconds = time.process_time() - start
    # macOS counts bytes, Linux KiB.
    unit = 1 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    share = sum(box.width * box.height for box in seen) / (height * width)
    click.echo(
        f"{size}: {len(seen)} tiles, {share:.2f} pixels seen for each, {seconds:.1f} s, "
        f"{(peak - before) / 2**20:.0f} MiB at the peak; the frame has {frame.nbytes / 2**20:.0f}"
    )


def resident() -> int:
    """Current resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    main()
