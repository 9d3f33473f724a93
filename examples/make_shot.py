"""Makes the example shot: an astronaut walks past a launch pad, filmed with a panning camera.

    python examples/make_shot.py shot.mp4 [--truth FOLDER]

It is made of two photographs that move in a known way (scikit-image carries both), so that the
truth is known: the matte of the astronaut, the flow between frames, and where it holds.
"""

import argparse
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from photographs import astronaut, launch_pad
from scenes import Layer, Matrix, Scene, similarity

SIZE = (360, 640)
"""Height and width."""
FRAMES = 84
RATE = 24
SAMPLE_RATE = 48_000
ASTRONAUT = 1
"""The layer that is the subject."""

_NOMINAL_SCALE = 0.6
_GRAIN = 1.2 / 255


def scene() -> Scene:
    """The shot without its grain."""
    picture, matte = astronaut(_NOMINAL_SCALE)
    side = matte.shape[0]

    def walk(time: float) -> Matrix:
        """From left to right and a little nearer, with the bob and sway of two steps a second."""
        step = 2 * math.pi * time / RATE
        scale = 0.96 + 0.03 * time / RATE
        x = 190 + 2.6 * time + 2 * math.sin(step)
        # The photograph is cut off at the waist: its lower edge stays below the frame.
        y = 378 + 4 * math.cos(2 * step)
        sway = 1.3 * math.sin(step)
        return similarity(x, y, scale=scale, degrees=sway, pivot=(side / 2, side))

    pad = launch_pad(height=500)
    height, width = pad.shape[:2]

    def pan(time: float) -> Matrix:
        """Along with her, more slowly, and not quite steady: the camera is held by hand."""
        x = 345 - 0.55 * time + 1.2 * math.sin(0.23 * time) + 0.5 * math.sin(0.71 * time)
        y = 130 + 0.8 * math.sin(0.31 * time + 1)
        return similarity(x, y, scale=1.0 + 0.006 * time / RATE, pivot=(width / 2, height / 2))

    return Scene([Layer(pad, None, pan), Layer(picture, matte, walk)], SIZE)


def frames(count: int = FRAMES) -> Iterator[NDArray[np.uint8]]:
    """The shot: (H, W, 3) RGB, with the grain of a fast film."""
    shot, random = scene(), np.random.default_rng(24)
    for time in range(count):
        grain = random.normal(0, _GRAIN, (*SIZE, 3))
        yield ((shot.picture(time) + grain) * 255).round().clip(0, 255).astype(np.uint8)


def tone(count: int = FRAMES) -> NDArray[np.float32]:
    """A soft chord that swells and fades, as long as ``count`` frames: (2, samples) in [-1, 1]."""
    time = np.arange(SAMPLE_RATE * count // RATE) / SAMPLE_RATE
    swell = np.sin(np.pi * time * RATE / count) ** 2
    voices = [
        np.sin(2 * np.pi * pitch * time + np.sin(2 * np.pi * 0.4 * time + pan))
        * np.array([[1 - pan], [pan]])
        for pitch, pan in ((110.0, 0.5), (164.8, 0.3), (220.0, 0.7), (277.2, 0.4), (329.6, 0.6))
    ]
    return np.asarray(0.12 * swell * np.sum(voices, axis=0), np.float32)


def write_shot(path: Path, count: int = FRAMES) -> None:
    """H.264 and AAC; the colours are BT.709 and say so."""
    with av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=RATE, options={"crf": "14"})
        video.height, video.width = SIZE
        video.pix_fmt = "yuv420p"
        video.time_base = Fraction(1, RATE)
        video.codec_context.color_primaries = 1
        video.codec_context.color_trc = 1
        video.codec_context.colorspace = Colorspace.ITU709
        video.codec_context.color_range = ColorRange.MPEG
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        for index, image in enumerate(frames(count)):
            # Tagging is not converting: without this, the matrix would be BT.601's.
            frame = av.VideoFrame.from_ndarray(image).reformat(
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        sound = av.AudioFrame.from_ndarray(tone(count), format="fltp", layout="stereo")
        sound.sample_rate, sound.pts, sound.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
        container.mux(audio.encode(sound))
        container.mux(audio.encode())


def write_truth(folder: Path, count: int = FRAMES) -> None:
    """For every frame its matte, and the flow to its neighbours and where it holds.

    ``matte.%04d.png`` · ``forward.%04d.flo`` and ``backward.%04d.flo`` (Middlebury's format, in
    pixels) · ``forward-shown.%04d.png`` and ``backward-shown.%04d.png`` (white where both frames
    show the point; see Scene.flow).
    """
    folder.mkdir(parents=True, exist_ok=True)
    shot = scene()
    for time in range(count):
        _write_grey(folder / f"matte.{time:04}.png", shot.mattes(time)[ASTRONAUT])
        for name, other in (("forward", time + 1), ("backward", time - 1)):
            if 0 <= other < count:
                flow, shown = shot.flow(time, other)
                cv2.writeOpticalFlow(str(folder / f"{name}.{time:04}.flo"), flow)
                _write_grey(folder / f"{name}-shown.{time:04}.png", shown)


def _write_grey(path: Path, image: NDArray[np.float32]) -> None:
    if not cv2.imwrite(str(path), (image * 255).round().astype(np.uint8)):
        raise OSError(f"{path}: cannot be written")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("output", type=Path, help="the video file to write, such as shot.mp4")
    parser.add_argument("--truth", type=Path, help="folder for mattes and exact flow (300 MB)")
    arguments = parser.parse_args()
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    write_shot(arguments.output)
    if arguments.truth:
        write_truth(arguments.truth)


if __name__ == "__main__":
    main()
