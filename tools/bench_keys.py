"""Score painted keys: one frame is painted, and the rest of the shot compared with ground truth.

    python tools/bench_keys.py ../shared/data/davis/{blackswan,dance-twirl,libby,parkour}
    python tools/bench_keys.py ../shared/data/davis/blackswan --key 20 --sheet keys.png

The artist is a poster filter (levels of a palette, chosen by hue, and dark outlines), since a
filter's ground truth is known in every frame. Each clip is a folder with ``frames`` and ``masks``;
the render is a complete ``vidstyle.render`` with the mattes given and no style.

At each offset from the keyframe, inside the matte: ``plate`` is the difference between plate and
truth, ``key`` that between render and truth (mean absolute difference, 8-bit levels), and ``ratio``
the ratio of ``key`` to ``plate``. ``detail`` is the root of the ratio of Laplacian energies,
``warping`` the root of the ratio of warping errors (to the frame one nearer the key, by the judge's
flow between the plates), render over truth; ``shown`` is the report's share of the frame that the
key shows. Seconds are analysis time per carried frame; set OMP_NUM_THREADS=1 for a single thread.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from contact_sheet import labelled, tile
from restyled import Picture, read
from torch import Tensor

import vidstyle
from vidstyle.evaluate.metrics import detail_ratio, masked_mean, warping_error
from vidstyle.media.frame import unit_range
from vidstyle.motion.dis import DisFlow
from vidstyle.motion.estimator import both_ways
from vidstyle.motion.occlusion import valid

OFFSETS = (-15, -8, 8, 20)
HEAD = (
    f"{'clip':14} {'offset':>6} {'plate':>6} {'key':>6} {'ratio':>6} {'detail':>6} {'warping':>7} "
    f"{'shown':>6} {'s/frame':>7}"
)
#: From dark to light, RGB.
PALETTE = np.array([[35, 20, 60], [110, 35, 110], [225, 120, 50], [250, 210, 120]], np.uint8)
OUTLINE = (13, 8, 20)
CELL = (427, 240)  # width and height of a picture of the sheet


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    clip: str
    offset: int
    plate: float
    key: float
    detail: float
    warping: float
    shown: float
    seconds: float

    @property
    def ratio(self) -> float:
        return self.key / self.plate

    def __str__(self) -> str:
        return (
            f"{self.clip:14} {self.offset:+6} {self.plate:6.1f} {self.key:6.1f} {self.ratio:6.2f} "
            f"{self.detail:6.2f} {self.warping:7.2f} {self.shown:6.2f} {self.seconds:7.2f}"
        )


@dataclass(frozen=True)
class Footage:
    """A clip of pictures with masks of the same numbers."""

    folder: Path
    height: int | None

    def frame(self, number: int) -> Picture:
        """(H, W, 3) RGB."""
        return self._read("frames", number, cv2.IMREAD_COLOR)[..., ::-1]

    def matte(self, number: int) -> Picture:
        """(H, W), 255 inside."""
        mask = self._read("masks", number, cv2.IMREAD_GRAYSCALE)
        return np.where(mask > 0, np.uint8(255), np.uint8(0))

    def _read(self, kind: str, number: int, flag: int) -> Picture:
        path = sorted((self.folder / kind).iterdir())[number]
        picture = cv2.imread(str(path), flag)
        if picture is None:
            raise click.ClickException(f"{path}: cannot be read")
        if self.height is not None:
            how = cv2.INTER_NEAREST if kind == "masks" else cv2.INTER_CUBIC
            width = round(picture.shape[1] * self.height / picture.shape[0] / 2) * 2
            picture = cv2.resize(picture, (width, self.height), interpolation=how)
        return np.asarray(picture, np.uint8)


def poster(image: Picture) -> Picture:
    """A picture (H, W, 3) as painted by the artist."""
    smooth = image
    for _ in range(3):
        smooth = np.asarray(cv2.bilateralFilter(smooth, 7, 40, 5), np.uint8)
    grey = cv2.cvtColor(smooth, cv2.COLOR_RGB2GRAY)
    hue = cv2.cvtColor(smooth, cv2.COLOR_RGB2HSV)[..., 0].astype(int)
    flat = PALETTE[np.minimum(grey // 64, 3)]
    turned = np.stack([np.roll(flat, -turn, axis=-1) for turn in range(3)])
    painted = np.take_along_axis(turned, ((hue + 20) % 180 // 60)[None, ..., None], axis=0)[0]
    across, down = cv2.spatialGradient(grey)
    slope = np.hypot(across, down, dtype=np.float32) / 255
    edges = cv2.dilate((slope > 0.35).astype(np.uint8), np.ones((2, 2), np.uint8)) > 0
    return np.asarray(np.where(edges[..., None], np.array(OUTLINE, np.uint8), painted), np.uint8)


def rows(
    footage: Footage, key: int, offsets: Sequence[int], folder: Path, tiles: list[Picture]
) -> Iterator[Row]:
    """Render a clip from its key and score it; pictures for the sheet are appended to ``tiles``."""
    first, last = min((key, *(key + o for o in offsets))), max((key, *(key + o for o in offsets)))
    plates, masks, out = (folder / name for name in ("plates", "masks", "out"))
    for path in (plates, masks, out):
        path.mkdir(parents=True)
    for number in range(first, last + 1):
        name = f"{number - first:05}.png"
        cv2.imwrite(str(plates / name), footage.frame(number)[..., ::-1])
        cv2.imwrite(str(masks / name), footage.matte(number))
    painted = folder / "key.png"
    cv2.imwrite(str(painted), poster(footage.frame(key))[..., ::-1])
    report = vidstyle.render(
        plates,
        object=f"matte:{masks}/%05d.png",
        key=f"{painted}@{key - first}",
        output=out / "%05d.png",
        temporal="off",
        feather=0.0,
    ).content
    seconds = report["seconds"]["analysis"] / (last - first)
    shown = report["objects"][0]["carried"]
    for offset in offsets:
        number = key + offset
        nearer = number - (1 if offset > 0 else -1)
        plate, before = footage.frame(number), footage.frame(nearer)
        truth, earlier = poster(plate), poster(before)
        result, previous = (read(out / f"{n - first:05}.png") for n in (number, nearer))
        inside = tensor(footage.matte(number)[..., None])
        forward, back = both_ways(DisFlow(540), tensor(before), tensor(plate))
        followed = inside * valid(forward, back)

        def apart(one: Picture, inside: Tensor = inside, truth: Picture = truth) -> float:
            gap = (tensor(one) - tensor(truth)).abs().mean(1, keepdim=True)
            return 255 * float(masked_mean(gap, inside))

        def moving(
            now: Picture, then: Picture, back: Tensor = back, where: Tensor = followed
        ) -> float:
            return float(warping_error(tensor(now), tensor(then), back, where))

        core = tensor(eroded(footage.matte(number))[..., None])
        yield Row(
            clip=footage.folder.name,
            offset=offset,
            plate=apart(plate),
            key=apart(result),
            detail=float(detail_ratio(tensor(result), tensor(truth), core)) ** 0.5,
            warping=(moving(result, previous) / moving(truth, earlier)) ** 0.5,
            shown=shown[number - first],
            seconds=seconds,
        )
        tiles.extend(
            labelled(tile(picture, *CELL), f"{footage.folder.name} {offset:+} {what}")
            for picture, what in ((plate, "plate"), (result, "key"), (truth, "truth"))
        )


def eroded(matte: Picture) -> Picture:
    """Erode it by two pixels, where the Laplacian would see what is outside."""
    return np.asarray(cv2.erode(matte, np.ones((5, 5), np.uint8)), np.uint8)


def tensor(picture: Picture) -> Tensor:
    """(H, W, C) of 8 bits to (1, C, H, W) in [0, 1]."""
    return unit_range(torch.from_numpy(np.ascontiguousarray(picture)))[None]


@click.command(help=__doc__)
@click.argument("clips", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--key", type=int, help="The painted frame; the middle when left out.")
@click.option("--offsets", default=",".join(map(str, OFFSETS)), show_default=True)
@click.option("--height", type=int, help="Enlarge frames to this height first.")
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="Pictures, too.")
def main(
    clips: tuple[Path, ...], key: int | None, offsets: str, height: int | None, sheet: Path | None
) -> None:
    wanted = [int(word) for word in offsets.split(",")]
    made: list[Row] = []
    tiles: list[Picture] = []
    click.echo(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        for clip in clips:
            count = len(list((clip / "frames").iterdir()))
            middle = min(max(count // 2, -min(wanted)), count - 1 - max(wanted))
            number = middle if key is None else key
            for row in rows(Footage(clip, height), number, wanted, Path(folder) / clip.name, tiles):
                click.echo(str(row))
                made.append(row)
    means = (np.mean([getattr(row, name) for row in made]) for name in ("ratio", "detail"))
    click.echo("mean ratio {:.2f}, detail {:.2f}; ".format(*means), nl=False)
    click.echo(f"worst ratio {max(row.ratio for row in made):.2f}")
    if sheet is not None:
        lines = [np.hstack(tiles[i : i + 3]) for i in range(0, len(tiles), 3)]
        if not cv2.imwrite(str(sheet), np.vstack(lines)[..., ::-1]):
            raise click.ClickException(f"{sheet}: cannot be written")


if __name__ == "__main__":
    main()
