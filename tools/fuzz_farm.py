"""Feeds the farm what it should never get, and checks that it says so in one line.

    python tools/fuzz_farm.py [--inputs 6000] [--seed 0]

Manifests, sidecars and lists of mattes whose checksum is right and whose content is not, damaged
maps and frames, ranges of segments, names in job templates and Slurm scripts, shot lists and
timelines, and video files with some bytes changed, by Hypothesis. Each must be taken or refused
with an error of ``vidstyle.errors``: no other exception, no hang (a minute each), no file written
outside the work directory. Ends with exit code 1, and the smallest input that it found, when one
is not.
"""

import hashlib
import json
import logging
import os
import re
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import av
import click
import numpy as np
import opentimelineio as otio
import torch
import yaml
from av.video.stream import VideoStream
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from vidstyle import __version__
from vidstyle.batch.listing import read_shots
from vidstyle.batch.targets import names_of, target_of
from vidstyle.cli.segment_render import parse_segments
from vidstyle.errors import VidstyleError
from vidstyle.farm.frozen import load, store
from vidstyle.farm.manifest import Clip, Manifest, grid, read_manifest, write_manifest
from vidstyle.farm.plan import Argument, Kind, Limits, Plan
from vidstyle.farm.rendered import (
    FramesWriter,
    Sidecar,
    images,
    read_sidecar,
    state_of,
    write_sidecar,
)
from vidstyle.farm.sealed import SEAL, write_sealed
from vidstyle.farm.slurm import slurm_script
from vidstyle.farm.template import template
from vidstyle.farm.work import WorkFolder
from vidstyle.media.frame import Frame
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.shots import Shot
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.pipeline.analysis import Analysis
from vidstyle.segment.mattes.derived import WholeFrame
from vidstyle.style.build import BUNDLED, build_stylizer
from vidstyle.style.finish import Finish
from vidstyle.style.stylizer import Transfer
from vidstyle.style.supersampled import Enlarged, Supersampled
from vidstyle.style.tone import Tone
from vidstyle.style.transform import AffineMap

SIZE, COUNT = (32, 48), 8
HANG = 60  # seconds
ZERO = "0" * 64
CLIPS = (("a.mp4", "libx264"), ("b.mkv", "ffv1"), ("c.mov", "prores_ks"))

_COLUMNS = ("name", "source", "in", "out", "object", "style", "strength", "output")
_ROW = ("sh10", "a.mp4", "2", "6", "person|dog", "a.jpg|b.jpg", "0.5", "sh10/styled.mov")
_CSV = f"{','.join(_COLUMNS)}\n{','.join(_ROW)}\n"
_EDL = """TITLE: SHOTS
FCM: NON-DROP FRAME

001  AX       V     C        00:00:00:02 00:00:00:06 00:00:00:00 00:00:00:04
* FROM CLIP NAME: a.mp4
* VIDSTYLE: object=person style=art.jpg output=sh10/styled.mov
"""

Json = dict[str, Any]

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["../../x", "/etc/passwd", "\0", ZERO, "0" * 5000])
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)


