"""Every style on every clip: one picture to judge a model by.

    python tools/contact_sheet.py sheet.png --styles ../shared/data/style \\
        ../shared/data/davis/{blackswan,parkour,libby}/frames

A row for each clip: the original middle frame, then the frame rendered in each style.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import cv2
import numpy as np
from held_out import pictures_in
from restyled import Picture, clip_name, frame_count, plates, restyled

from vidstyle.options import DEFAULTS

LABEL = 24
"""Height of a line of text, in pixels."""


def tile(picture: Picture, width: int, height: int) -> Picture:
    """Fit the picture to ``width`` and ``height``, centred on white."""
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    sheet = np.full((height, width, 3), 255, np.uint8)
    x, y = (width - size[0]) // 2, (height - size[1]) // 2
    sheet[y : y + size[1], x : x + size[0]] = small
    return sheet


def labelled(picture: Picture, label: str) -> Picture:
    """Add a line of text above."""
    line = np.full((LABEL, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(
        line, label, (4, LABEL - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA
    )
    return np.vstack([line, picture])


@click.command(help=__doc__)
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("clips", nargs=-1, required=True)
@click.option(
    "--styles",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of style pictures.",
)
@click.option("--only", multiple=True, help="Only the style with this stem; may repeat.")
@click.option("--model", default=DEFAULTS.model, show_default=True)
@click.option("--strength", default=DEFAULTS.strength, show_default=True)
@click.option("--width", default=480, show_default=True, help="Of a tile, in pixels.")
def main(
    output: Path,
    clips: Sequence[str],
    folder: Path,
    only: Sequence[str],
    model: str,
    strength: float,
    width: int,
) -> None:
    logging.basicConfig(level=logging.WARNING)
    options = replace(DEFAULTS, model=model, strength=strength)
    styles = [path for stem, path in pictures_in(folder).items() if not only or stem in only]
    if not styles:
        raise click.UsageError(f"{folder}: holds no such style picture")
    height = width * 9 // 16
    pictures = [cv2.imread(str(style), cv2.IMREAD_COLOR_RGB) for style in styles]
    head = [labelled(tile(np.asarray(p), width, height), "") for p in pictures]
    rows = [np.hstack([np.full_like(head[0], 255), *head])]
    for clip in clips:
        index = frame_count(clip) // 2
        (plate,) = plates(clip, index, index)
        columns = [labelled(tile(plate, width, height), f"{clip_name(clip)}, frame {index}")]
        for style in styles:
            (result,) = restyled(clip, index, index, style, options)
            columns.append(labelled(tile(result, width, height), style.stem))
        rows.append(np.hstack(columns))
        click.echo(f"{clip}: {len(styles)} styles")
    if not cv2.imwrite(str(output), np.vstack(rows)[..., ::-1]):
        raise click.ClickException(f"{output}: cannot be written")


if __name__ == "__main__":
    main()
