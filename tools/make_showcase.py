"""Makes the animation at the top of README: plates, wiped to their renders.

    python tools/make_showcase.py docs/gallery/showcase.webp --work showcase

Three shots (``tools/footage.py``) rendered as usual, with the bundled model on a CPU: a face by
name, a rabbit by one point, and everything but an astronaut. Renders are kept in ``--work`` and
reused by later runs.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import cv2
import numpy as np
from footage import CLIPS, Picture, write_plates
from held_out import EXAMPLES
from PIL import Image, ImageDraw, ImageFont

from vidstyle.options import DEFAULTS, StyledObject
from vidstyle.pipeline.job import Job, run
from vidstyle.runtime.progress import Silence

STEP = 2
"""Every second frame is shown, at nine per second."""
DURATION = 110
"""Milliseconds per frame."""
PLATE, WIPE = 0.15, 0.35
"""Shares of a shot for the plate and for the wipe; the rest shows the result."""
INSET = 88
"""Side of the style picture in the corner."""


@dataclass(frozen=True)
class Shot:
    """A shot to render from a clip of ``footage``.

    Attributes:
        clip: its name there.
        first: frame.
        spec: as of ``--object``.
        style: of ``examples/make_styles.py``.
        invert: see ``--invert``.
    """

    clip: str
    first: int
    spec: str
    style: str
    invert: bool = False

    @property
    def told(self) -> str:
        """The command's options, as captioned in the picture."""
        invert = " --invert" if self.invert else ""
        return f"vidstyle render ... --object {self.spec}{invert} --style {self.style}.png"


SHOTS = (
    Shot("face", 0, "person+point:225,300@33", "facets"),
    Shot("rabbit", 16, "point:175,200@30", "ink"),
    Shot("astronaut", 20, "person", "nocturne", invert=True),
)


def rendered(shot: Shot, count: int, style: Path, work: Path) -> tuple[list[Picture], ...]:
    """Plates and results of ``count`` frames, (H, W, 3) RGB each."""
    source, target = f"{work}/{shot.clip}/%04d.png", f"{work}/{shot.clip}_s/%04d.png"
    Path(target).parent.mkdir(exist_ok=True)
    if not Path(source % 0).exists():
        write_plates(work / shot.clip, CLIPS[shot.clip]())
    last = shot.first + count - 1
    if not Path(target % last).exists():
        options = replace(DEFAULTS, first=shot.first, last=last, invert=shot.invert)
        objects = [StyledObject(shot.spec, str(style))]
        job = Job(source=source, target=target, objects=objects, options=options, overwrite=True)
        run(job, Silence())
    return tuple(
        [
            np.asarray(cv2.imread(pattern % number, cv2.IMREAD_COLOR_RGB), np.uint8)
            for number in range(shot.first, last + 1, STEP)
        ]
        for pattern in (source, target)
    )


def wiped(plates: list[Picture], results: list[Picture]) -> Iterator[Picture]:
    """Each plate, progressively wiped to the result from the left."""
    width = plates[0].shape[1]
    for number, (plate, result) in enumerate(zip(plates, results, strict=True)):
        share = np.clip((number / len(plates) - PLATE) / WIPE, 0, 1)
        # Ease in and out.
        edge = round(width * float(share * share * (3 - 2 * share)))
        frame = np.hstack([result[:, :edge], plate[:, edge:]])
        if 0 < edge < width:
            frame[:, max(0, edge - 1) : edge + 1] = 255
        yield frame


def captioned(frame: Picture, text: str, style: Image.Image) -> Image.Image:
    """The frame with the command below, and the style picture in the corner."""
    picture = Image.fromarray(frame)
    draw = ImageDraw.Draw(picture, "RGBA")
    width, height = picture.size
    draw.rectangle((0, height - 26, width, height), fill=(0, 0, 0, 170))
    draw.text((10, height - 22), text, font=ImageFont.load_default(14), fill="white")
    picture.paste(style, (width - INSET - 8, 8))
    draw.rectangle((width - INSET - 9, 7, width - 8, INSET + 8), outline="white")
    return picture


@click.command(help=__doc__)
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--shot", "names", type=click.Choice([shot.clip for shot in SHOTS]), multiple=True,
              help="Only this one; may repeat.")  # fmt: skip
@click.option("--frames", default=34, show_default=True, help="Of each shot.")
@click.option("--quality", default=55, show_default=True, help="Of the WebP, 0 to 100.")
def main(output: Path, work: Path, names: tuple[str, ...], frames: int, quality: int) -> None:
    sys.path.append(str(EXAMPLES))
    import make_styles

    work.mkdir(parents=True, exist_ok=True)
    pictures = []
    for shot in SHOTS:
        if names and shot.clip not in names:
            continue
        style = work / f"{shot.style}.png"
        if not style.exists():
            cv2.imwrite(str(style), make_styles.STYLES[shot.style]()[..., ::-1])
        inset = Image.open(style).convert("RGB").resize((INSET, INSET), Image.Resampling.LANCZOS)
        plates, results = rendered(shot, frames, style, work)
        pictures += [captioned(frame, shot.told, inset) for frame in wiped(plates, results)]
    first, *others = pictures
    first.save(output, save_all=True, append_images=others, duration=DURATION, loop=0,
               quality=quality, method=6)  # fmt: skip
    click.echo(f"{output}: {len(pictures)} frames, {output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
