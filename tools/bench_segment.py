"""Score segmentation and tracking on DAVIS clips: J, F, how steady the edges are, and the cost.

    python tools/bench_segment.py ../shared/data/davis --sheet sheet.png
    python tools/bench_segment.py ../shared/data/davis --prompt box --raft raft-small.pth

J and F (vidstyle.evaluate.segmentation) are means over a clip's frames without the first, which
is prompted from the truth; "confidence off by" is the mean distance of a frame's confidence from
its J. With --raft, "edge" is the matte's root mean squared warping error, in 8-bit levels, along
RAFT's flow, which tracking does not use: mean over pairs of neighbouring frames, in the band of 8
pixels about the matte's edge where that flow can be trusted. "true edge" is the same of the true
masks. Stages are milliseconds of processor time a frame, one line a clip; "track" includes "flow",
"find" includes the segmenter, "steady" includes reading the frames.
"""

import cProfile
import pstats
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import astuple, dataclass
from fractions import Fraction
from pathlib import Path
from time import process_time
from unittest.mock import patch

import click
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vidstyle.evaluate.metrics import temporal_error
from vidstyle.evaluate.segmentation import contour_accuracy, region_similarity
from vidstyle.flow import FlowEstimator, valid
from vidstyle.flow.raft import RaftFlow
from vidstyle.frame import Box, Frame
from vidstyle.segment import (
    Detector,
    Mattes,
    Segmenter,
    YoloTiny,
    build_segmenter,
    find_mattes,
    parse_object,
)
from vidstyle.segment.keys import find_keys
from vidstyle.segment.mattes import Matte, bounding_box
from vidstyle.segment.propagate import propagate
from vidstyle.segment.steady import View, steadied
from vidstyle.segment.tracker import Tracker
from vidstyle.segment.upsample import upsample

BAND = 8  # pixels about the matte's edge
SHOWN = 6  # frames of a clip on the contact sheet
TILE = (427, 240)


@dataclass(frozen=True)
class Tools:
    """What objects are found and cut out with."""

    segmenter: Segmenter
    detector: Detector | None


class DavisClip:
    """A folder of ``frames`` and true ``masks``."""

    def __init__(self, folder: Path, limit: int | None, scale: float = 1.0) -> None:
        self.name, self._scale = folder.name, scale
        self._frames = sorted((folder / "frames").iterdir())[:limit]
        self.masks = sorted((folder / "masks").iterdir())[:limit]
        self.count = len(self._frames)
        self.size = self.picture(0).shape[:2]

    def picture(self, index: int) -> NDArray[np.uint8]:
        """RGB (H, W, 3)."""
        return self._read(self._frames[index], cv2.IMREAD_COLOR_RGB, cv2.INTER_CUBIC)

    def truth(self, index: int) -> NDArray[np.bool_]:
        return self._read(self.masks[index], cv2.IMREAD_GRAYSCALE, cv2.INTER_NEAREST) > 127

    def _read(self, path: Path, colours: int, mode: int) -> NDArray[np.uint8]:
        picture = np.asarray(cv2.imread(str(path), colours), np.uint8)
        if self._scale == 1:
            return picture
        larger = cv2.resize(picture, None, fx=self._scale, fy=self._scale, interpolation=mode)
        return np.asarray(larger, np.uint8)

    def frames(self, start: int, stop: int | None) -> Iterator[Frame]:
        for i in range(start, self.count if stop is None else stop):
            yield Frame(torch.from_numpy(self.picture(i)), i, i, Fraction(1, 24))


class TrueMattes(Mattes):
    """A clip's truth as mattes."""

    def __init__(self, clip: DavisClip) -> None:
        self._clip = clip

    def __len__(self) -> int:
        return self._clip.count

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        return np.where(self._clip.truth(index), np.uint8(255), np.uint8(0))

    def box(self, index: int) -> Box | None:
        return bounding_box(self[index])


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


@dataclass(frozen=True)
class Scores:
    """Means over a clip."""

    j: float
    f: float
    doubt: float

    @classmethod
    def of(cls, clip: DavisClip, mattes: Mattes) -> "Scores":
        pairs = [(mattes[i] > 127, clip.truth(i)) for i in range(1, clip.count)]
        j = np.array([region_similarity(*pair) for pair in pairs])
        f = np.mean([contour_accuracy(*pair) for pair in pairs])
        confidences = [mattes.confidence(i) for i in range(1, clip.count)]
        return cls(float(j.mean()), float(f), float(np.abs(confidences - j).mean()))

    def __str__(self) -> str:
        return f"J {self.j:.3f}  F {self.f:.3f}  confidence off by {self.doubt:.3f}"


