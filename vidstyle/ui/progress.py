"""How far a run is, for someone who looks at a page and may cancel it."""

from vidstyle.runtime.progress import CancelToken, Reporting, Step, minutes


class Watched(Reporting):
    """Progress of a run in another thread, which can be asked for at any time."""

    def __init__(self) -> None:
        self._cancel, self._last = CancelToken(), None
        super().__init__(self._note, self._cancel)

    _last: Step | None

    def _note(self, step: Step) -> None:
        self._last = step

    def cancel(self) -> None:
        """End the run at its next step; it leaves no output."""
        self._cancel.cancel()

    @property
    def fraction(self) -> float:
        """Of the run, 0 to 1."""
        return 0.0 if self._last is None else self._last.fraction

    def __str__(self) -> str:
        """The stage, how far it is, and how long the run will still take."""
        step = self._last
        if step is None:
            return "starting"
        told = f"{step.stage} {step.done}/{step.total}"
        return (
            told
            if step.seconds_left is None
            else f"{told}, about {minutes(step.seconds_left)} left"
        )
