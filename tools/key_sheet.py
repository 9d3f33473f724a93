"""Keys made by ``vidstyle paint`` and carried through a shot, next to the models alone.

    python tools/key_sheet.py sheets --only wave --only udnie --styles ../shared/data/style \\
        ../shared/data/davis/{blackswan,dance-twirl,libby}

A page for each clip and style: a column for each offset from the key; rows for the plate, the key
carried, and each model's result for the frame alone. Clips are folders with ``frames`` and
``masks`` of the same numbers; everything is cropped to the object.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import cv2
import numpy as np
from contact_sheet import labelled
from held_out import find_styles
from restyled import MODELS, Picture, read, restyled

import vidstyle
from vidstyle.options import DEFAULTS

OFFSETS = (-20, -10, -4, 0, 4, 10, 20)
AROUND = 16
"""Pixels around the object that are shown."""


@dataclass(frozen=True)
class Shot:
    """Frames of a clip around its key.

    Attributes:
        plates: their pattern, from 0.
        mattes: (H, W), 255 inside, of each.
        key: the number of the painted one.
    """

    plates: str
    mattes: list[Picture]
    key: int

    @classmethod
    def taken(cls, clip: Path, key: int | None, folder: Path) -> "Shot":
        """Copy the frames needed for the sheet."""
        frames, masks = (sorted((clip / name).iterdir()) for name in ("frames", "masks"))
        reach = max(map(abs, OFFSETS))
        middle = len(frames) // 2 if key is None else key
        first, stop = max(0, middle - reach), min(len(frames), middle + reach + 1)
        mattes = []
        for number in range(first, stop):
            name = f"{number - first:04}.png"
            cv2.imwrite(str(folder / f"plate.{name}"), read(frames[number])[..., ::-1])
            matte = cv2.imread(str(masks[number]), cv2.IMREAD_GRAYSCALE)
            mattes.append(np.where(np.asarray(matte) > 0, np.uint8(255), np.uint8(0)))
            cv2.imwrite(str(folder / f"matte.{name}"), mattes[-1])
        return cls(f"{folder}/plate.%04d.png", mattes, middle - first)

    @property
    def object(self) -> str:
        """The object, as for --object."""
        return f"matte:{Path(self.plates).parent}/matte.%04d.png"

    def keyed(self, style: Path, folder: Path) -> Path:
        """Paint the key and carry it; returns the result's pattern."""
        (key,) = vidstyle.paint(
            self.plates,
            object=self.object,
            style=style,
            key=self.key,
            output=folder / f"{style.stem}.key.png",
        )
        out = folder / f"{style.stem}.%04d.png"
        vidstyle.render(self.plates, object=self.object, key=key, output=out)
        return out


def page(shot: Shot, style: Path, models: Sequence[str], folder: Path) -> Picture:
    """Rows of cells, all cropped to the object over all the frames shown."""
    numbers = [shot.key + offset for offset in OFFSETS if 0 <= shot.key + offset < len(shot.mattes)]
    carried = str(shot.keyed(style, folder))
    rows = {
        "plate": [read(Path(shot.plates % number)) for number in numbers],
        "key": [read(Path(carried % number)) for number in numbers],
    }
    for model in models:
        options = replace(DEFAULTS, model=model)
        rows[model] = [
            composited(
                restyled(shot.plates, number, number, style, options)[0],
                read(Path(shot.plates % number)),
                shot.mattes[number],
            )
            for number in numbers
        ]
    boxes = [cv2.boundingRect(shot.mattes[number]) for number in numbers]
    width, height = (max(box[axis] for box in boxes) + 2 * AROUND for axis in (2, 3))
    lines = []
    for name, pictures in rows.items():
        cells = [
            labelled(crop(picture, box, width, height), f"{name} {number - shot.key:+}")
            for picture, box, number in zip(pictures, boxes, numbers, strict=True)
        ]
        lines.append(np.hstack(cells))
    return np.vstack(lines)


def composited(styled: Picture, plate: Picture, matte: Picture) -> Picture:
    return np.where(matte[..., None] > 127, styled, plate)


def crop(picture: Picture, box: Sequence[int], width: int, height: int) -> Picture:
    """Crop of this size, centred on a box (x, y, width, height); black outside the picture."""
    x, y = (round(box[axis] + box[axis + 2] / 2) for axis in (0, 1))
    padded = np.pad(picture, ((height, height), (width, width), (0, 0)))
    top, left = y - height // 2 + height, x - width // 2 + width
    return padded[top : top + height, left : left + width]


@click.command(help=__doc__)
@click.argument("output", type=click.Path(file_okay=False, path_type=Path))
@click.argument("clips", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--key", type=int, help="The painted frame; the middle when left out.")
@click.option("--styles", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", multiple=True, required=True, help="Stem of a style; may repeat.")
@click.option("--model", "models", multiple=True, default=MODELS, show_default=True)
def main(
    output: Path,
    clips: tuple[Path, ...],
    key: int | None,
    styles: Path | None,
    only: tuple[str, ...],
    models: tuple[str, ...],
) -> None:
    output.mkdir(parents=True, exist_ok=True)
    for clip in clips:
        with tempfile.TemporaryDirectory() as folder:
            shot = Shot.taken(clip, key, Path(folder))
            for name, style in find_styles(styles, only, Path(folder)).items():
                path = output / f"{clip.name}.{name}.png"
                made = page(shot, style, models, Path(folder))
                if not cv2.imwrite(str(path), made[..., ::-1]):
                    raise click.ClickException(f"{path}: cannot be written")
                click.echo(path)


if __name__ == "__main__":
    main()
