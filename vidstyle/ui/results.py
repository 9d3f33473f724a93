"""Finished renders: their files, access to their frames, and a complete archive of each."""

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
        plate: the source clip.
        wishes: objects and the source of their look.
        options: of the render.
        frames: number of rendered frames.
        seconds: render time.
        doubts: warnings about unreliable mattes.
        confidences: of the mattes; None if whole frames were restyled.
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
        """What was made, how long it took, and what to check."""
        size = self.clip.stat().st_size / 1e6
        made = f"Done: {counted(self.frames, 'frame')} in {minutes(self.seconds)}"
        return ". ".join([f"{made}, {self.clip.name}, {size:.1f} MB", *self.doubts])

    @property
    def first(self) -> int:
        """Number of the first rendered frame in the clip."""
        return self.options.first or 0

    @property
    def last(self) -> int:
        """Number of the last rendered frame in the clip."""
        return self.first + self.frames - 1

    @property
    def made(self) -> list[Path]:
        """Files written by the render."""
        return [self.clip, *self.mattes, self.report]

    @property
    def sources(self) -> list[Path]:
        """Painted masks and frames that the command line refers to."""
        masks = [wish.object.mask for wish in self.wishes if wish.object.mask]
        return [*masks, *(path for wish in self.wishes for path, _ in wish.keys)]

    @property
    def all(self) -> list[str]:
        """Paths of all files except the plate and the styles."""
        return [str(path) for path in (*self.made, *self.sources)]

    @property
    def command(self) -> str:
        """The equivalent command line."""
        return command(self.plate, self.wishes, self.options)

    def against_plate(self, index: int) -> tuple[Image, Image]:
        """A frame of the plate, by its number there, and its result: (H, W, 3) RGB.

        Raises:
            MediaError: it cannot be decoded.
        """
        return frame_of(self.plate, index), frame_of(self.clip, index - self.first)

    def pack(self) -> Path:
        """A self-contained archive, made on first request: the inputs under the names used by the
        command line, the command line as ``render.sh``, and the results in ``result/``."""
        archive = self.clip.with_name(f"{self.plate.stem}.zip")
        if not archive.exists():
            # Uncompressed: films and pictures would not shrink.
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
        """Remove the results, but not the inputs."""
        shutil.rmtree(self.clip.parent, ignore_errors=True)
