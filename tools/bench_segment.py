"""Score segmentation and tracking on DAVIS clips: J, F, edge stability, and cost.

    python tools/bench_segment.py ../shared/data/davis --sheet sheet.png
    python tools/bench_segment.py ../shared/data/davis --segmenter grabcut --segmenter mobile-sam \\
        --prompt name --prompt box --prompt point --prompt mask --frames 24
    python tools/bench_segment.py ../shared/data/davis --prompt box --raft raft-small.pth

Each segmenter is scored with each prompt. J and F (vidstyle.evaluate.segmentation) are means over a
clip's frames except the first, which is prompted from ground truth (not when prompted by name);
"confidence off by" is the mean difference between a frame's confidence and its J; "doubtful" counts
the frames with J below 0.6 that are reported as doubtful or lost, and the others that are reported
as doubtful; seconds are CPU time per frame. With --raft, "edge" is the matte's root mean squared
warping error, in 8-bit levels, along RAFT's flow, which tracking does not use: mean over pairs of
neighbouring frames, in the band of 8 pixels around the matte's edge where that flow is reliable.
"true edge" is the same for the true masks. Stages are CPU milliseconds per frame; "find"
includes the segmenter, "steady" includes reading the frames.
"""

import cProfile
import pstats
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from time import process_time
from unittest.mock import patch

import click
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vidstyle.errors import ObjectNotFoundError
from vidstyle.evaluate.metrics import temporal_error
from vidstyle.evaluate.segmentation import contour_accuracy, region_similarity
from vidstyle.media.frame import Box, Frame
from vidstyle.models import weights
from vidstyle.motion.estimator import FlowEstimator
from vidstyle.motion.occlusion import valid
from vidstyle.motion.raft import RaftFlow
from vidstyle.segment.detectors.detector import Detector
from vidstyle.segment.detectors.yolo import YoloTiny
from vidstyle.segment.keys import find_keys
from vidstyle.segment.mattes.guided import upsample
from vidstyle.segment.mattes.lost import DOUBTFUL
from vidstyle.segment.mattes.store import Matte, Mattes, MatteStore, bounding_box
from vidstyle.segment.objects import find_mattes
from vidstyle.segment.prompts import parse_object
from vidstyle.segment.segmenters.segmenter import Segmenter, build_segmenter
from vidstyle.segment.tracking.pair_flows import PairFlows
from vidstyle.segment.tracking.propagate import propagate
from vidstyle.segment.tracking.steady import Seen, steadied
from vidstyle.segment.tracking.tracker import Tracker

POOR = 0.6  # J of a matte below which people should be told
BAND = 8  # pixels about the matte's edge
SHOWN = 6  # frames of a clip on the contact sheet
TILE = (427, 240)

#: Names of the objects in DAVIS's clips, if not a person.
NAMES = {
    "blackswan": "bird", "bmx-trees": "person+bicycle", "car-shadow": "car", "libby": "dog",
}  # fmt: skip
#: Registry entry of the weights that each segmenter needs.
ENTRIES = {"mobile-sam": "mobile-sam", "sam": "sam-vit-b"}


@dataclass(frozen=True)
class Tools:
    """Detector and segmenter."""

    segmenter: Segmenter
    detector: Detector | None


class DavisClip:
    """A folder of ``frames`` and true ``masks``."""

    def __init__(
        self, folder: Path, limit: int | None, scale: float = 1.0, grey: bool = False
    ) -> None:
        self.name, self._scale, self._grey = folder.name, scale, grey
        self._frames = sorted((folder / "frames").iterdir())[:limit]
        self.masks = sorted((folder / "masks").iterdir())[:limit]
        self.count = len(self._frames)
        self.size = self.picture(0).shape[:2]

    def picture(self, index: int) -> NDArray[np.uint8]:
        """RGB (H, W, 3)."""
        if self._grey:
            light = self._read(self._frames[index], cv2.IMREAD_GRAYSCALE, cv2.INTER_CUBIC)
            return np.asarray(cv2.cvtColor(light, cv2.COLOR_GRAY2RGB), np.uint8)
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
    """The first frame's true mask, the box around it, its innermost point (``points``: and the
    innermost of the rest), the object's name, or ``prompt`` as is."""
    truth = clip.truth(0).astype(np.uint8)
    match prompt:
        case "mask":
            return f"mask:{clip.masks[0]}"
        case "box":
            box = bounding_box(truth)
            assert box is not None, f"{clip.masks[0]} is empty"
            return f"box:{box.x0},{box.y0},{box.x1},{box.y1}"
        case "point":
            return "point:{},{}".format(*innermost(truth)[0])
        case "points":
            first, depth = innermost(truth)
            rest = truth.copy()
            cv2.circle(rest, first, round(2 * depth), 0, cv2.FILLED)
            return "point:{},{}+point:{},{}".format(*first, *innermost(rest)[0])
        case "name":
            return NAMES.get(clip.name, "person")
    return prompt


