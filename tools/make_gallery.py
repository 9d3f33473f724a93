"""Makes the pictures of the guides: a strip per topic, each picture under the option it shows.

    python tools/make_gallery.py docs/gallery
    python tools/make_gallery.py docs/gallery --only detail --only keys

Uses licensed footage (``tools/footage.py``), styles of ``examples/make_styles.py``, and the bundled
model. Frames are rendered one by one, except those that painted keys are carried to.
``tools/make_showcase.py`` makes the accompanying animation.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from contact_sheet import labelled, tile
from footage import CLIPS, Picture
from held_out import EXAMPLES

from vidstyle.inspect.marking import colour_of, mark_box, mark_matte
from vidstyle.media.frame import Box
from vidstyle.options import DEFAULTS, StyledObject
from vidstyle.pipeline.job import Job, run
from vidstyle.runtime.progress import Silence

QUALITY = 85
"""Quality of the JPEGs."""
RABBIT = "point:175,200"
STONE = "box:405,165,640,245"
BOX = Box(75, 25, 312, 342)
"""Box around the rabbit, in frame 36."""
MISSED = ((268, 40), (176, 48))
"""His paw and his ear there."""
KEY, CARRIED = 36, 16
"""The painted frame of the rabbit, and the distance it is carried."""
DOTS = np.array([(165, 150), (260, 130), (300, 200), (300, 320), (170, 320), (160, 220)])
"""Where he wears them."""

Strip = dict[str, Picture]
"""Pictures side by side, by their labels."""


@dataclass(frozen=True)
class Studio:
    """Renders single frames.

    Attributes:
        work: folder for clips, styles and results.
    """

    work: Path

    @cache  # noqa: B019  # one studio, as long as the tool runs
    def plates(self, clip: str, first: int, count: int = 1) -> tuple[Picture, ...]:
        """Frames of a clip of ``footage``, (H, W, 3) RGB."""
        frames = CLIPS[clip]()
        for _ in range(first):
            next(frames)
        return tuple(next(frames) for _ in range(count))

    def plate(self, clip: str, frame: int) -> Picture:
        return self.plates(clip, frame)[0]

    @cache  # noqa: B019
    def style(self, name: str) -> str:
        """Path of a painted style."""
        sys.path.append(str(EXAMPLES))
        import make_styles

        path = self.work / f"{name}.png"
        write(path, make_styles.STYLES[name]())
        return str(path)

    def rendered(
        self, plates: Sequence[Picture], objects: Sequence[StyledObject], **options: Any
    ) -> tuple[list[Picture], list[Picture]]:
        """Results, with alpha if the options request it, and mattes of the first object."""
        with tempfile.TemporaryDirectory(dir=self.work) as name:
            folder = Path(name)
            for number, plate in enumerate(plates):
                write(folder / f"plate.{number:04}.png", plate)
            job = Job(
                source=f"{folder}/plate.%04d.png",
                target=f"{folder}/styled.%04d.png",
                matte_target=f"{folder}/matte.%04d.png",
                objects=objects,
                options=replace(DEFAULTS, **options),
            )
            run(job, Silence())
            return (
                [read(file) for file in sorted(folder.glob("styled.*"))],
                [read(file)[..., 0] for file in sorted(folder.glob("matte.*"))],
            )

    def still(
        self, plate: Picture, spec: str, style: str | None = "nocturne", **options: Any
    ) -> Picture:
        """One frame restyled."""
        objects = [StyledObject(spec, style and self.style(style))]
        return self.rendered([plate], objects, temporal="off", **options)[0][0]

    def element(self, plate: Picture, spec: str, style: str, **options: Any) -> Picture:
        """The restyled object alone, premultiplied, (H, W, 4) RGBA."""
        with tempfile.TemporaryDirectory(dir=self.work) as name:
            source, target = Path(name, "plate.png"), Path(name, "element.tif")
            write(source, plate)
            objects = [StyledObject(spec, self.style(style))]
            look = replace(DEFAULTS, temporal="off", element=True, **options)
            run(
                Job(source=str(source), target=str(target), objects=objects, options=look),
                Silence(),
            )
            layer = np.asarray(cv2.imread(str(target), cv2.IMREAD_UNCHANGED), np.uint8)
            return layer[..., [2, 1, 0, 3]]

    def matte(self, plate: Picture, spec: str, **options: Any) -> Picture:
        """The matte of a prompt, tinted over the plate."""
        objects = [StyledObject(spec, self.style("ink"))]
        _, (matte,) = self.rendered([plate], objects, temporal="off", strength=0.0, **options)
        return mark_matte(plate, matte, colour_of(0))

    def known(self, frame: int) -> tuple[Picture, str]:
        """The example shot's plate, and its true matte as a prompt."""
        sys.path.append(str(EXAMPLES))
        import make_shot

        matte = make_shot.scene().mattes(frame)[make_shot.ASTRONAUT]
        path = self.work / f"true.{frame:04}.png"
        write(path, np.repeat((matte * 255).round().astype(np.uint8)[..., None], 3, axis=2))
        return self.plate("astronaut", frame), f"mask:{path}"