class Fuzzer:
    """A whole work directory, and ways to spoil it."""

    def __init__(self, root: Path, inputs: int, number: int) -> None:
        self.work = WorkFolder(root / "work")
        self.model = Supersampled(build_stylizer(BUNDLED, torch.device("cpu")))
        self.inputs, self.number = inputs, number
        self.done: dict[str, int] = {}
        self.clips = [write_clip(root / name, codec) for name, codec in CLIPS]
        self.video = root / "spoilt"
        self.work.make(self.work.root)
        self.manifest = self._fill()
        self.sound = json.loads(self.work.manifest.read_bytes())
        del self.sound[SEAL]

    def _fill(self) -> Manifest:
        generator = torch.Generator().manual_seed(0)
        rand = torch.rand(4, 4, generator=generator)
        maps = [AffineMap(rand.clone(), rand[0].clone(), rand[1].clone()) for _ in range(2)]
        transfer = Enlarged(1, Transfer(maps[0], Finish(maps[1], Tone(0.1, 0.2))))
        analysis = Analysis(WholeFrame(SIZE, COUNT), (transfer,), ())
        options = RenderOptions(segment=4)
        manifest = Manifest(
            schema=1,
            vidstyle=__version__,
            settings=ZERO,
            objects=(StyledObject(None, "style.png"),),
            options=options,
            parts={"flow": "dis"},
            weights={"model": ZERO},
            styles=(ZERO,),
            clip=Clip(ZERO, SIZE[1], SIZE[0], "25", "yuv420p", ((0, COUNT),)),
            segments=grid([Shot(0, COUNT)], options),
            frozen=(store(self.work, 0, analysis, self.model, range(COUNT)),),
        )
        write_manifest(self.work, manifest)
        self.work.make(self.work.segment(0).parent)
        write_sidecar(self.work, Sidecar(0, ZERO, (0, 1), (0, 1), ZERO, "cpu", {"style": 1.0}))
        with self.work.segment(0).open("wb") as file, FramesWriter(file) as writer:
            for number in range(2):
                image = torch.randint(256, (*SIZE, 3), dtype=torch.uint8, generator=generator)
                writer.write(Frame(image, number, number, Fraction(1, 25)))
        return manifest

    def manifests(self, share: float) -> None:
        def check(content: Json) -> None:
            write_sealed(self.work.manifest, content)
            manifest, _ = read_manifest(self.work)
            load(self.work, manifest, self.model)

        self._all("manifests", share, check, spoilt(self.sound))
        write_manifest(self.work, self.manifest)

    def sidecars(self, share: float) -> None:
        path = self.work.sidecar(0)
        sound = json.loads(path.read_bytes())
        del sound[SEAL]

        def check(content: Json) -> None:
            write_sealed(path, content)
            state_of(self.work, 0, ZERO)
            read_sidecar(self.work, 0)

        self._all("sidecars", share, check, spoilt(sound))

    def mattes(self, share: float) -> None:
        path = self.work.matte_index(0)
        sound = json.loads(path.read_bytes())
        del sound[SEAL]

        def check(content: Json) -> None:
            digest = write_sealed(path, content)
            frozen = replace(self.manifest.frozen[0], mattes=digest)
            (analysis,) = load(self.work, replace(self.manifest, frozen=(frozen,)), self.model)
            for index in range(COUNT):
                analysis.mattes.box(index)
                analysis.mattes[index]

        self._all("mattes", share, check, spoilt(sound))
        write_sealed(path, sound)

    def documents(self, share: float) -> None:
        """Bytes that are no such document at all."""
        sound = self.work.manifest.read_bytes()

        def check(content: bytes) -> None:
            self.work.manifest.write_bytes(content)
            read_manifest(self.work)

        self._all("documents", share, check, st.binary() | changed(sound))
        self.work.manifest.write_bytes(sound)

    def maps(self, share: float) -> None:
        path = self.work.statistics(0)
        sound = path.read_bytes()

        def check(content: bytes) -> None:
            path.write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            frozen = replace(self.manifest.frozen[0], statistics=digest)
            load(self.work, replace(self.manifest, frozen=(frozen,)), self.model)

        self._all("maps", share, check, changed(sound))
        path.write_bytes(sound)

    def frames(self, share: float) -> None:
        path = self.work.segment(0)
        sound = path.read_bytes()
        like = torch.zeros(*SIZE, 3, dtype=torch.uint8)

        def check(content: bytes) -> None:
            path.write_bytes(content)
            list(images(path, 2, like))

        self._all("frames", share, check, changed(sound, 200))
        path.write_bytes(sound)

    def ranges(self, share: float) -> None:
        words = st.text("0123456789- ,x٣²") | st.text()
        self._all("ranges", share, parse_segments, words)

    def jobs(self, share: float) -> None:
        plain = template(plan_of("a", "b", "c"))["steps"]

        def check(names: list[str]) -> None:
            plan = plan_of(*names)
            words = shlex.split(wrapped(slurm_script(plan)))
            assert words[1:] == [argument.text for argument in plan.analyse()]
            assert template(plan)["steps"] == plain

        name = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
        tricky = st.sampled_from(["{{Param.Work}}", "$(x)", "`x`", "'", '"', "\n", "--x", "\\"])
        names = st.lists(tricky | name, min_size=1).map("".join)
        self._all("jobs", share, check, st.lists(names, min_size=3, max_size=3))

    def containers(self, share: float) -> None:
        clips = [clip.read_bytes() for clip in self.clips]

        def check(pair: tuple[str, bytes]) -> None:
            path = self.video.with_suffix(pair[0])
            path.write_bytes(pair[1])
            list(islice(open_clip(str(path)).frames(), COUNT))

        kinds = [
            st.tuples(st.just(clip.suffix), changed(content))
            for clip, content in zip(self.clips, clips, strict=True)
        ]
        self._all("containers", share, check, st.one_of(*kinds))

    def lists(self, share: float) -> None:
        """Shot lists of every kind, by their words or bytes; and where their shots would go."""
        folder = self.video.parent
        root = folder / "styled"
        timeline = otio.adapters.read_from_string(_EDL, "cmx_3600", rate=25)
        sound = {
            ".csv": _CSV,
            ".yaml": yaml.safe_dump([dict(zip(_COLUMNS, _ROW, strict=True))]),
            ".edl": _EDL,
            ".otio": otio.adapters.write_to_string(timeline, "otio_json"),
        }

        def check(pair: tuple[str, bytes]) -> None:
            path = self.video.with_suffix(pair[0])
            path.write_bytes(pair[1])
            shots = read_shots(path, folder, Fraction(25))
            for shot, name in zip(shots, names_of(shots), strict=True):
                target = Path(target_of(shot, name, None, root)).resolve()
                assert root.resolve() in target.parents, f"{target}: outside of {root}"

        bad = st.sampled_from(["../../x", "/etc/passwd", "$(x)", "\0", "\n", ":", "|", "99" * 40])
        kinds = [
            st.tuples(
                st.just(suffix),
                changed(text.encode()) | reworded(text, bad | st.text()).map(str.encode),
            )
            for suffix, text in sound.items()
        ]
        self._all("lists", share, check, st.one_of(*kinds))

    def _all(
        self, name: str, share: float, check: Callable[[Any], object], inputs: SearchStrategy[Any]
    ) -> None:
        count = max(1, round(share * self.inputs))
        self.done[name] = 0

        def trial(value: object) -> None:
            self.done[name] += 1
            with suppress(VidstyleError), within(HANG), writing_only(self.work.root, self.video):
                check(value)

        chosen = settings(
            max_examples=count,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        )
        seed(self.number)(chosen(given(inputs)(trial)))()


