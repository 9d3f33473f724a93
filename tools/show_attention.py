"""Where, and how much, a model lets style apply: its attention over a frame.

    python tools/show_attention.py attention.png --style art.jpg --model micro shot.mp4 --frame 12

From left to right: the frame, the result, and the attention of each level, coarse to fine: black
takes no style (0), middle grey takes it as it comes (1), white twice as much (2).
"""

from pathlib import Path

import click
import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.analysis import style_picture
from vidstyle.errors import UsageError
from vidstyle.frame import unit_range
from vidstyle.options import DEFAULTS
from vidstyle.style.build import build_stylizer
from vidstyle.style.pyramid import GRID, attention, shrunk, through
from vidstyle.video.reader import open_clip


@click.command(help=__doc__)
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("clip")
@click.option("--style", required=True)
@click.option("--model", default=DEFAULTS.model, show_default=True)
@click.option("--frame", default=0, show_default=True)
@torch.inference_mode()
def main(output: Path, clip: str, style: str, model: str, frame: int) -> None:
    stylizer = build_stylizer(model, torch.device("cpu"))
    found = next(open_clip(clip).frames(frame, frame + 1), None)
    if found is None:
        raise UsageError(f"--frame {frame}: {clip} has fewer frames")
    plate = unit_range(found.image)[None]
    height, width = (side // GRID * GRID for side in plate.shape[-2:])
    plate = plate[..., :height, :width]
    transfers = stylizer.transfer(
        lambda: [(plate, torch.ones_like(plate[:, :1]))],
        stylizer.style(style_picture(style, (height, width))),
    )
    panels, now = [plate, through(stylizer.network, plate, transfers)], plate
    for number, transfer in enumerate(transfers):
        seen = attention(stylizer.network, shrunk(now, transfer.scale), transfer.texture)
        click.echo(
            f"level 1/{transfer.scale}: attention {float(seen.min()):.2f} to "
            f"{float(seen.max()):.2f}, mean {float(seen.mean()):.2f}"
        )
        panels.append(as_picture(seen, (height, width)))
        now = through(stylizer.network, plate, transfers[: number + 1])
    sheet = (torch.cat(panels, dim=3)[0].permute(1, 2, 0).numpy() * 255).round()
    if not cv2.imwrite(str(output), sheet[..., ::-1]):
        raise click.ClickException(f"{output}: cannot be written")


def as_picture(seen: Tensor, size: tuple[int, int]) -> Tensor:
    """(1, 1, h, w) in [0, 2] → (1, 3, H, W) grey in [0, 1]."""
    large = F.interpolate(seen / 2, size, mode="bilinear", align_corners=False)
    return large.expand(-1, 3, -1, -1)


if __name__ == "__main__":
    main()
