"""Score segmentation and tracking on DAVIS clips: region similarity J and seconds a frame.

    python tools/bench_segment.py ../shared/data/davis --sheet sheet.png

J (Perazzi et al., CVPR 2016) is intersection over union with the true mask, averaged over a
clip's frames without the first, which is prompted from the truth.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vidstyle.frame import Frame
from vidstyle.segment import (
    Detector,
    Mattes,
    Segmenter,
    YoloTiny,
    build_segmenter,
    find_mattes,
    parse_object,
)
from vidstyle.segment.mattes import bounding_box

SHOWN = 6  # frames of a clip on the contact sheet
TILE = (427, 240)


@dataclass(frozen=True)
class Tools:
    """What objects are found and cut out with."""

    segmenter: Segmenter
    detector: Detector | None


class DavisClip:
    """A folder of ``frames`` and true ``masks``."""

    def __init__(self, folder: Path, limit: int | None) -> None:
        self.name = folder.name
        self._frames = sorted((folder / "frames").iterdir())[:limit]
        self.masks = sorted((folder / "masks").iterdir())[:limit]
        self.count = len(self._frames)
        self.size = self.picture(0).shape[:2]

    def picture(self, index: int) -> NDArray[np.uint8]:
        """RGB (H, W, 3)."""
        return np.asarray(cv2.imread(str(self._frames[index]), cv2.IMREAD_COLOR_RGB), np.uint8)

    def truth(self, index: int) -> NDArray[np.bool_]:
        return np.asarray(cv2.imread(str(self.masks[index]), cv2.IMREAD_GRAYSCALE)) > 127

    def frames(self, start: int, stop: int | None) -> Iterator[Frame]:
        for i in range(start, self.count if stop is None else stop):
            yield Frame(torch.from_numpy(self.picture(i)), i, i, Fraction(1, 24))


def spec_for(clip: DavisClip, prompt: str) -> str:
    """The first frame's true mask, the box around it, its innermost point, or ``prompt`` as is."""
    truth = clip.truth(0).astype(np.uint8)
    match prompt:
        case "mask":
            return f"mask:{clip.masks[0]}"
        case "box":
            box = bounding_box(truth)
            assert box is not None, f"{clip.masks[0]} is empty"
            return f"box:{box.x0},{box.y0},{box.x1},{box.y1}"
        case "point":
            depth = cv2.distanceTransform(truth, cv2.DIST_L2, 5)
            y, x = np.unravel_index(int(depth.argmax()), depth.shape)
            return f"point:{x},{y}"
    return prompt


def similarity(matte: NDArray[np.uint8], truth: NDArray[np.bool_]) -> float:
    """Region similarity J, 0 to 1."""
    inside = matte > 127
    union = int((inside | truth).sum())
    return float((inside & truth).sum() / union) if union else 1.0


def overlays(clip: DavisClip, mattes: Mattes) -> NDArray[np.uint8]:
    """A row of frames: the matte in red, the true outline in green."""
    tiles = []
    for i in np.linspace(0, clip.count - 1, SHOWN).round().astype(int):
        picture, matte, truth = clip.picture(i), mattes[i], clip.truth(i)
        red = np.array([255, 0, 0], np.float32)
        alpha = matte[..., None] / 510
        picture = (picture * (1 - alpha) + red * alpha).astype(np.uint8)
        outlines, _ = cv2.findContours(truth.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, (0, 255, 0), 2)
        label = f"{clip.name} {i}: {similarity(matte, truth):.2f}"
        cv2.putText(picture, label, (10, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 0), 3)
        tiles.append(cv2.resize(picture, TILE, interpolation=cv2.INTER_AREA))
    return np.hstack(tiles)


@click.command(help=__doc__)
@click.argument("davis", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--prompt", default="mask", show_default=True, help="mask, box, point or a SPEC.")
@click.option("--clip", "only", multiple=True, help="Only this clip; may repeat.")
@click.option("--frames", type=click.IntRange(min=2), help="Only so many frames of each clip.")
@click.option("--sheet", type=click.Path(path_type=Path), help="Write a contact sheet.")
@click.option("--sam", type=click.Path(path_type=Path), help="SAM's weights; else GrabCut.")
@click.option("--yolo", type=click.Path(path_type=Path), help="Folder of yolov3-tiny's files.")
def main(
    davis: Path,
    prompt: str,
    only: tuple[str, ...],
    frames: int | None,
    sheet: Path | None,
    sam: Path | None,
    yolo: Path | None,
) -> None:
    tools = Tools(
        build_segmenter("sam" if sam else "grabcut", sam, torch.device("cpu")),
        YoloTiny(yolo / "yolov3-tiny.cfg", yolo / "yolov3-tiny.weights") if yolo else None,
    )
    rows, scores = [], []
    for folder in sorted(p for p in davis.iterdir() if not only or p.name in only):
        clip = DavisClip(folder, frames)
        with tempfile.TemporaryDirectory() as out:
            began = time.perf_counter()
            mattes = find_mattes(
                parse_object(spec_for(clip, prompt)),
                clip,
                [(0, clip.count)],
                tools,
                Path(out),
                lambda _: None,
            )
            seconds = (time.perf_counter() - began) / clip.count
            each = [similarity(mattes[i], clip.truth(i)) for i in range(1, clip.count)]
            if sheet:
                rows.append(overlays(clip, mattes))
        scores.append(float(np.mean(each)))
        click.echo(f"{clip.name:12} J {scores[-1]:.3f}   {seconds:.3f} s a frame")
    click.echo(f"{'mean':12} J {np.mean(scores):.3f}")
    if sheet:
        cv2.imwrite(str(sheet), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
