"""Simulate a film on a farm: duration, number of tasks, disk space, and network traffic.

    python tools/simulate_farm.py
    python tools/simulate_farm.py --shots 1500 --frames 160000 --workers 200 --failures 0.02

Each shot is split as by `vidstyle farm`: one task to analyse it, tasks to render chunks of its
segments, and one to join them. Workers take tasks in shot order, so that shots already begun are
finished first; a task that fails, at any point of its work, is retried. All reads and writes go
through one file server, in order of request. Constants are single-thread seconds from
`docs/measured.md`, for whole frames of 854x480, scaled by pixels; each is an option. Shot lengths
are drawn from a log-normal distribution, which the shots of films roughly follow (Cutting, DeLong
and Nothelfer, Psychological Science 2010).
"""

import heapq
from collections import deque
from dataclasses import dataclass, field, replace

import click
import numpy as np

from vidstyle.options import FARM_SEGMENT

MEASURED_PIXELS = 854 * 480
SPREAD = 0.8  # of the logarithm of a shot's length
RETRIES = 5  # of a task, after which its shot waits for a person


@dataclass(frozen=True)
class Constants:
    """Worker seconds, and bytes.

    Attributes:
        start: start-up of any task: imports and models.
        analyse, render, join: per frame.
        source: bytes per frame of the plates, as stored.
        segment: bytes per frame of a rendered segment.
        matte: bytes per frame of the mattes.
        network: bytes per second of the file server.
    """

    start: float
    analyse: float
    render: float
    join: float
    source: float
    segment: float
    matte: float
    network: float


@dataclass(frozen=True)
class Task:
    """One command of one shot."""

    shot: int
    kind: str
    work: float
    read: float
    written: float
    kept: float = 0.0  # of what is written, until the shot is joined
    tries: int = 0


@dataclass
class Totals:
    """Totals of a simulation."""

    seconds: float = 0.0
    busy: float = 0.0
    moved: float = 0.0
    folders: float = 0.0
    most: float = 0.0
    runs: int = 0
    failed: int = 0
    lost: set[int] = field(default_factory=set)
    served: float = 0.0  # seconds in which the file server was busy


def tasks_of(shot: int, frames: int, chunk: int, constants: Constants) -> list[list[Task]]:
    """Steps of a shot, each of which begins when the previous one has ended."""
    c = constants
    size = chunk * FARM_SEGMENT
    parts = [min(size, frames - first) for first in range(0, frames, size)]
    analysis = Task(
        shot, "analyse", c.start + frames * c.analyse, frames * c.source, frames * c.matte,
        frames * c.matte,
    )  # fmt: skip
    rendering = [
        Task(
            shot, "segment-render", c.start + n * c.render, n * (c.source + c.matte), n * c.segment,
            n * c.segment,
        )
        for n in parts
    ]  # fmt: skip
    joining = Task(shot, "join", c.start + frames * c.join, frames * c.segment, frames * c.source)
    return [[analysis], rendering, [joining]]


