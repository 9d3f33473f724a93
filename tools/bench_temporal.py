"""Score the temporal step: how much flicker it takes away, and how much detail.

    python tools/bench_temporal.py ../shared/data/davis/{dance-twirl,parkour} \\
        --style ../shared/data/style/starry_night.jpg \\
        --raft ../shared/weights/raft_small_C_T.pth

Each clip, and a generated shot whose flow is known exactly (examples/make_shot.py), is restyled
whole, with and without the step, by the same way that a render goes. Warping errors are in 1e-4
of a squared range of 1, between frames 1 and 10 apart (``gap``), by a flow that the render never
saw: RAFT's where it used DIS, the true one on the generated shot. ``plate`` is the error of the
plates themselves, the floor of what a flow and its mask can tell; ``excess`` is the ratio of what
the results have above it. ``detail`` is the energy of the Laplacian with the step over that
without; seconds are for a frame.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import click
import cv2
import torch
from torch import Tensor

from vidstyle.evaluate.metrics import detail_ratio, warping_error
from vidstyle.flow import FlowEstimator, RaftFlow, valid
from vidstyle.options import DEFAULTS, RenderOptions, StyledObject
from vidstyle.progress import Silence
from vidstyle.render import Job, render
from vidstyle.video.reader import open_clip

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
FLOW_SIZE = 320  # largest short side that RAFT scores at
GAPS = (1, 10)  # frames
SETTLING = 3  # pairs before the step has settled, left out


@dataclass(frozen=True)
class Truth:
    """How a clip moved, frame t to t − gap, for t from ``gap`` on.

    Attributes:
        flow: (N, 2, H, W) in pixels.
        mask: (N, 1, H, W), 1 where the flow holds.
    """

    flow: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Footage:
    """A clip and its truth.

    Attributes:
        plates: pattern or folder of pictures.
        truth: by gap.
    """

    name: str
    plates: str
    truth: Mapping[int, Truth]


def read(source: str, count: int) -> Tensor:
    """The first frames: (N, 3, H, W) in [0, 1]."""
    frames = [frame.image for frame in open_clip(source).frames(0, count)]
    return torch.stack(frames).movedim(-1, 1).float() / 255


def filmed(clip: Path, folder: Path, count: int, height: int, estimator: FlowEstimator) -> Footage:
    """A DAVIS clip, a folder with ``frames``, scaled and written to ``folder``; estimated flow."""
    for frame in open_clip(str(clip / "frames")).frames(0, count):
        width = round(frame.size[1] * height / frame.size[0])
        image = cv2.resize(frame.image.numpy(), (width, height), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f"{frame.index:04}.png"), image[..., ::-1])
    plates = read(str(folder), count)

    def truth(gap: int) -> Truth:
        pairs = list(zip(plates[:-gap, None], plates[gap:, None], strict=True))
        backward = torch.cat([estimator(after, before) for before, after in pairs])
        forward = torch.cat([estimator(before, after) for before, after in pairs])
        return Truth(backward, valid(forward, backward))

    return Footage(clip.name, str(folder), {gap: truth(gap) for gap in GAPS})


def generated(folder: Path, count: int) -> Footage:
    """The example shot, written to ``folder``, with exact flow."""
    sys.path.append(str(EXAMPLES))
    import make_shot

    for number, image in enumerate(islice(make_shot.frames(), count)):
        cv2.imwrite(str(folder / f"{number:04}.png"), image[..., ::-1])
    scene = make_shot.scene()

    def truth(gap: int) -> Truth:
        exact = [scene.flow(time, time - gap) for time in range(gap, count)]
        flow = torch.stack([torch.from_numpy(flow).movedim(-1, 0) for flow, _ in exact])
        shown = torch.stack([torch.from_numpy(shown)[None] for _, shown in exact])
        return Truth(flow, (shown > 0.98).float())

    return Footage("generated", str(folder), {gap: truth(gap) for gap in GAPS})


def score(footage: Footage, frames: Tensor, gap: int) -> float:
    """E_warp in 1e-4, of pairs whose earlier frame is a settled one."""
    truth = footage.truth[gap]
    errors = warping_error(frames[gap:], frames[:-gap], truth.flow, truth.mask)
    return 1e4 * errors[SETTLING:].nanmean().item()


def compare(footage: Footage, style: Path, options: RenderOptions, folder: Path) -> list[str]:
    """Rows of the table, one a gap."""
    count = len(footage.truth[1].flow) + 1
    results, seconds = {}, {}
    for temporal in ("off", "blend"):
        out = folder / f"{footage.name}-{style.stem}-{temporal}"
        out.mkdir()
        job = Job(
            source=footage.plates,
            target=str(out / "%04d.png"),
            objects=[StyledObject(None, str(style))],
            options=replace(options, temporal=temporal, last=count - 1),
        )
        seconds = render(job, Silence()).content["seconds"]
        results[temporal] = read(str(out), count)
    detail = detail_ratio(results["blend"], results["off"])[SETTLING + 1 :].mean().item()
    cost = [seconds[stage] / count for stage in ("style", "flow", "temporal")]
    plates, rows = read(footage.plates, count), []
    for gap in GAPS:
        plate = score(footage, plates, gap)
        off, blend = (score(footage, results[temporal], gap) for temporal in ("off", "blend"))
        rows.append(
            f"{footage.name:12} {style.stem:16} {gap:3} {plate:7.2f} {off:7.2f} {blend:7.2f} "
            f"{blend / off:6.2f} {(blend - plate) / (off - plate):6.2f} {detail:6.2f}   "
            f"{cost[0]:5.2f} {cost[1]:5.2f} {cost[2]:5.2f}"
        )
    return rows


@click.command(help=__doc__)
@click.argument("clips", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--style", "styles", multiple=True, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option("--raft", type=click.Path(exists=True, path_type=Path), help="RAFT-small's weights.")
@click.option("--model", default=DEFAULTS.model, show_default=True)
@click.option("--flow", default="dis", show_default=True, help="What the render uses.")
@click.option(
    "--frames", default=25, show_default=True, type=click.IntRange(min=SETTLING + max(GAPS) + 1)
)
@click.option("--height", default=480, show_default=True, help="Scale the clips to this.")
@click.option("--keep", type=click.Path(path_type=Path), help="Leave the rendered frames here.")
def main(
    clips: Sequence[Path],
    styles: Sequence[Path],
    raft: Path | None,
    model: str,
    flow: str,
    frames: int,
    height: int,
    keep: Path | None,
) -> None:
    if clips and not raft:
        raise click.UsageError("clips are scored by RAFT: give --raft")
    options = replace(DEFAULTS, model=model, flow=flow)
    click.echo(
        f"{'clip':12} {'style':16} {'gap':>3} {'plate':>7} {'off':>7} {'blend':>7} {'ratio':>6} "
        f"{'excess':>6} {'detail':>6}   {'style':>5} {'flow':>5} {'temp.':>5}"
    )
    with tempfile.TemporaryDirectory() as temporary:
        plates = Path(temporary, "plates")
        for name in ("generated", *(clip.name for clip in clips)):
            (plates / name).mkdir(parents=True)
        footage = [generated(plates / "generated", frames)]
        if raft:
            estimator = RaftFlow(
                "raft-small", raft, device=torch.device("cpu"), flow_size=FLOW_SIZE
            )
            footage += [
                filmed(clip, plates / clip.name, frames, height, estimator) for clip in clips
            ]
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for one in footage:
            for style in styles:
                click.echo("\n".join(compare(one, style, options, folder)))


if __name__ == "__main__":
    main()
