"""The first command of a clean machine: makes a clip and a picture with what vidstyle brings along,
restyles an object, and looks at what came out. Nothing is downloaded.

    python .ci/first_command.py
"""

import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

FRAMES, HEIGHT, WIDTH = 6, 120, 160
BOX = (50, 30, 110, 90)


def write_clip(path: Path) -> None:
    """A textured square before a grey ramp, losslessly."""
    ramp = np.broadcast_to(np.linspace(60, 180, WIDTH)[None, :, None], (HEIGHT, WIDTH, 3))
    square = np.random.default_rng(0).integers(0, 255, (40, 40, 3))
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgr0"
        for _ in range(FRAMES):
            picture = ramp.astype(np.uint8).copy()
            picture[40:80, 60:100] = square
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())


def pictures(path: Path) -> np.ndarray:
    with av.open(str(path)) as clip:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)])


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        clip, style, result = (Path(name, file) for file in ("in.mkv", "art.png", "out.mkv"))
        write_clip(clip)
        colours = np.random.default_rng(1).integers(0, 255, (8, 8, 3), np.uint8)
        cv2.imwrite(str(style), cv2.resize(colours, (128, 128), interpolation=cv2.INTER_CUBIC))
        spec = "box:" + ",".join(map(str, BOX))
        command = ["vidstyle", "render", str(clip), "--object", spec, "--style", str(style)]
        subprocess.run([*command, "--codec", "ffv1", "-o", str(result)], check=True)
        before, after = pictures(clip), pictures(result)
    if before.shape != after.shape:
        sys.exit(f"{before.shape} went in, {after.shape} came out")
    changed = (before != after).any(axis=(0, 3))
    if changed[:, :20].any() or not changed[50:70, 70:90].any():
        sys.exit("what changed is not the object alone")
    print(f"{FRAMES} frames, {changed.mean():.0%} of the picture restyled")


if __name__ == "__main__":
    main()