def innermost(mask: NDArray[np.uint8]) -> tuple[tuple[int, int], float]:
    """The pixel (x, y) of a mask (H, W) that is farthest from its outline, and how far it is."""
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return (int(x), int(y)), float(depth.max())


@dataclass(frozen=True)
class Scores:
    """Means over a clip.

    Attributes:
        seconds: of CPU time per frame.
        poor: whether each frame with J below POOR is reported.
        other: the same for the others.
    """

    j: float
    f: float
    doubt: float
    seconds: float
    poor: NDArray[np.bool_]
    other: NDArray[np.bool_]

    @classmethod
    def of(cls, clip: DavisClip, mattes: Mattes, seconds: float) -> "Scores":
        pairs = [(mattes[i] > 127, clip.truth(i)) for i in range(1, clip.count)]
        j = np.array([region_similarity(*pair) for pair in pairs])
        f = np.mean([contour_accuracy(*pair) for pair in pairs])
        confidences = np.array([mattes.confidence(i) for i in range(1, clip.count)])
        lost = np.array([mattes.box(i) is None for i in range(1, clip.count)])
        poor = j < POOR
        reported = np.where(lost, poor, confidences < DOUBTFUL)
        return cls(
            float(j.mean()),
            float(f),
            float(np.abs(confidences - j).mean()),
            seconds,
            poor=reported[poor],
            other=reported[~poor],
        )

    @classmethod
    def mean(cls, scores: "Sequence[Scores]") -> "Scores":
        """Over clips; frames are added up."""
        j, f, doubt, seconds = np.mean([(s.j, s.f, s.doubt, s.seconds) for s in scores], axis=0)
        return cls(
            *(float(j), float(f), float(doubt), float(seconds)),
            poor=np.concatenate([one.poor for one in scores]),
            other=np.concatenate([one.other for one in scores]),
        )

    def __str__(self) -> str:
        return (
            f"J {self.j:.3f}  F {self.f:.3f}  confidence off by {self.doubt:.3f}  "
            f"doubtful {self.poor.sum()}/{self.poor.size} poor, "
            f"{self.other.sum()}/{self.other.size} other  {self.seconds:.2f} s"
        )


def edge_errors(
    clip: DavisClip, planes: dict[str, Mattes], flow: FlowEstimator
) -> dict[str, float]:
    """Warping error of each sequence of mattes along a flow, at its edge."""
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
    """Milliseconds per frame in each stage, including everything it calls."""
    stats = pstats.Stats(profile)
    parts = []
    for name, function in STAGES.items():
        code = function.__code__
        key = (code.co_filename, code.co_firstlineno, code.co_name)
        seconds = stats.stats[key][3] if key in stats.stats else 0.0  # type: ignore[attr-defined]
        parts.append(f"{name} {1000 * seconds / frames:.0f}")
    return ", ".join(parts)


@contextmanager
def as_tracked(views: Iterable[Seen], _: PairFlows) -> Iterator[Iterator[Matte]]:
    """In place of ``steadied``."""
    yield (view.matte for view in views)


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


@dataclass(frozen=True)
class Case:
    """How a clip's mattes are made."""

    segmenter: str
    prompt: str

    def __str__(self) -> str:
        return f"{self.segmenter} by {self.prompt}"


