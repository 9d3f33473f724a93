"""Where, and how strongly, a model applies style: its attention over a frame.

    python tools/show_attention.py attention.png --style art.jpg --model DIR shot.mp4 --frame 12

From left to right: the frame, the result, and the attention: black takes no style (0), middle grey
takes it unchanged (1), white twice as much (2). A model without attention, such as those that ship
with vidstyle, applies style in full everywhere, so there is nothing to show.
"""

from pathlib import Path

import click
import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.errors import UsageError
from vidstyle.media.frame import unit_range
from vidstyle.media.video.reader import open_clip
from vidstyle.pipeline.analysis import style_picture
from vidstyle.style.build import build_stylizer
from vidstyle.style.network import GRID


@click.command(help=__doc__)
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("clip")
@click.option("--style", required=True)
@click.option("--model", required=True, metavar="NAME|PATH")
@click.option("--frame", default=0, show_default=True)
@torch.inference_mode()
def main(output: Path, clip: str, style: str, model: str, frame: int) -> None:
    stylizer = build_stylizer(model, torch.device("cpu"))
    attention = stylizer.network.attention
    if attention is None:
        raise click.ClickException(f"--model {model}: has no attention; all style applies")
    found = next(open_clip(clip).frames(frame, frame + 1), None)
    if found is None:
        raise UsageError(f"--frame {frame}: {clip} has fewer frames")
    plate = unit_range(found.image)[None]
    height, width = (side // GRID * GRID for side in plate.shape[-2:])
    plate = plate[..., :height, :width]
    transfer = stylizer.transfer(
        lambda: [(plate, torch.ones_like(plate[:, :1]))],
        stylizer.style(style_picture(style, (height, width))),
    )
    features = stylizer.network.encode(plate)
    seen = attention(features, transfer.features(features))
    click.echo(
        f"attention {float(seen.min()):.2f} to {float(seen.max()):.2f}, "
        f"mean {float(seen.mean()):.2f}"
    )
    panels = [plate, stylizer(plate, transfer), as_picture(seen, (height, width))]
    sheet = (torch.cat(panels, dim=3)[0].permute(1, 2, 0).numpy() * 255).round().astype("uint8")
    if not cv2.imwrite(str(output), sheet[..., ::-1]):
        raise click.ClickException(f"{output}: cannot be written")


def as_picture(seen: Tensor, size: tuple[int, int]) -> Tensor:
    """(1, 1, h, w) in [0, 2] → (1, 3, H, W) grey in [0, 1]."""
    large = F.interpolate(seen / 2, size, mode="bilinear", align_corners=False)
    return large.expand(-1, 3, -1, -1)


if __name__ == "__main__":
    main()
