"""Makes the pictures that README and docs/artist.md show, from the example shot and styles.

    python tools/make_gallery.py docs/gallery

``styles.jpg``: plate, matte and the object in each style. ``strength.jpg``: plate, and the first
style at half and at full strength. The matte is the shot's own, which is known, so that the
pictures show styles and not how well an object is cut out.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import cv2
import numpy as np
from contact_sheet import labelled, tile
from held_out import EXAMPLES
from restyled import Picture

from vidstyle.options import DEFAULTS, StyledObject
from vidstyle.pipeline.job import Job, run
from vidstyle.runtime.progress import Silence

QUALITY = 88
"""Of the JPEGs."""


def restyled(folder: Path, style: Path, strength: float) -> Picture:
    """``folder``'s plate with what its matte shows restyled: (H, W, 3) RGB."""
    job = Job(
        source=f"{folder}/plate.%04d.png",
        target=f"{folder}/styled.%04d.png",
        objects=[StyledObject(f"matte:{folder}/matte.%04d.png", str(style))],
        options=replace(DEFAULTS, strength=strength, temporal="off"),
        overwrite=True,
    )
    run(job, Silence())
    return np.asarray(cv2.imread(f"{folder}/styled.0000.png", cv2.IMREAD_COLOR_RGB), np.uint8)


def slice_around(matte: Picture) -> tuple[slice, slice]:
    """Rows and columns that show the object and a little of what is around it."""
    x, y, width, height = cv2.boundingRect(matte[..., 0])
    rim = height // 8
    return slice(max(0, y - rim), y + height + rim), slice(max(0, x - rim), x + width + rim)


def row(pictures: dict[str, Picture], width: int) -> Picture:
    """Side by side, each ``width`` pixels wide, under its name."""
    columns = []
    for label, picture in pictures.items():
        height = picture.shape[0] * width // picture.shape[1]
        columns.append(labelled(tile(picture, width, height), label))
    return np.hstack(columns)


def write(path: Path, picture: Picture) -> None:
    quality = (cv2.IMWRITE_JPEG_QUALITY, QUALITY) if path.suffix == ".jpg" else ()
    if not cv2.imwrite(str(path), picture[..., ::-1], quality):
        raise click.ClickException(f"{path}: cannot be written")


@click.command(help=__doc__)
@click.argument("output", type=click.Path(file_okay=False, path_type=Path))
@click.option("--style", "styles", multiple=True, help="Of examples/make_styles.py; may repeat.",
              default=("nocturne", "ink", "watercolour"), show_default=True)  # fmt: skip
@click.option("--frame", default=42, show_default=True, help="Of the example shot.")
@click.option("--width", default=400, show_default=True, help="Of one picture in a row.")
def main(output: Path, styles: Sequence[str], frame: int, width: int) -> None:
    sys.path.append(str(EXAMPLES))
    import make_shot
    import make_styles

    *_, plate = make_shot.frames(frame + 1)
    cut_out = make_shot.scene().mattes(frame)[make_shot.ASTRONAUT]
    matte = np.repeat((cut_out * 255).round().astype(np.uint8)[..., None], 3, axis=2)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        write(work / "plate.0000.png", plate)
        write(work / "matte.0000.png", matte)
        for style in styles:
            write(work / f"{style}.png", make_styles.STYLES[style]())
        full = {style: restyled(work, work / f"{style}.png", 1.0) for style in styles}
        first = styles[0]
        half = restyled(work, work / f"{first}.png", 0.5)
    output.mkdir(parents=True, exist_ok=True)
    close = slice_around(matte)
    full = {style: picture[close] for style, picture in full.items()}
    plate, matte, half = (picture[close] for picture in (plate, matte, half))
    write(output / "styles.jpg", row({"plate": plate, "matte": matte, **full}, width))
    dial = {f"{first}, strength 0.5": half, f"{first}, strength 1": full[first]}
    write(output / "strength.jpg", row({"plate": plate, **dial}, width))


if __name__ == "__main__":
    main()
