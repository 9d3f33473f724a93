"""A signal in any stage of any command ends it soon, and leaves nothing behind."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from vidstyle.errors import Cancelled
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.pipeline.job import Job, is_made, run
from vidstyle.runtime.progress import Silence

pytest.importorskip("lpips", reason="the evaluate extra")
pytest.importorskip("accelerate", reason="the train extra")

SOON = 10  # seconds; what hangs does so for ever
BOX = ("--object", "box:30,10,75,95", "--segmenter", "grabcut")

RECIPE = """
validation = 2
[architecture]
features = 8
[data]
content_side = 96
style_side = 96
[distil]
steps = 100000
batch = 1
side = 64
warm_up = 1
[distil.lessons]
count = 2
side = 96
styles = 2
pictures = 2
samples = 1
[run]
workers = 0
"""


class Held:
    """A process that forks commands; see ``held.py``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("held.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._said = ""
        self.running: int | None = None

    def start(self, folder: Path, at: str, *argv: object, wait: bool = True) -> None:
        """Begin a command, and come back when it has reached the point ``at``."""
        assert self._process.stdin is not None
        folder.mkdir()
        case = {"argv": [*map(str, argv)], "at": at, "wait": wait, "folder": str(folder)}
        self._process.stdin.write(json.dumps(case) + "\n")
        self.running = int(self.answer(120).removeprefix("pid "))
        said = self.answer(120)
        assert said == "held", (said, (folder / "err").read_text())

    def answer(self, seconds: float) -> str:
        """The next line; it must come in time."""
        line = self.answer_within(seconds)
        assert line is not None, "it hangs"
        return line

    def answer_within(self, seconds: float) -> str | None:
        """The next line; None where none comes in time."""
        assert self._process.stdout is not None
        file = self._process.stdout.fileno()
        while "\n" not in self._said:
            ready, _, _ = select.select([file], [], [], seconds)
            if not ready:
                return None
            self._said += os.read(file, 4096).decode()
            assert self._said, "it died"
        line, _, self._said = self._said.partition("\n")
        if line.startswith("exit"):
            self.running = None
        return line

    def send(self, number: int) -> None:
        assert self.running is not None
        os.kill(self.running, number)

    def end(self) -> None:
        """Kill the command that still runs."""
        if self.running is not None:
            os.kill(self.running, signal.SIGKILL)
            while self.running is not None:
                self.answer(60)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="module")
def forks() -> Iterator[Held]:
    held = Held()
    yield held
    held.close()


@pytest.fixture
def held(forks: Held) -> Iterator[Held]:
    yield forks
    forks.end()


@pytest.fixture
def look(style_picture: Path, tiny_model: Path) -> tuple[object, ...]:
    return ("--style", style_picture, "--model", tiny_model, "--device", "cpu")


@pytest.fixture
def work(vidstyle: Callable[..., object], shot, look, tmp_path: Path) -> Path:
    """An analysed clip, rendered."""
    folder = tmp_path / "work"
    grid = ("--segment", 8, "--preroll", 2, "--batch", 2)
    assert vidstyle("-q", "analyse", shot.clip, *look, *grid, "--work", folder).code == 0
    segments = ("segment-render", shot.clip, "--work", folder, "--segments", "0-1")
    assert vidstyle("-q", *segments).code == 0
    return folder


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def interrupted(held: Held, folder: Path, number: int) -> int:
    """Send a signal to the command that waits; its exit code. It must have cleaned up."""
    held.send(number)
    code = int(held.answer(SOON).removeprefix("exit "))
    assert (folder / "err").read_text().splitlines()[-1] in (
        "vidstyle: cancelled",
        "vidstyle: terminated",
    )
    assert not list((folder / "tmp").iterdir())
    return code


@pytest.mark.parametrize(
    ("at", "number", "code"),
    [
        ("cuts", signal.SIGINT, 130),
        ("mattes", signal.SIGINT, 130),
        ("mattes", signal.SIGTERM, 143),
        ("statistics", signal.SIGTERM, 143),
        ("render", signal.SIGINT, 130),
        ("evaluate", signal.SIGTERM, 143),
        ("vidstyle.media.video.writer:MovieWriter.commit", signal.SIGINT, 130),
    ],
)
def test_a_render(held, shot, look, tmp_path: Path, at: str, number: int, code: int) -> None:
    out = tmp_path / "out"
    out.mkdir()
    qc = ("--qc", "--flow", "dis") if at == "evaluate" else ()
    held.start(
        tmp_path / "run", at,
        *("render", shot.clip, *look, *BOX, "--batch", 2, *qc, "-o", out / "styled.mp4"),
    )  # fmt: skip
    assert interrupted(held, tmp_path / "run", number) == code
    # Quality control looks at an output that is whole.
    assert files(out) == ([".vidstyle/styled.mp4.json", "styled.mp4"] if qc else [])


