"""The layout of the work directory.

    manifest.json                footage, settings, models and segments
    mattes/<object>/<frame>.png  final mattes, and mattes/<object>.json with boxes and checksums
    statistics/<object>.safetensors
    carried/<object>/            painted keys carried to every frame, and carried/<object>.json
    review.mp4, objects.png      for review by people, if requested
    segments/<number>.frames     rendered frames, and segments/<number>.json, the sidecar

All names are built from numbers, so no file's content can lead outside the directory.
"""

from dataclasses import dataclass
from pathlib import Path

from vidstyle.errors import UsageError
from vidstyle.runtime.atomic import unwritable
from vidstyle.runtime.leftovers import PARTIAL, sweep


@dataclass(frozen=True)
class WorkFolder:
    """A work directory, which may not exist yet."""

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
        """The picture of all objects found."""
        return self.root / "objects.png"

    def mattes(self, number: int) -> Path:
        """Folder of an object's mattes."""
        return self.root / "mattes" / f"{number:d}"

    def matte_index(self, number: int) -> Path:
        """The index of :meth:`mattes`."""
        return self.root / "mattes" / f"{number:d}.json"

    def statistics(self, number: int) -> Path:
        """An object's frozen statistics."""
        return self.root / "statistics" / f"{number:d}.safetensors"

    def carried(self, number: int) -> Path:
        """Folder of an object's painted keys as carried through their shots."""
        return self.root / "carried" / f"{number:d}"

    def carried_index(self, number: int) -> Path:
        """The index of :meth:`carried`."""
        return self.root / "carried" / f"{number:d}.json"

    def segment(self, number: int) -> Path:
        """A segment's frames."""
        return self.root / "segments" / f"{number:05d}.frames"

    def sidecar(self, number: int) -> Path:
        """A segment's sidecar."""
        return self.root / "segments" / f"{number:05d}.json"

    def make(self, folder: Path) -> Path:
        """Make a folder inside.

        Raises:
            MediaError: the folder cannot be made.
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

    def segments(self) -> list[int]:
        """Numbers of the segments that have a sidecar."""
        names = (file.stem for file in self.sidecar(0).parent.glob("*.json"))
        return sorted(int(name) for name in names if name.isdecimal())

    def forget_segment(self, number: int) -> None:
        """Delete a rendered segment."""
        self._delete(self.sidecar(number), self.segment(number))

    def sweep(self) -> None:
        """Delete leftovers of this machine's killed workers, and other machines' after a day."""
        folders = ("*/", "mattes/*/", "carried/*/")
        sweep(self.root, *(folder for each in folders for folder in self.root.glob(each)))

    def forget_partials(self) -> None:
        """Delete all leftovers of killed workers; no worker may be running."""
        self._delete(*self.root.rglob(f".*{PARTIAL}*"))

    def _delete(self, *files: Path) -> None:
        for file in files:
            if not file.parent.resolve().is_relative_to(self.root.resolve()):
                continue
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise unwritable(file, error) from None
