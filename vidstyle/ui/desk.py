"""One user's clip, and what is made of it: all work is the spine's."""

import json
import re
import shlex
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakSet

import cv2

from vidstyle.carry.key import KeyName, read_key
from vidstyle.constraints import option_of
from vidstyle.errors import Cancelled, MediaError, UsageError, VidstyleError
from vidstyle.live.run import Shown
from vidstyle.media.video.reader import open_clip
from vidstyle.options import RenderOptions
from vidstyle.pipeline.job import Job, run
from vidstyle.pipeline.output import matte_targets
from vidstyle.pipeline.report import Report
from vidstyle.runtime.atomic import write_text
from vidstyle.runtime.progress import minutes
from vidstyle.segment.clip import eight_bit
from vidstyle.ui.confidence import Confidences
from vidstyle.ui.live import Picture, Screen, play
from vidstyle.ui.preview import ROWS, Preview, Previews
from vidstyle.ui.progress import Watched
from vidstyle.ui.selection import Image, Wish
from vidstyle.words import counted

#: Seconds between two looks at a run.
_LOOK = 0.25


@dataclass(frozen=True)
class Results:
    """Files of a finished render.

    Attributes:
        sources: masks and frames that were painted, which the command line names.
        frames: that were rendered.
        seconds: that it took.
        doubts: what is to be said of mattes that are not to be relied on.
        confidences: of the mattes; None where whole frames were restyled.
    """

    clip: Path
    mattes: tuple[Path, ...]
    report: Path
    sources: tuple[Path, ...]
    frames: int = 0
    seconds: float = 0.0
    doubts: tuple[str, ...] = ()
    confidences: Confidences | None = None

    def __str__(self) -> str:
        """What was made, how long it took, and what is to be looked at."""
        size = self.clip.stat().st_size / 1e6
        made = f"Done: {counted(self.frames, 'frame')} in {minutes(self.seconds)}"
        return ". ".join([f"{made}, {self.clip.name} of {size:.1f} MB", *self.doubts])

    @property
    def all(self) -> list[str]:
        """Every file's path."""
        return [str(path) for path in (self.clip, *self.mattes, self.report, *self.sources)]


