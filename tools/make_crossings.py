"""Write clips in which two objects of DAVIS cross, with true masks, for tools/bench_segment.py.

    python tools/make_crossings.py ../shared/data/davis /tmp/crossings
    python tools/bench_segment.py /tmp/crossings --segmenter mobile-sam --prompt box --frames 48

The object of one clip, cut out along its true masks, crosses the frame of another in front of that
one's object. Each pair makes two clips: in ``behind`` the truth is the visible part of the object
that is passed, in ``before`` the object that passes.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

FRAMES = 48
#: Clips of those behind and of those who pass, with the frame each starts at.
PAIRS = (
    (("dance-twirl", 0), ("parkour", 40)),
    (("parkour", 0), ("dance-twirl", 0)),
    (("libby", 0), ("dance-twirl", 20)),
    (("bmx-trees", 0), ("parkour", 50)),
)

Picture = NDArray[np.uint8]


class Take:
    """A DAVIS clip from a frame on."""

    def __init__(self, folder: Path, start: int) -> None:
        self.name = folder.name
        self._frames = sorted((folder / "frames").iterdir())[start:]
        self._masks = sorted((folder / "masks").iterdir())[start:]

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> tuple[Picture, Picture]:
        """A frame (H, W, 3), BGR, and its mask (H, W)."""
        picture = cv2.imread(str(self._frames[index]))
        mask = cv2.imread(str(self._masks[index]), cv2.IMREAD_GRAYSCALE)
        assert picture is not None, self._frames[index]
        assert mask is not None, self._masks[index]
        return np.asarray(picture, np.uint8), np.asarray(mask, np.uint8)


def crossed(behind: Take, before: Take) -> list[tuple[Picture, Picture, Picture]]:
    """The frames, and the masks of the one behind and of the one who passes from left to right, as
    large as the one behind."""
    count = min(FRAMES, len(behind), len(before))
    usual = np.median([size(before[i][1]) for i in range(count)])
    scale = np.median([size(behind[i][1]) for i in range(count)]) / usual
    frames = []
    for index in range(count):
        (picture, mask), (other, cutout) = behind[index], before[index]
        height, width = mask.shape
        here, there = middle(mask), middle(cutout)
        # Halfway through, one is exactly in front of the other.
        along = (2 * index / (count - 1) - 1) * 0.45 * width
        move = np.array(
            [
                [scale, 0, here[0] + along - scale * there[0]],
                [0, scale, here[1] - scale * there[1]],
            ]
        )
        moved = cv2.warpAffine(other, move, (width, height), flags=cv2.INTER_AREA)
        soft = cv2.warpAffine(cutout, move, (width, height), flags=cv2.INTER_LINEAR)
        alpha = cv2.GaussianBlur(soft, (0, 0), 0.8)[..., None] / 255
        mixed = np.rint(picture * (1 - alpha) + moved * alpha).astype(np.uint8)
        passing = np.where(soft > 127, np.uint8(255), np.uint8(0))
        hidden = np.where((mask > 127) & (passing == 0), np.uint8(255), np.uint8(0))
        frames.append((mixed, hidden, passing))
    return frames


def size(mask: Picture) -> float:
    """The square root of its area, in pixels."""
    return float(np.sqrt((mask > 127).sum()))


def middle(mask: Picture) -> tuple[float, float]:
    """The centre (x, y) of its pixels."""
    rows, columns = np.nonzero(mask > 127)
    return float(columns.mean()), float(rows.mean())


def write(folder: Path, pictures: Sequence[Picture], masks: Sequence[Picture]) -> None:
    for name in ("frames", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for index, (picture, mask) in enumerate(zip(pictures, masks, strict=True)):
        cv2.imwrite(str(folder / f"frames/{index:05}.png"), picture)
        cv2.imwrite(str(folder / f"masks/{index:05}.png"), mask)


@click.command(help=__doc__)
@click.argument("davis", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
def main(davis: Path, out: Path) -> None:
    for behind, before in PAIRS:
        takes = [Take(davis / name, start) for name, start in (behind, before)]
        pictures, hidden, passing = zip(*crossed(*takes), strict=True)
        pair = "-".join(take.name for take in takes)
        write(out / f"{pair}-behind", pictures, hidden)
        write(out / f"{pair}-before", pictures, passing)


if __name__ == "__main__":
    main()
