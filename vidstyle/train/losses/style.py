"""The losses of style: the distances of :mod:`vidstyle.perceptual.statistics`."""

from vidstyle.perceptual.statistics import Moments, gram, gram_distance, moment_distance, moments

__all__ = ["Moments", "gram", "gram_distance", "moment_distance", "moments"]
