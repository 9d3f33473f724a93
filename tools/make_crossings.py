"""Write clips in which two objects of DAVIS cross, with true masks, for tools/bench_segment.py.

    python tools/make_crossings.py ../shared/data/davis /tmp/crossings
    python tools/bench_segment.py /tmp/crossings --segmenter mobile-sam --prompt box --frames 48

The object of one clip, cut out along its true masks, crosses the frame of another in front of that
one's object. Each pair makes two clips: in ``behind`` the truth is the visible part of the object
that is passed, in ``before`` the object that passes.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import cv2
import numpy as np
from bench_segment import DavisClip
from numpy.typing import NDArray

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
FRAMES = 48
#: Clips of those behind and of those who pass, with the frame each starts at.
PAIRS = (
    (("dance-twirl", 0), ("parkour", 40)),
    (("parkour", 0), ("dance-twirl", 0)),
    (("libby", 0), ("dance-twirl", 20)),
    (("bmx-trees", 0), ("parkour", 50)),
)

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def crossed(
    behind: DavisClip, before: DavisClip, starts: tuple[int, int]
) -> list[tuple[Picture, Picture, Picture]]:
    """The frames, and the masks of the one behind and of the one who passes from left to right, as
    large as the one behind.

    Args:
        starts: the first frame of each.
    """
    from scenes import similarity

    count = min(FRAMES, behind.count - starts[0], before.count - starts[1])
    pairs = [(starts[0] + index, starts[1] + index) for index in range(count)]
    usual = np.median([side(before.truth(there)) for _, there in pairs])
    scale = float(np.median([side(behind.truth(here)) for here, _ in pairs]) / usual)
    height, width = behind.size
    frames = []
    for index, (one, other) in enumerate(pairs):
        mask, cutout = behind.truth(one), before.truth(other)
        # Halfway through, one is exactly in front of the other.
        along = (2 * index / (count - 1) - 1) * 0.45 * width
        x, y = middle(mask)
        move = similarity(x + along, y, scale=scale, pivot=middle(cutout))[:2]
        moved = cv2.warpAffine(before.picture(other), move, (width, height), flags=cv2.INTER_AREA)
        soft = cv2.warpAffine(as_mask(cutout), move, (width, height), flags=cv2.INTER_LINEAR)
        alpha = cv2.GaussianBlur(soft, (0, 0), 0.8)[..., None] / 255
        mixed = np.rint(behind.picture(one) * (1 - alpha) + moved * alpha).astype(np.uint8)
        passing = soft > 127
        frames.append((mixed, as_mask(mask & ~passing), as_mask(passing)))
    return frames


def side(mask: Mask) -> float:
    """The square root of its area, in pixels."""
    return float(np.sqrt(mask.sum()))


def middle(mask: Mask) -> tuple[float, float]:
    """The centre (x, y) of its pixels."""
    rows, columns = np.nonzero(mask)
    return float(columns.mean()), float(rows.mean())


def as_mask(inside: Mask) -> Picture:
    return np.where(inside, np.uint8(255), np.uint8(0))


def write(folder: Path, pictures: Sequence[Picture], masks: Sequence[Picture]) -> None:
    for name in ("frames", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for index, (picture, mask) in enumerate(zip(pictures, masks, strict=True)):
        cv2.imwrite(str(folder / f"frames/{index:05}.png"), picture[..., ::-1])
        cv2.imwrite(str(folder / f"masks/{index:05}.png"), mask)


@click.command(help=__doc__)
@click.argument("davis", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
def main(davis: Path, out: Path) -> None:
    sys.path.append(str(EXAMPLES))
    for pair in PAIRS:
        behind, before = (DavisClip(davis / name, None) for name, _ in pair)
        starts = pair[0][1], pair[1][1]
        pictures, hidden, passing = zip(*crossed(behind, before, starts), strict=True)
        name = f"{behind.name}-{before.name}"
        write(out / f"{name}-behind", pictures, hidden)
        write(out / f"{name}-before", pictures, passing)


if __name__ == "__main__":
    main()
