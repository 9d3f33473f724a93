"""A sheet for judging style models by eye, at full size.

    python tools/style_sheet.py sheet --styles ../shared/data/style \\
        --model vgg19 --model micro ../shared/data/davis/*/frames

A page for each clip, a row for each style: plate (the clip's middle frame), style, and each model's
result. Cells have the height given by --height; if that is the frame's own height, every pixel is
the render's. Styles are those held out from training, and frames those scored by
tools/bench_style.py: pictures saved with its --keep are shown with --pictures. The same models
produce the same pages, byte for byte.
"""

import logging
import tempfile
from dataclasses import replace
from pathlib import Path

import click
import cv2
import numpy as np
from contact_sheet import labelled, tile
from held_out import find_styles
from restyled import Picture, clip_name, compares, judged_frames, plates, sources
from tqdm import tqdm

from vidstyle.options import DEFAULTS

GAP = 4
"""White pixels between cells."""


def cell(picture: Picture, width: int, height: int, label: str) -> Picture:
    """A picture as a cell, with its label above and a gap to its right and below."""
    placed = labelled(tile(picture, width, height), label)
    return np.pad(placed, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)


def write(path: Path, page: Picture) -> None:
    if not cv2.imwrite(str(path), page[..., ::-1]):
        raise click.ClickException(f"{path}: cannot be written")


@click.command(help=__doc__)
@click.argument("output", type=click.Path(file_okay=False, path_type=Path))
@click.argument("clips", nargs=-1, required=True)
@compares
@click.option("--height", default=480, show_default=True, help="Of a cell, in pixels.")
def main(
    output: Path,
    clips: tuple[str, ...],
    folder: Path | None,
    only: tuple[str, ...],
    models: tuple[str, ...],
    pictures: tuple[Path, ...],
    keep: Path | None,
    strength: float,
    detail: float,
    style_scale: float,
    height: int,
) -> None:
    logging.basicConfig(level=logging.WARNING)
    look = replace(DEFAULTS, strength=strength, detail=detail, style_scale=style_scale)
    compared = sources(models, pictures, keep, look)
    output.mkdir(parents=True, exist_ok=True)
    total = len(clips) * len(only) * len(compared)
    with tempfile.TemporaryDirectory() as work, tqdm(total=total, unit="picture") as bar:
        styles = find_styles(folder, only, Path(work))
        for clip in clips:
            (index,) = judged_frames(clip)
            (plate,) = plates(clip, index, index)
            width = round(plate.shape[1] * height / plate.shape[0])
            rows = []
            for name, style in styles.items():
                painting = np.asarray(cv2.imread(str(style), cv2.IMREAD_COLOR_RGB), np.uint8)
                columns = {f"{clip_name(clip)}, frame {index}": plate, name: painting}
                for label, source in compared.items():
                    _, columns[label] = source(clip, index, style)
                    bar.update()
                cells = [cell(each, width, height, label) for label, each in columns.items()]
                rows.append(np.hstack(cells))
            write(output / f"{clip_name(clip)}.png", np.vstack(rows))


if __name__ == "__main__":
    main()