@pytest.mark.parametrize("at", ["mattes", "vidstyle.farm.analysis:write_manifest"])
def test_an_analysis(held, shot, look, tmp_path: Path, at: str) -> None:
    work = tmp_path / "work"
    held.start(tmp_path / "run", at, "analyse", shot.clip, *look, *BOX, "--work", work)
    assert interrupted(held, tmp_path / "run", signal.SIGTERM) == 143
    assert not (work / "manifest.json").exists()


def test_a_segment(held, shot, work: Path, tmp_path: Path) -> None:
    (work / "segments" / "00001.json").unlink()
    before = files(work)
    held.start(
        tmp_path / "run", "render",
        *("segment-render", shot.clip, "--work", work, "--segments", 1),
    )  # fmt: skip
    assert interrupted(held, tmp_path / "run", signal.SIGTERM) == 143
    assert files(work) == before


@pytest.mark.parametrize("at", ["join", "vidstyle.media.video.writer:MovieWriter.commit"])
def test_a_join(held, shot, work: Path, tmp_path: Path, at: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    held.start(
        tmp_path / "run", at, "join", shot.clip, "--work", work, "-o", out / "styled.mp4"
    )  # fmt: skip
    assert interrupted(held, tmp_path / "run", signal.SIGINT) == 130
    assert not files(out)


def test_a_batch_does_not_go_on_to_the_next_shot(held, shot, look, tmp_path: Path) -> None:
    plates, out = tmp_path / "plates", tmp_path / "out"
    plates.mkdir()
    for name in ("one.mp4", "two.mp4"):
        (plates / name).symlink_to(shot.clip)
    held.start(tmp_path / "run", "mattes", "batch", plates, *look, *BOX, "-o", out)
    assert interrupted(held, tmp_path / "run", signal.SIGINT) == 130
    assert not [name for name in files(out) if name.endswith(".mp4")]
    assert "two" not in (tmp_path / "run" / "err").read_text()


def test_stills(held, look, tmp_path: Path) -> None:
    style, out = look[1], tmp_path / "out"
    held.start(
        tmp_path / "run", "vidstyle.still.job:save_picture", "still", style, *look, "-o", out
    )
    assert interrupted(held, tmp_path / "run", signal.SIGINT) == 130
    assert not files(out)


def test_an_evaluation(held, shot, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    reports = ("--json", out / "scores.json", "--html", out / "scores.html")
    held.start(
        tmp_path / "run", "evaluate",
        *("evaluate", shot.clip, shot.clip, "--flow", "dis", *reports),
    )  # fmt: skip
    assert interrupted(held, tmp_path / "run", signal.SIGTERM) == 143
    assert not files(out)


def test_an_export(held, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    held.start(
        tmp_path / "run", "vidstyle.export.export:compare",
        *("export", "--format", "torchscript", "--model", tiny_model, "-o", out / "tiny.pt"),
    )  # fmt: skip
    assert interrupted(held, tmp_path / "run", signal.SIGINT) == 130
    assert not files(out)


def test_training_keeps_a_checkpoint(held, style_picture: Path, tmp_path: Path) -> None:
    """It ends at a step's boundary, which comes soon, and can go on from there."""
    recipe, pictures = tmp_path / "recipe.toml", tmp_path / "pictures"
    recipe.write_text(RECIPE)
    pictures.mkdir()
    for name in ("one.png", "two.png"):
        (pictures / name).symlink_to(style_picture)
    held.start(
        tmp_path / "run", "distil",
        *("train", "--content", pictures, "--styles", pictures, "--config", recipe),
        *("--teacher", "micro", "--device", "cpu", "-o", tmp_path / "mine"),
        wait=False,
    )  # fmt: skip
    assert interrupted(held, tmp_path / "run", signal.SIGTERM) == 143
    assert (tmp_path / "mine.training" / "distil" / "checkpoint.pt").exists()
    assert not [name for name in files(tmp_path) if name.endswith(".partial")]
    assert not (tmp_path / "mine").exists()


def test_a_live_picture(held, shot, look, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    held.start(
        tmp_path / "run", "vidstyle.live.run:Meter.shown",
        *("live", shot.clip, *look, "--height", 96, "-o", out / "live.mp4"),
    )  # fmt: skip
    assert interrupted(held, tmp_path / "run", signal.SIGTERM) == 143


@pytest.mark.parametrize("command", ["render", "analyse"])
def test_temporary_files_that_are_deleted_end_a_run(
    held, shot, look, tmp_path: Path, command: str
) -> None:
    """As by somebody's cleaning; threads that track ahead must not keep it from ending."""
    output = ("-o", tmp_path / "styled.mp4") if command == "render" else ("--work", tmp_path / "w")
    held.start(tmp_path / "run", "mattes", "-q", command, shot.clip, *look, *BOX, *output)
    shutil.rmtree(tmp_path / "run" / "tmp")
    assert held.answer(SOON) == "exit 3"
    (line,) = (tmp_path / "run" / "err").read_text().splitlines()
    assert "its folder has gone" in line
    assert not files(tmp_path / "w")
    assert not (tmp_path / "styled.mp4").exists()


class Stopping(Silence):
    """Cancels a run at the third step of a stage, as the page does."""

    def __init__(self, at: str) -> None:
        self._at, self._stage, self._steps = at, "", 0

    def stage(self, name: str, total: int) -> None:  # noqa: ARG002
        self._stage = name

    def advance(self, steps: int) -> None:
        self._steps += steps * (self._stage == self._at)
        if self._steps >= 3:
            raise Cancelled("cancelled")


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
@pytest.mark.parametrize("at", ["cuts", "mattes", "statistics", "render"])
def test_a_process_that_goes_on_keeps_nothing_of_a_cancelled_run(
    shot, style_picture, tiny_model, tmp_path: Path, at: str
) -> None:
    job = Job(
        source=str(shot.clip),
        target=str(tmp_path / "styled.mp4"),
        objects=[StyledObject(BOX[1], str(style_picture))],
        options=RenderOptions(model=str(tiny_model), segmenter="grabcut", device="cpu"),
    )

    def held_now() -> tuple[set[threading.Thread], int]:
        return set(threading.enumerate()), len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    def cancelled() -> None:
        with pytest.raises(Cancelled):
            run(job, Stopping(at))

    cancelled()  # what is made once, and kept
    before = held_now()
    cancelled()
    assert held_now() == before
    assert not files(tmp_path)


def test_a_run_that_fails_leaves_no_movie_of_mattes(
    shot, style_picture, tiny_model, tmp_path: Path
) -> None:
    job = Job(
        source=str(shot.clip),
        target=str(tmp_path / "styled.mp4"),
        matte_target=str(tmp_path / "mattes.mkv"),
        objects=[StyledObject(f"matte:{shot.mattes}", str(style_picture))],
        options=RenderOptions(model=str(tiny_model), device="cpu"),
    )
    with pytest.raises(Cancelled):
        run(job, Stopping("render"))
    assert not files(tmp_path)
    run(job, Silence())
    assert files(tmp_path) == ["mattes.mkv", "styled.mp4"]


def test_resume_keeps_no_mixture_of_two_renders(
    shot, style_picture, tiny_model, tmp_path: Path
) -> None:
    """As a render leaves that was to replace another's pictures, and was cancelled."""
    first = Job(
        source=str(shot.clip),
        target=str(tmp_path / "styled.####.png"),
        objects=[StyledObject(None, str(style_picture))],
        options=RenderOptions(model=str(tiny_model), device="cpu", batch=2),
        overwrite=True,
        remembered=True,
    )
    second = replace(first, options=replace(first.options, strength=0.5))

    def pictures() -> list[bytes]:
        return [path.read_bytes() for path in sorted(tmp_path.glob("*.png"))]

    run(first, Silence())
    whole = pictures()
    assert is_made(first)
    with pytest.raises(Cancelled):
        run(second, Stopping("render"))
    mixed = pictures()
    assert mixed[0] != whole[0]
    assert mixed[-1] == whole[-1]
    assert not is_made(first)
    assert not is_made(second)
    run(first, Silence())
    assert pictures() == whole
    assert is_made(first)


@pytest.mark.skipif(sys.platform == "win32", reason="it is not asked again there")
@pytest.mark.parametrize("place", ["callback", "destructor", "loading"])
def test_an_interrupt_that_python_drops_is_asked_again(tmp_path: Path, place: str) -> None:
    """As one that finds an import's lock being given back, or numpy being loaded from C."""
    script = f"""
import ctypes, os, signal, sys, time, weakref
from vidstyle import cli

def strike(*_):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0)

class Thing:
    def __del__(self):
        if {place!r} == "destructor":
            strike()

def command(**_):
    thing = Thing()
    kept = weakref.ref(thing, strike if {place!r} == "callback" else None)
    del thing
    if {place!r} == "loading":
        try:
            strike()
        except BaseException as error:
            sys.excepthook(type(error), error, None)
    time.sleep(60)
    print("it went on")

cli.cli.main = command
cli.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "vidstyle: terminated\n")


def test_a_second_signal_ends_at_once_what_is_still_cleaning_up(
    held, shot, look, tmp_path: Path
) -> None:
    """As a writer on a network that has gone would be."""
    held.start(
        tmp_path / "run", "vidstyle.media.video.writer:MovieWriter._close",
        *("-q", "render", shot.clip, *look, "-o", tmp_path / "styled.mp4"),
    )  # fmt: skip
    # The first, its echoes, and one that is meant: each finds it waiting for ever.
    said = None
    for _ in range(100 * SOON):
        held.send(signal.SIGINT)
        if said := held.answer_within(0.1):
            break
    assert said == "exit 130"
    assert (tmp_path / "run" / "err").read_text() == (
        "vidstyle: ended at once; unfinished files may be left\n"
    )
