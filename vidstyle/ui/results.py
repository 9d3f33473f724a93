"""Finished renders: their files, a look at their frames, and one archive of all that belongs to
them."""

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from vidstyle.options import RenderOptions
from vidstyle.runtime.atomic import replacing
from vidstyle.runtime.progress import minutes
from vidstyle.ui.command import SCRIPT, command, names_of
from vidstyle.ui.confidence import Confidences
from vidstyle.ui.frames import frame_of
from vidstyle.ui.selection import Image, Wish
from vidstyle.words import counted


@dataclass(frozen=True)
class Results:
    """A finished render.

    Attributes:
        plate: the clip that was rendered.
        wishes: objects, and what they were painted after.
        options: how.
        frames: that were rendered.
        seconds: that it took.
        doubts: what is to be said of mattes that are not to be relied on.
        confidences: of the mattes; None where whole frames were restyled.
    """

    plate: Path
    wishes: tuple[Wish, ...]
    options: RenderOptions
    clip: Path
    mattes: tuple[Path, ...]
    report: Path
    frames: int = 0
    seconds: float = 0.0
    doubts: tuple[str, ...] = ()
    confidences: Confidences | None = None

    def __str__(self) -> str:
        """What was made, how long it took, and what is to be looked at."""
        size = self.clip.stat().st_size / 1e6
        made = f"Done: {counted(self.frames, 'frame')} in {minutes(self.seconds)}"
        return ". ".join([f"{made}, {self.clip.name}, {size:.1f} MB", *self.doubts])

    @property
    def first(self) -> int:
        """Number in the clip of the first frame that was rendered."""
        return self.options.first or 0

    @property
    def last(self) -> int:
        """Of the last one."""
        return self.first + self.frames - 1

    @property
    def made(self) -> list[Path]:
        """Files that the render wrote."""
        return [self.clip, *self.mattes, self.report]

    @property
    def sources(self) -> list[Path]:
        """Masks and frames that were painted, which the command line names."""
        masks = [wish.object.mask for wish in self.wishes if wish.object.mask]
        return [*masks, *(path for wish in self.wishes for path, _ in wish.keys)]

    @property
    def all(self) -> list[str]:
        """Every file's path, but the plate's and the styles'."""
        return [str(path) for path in (*self.made, *self.sources)]

    @property
    def command(self) -> str:
        """The command line that does the same."""
        return command(self.plate, self.wishes, self.options)

    def against_plate(self, index: int) -> tuple[Image, Image]:
        """A frame of the plate, by its number there, and what it became: (H, W, 3) RGB.

        Raises:
            MediaError: it cannot be decoded.
        """
        return frame_of(self.plate, index), frame_of(self.clip, index - self.first)

    def pack(self) -> Path:
        """One archive, made when it is first asked for, that needs nothing from elsewhere: the
        inputs under the names that the command line gives them, the command line as
        ``render.sh``, and in ``result/`` what was made."""
        archive = self.clip.with_name(f"{self.plate.stem}.zip")
        if not archive.exists():
            # Stored: films and pictures do not get smaller.
            with replacing(archive) as file, zipfile.ZipFile(file, "w") as packed:
                for path, name in names_of(self.plate, self.wishes).items():
                    packed.write(path, name)
                for path in self.made:
                    packed.write(path, f"result/{path.name}")
                script = zipfile.ZipInfo(SCRIPT)
                script.external_attr = 0o755 << 16
                packed.writestr(
                    script, f'#!/bin/sh\ncd "$(dirname "$0")" || exit\n{self.command}\n'
                )
        return archive

    def remove(self) -> None:
        """Remove what was made, but not what it was made of."""
        shutil.rmtree(self.clip.parent, ignore_errors=True)
