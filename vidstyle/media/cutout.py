"""Partly transparent pictures, of which only the visible part counts."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Fraction of the highest alpha: less is an edge, whose colours may mix with the background.
_SEEN = 0.9


def seen_alone(pixels: NDArray[np.float32], alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """The visible part of a picture, as a rectangle without holes.

    Hidden margins are cropped. Hidden pixels within are mirrored across the nearest edge, so that
    they have the colours and texture of what is visible, and no seam.

    Args:
        pixels: (H, W, 3) in [0, 1]; colours are not multiplied by alpha.
        alpha: (H, W) in [0, 1].

    Returns:
        (h, w, 3) in [0, 1]; empty if nothing is visible.
    """
    seen = alpha > _SEEN * alpha.max()
    x, y, width, height = cv2.boundingRect(seen.astype(np.uint8))
    picture = pixels[y : y + height, x : x + width].copy()
    hidden = ~seen[y : y + height, x : x + width]
    while hidden.any():
        rows, columns = np.nonzero(hidden)
        near_rows, near_columns = nearest_seen(hidden)
        far_rows, far_columns = 2 * near_rows - rows, 2 * near_columns - columns
        inside = (far_rows >= 0) & (far_rows < height) & (far_columns >= 0) & (far_columns < width)
        mirrored = np.zeros_like(inside)
        mirrored[inside] = ~hidden[far_rows[inside], far_columns[inside]]
        # The rim of a hidden area lies beside visible pixels, so every round makes progress.
        beside = np.maximum(abs(near_rows - rows), abs(near_columns - columns)) <= 1
        far_rows[~mirrored], far_columns[~mirrored] = near_rows[~mirrored], near_columns[~mirrored]
        filled = mirrored | beside
        picture[rows[filled], columns[filled]] = picture[far_rows[filled], far_columns[filled]]
        hidden[rows[filled], columns[filled]] = False
    return picture


def nearest_seen(hidden: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of the visible pixel nearest to each hidden one."""
    _, labels = cv2.distanceTransformWithLabels(
        hidden.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(~hidden)
    place = np.zeros(int(labels.max()) + 1, np.intp)
    place[labels[rows, columns]] = np.arange(len(rows))
    nearest = place[labels[hidden]]
    return rows[nearest], columns[nearest]
