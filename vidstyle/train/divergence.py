"""Detect a diverging run early."""

import math
from collections import deque
from collections.abc import Mapping
from statistics import median

from vidstyle.errors import UsageError

#: Consecutive steps without a finite loss and gradient. Half precision loses a few while it adapts
#: its loss scale.
BROKEN = 10

#: Consecutive steps with a loss this many times its median over the last ``WINDOW`` good ones.
ASTRAY, FACTOR, WINDOW = 50, 10.0, 200


class Divergence:
    """Monitors the weighted terms of each step, with weights that are constant over the run."""

    def __init__(self) -> None:
        self._broken = self._astray = 0
        self._losses: deque[float] = deque(maxlen=WINDOW)

    @property
    def calm(self) -> bool:
        """Whether the last step was normal, so that it is worth a checkpoint."""
        return not self._broken and not self._astray

    def see(self, step: int, terms: Mapping[str, float], norm: float) -> None:
        """
        Args:
            terms: contribution of each term to the loss.
            norm: of the gradient, before clipping.

        Raises:
            UsageError: the run diverges.
        """
        loss = sum(terms.values())
        broken = not (math.isfinite(loss) and math.isfinite(norm))
        self._broken = self._broken + 1 if broken else 0
        if self._broken >= BROKEN:
            wrong = next((name for name, term in terms.items() if not math.isfinite(term)), None)
            what = f"{wrong} is not a number" if wrong else "its gradient is not a number"
            raise _diverged(step, f"{what} for {BROKEN} steps", wrong)
        usual = median(self._losses) if len(self._losses) == WINDOW else math.inf
        astray = not broken and loss > FACTOR * usual
        self._astray = self._astray + 1 if astray else 0
        if self._astray >= ASTRAY:
            largest = max(terms, key=lambda name: terms[name])
            grown = f"the loss has been {FACTOR:.0f} times what is usual for {ASTRAY} steps, mostly"
            raise _diverged(step, f"{grown} {largest}", largest)
        if not broken and not astray:
            self._losses.append(loss)


def _diverged(step: int, what: str, term: str | None) -> UsageError:
    remedy = "rate" + (f" or the weight of {term}" if term else "")
    return UsageError(
        f"training diverges at step {step}: {what}; lower {remedy} and start again with "
        "--overwrite (the last good checkpoint is kept until then)"
    )