def simulate(
    lengths: list[int],
    workers: int,
    chunk: int,
    failures: float,
    constants: Constants,
    seed: int = 0,
) -> Totals:
    """Simulate a film.

    Args:
        lengths: frames of each shot.
        failures: share of task runs that fail.
    """
    draw = np.random.default_rng(seed)
    totals = Totals()
    steps = {n: deque(tasks_of(n, length, chunk, constants)) for n, length in enumerate(lengths)}
    waiting = [(n, 0, steps[n].popleft()[0]) for n in steps]
    open_tasks, kept = dict.fromkeys(steps, 1), dict.fromkeys(steps, 0.0)
    heapq.heapify(waiting)
    running: list[tuple[float, int, Task, bool]] = []
    now, ticket, server_free = 0.0, len(waiting), 0.0
    while waiting or running:
        while waiting and len(running) < workers:
            task = heapq.heappop(waiting)[2]
            fails = bool(draw.random() < failures)
            share = float(draw.random()) if fails else 1.0
            moved = share * (task.read + task.written)
            # The server handles one transfer at a time; work waits for its own.
            server_free = max(server_free, now) + moved / constants.network
            totals.served += moved / constants.network
            end = max(now + share * task.work, server_free)
            totals.busy += share * task.work
            totals.moved += moved
            totals.runs += 1
            ticket += 1
            heapq.heappush(running, (end, ticket, task, fails))
        now, _, task, fails = heapq.heappop(running)
        if fails:
            totals.failed += 1
            if task.tries < RETRIES:
                ticket += 1
                heapq.heappush(waiting, (task.shot, ticket, replace(task, tries=task.tries + 1)))
            else:
                totals.lost.add(task.shot)
            continue
        kept[task.shot] += task.kept
        totals.folders += task.kept
        totals.most = max(totals.most, totals.folders)
        open_tasks[task.shot] -= 1
        if open_tasks[task.shot] == 0:
            if steps[task.shot]:
                for following in steps[task.shot].popleft():
                    ticket += 1
                    open_tasks[task.shot] += 1
                    heapq.heappush(waiting, (task.shot, ticket, following))
            else:
                totals.folders -= kept.pop(task.shot)
    totals.seconds = now
    return totals


def shot_lengths(shots: int, frames: int, seed: int = 0) -> list[int]:
    """Frames of each shot, adding up to about ``frames``."""
    drawn = np.random.default_rng(seed).lognormal(0.0, SPREAD, shots)
    return [max(1, round(frames * float(length / drawn.sum()))) for length in drawn]


@click.command(help=__doc__)
@click.option("--shots", default=1500, show_default=True)
@click.option("--frames", default=160_000, show_default=True)
@click.option("--size", default=(2048, 1080), show_default=True, type=(int, int))
@click.option("--segment", default=1.5, show_default=True,
              help="Bytes a pixel of a rendered segment; 3 as it was before they were coded, of 16 "
              "bits 4.3, of floating point 12.")  # fmt: skip
@click.option("--source", default=3.0, show_default=True, help="MB a frame of the plates' files.")
@click.option("--workers", default=200, show_default=True)
@click.option("--chunk", default=4, show_default=True, help="Segments in a task.")
@click.option("--failures", default=0.02, show_default=True, help="Share of tasks that fail.")
@click.option("--network", default=1250.0, show_default=True, help="MB/s of the file server.")
@click.option("--start", default=7.0, show_default=True, help="Seconds to start a task.")
@click.option("--analyse", default=1.25, show_default=True, help="Seconds a frame, by name.")
@click.option("--render", default=1.1, show_default=True, help="Seconds a frame of 854x480.")
@click.option("--join", default=0.05, show_default=True, help="Seconds a frame of 854x480.")
def main(
    shots: int,
    frames: int,
    size: tuple[int, int],
    segment: float,
    source: float,
    workers: int,
    chunk: int,
    failures: float,
    network: float,
    start: float,
    analyse: float,
    render: float,
    join: float,
) -> None:
    pixels = size[0] * size[1]
    scale = pixels / MEASURED_PIXELS
    constants = Constants(
        start=start,
        # Objects are found and tracked at a working size, whatever the plate's.
        analyse=analyse,
        render=render * scale,
        join=join * scale,
        source=source * 1e6,
        segment=segment * pixels,
        matte=0.02 * pixels,
        network=network * 1e6,
    )
    found = simulate(shot_lengths(shots, frames), workers, chunk, failures, constants)
    for name, told in {
        "tasks run": f"{found.runs:,}, {found.failed:,} of them failed",
        "shots that wait for a person": f"{len(found.lost)}",
        "time": f"{found.seconds / 3600:.1f} h",
        "workers busy": f"{found.busy / found.seconds / workers:.0%}",
        "file server busy": f"{found.served / found.seconds:.0%}",
        "over the network": f"{found.moved / 1e12:.1f} TB",
        "work directories at most": f"{found.most / 1e12:.2f} TB",
        "starts of a process": f"{found.runs * start / 3600:.0f} worker hours",
    }.items():
        click.echo(f"{name:<30} {told}")


if __name__ == "__main__":
    main()
