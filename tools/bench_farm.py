"""The farm's overhead over a single process: CPU time of both, and whether their frames match.

    python tools/bench_farm.py CLIP --style IMAGE [--object SPEC] [--frames 192] [--chunk 4]

Renders the first frames of a clip in one process, without a grid and on the default grid, and by
``analyse``, ``segment-render`` and ``join``, with one process per task of the template. Prints CPU
seconds, and exits with code 1 if the farm takes over 1.3 times as long as the single process on the
same grid, or produces different frames. The segments' size on disk is also printed.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import click

from vidstyle.media.video.reader import open_clip
from vidstyle.options import FARM_SEGMENT

LIMIT = 1.3


@click.command(help=__doc__)
@click.argument("clip", type=click.Path(exists=True))
@click.option("--style", required=True, type=click.Path(exists=True))
@click.option("--object", "spec", help="SPEC as for render; the whole frame by default.")
@click.option("--frames", type=int, default=192, show_default=True)
@click.option("--segment", type=int, default=FARM_SEGMENT, show_default=True)
@click.option("--chunk", type=int, default=4, show_default=True, help="Segments in a task.")
def main(clip: str, style: str, spec: str | None, frames: int, segment: int, chunk: int) -> None:
    settings = [clip, "--style", style, "--device", "cpu", "--codec", "ffv1"]
    settings += ["--out", str(frames - 1), *(["--object", spec] if spec else [])]
    grid = [*settings, "--segment", str(segment)]
    last = (frames - 1) // segment
    with tempfile.TemporaryDirectory() as folder:
        work = ["--work", f"{folder}/work"]
        one, joined = Path(folder, "one.mkv"), Path(folder, "joined.mkv")
        plain = cpu_seconds("render", *settings, "-o", f"{folder}/plain.mkv")
        single = cpu_seconds("render", *grid, "-o", str(one))
        steps = {"analyse": cpu_seconds("analyse", *grid, *work)}
        steps["segment-render"] = sum(
            cpu_seconds(
                "segment-render", clip, *work, "--segments", f"{n}-{min(n + chunk - 1, last)}"
            )
            for n in range(0, last + 1, chunk)
        )
        stored = sum(path.stat().st_size for path in Path(folder, "work/segments").glob("*.frames"))
        steps["join"] = cpu_seconds("join", clip, *work, "-o", str(joined))
        agree = packets(one) == packets(joined)
    farm = sum(steps.values())
    click.echo(f"{frames} frames, segments of {segment}, {chunk} a task; CPU seconds")
    click.echo(f"one process, no grid     {plain:8.1f}")
    click.echo(f"one process, this grid   {single:8.1f}")
    for name, seconds in steps.items():
        click.echo(f"  {name:<22} {seconds:8.1f}")
    click.echo(f"farm                     {farm:8.1f}")
    click.echo(f"ratio {farm / single:.3f} (at most {LIMIT}), to no grid {farm / plain:.3f}")
    height, width = open_clip(clip).info.size
    click.echo(f"segments take {stored / (frames * height * width):.2f} bytes a pixel")
    click.echo(f"frames {'agree' if agree else 'DIFFER'}")
    sys.exit(not agree or farm > LIMIT * single)


def cpu_seconds(*arguments: str) -> float:
    """Run vidstyle and return its CPU seconds."""
    command = [sys.executable, "-m", "vidstyle", "-q", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise click.ClickException(f"{arguments[0]} ended with exit code {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def packets(path: Path) -> list[tuple[int | None, bytes]]:
    with av.open(str(path)) as container:
        return [(p.pts, bytes(p)) for p in container.demux(video=0) if p.size]


if __name__ == "__main__":
    main()
