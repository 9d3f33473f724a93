"""What any farm has to run: three commands, the second one many times."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Kind(Enum):
    """The kind of an argument, for a farm that copies files or maps paths."""

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
        name: its name in a job, in CamelCase; empty for literals.
        within: appended to the path: the pattern of a sequence in its folder.
    """

    text: str
    kind: Kind = Kind.LITERAL
    name: str = ""
    within: str = ""


@dataclass(frozen=True)
class Limits:
    """Requirements and limits of a task.

    Attributes:
        minutes: timeout after which a task is considered hung.
        notice: seconds between SIGTERM and SIGKILL.
        gpus: per machine.
        gpu_memory, memory: MiB; 0 for any.
    """

    minutes: int = 120
    notice: int = 60
    gpus: int = 0
    gpu_memory: int = 0
    memory: int = 4096


@dataclass(frozen=True)
class Plan:
    """Three consecutive steps.

    Attributes:
        title: of the job, on one line.
        program: the vidstyle command on the farm's machines.
        source, work, target: the clip, the work directory, the joined clip.
        settings: further arguments of ``analyse``.
        segments: number of segments in the grid.
        chunk: segments per task, which loads its models once.
        limits: of every task.
        rendering: further arguments of ``segment-render``, and of ``join``, which may render too.
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
    rendering: Sequence[Argument] = ()

    def analyse(self) -> list[Argument]:
        """The command of the first step."""
        return [*self._begin("analyse"), *self.settings]

    def render(self, segments: Argument) -> list[Argument]:
        """The command of a task of the second step.

        Args:
            segments: ``A-B``, in the farm's own notation.
        """
        return [*self._begin("segment-render"), *self.rendering, Argument("--segments"), segments]

    def join(self) -> list[Argument]:
        """The command of the last step. It repairs segments that were damaged since they were
        rendered, and where a farm runs it after failed tasks as well, what those left undone. Open
        Job Description does not: a step waits until those it depends on have succeeded."""
        words = map(Argument, ("--repair", "--overwrite", "-o"))
        return [*self._begin("join"), *self.rendering, *words, self.target]

    def tasks(self) -> list[tuple[int, int]]:
        """First and last segment of each task of the second step."""
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
