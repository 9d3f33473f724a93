"""Masks of photographs for `vidstyle train --masks`, made by the same segmenter as in renders.

    python tools/make_masks.py photographs --object person -o masks

Photographs in which the object is not found get no mask; training then uses the whole picture.
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import cv2

from vidstyle.choices import SEGMENTERS
from vidstyle.errors import ObjectNotFoundError
from vidstyle.media.colour_management import Management
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.shots import Shot
from vidstyle.options import DEFAULTS
from vidstyle.pipeline.analysis import Take
from vidstyle.pipeline.parts import build_parts
from vidstyle.segment.objects import find_mattes
from vidstyle.segment.prompts import parse_object
from vidstyle.train.data import find_pictures


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--object", "prompt", default="person", show_default=True, help="As in render.")
@click.option("--segmenter", type=click.Choice(SEGMENTERS), default="auto", show_default=True)
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path, prompt: str, segmenter: str, output: Path) -> None:
    spec = parse_object(prompt)
    parts = build_parts(replace(DEFAULTS, segmenter=segmenter, temporal="off"), [spec])
    output.mkdir(parents=True, exist_ok=True)
    files, found = find_pictures(folder), 0
    for file in files:
        with TemporaryDirectory() as work:
            try:
                mattes = find_mattes(
                    spec,
                    Take(open_clip(str(file)), [Shot(0, 1)], Management()),
                    [(0, 1)],
                    parts,
                    Path(work),
                    lambda _count: None,
                )
            except ObjectNotFoundError:
                continue
            if mattes[0].any():
                cv2.imwrite(str(output / f"{file.stem}.png"), mattes[0])
                found += 1
    click.echo(f"{output}: {found} of {len(files)} photographs have a mask")


if __name__ == "__main__":
    main()
