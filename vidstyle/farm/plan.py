"""What a farm is to run, whichever farm it is: three commands, the middle one many times."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Kind(Enum):
    """What an argument is to the farm, which may move files about and rename folders."""

    LITERAL = "as it stands"
    STRING = "a text of the user's"
    FILE_IN = "a file that is read"
    FOLDER_IN = "a folder that is read"
    FOLDER = "a folder that is read and written"
    FILE_OUT = "a file that is written"


@dataclass(frozen=True)
class Argument:
    """One argument of a command.

    Attributes:
        text: its value; paths are absolute.
        name: what a job calls it, in CamelCase; for all but literals.
        within: what follows the path: the pattern of a sequence in its folder.
    """

    text: str
    kind: Kind = Kind.LITERAL
    name: str = ""
    within: str = ""


@dataclass(frozen=True)
class Limits:
    """What a task needs and may take.

    Attributes:
        minutes: after which a task is taken for hung.
        notice: seconds between SIGTERM and SIGKILL.
        gpus: of a machine.
        gpu_memory, memory: MiB; 0 for any.
    """

    minutes: int = 120
    notice: int = 60
    gpus: int = 0
    gpu_memory: int = 0
    memory: int = 4096


@dataclass(frozen=True)
class Plan:
    """Three steps, each after the one before.

    Attributes:
        title: of the job, on one line.
        program: the command that is vidstyle on the farm's machines.
        source, work, target: of the clip, the work directory, the joined clip.
        settings: what ``analyse`` is given besides these.
        segments: how many the grid has.
        chunk: how many of them a task renders: its models are loaded once.
        limits: of every task.
    """

    title: str
    program: Sequence[str]
    source: Argument
    work: Argument
    target: Argument
    settings: Sequence[Argument]
    segments: int
    chunk: int
    limits: Limits

    def analyse(self) -> list[Argument]:
        """The command of the first step."""
        return [*self._begin("analyse"), *self.settings]

    def render(self, segments: Argument) -> list[Argument]:
        """The command of a task of the second.

        Args:
            segments: ``A-B``, however the farm says that.
        """
        return [*self._begin("segment-render"), Argument("--segments"), segments]

    def join(self) -> list[Argument]:
        """The command of the last: what an unlucky machine left undone is made up for."""
        words = map(Argument, ("--repair", "--overwrite", "-o"))
        return [*self._begin("join"), *words, self.target]

    def tasks(self) -> list[tuple[int, int]]:
        """The first and the last segment of each task of the second step."""
        starts = range(0, self.segments, self.chunk)
        return [(first, min(first + self.chunk, self.segments) - 1) for first in starts]

    def _begin(self, command: str) -> list[Argument]:
        words = map(Argument, (*self.program, command))
        return [*words, self.source, Argument("--work"), self.work]


def source_argument(source: str, pattern: bool) -> Argument:
    """A clip, or the folder of a numbered sequence with the pattern in it."""
    path = Path(source).absolute()
    if pattern:
        return Argument(str(path.parent), Kind.FOLDER_IN, "InputFolder", path.name)
    return Argument(str(path), Kind.FOLDER_IN if path.is_dir() else Kind.FILE_IN, "Input")
