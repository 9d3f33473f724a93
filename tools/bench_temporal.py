"""Score the temporal step: how much flicker it removes, and its cost in style and detail.

    python tools/bench_temporal.py ../shared/data/davis/{dance-twirl,parkour} \\
        --true ../shared/data/sintel/alley_1_clean ../shared/data/sintel/alley_1_flow \\
        --style ../shared/data/style/starry_night.jpg

Each clip, and two generated shots whose flow is known exactly (``walk``, that of
examples/make_shot.py, and ``turn``, a camera that turns and moves in, with motion blur and changing
light), is restyled whole, with and without the step, and both are scored as by ``vidstyle
evaluate``: warping errors in 1e-4 of a squared range of 1, between frames 1 and 10 apart (``gap``),
along a flow the render did not use: RAFT's (``vidstyle models fetch raft-small``), or the true one.

``plate`` is the error of the plates themselves, the least that a flow and its mask can resolve;
``ratio`` is the error of the steadied result over that of single frames; ``excess`` the same for
their errors above the plate's. ``style`` are their distances to the style (Gram; 1 or more is an
entirely different style), ``detail`` is the ratio of their Laplacian energies. Seconds are per
frame. With ``--seam``, a row shows the difference between a render in two segments and one in a
single run, in 8-bit levels: mean and maximum of the frames after the seam.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import cv2
import numpy as np

from vidstyle.evaluate import evaluation
from vidstyle.evaluate.scores import PLATE
from vidstyle.media.video.reader import open_clip
from vidstyle.options import DEFAULTS, RenderOptions, StyledObject
from vidstyle.pipeline.job import Job, run
from vidstyle.runtime.progress import Silence

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
GAPS = (1, 10)  # frames
SETTLING = 3  # frames before the step has settled, left out of longer clips
SHOTS = ("walk", "turn")
SHORT = 8  # frames below which only the first is
HEAD = (
    f"{'clip':12} {'style':16} {'gap':>3} {'plate':>7} {'off':>7} {'blend':>7} {'ratio':>6} "
    f"{'excess':>6} {'style off, blend':>17} {'detail':>6}   {'style':>5} {'flow':>5} {'temp.':>5}"
)


@dataclass(frozen=True)
class Footage:
    """A clip of pictures and the source of its motion.

    Attributes:
        plates: folder of pictures.
        judge: an estimator's name, or a folder of true flows.
    """

    name: str
    plates: Path
    judge: str
    count: int


@dataclass(frozen=True)
class Bench:
    """Renders and scores every clip; pictures are written to ``folder``."""

    options: RenderOptions
    folder: Path
    seam: bool

    def rows(self, footage: Footage, style: Path) -> list[str]:
        """Rows of the table, one per gap."""
        results: dict[str, Path] = {}
        seconds: dict[str, float] = {}
        for temporal in ("off", "blend"):
            results[temporal], seconds = self._render(footage, style, temporal=temporal)
        done = evaluation.evaluate(self._job(footage, style, list(results.values())), Silence())
        scores = done.scores
        off, blend = scores.clips[1:]

        def ratio(measure: str) -> float:
            return scores.mean(blend, measure) / scores.mean(off, measure)

        styles = ", ".join(f"{scores.mean(clip, 'gram.all'):.3f}" for clip in (off, blend))
        rows = []
        for gap in GAPS:
            error, excess = f"e_warp.gap{gap}.all", f"e_warp_excess.gap{gap}.all"
            if error not in scores.measured():
                continue
            errors = (f"{1e4 * scores.mean(clip, error):7.2f}" for clip in (PLATE, off, blend))
            cost = (
                f"{seconds[stage] / footage.count:5.2f}" for stage in ("style", "flow", "temporal")
            )
            rows.append(
                f"{footage.name:12} {style.stem:16} {gap:3} {' '.join(errors)} "
                f"{ratio(error):6.2f} {ratio(excess):6.2f} {styles:>17} "
                f"{scores.mean(blend, 'detail.all'):6.2f}   {' '.join(cost)}"
            )
        if self.seam and footage.count > self.options.preroll + 2:
            rows.append(self._seam(footage, style, results["blend"]))
        return rows

    def _render(
        self, footage: Footage, style: Path, *, temporal: str, segment: int = 0
    ) -> tuple[Path, dict[str, float]]:
        """The folder of the result, and seconds by stage."""
        out = self.folder / f"{footage.name}-{style.stem}-{temporal}{segment or ''}"
        out.mkdir(parents=True)
        options = replace(self.options, temporal=temporal, segment=segment, last=footage.count - 1)
        job = Job(
            source=str(footage.plates),
            target=str(out / "%04d.png"),
            objects=[StyledObject(None, str(style))],
            options=options,
        )
        return out, run(job, Silence()).content["seconds"]

    def _job(self, footage: Footage, style: Path, results: Sequence[Path]) -> evaluation.Job:
        return evaluation.Job(
            plate=str(footage.plates),
            results=list(map(str, results)),
            style=str(style),
            reference=str(results[0]),
            flow=footage.judge,
            used=(self.options.flow,),
            flow_cache=str(self.folder / "flows"),
            gaps=GAPS,
            first=SETTLING if footage.count >= SHORT else 1,
        )

    def _seam(self, footage: Footage, style: Path, whole: Path) -> str:
        """Rendered again in two segments, the second after a full pre-roll."""
        start = self.options.preroll + 1
        parts, _ = self._render(footage, style, temporal="blend", segment=start)
        pairs = zip(read(whole, start), read(parts, start), strict=True)
        apart = np.stack([np.abs(one - other) for one, other in pairs])
        return f"{footage.name:12} {style.stem:16} seam {apart.mean():.3f} {apart.max():.0f}"


def read(folder: Path, start: int) -> list[np.ndarray]:
    """Frames from ``start`` on, as integers that can be subtracted."""
    return [frame.image.numpy().astype(int) for frame in open_clip(str(folder)).frames(start)]


def scaled(clip: Path, folder: Path, count: int, height: int) -> int:
    """Write a clip's first frames to ``folder``, at most ``height`` pixels high; how many."""
    written = 0
    for frame in open_clip(str(clip)).frames(0, count):
        image = frame.image.numpy()
        if frame.size[0] > height:
            width = round(frame.size[1] * height / frame.size[0])
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f"{frame.index:04}.png"), image[..., ::-1])
        written += 1
    return written


