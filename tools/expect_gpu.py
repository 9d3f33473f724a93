"""Predicted GPU time per frame, computed from the operations and bytes of the rendering code.

    python tools/expect_gpu.py [--model micro] [--size 1920x1080]
    python tools/expect_gpu.py --card "RTX 4090=165,1008"     # TFLOP/s in fp16, GB/s

Runs a frame on the CPU and counts the floating-point operations of convolutions and matrix
products, and the bytes that each operation reads and writes. A card is assumed to reach half its
data sheet's compute rate and bandwidth, whichever makes an operation slower (the roofline model:
Williams, Waterman, Patterson 2009). Convolutions are in half precision, as under autocast, and
nothing is fused. Kernel launches cost extra for small pictures. The last row includes the frame's
transfer over PCIe and back; decoding, finding the object and encoding run on the CPU and are not
included.
"""

from dataclasses import dataclass, field
from typing import Any

import click
import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten
from torch.utils.flop_counter import flop_registry

import vidstyle
from vidstyle.export.probe import natural_noise
from vidstyle.motion.build import build_flow
from vidstyle.options import DEFAULTS
from vidstyle.style.build import build_stylizer
from vidstyle.style.network import GRID
from vidstyle.style.painting import painted
from vidstyle.style.transform import AffineMap

#: Share of a card's data sheet figures that is reached.
SHARE = 0.5
#: Bytes per second between host and device memory over 16 lanes of PCIe 4.
PCIE = 24e9
#: TFLOP/s in half precision without sparsity, and GB/s, from the manufacturers' data sheets.
CARDS = ("L4=121,300", "RTX 4090=165,1008", "H100=989,3350")
#: Number of frames to average over where frames depend on previous ones.
FRAMES = 4
#: Operations that only return another view of the same memory.
FREE = {
    "view", "_unsafe_view", "expand", "slice", "select", "permute", "transpose", "t", "unsqueeze",
    "squeeze", "detach", "alias", "as_strided", "split", "unbind", "narrow", "empty", "reshape",
    "lift_fresh", "unfold", "new_empty", "empty_like",
}  # fmt: skip
#: Operations that read no more of their first argument than they return.
PICKING = {"grid_sampler_2d", "index", "gather", "_unsafe_index"}


@dataclass
class Count(TorchDispatchMode):
    """
    Attributes:
        operations: floating-point operations and bytes of each call.
        copied: additional bytes copied between host and device memory.
    """

    operations: list[tuple[float, float]] = field(default_factory=list)
    copied: float = 0.0

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        packet, kwargs = func.overloadpacket, kwargs or {}
        if packet not in flop_registry:
            # In inference mode composite operations are not decomposed.
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        result = func(*args, **kwargs)
        if packet.__name__ in FREE:
            return result
        read = (result, *args[1:]) if packet.__name__ in PICKING else args
        moved = float(sum(map(size_of, tree_flatten((read, kwargs, result))[0])))
        if packet.__name__ == "_nnpack_spatial_convolution":  # a CPU's own name for one
            flops = 2.0 * result.numel() * args[1][0].numel()
        elif packet in flop_registry:
            flops = float(flop_registry[packet](*args, **kwargs, out_val=result))
        else:
            self.operations.append((0.0, moved))
            return result
        self.operations.append((flops, moved / 2))  # in half precision
        return result

    def seconds(self, flops: float, bandwidth: float) -> float:
        """Time on a card with this many operations per second and this bandwidth in bytes."""
        computed = sum(max(work / flops, moved / bandwidth) for work, moved in self.operations)
        return computed + self.copied / PCIE


def size_of(value: Any) -> int:
    """A tensor's bytes; 0 for anything else."""
    return value.numel() * value.element_size() if isinstance(value, torch.Tensor) else 0


@click.command(help=__doc__)
@click.option("--model", "names", multiple=True, default=("micro", "vgg19"), show_default=True)
@click.option("--size", "sizes", multiple=True, metavar="WxH",
              default=("854x480", "1920x1080"), show_default=True)  # fmt: skip
@click.option("--card", "cards", multiple=True, metavar="NAME=TFLOP/s,GB/s", default=CARDS,
              show_default=True)  # fmt: skip
def main(names: tuple[str, ...], sizes: tuple[str, ...], cards: tuple[str, ...]) -> None:
    rates = {}
    for card in cards:
        name, _, figures = card.rpartition("=")
        rates[name] = [float(figure) for figure in figures.split(",")]
    click.echo("| | size | Gop | GB | " + " | ".join(f"{name}, ms" for name in rates) + " |")
    click.echo("|---|---|---|---|" + "---|" * len(rates))
    for size in sizes:
        width, height = (int(side) for side in size.split("x"))
        counts = {name: network(name, width, height) for name in names}
        counts["RAFT small, both ways"] = motion(width, height)
        counts["all else, copies with it"] = around(width, height)
        for name, count in counts.items():
            work = sum(flops for flops, _ in count.operations) / 1e9
            moved = sum(read for _, read in count.operations) / 1e9
            told = " | ".join(
                f"{1000 * count.seconds(SHARE * 1e12 * flops, SHARE * 1e9 * rate):.1f}"
                for flops, rate in rates.values()
            )
            click.echo(f"| {name} | {size} | {work:.0f} | {moved:.2f} | {told} |")


def network(name: str, width: int, height: int) -> Count:
    """The style network, for one frame."""
    model = build_stylizer(name, torch.device("cpu")).network
    features = AffineMap(torch.eye(model.channels), *torch.zeros(2, model.channels))
    rows, columns = (-(-side // GRID) * GRID for side in (height, width))
    plate = natural_noise((1, 3, rows, columns), 0).float()
    with torch.inference_mode(), (count := Count()):
        painted(model, plate, features)
    return count


def motion(width: int, height: int) -> Count:
    """The flow of a pair of frames, forwards and backwards, at its estimation size."""
    flow = build_flow("raft-small", torch.device("cpu"), DEFAULTS.flow_size)
    first, second = (natural_noise((1, 3, height, width), seed).float() for seed in (0, 1))
    with torch.inference_mode(), (count := Count()):
        flow(first, second)
        flow(second, first)
    return count


def around(width: int, height: int) -> Count:
    """The other steps of a frame: the temporal step, the composite, conversions."""
    # With two, networks and flows run in their own threads, which the mode does not see.
    torch.set_num_threads(2)
    model = vidstyle.load_model("micro", device="cpu")
    plate, style = (
        natural_noise((1, 3, height, width), seed)[0].float().movedim(0, -1).numpy()
        for seed in (0, 1)
    )
    plates = np.stack([plate] * FRAMES)
    look = model.fit(plates[:1], style**2)
    with (count := Count()):
        model(plates, look, steady=True)
    each = [(work / FRAMES, moved / FRAMES) for work, moved in count.operations]
    # RGB in 8 bits, up and down.
    return Count(each, copied=2 * 3 * width * height)


if __name__ == "__main__":
    main()