def edge_errors(
    clip: DavisClip, planes: dict[str, Mattes], flow: FlowEstimator
) -> dict[str, float]:
    """How far each sequence of mattes is, at its edge, from itself carried along a flow."""
    errors: dict[str, list[float]] = {name: [] for name in planes}
    for i in range(1, clip.count):
        now, before = (
            torch.from_numpy(clip.picture(j)).movedim(-1, 0)[None] / 255 for j in (i, i - 1)
        )
        backward = flow(now, before)
        trusted = valid(flow(before, now), backward)
        for name, mattes in planes.items():
            matte, earlier = (
                torch.from_numpy(mattes[j])[None, None].float() / 255 for j in (i, i - 1)
            )
            mask = trusted * torch.from_numpy(edge_band(mattes[i]))
            errors[name].append(float(temporal_error(matte, earlier, backward, mask)))
    return {name: 255 * float(np.nanmean(each)) for name, each in errors.items()}


def edge_band(matte: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The pixels (H, W) no farther than BAND from the outline."""
    inside = (matte > 127).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BAND + 1,) * 2)
    return np.asarray(cv2.dilate(inside, disc) != cv2.erode(inside, disc))


STAGES: dict[str, Callable[..., object]] = {
    "read": DavisClip.picture,
    "find": find_keys,
    "track": propagate,
    "flow": Tracker.flows,
    "steady": steadied,
    "upsample": upsample,
}


def stage_times(profile: cProfile.Profile, frames: int) -> str:
    """Milliseconds a frame in each stage, with all that it calls, and in all."""
    stats = pstats.Stats(profile)
    parts = [f"all {1000 * stats.total_tt / frames:.0f}"]  # type: ignore[attr-defined]
    for name, function in STAGES.items():
        code = function.__code__
        key = (code.co_filename, code.co_firstlineno, code.co_name)
        seconds = stats.stats[key][3] if key in stats.stats else 0.0  # type: ignore[attr-defined]
        parts.append(f"{name} {1000 * seconds / frames:.0f}")
    return ", ".join(parts)


def as_tracked(views: Iterator[View]) -> Iterator[Matte]:
    """In place of ``steadied``."""
    return (view.matte for view in views)


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
        label = f"{clip.name} {i}: {region_similarity(matte > 127, truth):.2f}"
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
@click.option("--raft", type=click.Path(path_type=Path), help="RAFT-small's weights: edge errors.")
@click.option("--scale", type=float, default=1.0, help="Enlarge the clips: 1.5 makes 480p 720p.")
@click.option("--unsteadied", is_flag=True, help="Leave mattes as they were tracked.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the mattes in this folder.")
def main(
    davis: Path,
    prompt: str,
    only: tuple[str, ...],
    frames: int | None,
    sheet: Path | None,
    sam: Path | None,
    yolo: Path | None,
    raft: Path | None,
    scale: float,
    unsteadied: bool,
    keep: Path | None,
) -> None:
    tools = Tools(
        build_segmenter("sam" if sam else "grabcut", sam, torch.device("cpu")),
        YoloTiny(yolo / "yolov3-tiny.cfg", yolo / "yolov3-tiny.weights") if yolo else None,
    )
    flow = raft and RaftFlow("raft-small", raft, device=torch.device("cpu"), flow_size=480)
    rows, scores = [], []
    for folder in sorted(p for p in davis.iterdir() if not only or p.name in only):
        clip = DavisClip(folder, frames, scale)
        with (
            tempfile.TemporaryDirectory() as temporary,
            patch("vidstyle.segment.objects.steadied", as_tracked) if unsteadied else nullcontext(),
            cProfile.Profile(process_time) as profile,
        ):
            mattes = find_mattes(
                parse_object(spec_for(clip, prompt)),
                clip,
                [(0, clip.count)],
                tools,
                (keep or Path(temporary)) / clip.name,
                lambda _: None,
            )
            profile.disable()
            scores.append(Scores.of(clip, mattes))
            line = f"{clip.name:12} {scores[-1]}"
            if flow:
                edges = edge_errors(clip, {"edge": mattes, "true edge": TrueMattes(clip)}, flow)
                line += "".join(f"  {name} {error:.1f}" for name, error in edges.items())
            click.echo(f"{line}  ms: {stage_times(profile, clip.count)}")
            if sheet:
                rows.append(overlays(clip, mattes))
    mean = Scores(*np.mean([astuple(score) for score in scores], axis=0))
    click.echo(f"{'mean':12} {mean}")
    if sheet:
        cv2.imwrite(str(sheet), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