class Desk:
    """A clip on a user's desk: a private folder, which :meth:`clear` removes.

    Attributes:
        clip: the file, under the name that the user gave it.
        count: its frames.
        size: (H, W).
        results: of the last render; None before it.
    """

    def __init__(self, upload: Path, *, most_frames: int, most_pixels: int) -> None:
        """
        Args:
            upload: copied to the desk.
            most_frames: a longer clip is refused.
            most_pixels: so is one of larger frames, before any of them is decoded.

        Raises:
            MediaError: no clip, or one that is too large or too long.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="vidstyle-desk-"))
        self._running: Watched | None = None
        self._thread: threading.Thread | None = None
        self._screen = Screen()
        self._previews = Previews(self.frame)
        self.results: Results | None = None
        self.clip = self._folder / upload.name
        try:
            shutil.copy(upload, self.clip)
            reader = open_clip(str(self.clip))
            self.size = reader.info.size
            if self.size[0] * self.size[1] > most_pixels:
                raise MediaError(
                    f"{upload.name}: {self.size[1]}x{self.size[0]} pixels are more than the "
                    f"{most_pixels} that this page takes; upload a smaller clip"
                )
            # What the file says of itself is looked at before anything is decoded.
            self.count = reader.info.frame_count or 0
            if self.count <= most_frames:
                self.count = sum(1 for _ in reader.frames(0, most_frames + 1))
            if self.count > most_frames:
                raise MediaError(
                    f"{upload.name}: longer than {most_frames} frames; upload a shorter clip"
                )
        except (VidstyleError, OSError) as error:
            self.clear()
            raise MediaError(without_folders(str(error))) from None

    def frame(self, index: int) -> Image:
        """A frame, (H, W, 3) RGB in 8 bits.

        Raises:
            MediaError: it cannot be decoded.
        """
        for frame in open_clip(str(self.clip)).frames(index, index + 1):
            return eight_bit(frame)
        raise MediaError(f"{self.clip.name}: frame {index} cannot be decoded; choose another")

    def paint(self, mask: Image) -> Path:
        """Keep a painted mask (h, w), 255 inside, at the clip's size."""
        path = self._folder / f"brush-{len(list(self._folder.glob('brush-*')))}.png"
        cv2.imwrite(str(path), cv2.resize(mask, self.size[::-1], interpolation=cv2.INTER_NEAREST))
        return path

    def keep_key(self, upload: Path, frame: int) -> Path:
        """Keep a frame that was painted, under a name of its own.

        Raises:
            MediaError: it cannot be read, or is not of the clip's size.
        """
        path = self._folder / f"{upload.stem}.{frame:04}{upload.suffix}"
        try:
            shutil.copy(upload, path)
            read_key(KeyName(path, frame), self.size)
        except (VidstyleError, OSError) as error:
            path.unlink(missing_ok=True)
            raise MediaError(without_folders(str(error))) from None
        return path

    def preview(
        self, index: int, wishes: Sequence[Wish], options: RenderOptions, rows: int | None = ROWS
    ) -> Preview:
        """One frame restyled; see :meth:`Previews.preview <vidstyle.ui.preview.Previews>`."""
        return self._previews.preview(index, wishes, options, rows)

    def render(self, wishes: Sequence[Wish], options: RenderOptions) -> Iterator[Watched | Results]:
        """Render in another thread, and yield how far it is until there are results. Closing the
        iterator cancels the run.

        Raises:
            UsageError: a render of this clip is on its way.
            VidstyleError: as of a render.
            ValueError: an object was not pointed at.
        """
        if self._running is not None:
            raise UsageError("this clip is being rendered; wait, or cancel it")
        mattes = str(self._folder / f"{self.clip.stem}.mattes.mkv")
        files = Results(
            self._folder / self._target,
            tuple(map(Path, matte_targets(mattes, len(wishes)))),
            self._folder / "report.json",
            (
                *(wish.object.mask for wish in wishes if wish.object.mask),
                *(path for wish in wishes for path, _ in wish.keys),
            ),
        )
        job = Job(
            source=str(self.clip),
            target=str(files.clip),
            objects=[wish.keyed() for wish in wishes],
            options=options,
            matte_target=mattes,
            overwrite=True,
        )
        watched, failures, reports = Watched(), list[BaseException](), list[Report]()
        begun = time.monotonic()

        def work() -> None:
            try:
                report = run(job, watched)
                told = json.dumps(report.content, indent=2)
                for style in filter(None, (wish.style for wish in wishes)):
                    told = told.replace(json.dumps(str(style)), json.dumps(style.name))
                write_text(files.report, without_folders(told) + "\n")
                reports.append(report)
            except (Exception, Cancelled) as error:  # told to the user's thread
                failures.append(error)

        thread = threading.Thread(target=work, name="ui-render")
        self._running, self._thread = watched, thread
        thread.start()
        try:
            while thread.is_alive():
                yield watched
                thread.join(_LOOK)
        finally:
            watched.cancel()
            thread.join()
            self._running = None
        if failures:
            raise failures[0]
        (report,) = reports
        found = [each for each in report.content["objects"] if each["object"] is not None]
        self.results = replace(
            files,
            frames=report.content["input"]["frames"],
            seconds=time.monotonic() - begun,
            doubts=tuple(report.doubts),
            confidences=Confidences.of(options.first or 0, [each["confidence"] for each in found])
            if found
            else None,
        )
        yield self.results

    def play(self, wishes: Sequence[Wish], options: RenderOptions) -> Iterator[Picture | Shown]:
        """Show the clip live; see :func:`vidstyle.ui.live.play`."""
        self._screen = Screen()
        return play(str(self.clip), wishes, options, self._screen)

    def cancel(self) -> None:
        """End the render or the live picture on its way, if there is one."""
        if self._running is not None:
            self._running.cancel()
        self._screen.close()

    def command(self, wishes: Sequence[Wish], options: RenderOptions) -> str:
        """The command line that does the same, by the files' names.

        Raises:
            ValueError: an object was not pointed at.
        """
        words = ["vidstyle", "render", self.clip.name]
        for number, wish in enumerate(wishes, 1):
            spec = wish.object.spec()
            if spec is not None:
                words += ["--object", without_folders(spec)]
            if wish.style is not None:
                words += ["--style", wish.style.name]
            whose = f"#{number}" if len(wishes) > 1 else ""
            for path, frame in wish.keys:
                words += ["--key", f"{path.name}@{frame}{whose}"]
        for name, value in options.changed():
            words += [option_of(name)] if value is True else [option_of(name), str(value)]
        return shlex.join([*words, "-o", self._target])

    @property
    def _target(self) -> str:
        return f"{self.clip.stem}.styled.mp4"

    def clear(self) -> None:
        """End what is on its way, and remove everything."""
        self.cancel()
        if self._thread is not None:
            self._thread.join()
        shutil.rmtree(self._folder, ignore_errors=True)


def without_folders(text: str) -> str:
    """A text for users: files of the page by their names, since where the machine that serves keeps
    them is nobody's business."""
    return re.sub(rf"{re.escape(tempfile.gettempdir())}/[^\s\"']*/", "", text)


class Desks:
    """Every user's desk."""

    def __init__(self, most_frames: int, most_pixels: int) -> None:
        """
        Args:
            most_frames, most_pixels: see :class:`Desk`.
        """
        self._most_frames, self._most_pixels = most_frames, most_pixels
        self._taken = WeakSet[Desk]()
        self._of = dict[str, Desk]()

    def take(self, upload: Path, session: str) -> Desk:
        """A new desk of a session; else arguments and errors as of :class:`Desk`. The upload goes:
        the desk has it."""
        desk = Desk(upload, most_frames=self._most_frames, most_pixels=self._most_pixels)
        upload.unlink(missing_ok=True)
        self._taken.add(desk)
        self._of[session] = desk
        return desk

    def leave(self, session: str) -> None:
        """Clear the desk of a session whose page was closed."""
        if desk := self._of.pop(session, None):
            desk.clear()

    def clear(self) -> None:
        """All of them: the page closes."""
        for desk in list(self._taken):
            desk.clear()
