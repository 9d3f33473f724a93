"""How far a run is, for someone who looks at a page and may cancel it."""

from vidstyle.runtime.progress import CancelToken, Reporting, minutes


class Watched(Reporting):
    """Progress of a run in another thread, which can be asked for at any time."""

    def __init__(self) -> None:
        self._cancel = CancelToken()
        super().__init__(None, self._cancel)

    def cancel(self) -> None:
        """End the run at its next step; it leaves no output."""
        self._cancel.cancel()

    @property
    def fraction(self) -> float:
        """Of the run, 0 to 1."""
        return self.course.fraction

    def __str__(self) -> str:
        """The stage, how far it is, and how long the run will still take."""
        course = self.course
        if not course.name:
            return "starting"
        told = f"{course.name} {course.done}/{course.total}"
        left = course.seconds_left
        return told if left is None else f"{told}, about {minutes(left)} left"