def spoilt(sound: Json) -> SearchStrategy[Json]:
    """A document with some of its values, however deep, replaced, added or left out."""
    paths = list(places(sound))

    @st.composite
    def draw(choose: st.DrawFn) -> Json:
        content = json.loads(json.dumps(sound))
        for path in choose(st.lists(st.sampled_from(paths), min_size=1, max_size=3)):
            inner = content
            with suppress(KeyError, IndexError, TypeError):
                for key in path[:-1]:
                    inner = inner[key]
                inner[path[-1]]
                if choose(st.booleans()) and isinstance(inner, dict):
                    del inner[path[-1]]
                else:
                    inner[path[-1]] = choose(_VALUES)
        content.pop(SEAL, None)
        return dict(content)

    return draw() | st.dictionaries(st.text(), _VALUES)


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a document there are values."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def changed(sound: bytes, upto: int | None = None) -> SearchStrategy[bytes]:
    """Bytes with a few others in their place, or cut off."""
    where = st.integers(0, min(len(sound), upto or len(sound)) - 1)

    @st.composite
    def draw(choose: st.DrawFn) -> bytes:
        content = bytearray(sound)
        for place in choose(st.lists(where, min_size=1, max_size=8)):
            content[place] = choose(st.integers(0, 255))
        if choose(st.booleans()):
            del content[choose(where) :]
        return bytes(content)

    return draw()


