"""Receptive fields, of :mod:`vidstyle.perceptual.receptive`."""

from vidstyle.perceptual.receptive import LEAST_CELLS, ReceptiveField, eroded, receptive_field

__all__ = ["LEAST_CELLS", "ReceptiveField", "eroded", "receptive_field"]
