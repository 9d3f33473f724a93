"""The finished renders of a session, kept until the user removes them or has left."""

from dataclasses import dataclass, field

from vidstyle.errors import UsageError
from vidstyle.ui.desk import Desk
from vidstyle.ui.results import Results
from vidstyle.words import counted


@dataclass(frozen=True)
class Kept:
    """A render, the desk that holds its files, and its number in the session, from 1."""

    number: int
    desk: Desk
    results: Results


@dataclass
class History:
    """Renders, newest last.

    Attributes:
        most: maximum bytes of clips and results; beyond it no render starts.
        shown: the render being viewed, or None.
    """

    most: int
    renders: list[Kept] = field(default_factory=list)
    shown: Kept | None = None
    _count: int = 0

    def check_room(self) -> None:
        """
        Raises:
            UsageError: there is no room for another render.
        """
        if self.bytes >= self.most:
            raise UsageError(
                f"your renders take {self.bytes >> 20} MiB, and this page keeps at most "
                f"{self.most >> 20}; remove one that you no longer need"
            )

    @property
    def bytes(self) -> int:
        """Disk space of the renders and their clips."""
        return sum(desk.bytes for desk in self._desks())

    def __str__(self) -> str:
        return (
            f"{counted(len(self.renders), 'render')}, kept until you reload the page, or for an "
            f"hour after you leave it: {self.bytes >> 20} of {self.most >> 20} MiB"
        )

    def add(self, desk: Desk, results: Results) -> None:
        """Add a render and show it."""
        self._count += 1
        self.shown = Kept(self._count, desk, results)
        self.renders.append(self.shown)

    def show(self, number: int) -> None:
        """
        Raises:
            UsageError: it was removed.
        """
        for kept in self.renders:
            if kept.number == number:
                self.shown = kept
                return
        raise UsageError(f"render {number} was removed; choose another")

    def remove(self, current: Desk | None) -> None:
        """Remove the shown render, and show the newest of the others.

        Args:
            current: the desk in use; any other is removed with the last of its renders.
        """
        if self.shown is None:
            return
        self.renders.remove(self.shown)
        self.shown.results.remove()
        self.put_away(self.shown.desk, current)
        self.shown = self.renders[-1] if self.renders else None

    def put_away(self, desk: Desk, current: Desk | None) -> None:
        """Clear a desk that is no longer needed."""
        if desk is not current and desk not in self._desks():
            desk.clear()

    def clear(self) -> None:
        """Remove everything."""
        for desk in self._desks():
            desk.clear()
        self.renders.clear()
        self.shown = None

    def _desks(self) -> list[Desk]:
        return list(dict.fromkeys(kept.desk for kept in self.renders))