def reworded(sound: str, words: SearchStrategy[str]) -> SearchStrategy[str]:
    """A text with some of its words replaced."""
    parts = re.split(r"([\w./#%*-]+)", sound)

    @st.composite
    def draw(choose: st.DrawFn) -> str:
        changed = list(parts)
        for place in choose(st.lists(st.integers(0, len(parts) - 1), min_size=1, max_size=4)):
            changed[place] = choose(words)
        return "".join(changed).encode(errors="replace").decode()

    return draw()


def plan_of(title: str, clip: str, spec: str) -> Plan:
    return Plan(
        title="vidstyle",
        program=["vidstyle"],
        source=Argument(f"/{clip}", Kind.FILE_IN, "Input"),
        work=Argument(f"/{title}", Kind.FOLDER, "Work"),
        target=Argument(f"/{title}/out.mkv", Kind.FILE_OUT, "Output"),
        settings=[Argument("--object"), Argument(spec, Kind.STRING, "Object1")],
        segments=5,
        chunk=2,
        limits=Limits(),
    )


def wrapped(script: str) -> str:
    """The first command that a Slurm script wraps, as the shell of the task reads it."""
    tail = script[script.index("--wrap=") :]
    return shlex.split(tail[: tail.index("\nrender=")].rstrip()[:-1])[0].removeprefix("--wrap=")


def write_clip(path: Path, codec: str) -> Path:
    generator = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = SIZE
        stream.pix_fmt = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
        for index in range(COUNT):
            picture = generator.integers(0, 255, (*SIZE, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """An end to what hangs."""

    def ring(_number: int, _frame: FrameType | None) -> NoReturn:
        raise TimeoutError(f"hangs for {seconds} s")

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


_allowed: list[str] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: what is written lies where it may."""
    if not _allowed:
        return
    writes = event == "open" and isinstance(arguments[2], int)
    writes = writes and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if not writes and event not in ("os.rename", "os.mkdir", "os.remove", "os.truncate"):
        return
    path = str(Path(os.fsdecode(arguments[0])).absolute())
    if not any(path.startswith(folder) for folder in _allowed):
        raise AssertionError(f"{event} {path}: outside of the work directory")


@contextmanager
def writing_only(*places: Path) -> Iterator[None]:
    """Nothing else may be written."""
    _allowed[:] = [str(place) for place in places]
    try:
        yield
    finally:
        _allowed.clear()


@click.command(help=__doc__)
@click.option("--inputs", type=click.IntRange(1), default=6000, show_default=True)
@click.option("--seed", "number", type=int, default=0, show_default=True)
def main(inputs: int, number: int) -> None:
    logging.getLogger("vidstyle").setLevel(logging.CRITICAL)
    sys.addaudithook(_watch)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        fuzzer = Fuzzer(Path(folder), inputs, number)
        fuzzer.manifests(0.25)
        fuzzer.documents(0.1)
        fuzzer.sidecars(0.2)
        fuzzer.mattes(0.05)
        fuzzer.maps(0.05)
        fuzzer.frames(0.05)
        fuzzer.ranges(0.1)
        fuzzer.jobs(0.05)
        fuzzer.containers(0.05)
        fuzzer.lists(0.1)
    for name, count in fuzzer.done.items():
        click.echo(f"{name:<12} {count:6}")
    click.echo(f"{sum(fuzzer.done.values())} inputs, none wrong")


if __name__ == "__main__":
    main()