def score(
    clip: DavisClip, case: Case, tools: Tools, folder: Path, unsteadied: bool
) -> tuple[Scores, Mattes, str]:
    """Scores, mattes (in ``folder``) and the time of each stage; no mattes if the object is not
    found."""
    before = process_time()
    with (
        patch("vidstyle.segment.objects.steadied", as_tracked) if unsteadied else nullcontext(),
        cProfile.Profile(process_time) as profile,
    ):
        spec, shots = parse_object(spec_for(clip, case.prompt)), [(0, clip.count)]
        mattes: Mattes = MatteStore(folder, clip.size, clip.count)
        with suppress(ObjectNotFoundError):
            mattes = find_mattes(spec, clip, shots, tools, folder, lambda _: None)
    seconds = (process_time() - before) / clip.count
    return Scores.of(clip, mattes, seconds), mattes, stage_times(profile, clip.count)


@click.command(help=__doc__)
@click.argument("davis", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--prompt",
    "prompts",
    multiple=True,
    default=["mask"],
    show_default=True,
    help="name, mask, box, point, points or a SPEC; may repeat.",
)
@click.option(
    "--segmenter",
    "segmenters",
    multiple=True,
    default=["grabcut"],
    show_default=True,
    type=click.Choice(["grabcut", *ENTRIES]),
    help="May repeat.",
)
@click.option("--clip", "only", multiple=True, help="Only this clip; may repeat.")
@click.option("--frames", type=click.IntRange(min=2), help="Only so many frames of each clip.")
@click.option("--sheet", type=click.Path(path_type=Path), help="Write a contact sheet.")
@click.option("--raft", type=click.Path(path_type=Path), help="RAFT-small's weights: edge errors.")
@click.option("--scale", type=float, default=1.0, help="Enlarge the clips: 1.5 makes 480p 720p.")
@click.option("--grey", is_flag=True, help="In black and white.")
@click.option("--unsteadied", is_flag=True, help="Leave mattes as they were tracked.")
@click.option("--alone", is_flag=True, help="Without the networks that help with people.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the mattes in this folder.")
def main(
    davis: Path,
    prompts: tuple[str, ...],
    segmenters: tuple[str, ...],
    only: tuple[str, ...],
    frames: int | None,
    sheet: Path | None,
    raft: Path | None,
    scale: float,
    grey: bool,
    unsteadied: bool,
    keep: Path | None,
    alone: bool,
) -> None:
    cpu = torch.device("cpu")
    yolo = weights.find("yolov3-tiny")
    detector = YoloTiny(yolo.with_suffix(".cfg"), yolo) if yolo else None
    people = None if alone else weights.find("mediapipe-person")
    cutters = {
        name: build_segmenter(
            name, weights.require(ENTRIES[name]) if name in ENTRIES else None, cpu, people
        )
        for name in segmenters
    }
    flow = raft and RaftFlow("raft-small", raft, device=cpu, flow_size=480)
    rows = []
    scores: dict[Case, list[Scores]] = {}
    for case in (Case(segmenter, prompt) for prompt in prompts for segmenter in segmenters):
        for folder in sorted(p for p in davis.iterdir() if not only or p.name in only):
            clip = DavisClip(folder, frames, scale, grey)
            with tempfile.TemporaryDirectory() as temporary:
                place = (keep or Path(temporary)) / str(case).replace(" ", "-") / clip.name
                tools = Tools(cutters[case.segmenter], detector)
                found, mattes, stages = score(clip, case, tools, place, unsteadied)
                scores.setdefault(case, []).append(found)
                line = f"{case!s:22} {clip.name:12} {found}"
                if flow:
                    edges = edge_errors(clip, {"edge": mattes, "true edge": TrueMattes(clip)}, flow)
                    line += "".join(f"  {name} {error:.1f}" for name, error in edges.items())
                click.echo(f"{line}  ms: {stages}")
                if sheet:
                    rows.append(overlays(clip, mattes))
    for case, each in scores.items():
        click.echo(f"{case!s:22} {'mean':12} {Scores.mean(each)}")
    if sheet:
        cv2.imwrite(str(sheet), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
