"""The work directory: where each thing lies in it.

    manifest.json                what is made of what, with what, and the segments
    mattes/<object>/<frame>.png  final mattes, and mattes/<object>.json with boxes and checksums
    statistics/<object>.safetensors
    carried/<object>/            what painted keys show in every frame, and carried/<object>.json
    review.mp4, objects.png      for people to look at, where they were asked for
    segments/<number>.frames     rendered frames, and segments/<number>.json, the sidecar

Every name is made from numbers, so nothing that a file says can lead outside.
"""

from dataclasses import dataclass
from pathlib import Path

from vidstyle.errors import UsageError
from vidstyle.runtime.atomic import unwritable
from vidstyle.runtime.leftovers import PARTIAL, sweep


@dataclass(frozen=True)
class WorkFolder:
    """A work directory, there or yet to be made."""

    root: Path

    @property
    def manifest(self) -> Path:
        return self.root / "manifest.json"

    @property
    def review(self) -> Path:
        """The video of all mattes."""
        return self.root / "review.mp4"

    @property
    def objects(self) -> Path:
        """The picture of all objects that were found."""
        return self.root / "objects.png"

    def mattes(self, number: int) -> Path:
        """Folder of an object's mattes."""
        return self.root / "mattes" / f"{number:d}"

    def matte_index(self, number: int) -> Path:
        """What lies in :meth:`mattes`."""
        return self.root / "mattes" / f"{number:d}.json"

    def statistics(self, number: int) -> Path:
        """An object's frozen maps."""
        return self.root / "statistics" / f"{number:d}.safetensors"

    def carried(self, number: int) -> Path:
        """Folder of what an object's painted keys were carried to."""
        return self.root / "carried" / f"{number:d}"

    def carried_index(self, number: int) -> Path:
        """What lies in :meth:`carried`."""
        return self.root / "carried" / f"{number:d}.json"

    def segment(self, number: int) -> Path:
        """A segment's frames."""
        return self.root / "segments" / f"{number:05d}.frames"

    def sidecar(self, number: int) -> Path:
        """What is known of a segment's file."""
        return self.root / "segments" / f"{number:05d}.json"

    def make(self, folder: Path) -> Path:
        """Make a folder inside.

        Raises:
            MediaError: the disk refuses.
            UsageError: a link leads outside.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from None
        if not folder.resolve().is_relative_to(self.root.resolve()):
            raise UsageError(
                f"{folder}: points outside the work directory; replace it with a folder"
            )
        return folder

    def forget_segments(self) -> None:
        """Delete what was rendered."""
        folder = self.segment(0).parent
        self._delete(*folder.glob("[0-9]*.json"), *folder.glob("[0-9]*.frames"))

    def sweep(self) -> None:
        """Delete what killed workers of this machine left, and those of others a day ago."""
        folders = ("*/", "mattes/*/", "carried/*/")
        sweep(self.root, *(folder for each in folders for folder in self.root.glob(each)))

    def forget_partials(self) -> None:
        """Delete what killed workers left; none may be at work."""
        self._delete(*self.root.rglob(f".*{PARTIAL}*"))

    def _delete(self, *files: Path) -> None:
        for file in files:
            if not file.parent.resolve().is_relative_to(self.root.resolve()):
                continue
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise unwritable(file, error) from None
