"""Injects faults of every kind into the farm, repeatedly, and counts the outcomes.

    python tools/fault_campaign.py [--faults 200] [--seed 0] [--model NAME|PATH]

Each fault starts from a work directory of a tiny clip, analysed and rendered up to a random point,
and is one of these: a task killed (SIGKILL) or ended (SIGTERM) at a random moment, a file
truncated, with one bit flipped, or deleted, a task whose disk is full (a file size limit, or a
small tmpfs where one can be mounted), the work directory removed under a task, duplicate tasks at
the same time, tasks in the wrong order. Then the three commands are run again normally, and
``join --repair`` if the join asks for it. Every result must match an undisturbed render frame for
frame; a task may fail, but only with a documented exit code, and no wrong file may ever exist under
the output's name. Exits with code 1 if any result is wrong.

Tasks are forks of this process, which has PyTorch loaded already; they shut down like a normal
interpreter, threads included, so that anything that keeps a task from ending is noticed.
"""

import ctypes
import hashlib
import importlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import av
import click
import cv2
import numpy as np

from vidstyle.cli import main as vidstyle

SIZE = (96, 160)
COUNT = 12
SEGMENTS = 6
GRID = ("--segment", "2", "--preroll", "1", "--batch", "2")
#: Allowed exit codes: done, rejected, killed or ended; anything else is a bug. SIGTERM has its
#: default effect before the command line installs its handler and after the interpreter removes it.
ALLOWED = {0, 2, 3, 4, 5, 6, 130, 143, -signal.SIGKILL, -signal.SIGTERM}
#: Seconds after which a task is considered hung.
PATIENCE = 300.0
WRONG = "WRONG"

Packets = list[tuple[int | None, bytes]]


class Farm:
    """A clip, its settings, and a work directory that tasks run in."""

    def __init__(self, folder: Path, model: str) -> None:
        self.folder, self.work = folder, folder / "work"
        self.clip, self.target = folder / "clip.mkv", folder / "joined.mkv"
        style = folder / "style.png"
        write_clip(self.clip)
        cv2.imwrite(str(style), picture(20)[..., ::-1])
        self.settings = (
            *(str(self.clip), "--style", str(style), "--object", "box:40,20,120,80"),
            *("--model", model, "--device", "cpu", "--codec", "ffv1", *GRID),
        )
        self.analyse = ("analyse", *self.settings, "--work", str(self.work))
        self.join = ("join", str(self.clip), "--work", str(self.work), "-o", str(self.target))
        self.codes: Counter[int] = Counter()
        self.voices: dict[int, int] = {}
        self.said = b""

    def render(self, first: int, last: int) -> tuple[str, ...]:
        """The command of a task."""
        return (
            *("segment-render", str(self.clip), "--work", str(self.work)),
            *("--segments", f"{first}-{last}"),
        )

    def start(self, command: Sequence[str], largest: int | None = None) -> int:
        """Fork a task; its process id.

        Args:
            largest: bytes that a file may grow to.
        """
        # A pipe, to which no file size limit applies.
        said, says = os.pipe()
        process = os.fork()
        if process:
            os.close(says)
            os.set_blocking(said, False)
            self.voices[process] = said
            return process
        os.dup2(says, 1)
        os.dup2(says, 2)
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        sys.argv = ["vidstyle", "-q", *command]
        code = 1
        try:
            vidstyle()
        except SystemExit as stop:
            code = int(stop.code or 0)
        except BaseException:
            traceback.print_exc()
        # The interpreter's own shutdown, which waits for threads; what this process holds open
        # around the fork, such as a mounted disk, stays open.
        ctypes.pythonapi.Py_Exit(code)
        raise AssertionError("no process comes here")

    def wait(self, process: int) -> int:
        """Exit code of a task, negative for a signal.

        Raises:
            RuntimeError: it hangs, or its exit code is not allowed; the log's end says why.
        """
        deadline = time.monotonic() + PATIENCE
        while not (found := os.waitpid(process, os.WNOHANG))[0]:
            if time.monotonic() > deadline:
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
                raise RuntimeError(f"a task hangs\n{self.tail()}")
            self.listen(process)
            time.sleep(0.005)
        self.listen(process)
        os.close(self.voices.pop(process))
        code = os.waitstatus_to_exitcode(found[1])
        self.codes[code] += 1
        if code not in ALLOWED:
            raise RuntimeError(f"a task ended with {code}\n{self.tail()}")
        return code

    def run(self, command: Sequence[str]) -> int:
        """Start a task and wait for it."""
        return self.wait(self.start(command))

    def listen(self, process: int) -> None:
        """Log a task's output."""
        with suppress(BlockingIOError):
            while said := os.read(self.voices[process], 1 << 16):
                self.said = (self.said + said)[-2000:]

    def tail(self) -> str:
        """The end of the log."""
        return self.said.decode(errors="replace")


