"""Learning rate schedules."""

import math
from typing import Any, Protocol

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from vidstyle.train.config import Phase

#: Final rate of a cosine, as a fraction of the peak rate.
_FLOOR = 0.01

#: Validations without improvement before a plateau lowers the rate, and by how much.
_PATIENCE, _FACTOR = 4, 0.5


class Schedule(Protocol):
    """Sets the optimiser's learning rate."""

    def before(self, step: int, progress: float) -> None:
        """Called before each step; ``progress`` is the fraction of the run, in [0, 1]."""

    def validated(self, step: int, loss: float) -> None:
        """Called after each validation."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class Cosine:
    """Half a cosine over the run (Loshchilov & Hutter 2017), after a warm-up."""

    def __init__(self, optimizer: Optimizer, rate: float, warm_up: int) -> None:
        self._optimizer, self._rate, self._warm_up = optimizer, rate, warm_up

    def before(self, step: int, progress: float) -> None:
        fall = (1 + _FLOOR) / 2 + (1 - _FLOOR) / 2 * math.cos(math.pi * progress)
        _set_rate(self._optimizer, self._rate * fall * _warmth(step, self._warm_up))

    def validated(self, step: int, loss: float) -> None: ...

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class Plateau:
    """Lower the rate when the validation stops improving, after a warm-up."""

    def __init__(self, optimizer: Optimizer, rate: float, warm_up: int) -> None:
        self._optimizer, self._rate, self._warm_up = optimizer, rate, warm_up
        self._inner = ReduceLROnPlateau(optimizer, factor=_FACTOR, patience=_PATIENCE)

    def before(self, step: int, progress: float) -> None:  # noqa: ARG002
        if step < self._warm_up:
            _set_rate(self._optimizer, self._rate * _warmth(step, self._warm_up))

    def validated(self, step: int, loss: float) -> None:
        if step >= self._warm_up:
            self._inner.step(loss)

    def state_dict(self) -> dict[str, Any]:
        return self._inner.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._inner.load_state_dict(state)


def build_schedule(phase: Phase, optimizer: Optimizer) -> Schedule:
    if phase.schedule == "plateau":
        return Plateau(optimizer, phase.rate, phase.warm_up)
    return Cosine(optimizer, phase.rate, phase.warm_up)


def _warmth(step: int, warm_up: int) -> float:
    return min(1.0, (step + 1) / max(1, warm_up))


def _set_rate(optimizer: Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