def styles(studio: Studio) -> Strip:
    plate, spec = studio.known(42)
    rows, columns = slice(30, 360), slice(150, 500)
    found = {name: studio.still(plate, spec, name) for name in ("nocturne", "ink", "watercolour")}
    return {name: picture[rows, columns] for name, picture in {"plate": plate, **found}.items()}


def strength(studio: Studio) -> Strip:
    plate = studio.plate("face", 10)
    return {"plate": plate} | {
        f"--strength {dial}": studio.still(plate, "person", "nocturne", strength=dial)
        for dial in (0.5, 1.0)
    }


def detail(studio: Studio) -> Strip:
    plate = studio.plate("face", 10)
    return {
        f"--detail {dial}": studio.still(plate, "person", "facets", detail=dial)
        for dial in (0.0, 0.5, 1.0)
    }


def style_scale(studio: Studio) -> Strip:
    plate, spec = studio.known(42)
    rows, columns = slice(0, 190), slice(300, 640)
    return {
        f"--style-scale {scale}": studio.still(plate, spec, invert=True, style_scale=scale)[
            rows, columns
        ]
        for scale in (0.5, 1.0, 2.0)
    }


def supersample(studio: Studio) -> Strip:
    plate, spec = studio.known(42)
    rows, columns = slice(50, 250), slice(180, 500)
    return {"plate": plate[rows, columns]} | {
        f"--supersample {times}": studio.still(plate, spec, "facets", supersample=times)[
            rows, columns
        ]
        for times in (1, 3)
    }


def preserve(studio: Studio) -> Strip:
    plate = studio.plate("face", 10)
    return {
        f"--preserve {what}": studio.still(plate, "person", "nocturne", preserve=what)
        for what in ("none", "color", "structure")
    }


def prompts(studio: Studio) -> Strip:
    """Mattes of a name, a box and a point."""
    astronaut, rabbit = studio.plate("astronaut", 42), studio.plate("rabbit", 36)
    within = studio.matte(rabbit, boxed(BOX))
    mark_box(within, BOX, colour_of(1))
    pointed = studio.matte(rabbit, RABBIT)
    cv2.circle(pointed, (175, 200), 6, colour_of(1), -1, cv2.LINE_AA)
    return {
        "--object person": studio.matte(astronaut, "person"),
        f"--object {boxed(BOX)}": within,
        f"--object {RABBIT}": pointed,
    }


def several(studio: Studio) -> Strip:
    plate = studio.plate("rabbit", 36)
    rabbit = StyledObject(RABBIT, studio.style("ink"))
    stone = StyledObject(STONE, studio.style("nocturne"))
    return {
        "plate": plate,
        "one object": studio.rendered([plate], [rabbit], temporal="off")[0][0],
        "two, each with its style": studio.rendered([plate], [rabbit, stone], temporal="off")[0][0],
    }


def invert(studio: Studio) -> Strip:
    plate, spec = studio.known(42)
    return {
        "plate": plate,
        "--object person": studio.still(plate, spec, "nocturne"),
        "--object person --invert": studio.still(plate, spec, "nocturne", invert=True),
    }


def element(studio: Studio) -> Strip:
    plate, spec = studio.known(42)
    whole = studio.still(plate, spec, "watercolour")
    _, (matte,) = studio.rendered(
        [plate], [StyledObject(spec, studio.style("ink"))], temporal="off", strength=0.0
    )
    rows, columns = np.mgrid[: plate.shape[0], : plate.shape[1]] // 16
    checks = np.where(((rows + columns) % 2 == 0)[..., None], 170, 230)
    return {
        "the whole frame": whole,
        "--element": over(studio.element(plate, spec, "watercolour"), checks),
        "--matte-out": np.repeat(matte[..., None], 3, axis=2),
    }


def decontaminate(studio: Studio) -> Strip:
    """Filmed before a bright sky, laid over a dark wall."""
    plate, spec = studio.known(42)
    rows, columns = slice(60, 160), slice(212, 362)
    strip = {"plate": plate[rows, columns]}
    for label, clean in (("--element", False), ("--element --decontaminate", True)):
        layer = studio.element(plate, spec, "nocturne", decontaminate=clean)
        strip[label] = over(layer, np.array((40, 26, 52)))[rows, columns]
    return strip


def feather(studio: Studio) -> Strip:
    plate, spec = studio.known(42)
    rows, columns = slice(70, 220), slice(230, 470)
    return {
        f"--feather {pixels}": studio.still(plate, spec, "watercolour", feather=pixels)[
            rows, columns
        ]
        for pixels in (0.0, 2.0, 10.0)
    }