def picture(place: int) -> np.ndarray:
    """Waves and a moving disc: (H, W, 3) uint8 RGB."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    waves = [127 + 90 * np.sin(rows / a + columns / b) for a, b in ((5, 9), (7, 4), (11, 6))]
    canvas = np.stack(waves, axis=-1).astype(np.uint8)
    cv2.circle(canvas, (60 + 2 * place, 50), 20, (230, 60, 40), -1)
    return canvas


def write_clip(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv444p"
        for index in range(COUNT):
            frame = av.VideoFrame.from_ndarray(picture(index))
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def packets(path: Path) -> Packets:
    """Times and hashes of the frames, which are lossless."""
    with av.open(str(path)) as container:
        return [(p.pts, hashlib.sha256(bytes(p)).digest()) for p in container.demux() if p.size]


class Campaign:
    """Random faults against a farm."""

    def __init__(self, farm: Farm, seed: int) -> None:
        self.farm, self.random = farm, random.Random(seed)
        self.faults: dict[str, Callable[[], None]] = {
            "SIGKILL": lambda: self.interrupted(signal.SIGKILL),
            "SIGTERM": lambda: self.interrupted(signal.SIGTERM),
            "cut off": lambda: self.damaged(self.cut),
            "bit turned": lambda: self.damaged(self.turned),
            "deleted": lambda: self.damaged(Path.unlink),
            "file limit": self.limited,
            "folder gone": self.vanished,
            "twice at once": self.doubled,
            "wrong order": self.disordered,
        }
        self.small = can_mount(farm.folder)
        if self.small:
            self.faults["disk full"] = self.full
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in self.faults}

    def prepare(self) -> None:
        """An undisturbed render, an undisturbed farm, and how long its tasks take."""
        for module in ("render", "analyse", "segment_render", "join"):
            importlib.import_module(f"vidstyle.cli.{module}")
        farm, one = self.farm, self.farm.folder / "one.mkv"
        assert farm.run(("render", *farm.settings, "-o", str(one))) == 0, farm.tail()
        self.truth = packets(one)
        self.seconds = {}
        for name, command in (
            ("analyse", farm.analyse),
            ("render", farm.render(0, SEGMENTS - 1)),
            ("join", farm.join),
        ):
            start = time.monotonic()
            assert farm.run(command) == 0, farm.tail()
            self.seconds[name] = time.monotonic() - start
        assert packets(farm.target) == self.truth, "the farm's frames are not the render's"
        farm.work.rename(farm.folder / "whole")
        farm.target.unlink()

    def once(self, name: str) -> None:
        """Inject one fault and check the outcome."""
        self.reset()
        self.faults[name]()
        told = self.lies()
        if told is None:
            told = self.recovered()
        self.counts[name][told] += 1

    def reset(self) -> None:
        """Reset to a work directory that is finished up to a random point."""
        farm = self.farm
        shutil.rmtree(farm.work, ignore_errors=True)
        farm.target.unlink(missing_ok=True)
        if self.random.random() < 0.1:
            return
        shutil.copytree(farm.folder / "whole", farm.work)
        done = self.random.choice([0, SEGMENTS, self.random.randrange(SEGMENTS)])
        for number in self.random.sample(range(SEGMENTS), SEGMENTS - done):
            for file in farm.work.glob(f"segments/{number:05d}.*"):
                file.unlink()

    def recovered(self) -> str:
        """Run everything again normally, as an artist would."""
        farm = self.farm
        if farm.run(farm.analyse) != 0:
            return f"{WRONG}: no analysis afterwards\n{farm.tail()}"
        farm.run(farm.render(0, SEGMENTS - 1))
        said = "recovered by running again"
        if farm.run((*farm.join, "--overwrite")) != 0:
            said = "recovered by join --repair"
            if farm.run((*farm.join, "--overwrite", "--repair")) != 0:
                return f"{WRONG}: no join afterwards\n{farm.tail()}"
        return self.lies() or said

    def lies(self) -> str | None:
        """Whether the file under the output's name differs from the correct result."""
        target = self.farm.target
        if target.exists() and packets(target) != self.truth:
            return f"{WRONG}: frames under the output's name"
        return None

    def task(self) -> tuple[str, tuple[str, ...]]:
        """One of the three tasks, at random."""
        farm = self.farm
        first = self.random.randrange(SEGMENTS)
        commands = {
            "analyse": farm.analyse,
            "render": farm.render(first, self.random.randrange(first, SEGMENTS)),
            "join": (*farm.join, *self.random.choice([(), ("--repair",)])),
        }
        name = self.random.choice(list(commands))
        return name, commands[name]

    def interrupted(self, number: signal.Signals) -> None:
        name, command = self.task()
        process = self.farm.start(command)
        time.sleep(self.random.uniform(0, 1.2 * self.seconds[name]))
        os.kill(process, number)
        self.farm.wait(process)

    def damaged(self, damage: Callable[[Path], None]) -> None:
        files = sorted(path for path in self.farm.work.rglob("*") if path.is_file())
        if files:
            # Pick by kind, so that the many mattes do not crowd out the few other files.
            kinds = sorted({path.suffix for path in files})
            kind = self.random.choice(kinds)
            damage(self.random.choice([path for path in files if path.suffix == kind]))

    def cut(self, path: Path) -> None:
        os.truncate(path, self.random.randrange(path.stat().st_size))

    def turned(self, path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[self.random.randrange(len(content))] ^= 1 << self.random.randrange(8)
        path.write_bytes(content)

    def limited(self) -> None:
        _, command = self.task()
        largest = int(10 ** self.random.uniform(0, 5.5))
        self.farm.wait(self.farm.start(command, largest))

    def full(self) -> None:
        """The work directory on a tmpfs with little room left."""
        farm = self.farm
        aside = farm.folder / "aside"
        used = sum(path.stat().st_size for path in farm.work.rglob("*") if path.is_file())
        farm.work.mkdir(exist_ok=True)
        farm.work.rename(aside)
        farm.work.mkdir()
        room = used + 400_000 + int(10 ** self.random.uniform(3, 6))
        with mounted(farm.work, room):
            for child in aside.iterdir():
                move = shutil.copytree if child.is_dir() else shutil.copy2
                move(child, farm.work / child.name)
            self.farm.run(self.task()[1])
            shutil.rmtree(aside)
            shutil.copytree(farm.work, aside)
        farm.work.rmdir()
        aside.rename(farm.work)

    def vanished(self) -> None:
        name, command = self.task()
        process = self.farm.start(command)
        time.sleep(self.random.uniform(0, self.seconds[name]))
        gone = self.random.choice(["", "segments", "mattes", "statistics"])
        shutil.rmtree(self.farm.work / gone, ignore_errors=True)
        self.farm.wait(process)

    def doubled(self) -> None:
        command = self.task()[1]
        for process in [self.farm.start(command) for _ in range(2)]:
            self.farm.wait(process)

    def disordered(self) -> None:
        farm = self.farm
        commands = [farm.analyse, farm.join, *(farm.render(n, n) for n in range(0, SEGMENTS, 2))]
        for command in self.random.sample(commands, len(commands)):
            farm.run(command)


def can_mount(folder: Path) -> bool:
    trial = folder / "trial"
    trial.mkdir()
    try:
        with mounted(trial, 1 << 16):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def mounted(folder: Path, size: int) -> Iterator[None]:
    """A tmpfs of ``size`` bytes; needs to be root."""
    options = ("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    subprocess.run(["mount", *options], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def folder_of_one(prefix: str) -> Iterator[Path]:
    """A temporary folder that forks do not delete on exit, unlike ``TemporaryDirectory``."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@click.command(help=__doc__)
@click.option("--faults", type=click.IntRange(1), default=200, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--model", default="micro", show_default=True, metavar="NAME|PATH")
def main(faults: int, seed: int, model: str) -> None:
    with folder_of_one("faults-") as folder:
        campaign = Campaign(Farm(folder, model), seed)
        campaign.prepare()
        names = list(campaign.faults)
        for number in range(faults):
            name = names[number % len(names)]
            try:
                campaign.once(name)
            except RuntimeError as error:
                campaign.counts[name][f"{WRONG}: {error}"] += 1
        wrong = 0
        for name, outcomes in campaign.counts.items():
            for outcome, count in sorted(outcomes.items()):
                click.echo(f"{name:<14} {count:4} {outcome}")
                wrong += count * outcome.startswith(WRONG)
        if not campaign.small:
            click.echo("disk full on a tmpfs: none can be mounted here")
        codes = ", ".join(f"{code}: {count}" for code, count in sorted(campaign.farm.codes.items()))
        click.echo(f"exit codes of tasks: {codes}")
        click.echo(f"{faults} faults, {wrong} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
