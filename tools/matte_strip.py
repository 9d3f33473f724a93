"""An object's mattes over the plates, frame by frame, in one picture for inspection.

    python tools/matte_strip.py strip.png shot.mp4 --object person --in 40 --out 87
    python tools/matte_strip.py strip.png shot.mp4 --object person --every 4 --width 640

Mattes are found as in a render. Each tile shows its frame number and the matte's confidence.
"""

import logging
import tempfile
from dataclasses import replace
from pathlib import Path

import click
import cv2
import numpy as np

from vidstyle.inspect.marking import Image, colour_of, label, mark_matte
from vidstyle.media.colour_management import manage
from vidstyle.media.video.reader import open_clip
from vidstyle.options import DEFAULTS
from vidstyle.pipeline.analysis import find_take
from vidstyle.pipeline.parts import build_parts
from vidstyle.runtime.progress import Silence
from vidstyle.segment.clip import eight_bit, resized
from vidstyle.segment.objects import find_mattes
from vidstyle.segment.prompts import parse_object


def sheet(tiles: list[Image], columns: int) -> Image:
    """Tiles of one size in rows, the last one filled up with black."""
    tiles = tiles + [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)


@click.command(help=__doc__)
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("clip")
@click.option("--object", "spec", required=True, metavar="SPEC", help="As of a render.")
@click.option("--in", "first", type=int, help="First frame.")
@click.option("--out", "last", type=int, help="Last frame.")
@click.option("--segmenter", default=DEFAULTS.segmenter, show_default=True)
@click.option("--every", type=click.IntRange(min=1), default=1, help="Show every Nth frame.")
@click.option("--columns", type=click.IntRange(min=1), default=4, show_default=True)
@click.option("--width", type=click.IntRange(min=16), default=400, help="Of a tile, in pixels.")
def main(
    output: Path,
    clip: str,
    spec: str,
    first: int | None,
    last: int | None,
    segmenter: str,
    every: int,
    columns: int,
    width: int,
) -> None:
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    options = replace(DEFAULTS, segmenter=segmenter, first=first, last=last)
    wanted, reader = parse_object(spec), open_clip(clip)
    take = find_take(reader, options, manage(reader.info, None), Silence())
    shots = take.spans
    tiles = []
    with tempfile.TemporaryDirectory() as folder:
        parts = build_parts(options, [wanted])
        mattes = find_mattes(wanted, take, shots, parts, Path(folder), lambda _: None, parts.edges)
        for frame in take.frames(take.start):
            if (frame.index - take.start) % every:
                continue
            picture = mark_matte(eight_bit(frame), mattes[frame.index], colour_of(0))
            height = round(picture.shape[0] * width / picture.shape[1])
            tile = resized(picture, (height, width))
            text = f"{frame.index}: {mattes.confidence(frame.index):.2f}"
            label(tile, text, 0, 0, (255, 255, 255))
            tiles.append(tile)
    if not cv2.imwrite(str(output), sheet(tiles, columns)[..., ::-1]):
        raise click.ClickException(f"{output}: cannot be written")


if __name__ == "__main__":
    main()