def mending(studio: Studio) -> Strip:
    """Two points add what a box misses."""
    plate = studio.plate("rabbit", 36)
    spec, strip = boxed(BOX), Strip()
    rows, columns = slice(10, 210), slice(30, 390)
    for count in range(len(MISSED) + 1):
        more = "".join(f"+point:{x},{y}" for x, y in MISSED[:count])
        picture = studio.matte(plate, spec + more)
        for point in MISSED[:count]:
            cv2.circle(picture, point, 5, colour_of(1), -1, cv2.LINE_AA)
        strip[more or f"--object {spec}"] = picture[rows, columns]
    return strip


def keys(studio: Studio) -> Strip:
    """A painted frame, carried to later frames."""
    plates = studio.plates("rabbit", KEY, CARRIED + 1)
    work = studio.work / "keys"
    work.mkdir()
    _, (matte, *_) = studio.rendered(
        plates[:1], [StyledObject(RABBIT, studio.style("ink"))], temporal="off", strength=0.0
    )
    painted = dotted(plates[0], matte)
    write(work / "painted.png", painted)
    objects = [StyledObject(RABBIT, None, (f"{work}/painted.png@0",))]
    results, _ = studio.rendered(plates, objects)
    return {
        f"plate {KEY}": plates[0],
        f"painted {KEY}": painted,
        f"frame {KEY + CARRIED // 2}": results[CARRIED // 2],
        f"frame {KEY + CARRIED}": results[CARRIED],
    }


def dotted(plate: Picture, matte: Picture) -> Picture:
    """Stand-in for a painter: flat orange tones, an outline, and white dots, unlike any style."""
    grey = cv2.GaussianBlur(cv2.cvtColor(plate, cv2.COLOR_RGB2GRAY), (0, 0), 2)
    tones = np.array([[60, 20, 30], [150, 50, 30], [225, 110, 40], [250, 175, 80]], np.uint8)
    painted = tones[np.digitize(grey, (60, 105, 150))]
    inside = (matte > 127).astype(np.uint8)
    for y in range(0, plate.shape[0], 34):
        for x in range((y // 34 % 2) * 17, plate.shape[1], 34):
            if cv2.pointPolygonTest(DOTS, (x, y), False) > 0:
                cv2.circle(painted, (x, y), 8, (255, 250, 240), -1, cv2.LINE_AA)
    outline, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(painted, outline, -1, (30, 15, 20), 3, cv2.LINE_AA)
    return np.where(inside[..., None] > 0, painted, plate)


STRIPS: dict[str, Callable[[Studio], Strip]] = {
    "styles": styles,
    "prompts": prompts,
    "several": several,
    "invert": invert,
    "element": element,
    "strength": strength,
    "detail": detail,
    "style-scale": style_scale,
    "supersample": supersample,
    "preserve": preserve,
    "decontaminate": decontaminate,
    "feather": feather,
    "mending": mending,
    "keys": keys,
}


def boxed(box: Box) -> str:
    """A box as a prompt."""
    return f"box:{box.x0},{box.y0},{box.x1},{box.y1}"


def over(layer: Picture, ground: Picture) -> Picture:
    """A premultiplied element, (H, W, 4), over a background that spreads to its size."""
    seen = layer[..., :3] + ground * (1 - layer[..., 3:] / 255)
    return np.asarray(seen.round(), np.uint8)


def row(pictures: Strip, width: int) -> Picture:
    """Pictures side by side, each ``width`` pixels wide, under its label."""
    columns = []
    for label, picture in pictures.items():
        height = picture.shape[0] * width // picture.shape[1]
        columns.append(labelled(tile(picture, width, height), label))
    return np.hstack(columns)


def read(path: Path) -> Picture:
    """(H, W, 3) RGB."""
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)


def write(path: Path, picture: Picture) -> None:
    quality = (cv2.IMWRITE_JPEG_QUALITY, QUALITY) if path.suffix == ".jpg" else ()
    if not cv2.imwrite(str(path), picture[..., ::-1], quality):
        raise click.ClickException(f"{path}: cannot be written")


@click.command(help=__doc__)
@click.argument("output", type=click.Path(file_okay=False, path_type=Path))
@click.option("--only", type=click.Choice(list(STRIPS)), multiple=True, help="May repeat.")
@click.option("--width", default=440, show_default=True, help="Of one picture in a strip.")
def main(output: Path, only: Sequence[str], width: int) -> None:
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        studio = Studio(Path(work))
        for name in only or STRIPS:
            write(output / f"{name}.jpg", row(STRIPS[name](studio), width))
            click.echo(f"{output}/{name}.jpg")


if __name__ == "__main__":
    main()
