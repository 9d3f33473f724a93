"""Probabilities as log odds, in which independent evidence adds up."""

import numpy as np
from numpy.typing import NDArray

from vidstyle.segment.clip import Plane


def log_odds(probability: NDArray[np.floating], least: float) -> Plane:
    """The log odds of a probability, which is taken to be at least ``least`` from 0 and 1."""
    p = np.clip(probability, least, 1 - least)
    return np.asarray(np.log(p / (1 - p)), np.float32)


def logistic(odds: NDArray[np.floating]) -> Plane:
    """The probability with these log odds."""
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)