def generated(name: str, folder: Path, count: int) -> None:
    """Write a shot of photographs in motion (examples/scenes.py) and its truth to ``folder``."""
    import make_shot
    from photographs import astronaut, launch_pad
    from scenes import Layer, Scene, similarity

    height, width = make_shot.SIZE

    def camera(time: float) -> np.ndarray:
        nearer, middle = 1 + 0.004 * time, (pad.shape[1] / 2, pad.shape[0] / 2)
        return similarity(width / 2, height / 2, scale=nearer, degrees=0.5 * time, pivot=middle)

    def parallax(time: float) -> np.ndarray:
        nearer, feet = 1 + 0.008 * time, (side / 2, side)
        return similarity(width / 2 - 2 * time, height + 20, scale=nearer, degrees=0.5 * time,
                          pivot=feet)  # fmt: skip

    pad, (picture, matte) = launch_pad(height=560), astronaut(0.5)
    side = len(matte)
    turn = Scene([Layer(pad, None, camera), Layer(picture, matte, parallax)], make_shot.SIZE)
    scene = make_shot.scene() if name == "walk" else turn
    random = np.random.default_rng(0)
    (folder / "truth").mkdir()
    for time in range(count):
        # Clouds before the sun, and the grain of a fast film.
        light = 1 + 0.04 * np.sin(0.3 * time) if name == "turn" else 1.0
        # A 180-degree shutter: open for half a frame around its time.
        open_at = [time + (step - 1.5) / 8 for step in range(4)] if name == "turn" else [time]
        blurred = np.mean([scene.picture(each) for each in open_at], axis=0)
        seen = blurred * light + random.normal(0, 1.2 / 255, (height, width, 3))
        image = (seen * 255).round().clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{time:04}.png"), image[..., ::-1])
        if time:
            flow, shown = scene.flow(time, time - 1)
            cv2.writeOpticalFlow(str(folder / f"truth/backward.{time:04}.flo"), flow)
            cv2.imwrite(
                str(folder / f"truth/backward-shown.{time:04}.png"),
                (shown * 255).round().astype(np.uint8),
            )


FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(help=__doc__)
@click.argument("clips", nargs=-1, type=FOLDER)
@click.option(
    "--true",
    "known",
    nargs=2,
    multiple=True,
    type=FOLDER,
    metavar="CLIP FLOWS",
    help="A folder of pictures and one of true flows (.flo).",
)
@click.option("--style", "styles", multiple=True, required=True, type=FILE)
@click.option("--model", default=DEFAULTS.model, show_default=True)
@click.option("--flow", default="dis", show_default=True, help="What the render uses.")
@click.option("--judge", default="raft-small", show_default=True, help="Whose flow scores clips.")
@click.option("--frames", default=24, show_default=True, type=click.IntRange(SHORT))
@click.option("--height", default=480, show_default=True, help="Scale higher clips to this.")
@click.option(
    "--generated",
    "shots",
    multiple=True,
    default=SHOTS,
    show_default=True,
    type=click.Choice((*SHOTS, "none")),
    help="Which generated shots; may repeat.",
)
@click.option("--seam", is_flag=True, help="Render in two segments as well.")
@click.option("--keep", type=click.Path(path_type=Path), help="Leave the rendered frames here.")
def main(
    clips: Sequence[Path],
    known: Sequence[tuple[Path, Path]],
    styles: Sequence[Path],
    model: str,
    flow: str,
    judge: str,
    frames: int,
    height: int,
    shots: Sequence[str],
    seam: bool,
    keep: Path | None,
) -> None:  # fmt: skip
    sys.path.append(str(EXAMPLES))
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        bench = Bench(replace(DEFAULTS, model=model, flow=flow), folder, seam)

        def place(name: str) -> Path:
            (folder / "plates" / name).mkdir(parents=True)
            return folder / "plates" / name

        def footage() -> Iterator[Footage]:
            for name in (shot for shot in shots if shot in SHOTS):
                generated(name, made := place(name), frames)
                yield Footage(name, made, str(made / "truth"), frames)
            for clip, flows in known:
                yield Footage(clip.name, clip, str(flows), len(read(clip, 0)))
            for clip in clips:
                pictures = clip / "frames" if (clip / "frames").is_dir() else clip
                count = scaled(pictures, made := place(clip.name), frames, height)
                yield Footage(clip.name, made, judge, count)

        click.echo(HEAD)
        for one in footage():
            for style in styles:
                click.echo("\n".join(bench.rows(one, style)))


if __name__ == "__main__":
    main()
