"""One user's clip and its renders; all the work is done by ``vidstyle.pipeline``."""

import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from weakref import WeakKeyDictionary

import cv2

from vidstyle.carry.key import KeyName, read_key
from vidstyle.errors import MediaError, VidstyleError
from vidstyle.live.run import Shown
from vidstyle.media.video.reader import open_clip
from vidstyle.options import RenderOptions
from vidstyle.pipeline.job import Job, run
from vidstyle.pipeline.output import matte_targets
from vidstyle.runtime.atomic import write_text
from vidstyle.ui.candidates import Candidates, find_candidates, numbered
from vidstyle.ui.command import command, output_of
from vidstyle.ui.confidence import Confidences
from vidstyle.ui.frames import frame_of
from vidstyle.ui.live import Picture, Screen, play
from vidstyle.ui.preview import ROWS, Preview, Previews
from vidstyle.ui.results import Results
from vidstyle.ui.running import Runner, Watched
from vidstyle.ui.selection import Image, Selection, Wish


class Desk:
    """A clip on a user's desk: a private folder, which :meth:`clear` removes.

    Attributes:
        clip: the file, under the user's name for it.
        count: number of frames.
        size: (H, W).
        candidates: objects that can be chosen by name; None before the search.
    """

    def __init__(
        self, upload: Path, *, most_frames: int, most_pixels: int, within: Path | None = None
    ) -> None:
        """
        Args:
            upload: copied to the desk.
            most_frames: longer clips are rejected.
            most_pixels: larger frames are rejected before any is decoded.
            within: parent of the desk's folder; None for the system's temporary folder.

        Raises:
            MediaError: not a clip, or one that is too large or too long.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="vidstyle-desk-", dir=within))
        self._runner = Runner()
        self._screen = Screen()
        self._previews = Previews(self.frame)
        self.candidates: Candidates | None = None
        self.clip = self._folder / upload.name
        try:
            shutil.copy(upload, self.clip)
            reader = open_clip(str(self.clip))
            self.size = reader.info.size
            if self.size[0] * self.size[1] > most_pixels:
                raise MediaError(
                    f"{upload.name}: {self.size[1]}x{self.size[0]} pixels are more than the "
                    f"{most_pixels} that this page accepts; upload a smaller clip"
                )
            # The file's own metadata is checked before anything is decoded.
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
        return frame_of(self.clip, index)

    @property
    def bytes(self) -> int:
        """Its disk usage."""
        total = 0
        for path in self._folder.rglob("*"):
            with suppress(FileNotFoundError):  # a render's temporary files come and go
                total += path.stat().st_size
        return total

    def paint(self, mask: Image) -> Path:
        """Keep a painted mask (h, w), 255 inside, at the clip's size."""
        path = self._folder / f"brush-{len(list(self._folder.glob('brush-*')))}.png"
        cv2.imwrite(str(path), cv2.resize(mask, self.size[::-1], interpolation=cv2.INTER_NEAREST))
        return path

    def keep_key(self, upload: Path, frame: int) -> Path:
        """Keep a painted frame, under a unique name.

        Raises:
            MediaError: it cannot be read, or its size differs from the clip's.
        """
        folder = Path(tempfile.mkdtemp(prefix="key-", dir=self._folder))
        path = folder / f"{upload.stem}.{frame:04}{upload.suffix}"
        try:
            shutil.copy(upload, path)
            read_key(KeyName(path, frame), self.size)
        except (VidstyleError, OSError) as error:
            shutil.rmtree(folder)
            raise MediaError(without_folders(str(error))) from None
        return path

    def find_candidates(self, options: RenderOptions) -> Iterator[Watched | Candidates]:
        """Search for objects that can be chosen by name; yields progress, then the candidates.

        Raises:
            UsageError, VidstyleError: see :class:`Runner` and :func:`find_candidates`.
        """
        for step in self._runner.run(partial(find_candidates, self.clip, options)):
            if isinstance(step, Candidates):
                self.candidates = step
            yield step

    def preview(
        self, index: int, wishes: Sequence[Wish], options: RenderOptions, rows: int | None = ROWS
    ) -> Preview:
        """One frame restyled; see :meth:`Previews.preview <vidstyle.ui.preview.Previews>`.
        Candidates are passed as boxes, since their numbers refer to the whole shot."""
        placed = [replace(wish, object=self._placed(wish.object, index)) for wish in wishes]
        return self._previews.preview(index, placed, options, rows)

    def _placed(self, chosen: Selection, index: int) -> Selection:
        if self.candidates is None or chosen.kind != "name":
            return chosen
        box = self.candidates.boxes(index).get(numbered(chosen.name))
        return chosen if box is None else Selection.boxed({index: box})

    def within(self, chosen: Selection, first: int, last: int) -> Selection:
        """A selection for these frames only: what was pointed at in them. One of several candidates
        is passed as boxes, since in a part of the shot they would be numbered differently.

        Raises:
            ValueError: that does not identify the object.
        """
        there, name = chosen.within(first, last), numbered(chosen.name)
        is_part = first > 0 or last < self.count - 1
        if not (is_part and chosen.kind == "name" and self.candidates):
            return there
        if not self.candidates.is_one_of_several(name):
            return there
        boxes = self.candidates.seen_best(name, first, min(last, self.count - 1))
        if not boxes:
            raise ValueError(
                f"{name} is not seen in frames {first}-{last}; choose another object, or render a "
                "different range"
            )
        return Selection.boxed(boxes)

    def render(self, wishes: Sequence[Wish], options: RenderOptions) -> Iterator[Watched | Results]:
        """Render in another thread, yielding progress and finally the results. Closing the
        iterator cancels the run.

        Raises:
            UsageError: a run on this clip is in progress.
            VidstyleError: as for a render.
            ValueError: an object was not pointed at.
        """
        return self._runner.run(partial(self._render, tuple(wishes), options))

    def _render(
        self, wishes: tuple[Wish, ...], options: RenderOptions, watched: Watched
    ) -> Results:
        begun = time.monotonic()
        folder = Path(tempfile.mkdtemp(prefix="render-", dir=self._folder))
        mattes = str(folder / f"{self.clip.stem}.mattes.mkv")
        job = Job(
            source=str(self.clip),
            target=str(folder / output_of(self.clip)),
            objects=[wish.keyed() for wish in wishes],
            options=options,
            matte_target=mattes,
        )
        try:
            report = run(job, watched)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        told = json.dumps(report.content, indent=2)
        for style in filter(None, (wish.style for wish in wishes)):
            told = told.replace(json.dumps(str(style)), json.dumps(style.name))
        write_text(folder / "report.json", without_folders(told) + "\n")
        found = [each for each in report.content["objects"] if each["object"] is not None]
        return Results(
            plate=self.clip,
            wishes=wishes,
            options=options,
            clip=Path(job.target),
            mattes=tuple(map(Path, matte_targets(mattes, len(wishes)))),
            report=folder / "report.json",
            frames=report.content["input"]["frames"],
            seconds=time.monotonic() - begun,
            doubts=tuple(report.doubts),
            confidences=Confidences.of(options.first or 0, [each["confidence"] for each in found])
            if found
            else None,
        )

    def play(self, wishes: Sequence[Wish], options: RenderOptions) -> Iterator[Picture | Shown]:
        """Show the clip live; see :func:`vidstyle.ui.live.play`."""
        self._screen = Screen()
        return play(str(self.clip), wishes, options, self._screen)

    def stop_playing(self) -> None:
        """Stop the live picture, if any."""
        self._screen.close()

    def cancel(self) -> None:
        """Stop the current render or live picture, if any."""
        self._runner.cancel()
        self.stop_playing()

    def command(self, wishes: Sequence[Wish], options: RenderOptions) -> str:
        """The equivalent command line, using the files' names.

        Raises:
            ValueError: an object was not pointed at.
        """
        return command(self.clip, wishes, options)

    def close(self) -> None:
        """Stop what is in progress and wait for it to end."""
        self.cancel()
        self._runner.close()

    def clear(self) -> None:
        """Stop what is in progress and remove everything."""
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def without_folders(text: str) -> str:
    """A text for users: the page's files by name only, so that server paths are not disclosed."""
    return re.sub(rf"{re.escape(tempfile.gettempdir())}/[^\s\"']*/", "", text)


class Desks:
    """Every user's desk."""

    def __init__(self, most_frames: int, most_pixels: int, within: Path | None = None) -> None:
        """
        Args:
            most_frames, most_pixels, within: see :class:`Desk`.
        """
        self._most_frames, self._most_pixels, self._within = most_frames, most_pixels, within
        self._sessions = WeakKeyDictionary[Desk, str]()

    def take(self, upload: Path, session: str) -> Desk:
        """A new desk for a session; otherwise arguments and errors as for :class:`Desk`. The upload
        is deleted, since the desk has a copy."""
        desk = Desk(
            upload,
            most_frames=self._most_frames,
            most_pixels=self._most_pixels,
            within=self._within,
        )
        upload.unlink(missing_ok=True)
        self._sessions[desk] = session
        return desk

    def leave(self, session: str) -> None:
        """Stop playing live for a session that is no longer connected. Its page may still be open,
        on a laptop that sleeps or has changed networks, so that all else goes on and stays."""
        for desk, whose in list(self._sessions.items()):
            if whose == session:
                desk.stop_playing()

    def clear(self) -> None:
        """Clear all desks, when the page shuts down."""
        for desk in list(self._sessions):
            desk.clear()
