"""Styles that no bundled model was trained on, and finding styles by name."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import cv2

from vidstyle.media.pattern import PICTURE_SUFFIXES

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

HELD_OUT = (
    "udnie",
    "vg_wheat_field",
    "wave",
    "woman_with_hat_matisse",
    "nocturne",
    "watercolour",
)
"""Four paintings held out from training, and two painted by ``examples/make_styles.py``, which were
never training pictures."""


def find_styles(folder: Path | None, names: Sequence[str], work: Path) -> dict[str, Path]:
    """Style pictures by name: the stem of a file in ``folder``, or a style of
    ``examples/make_styles.py``, which is painted into ``work``.

    Raises:
        click.UsageError: a name has no style.
    """
    sys.path.append(str(EXAMPLES))
    import make_styles

    files = {} if folder is None else pictures_in(folder)
    found = {}
    for name in names:
        if name in files:
            found[name] = files[name]
        elif name in make_styles.STYLES:
            found[name] = work / f"{name}.png"
            cv2.imwrite(str(found[name]), make_styles.STYLES[name]()[..., ::-1])
        else:
            known = ", ".join(sorted({*files, *make_styles.STYLES}))
            raise click.UsageError(f"--only {name}: no such style; give --styles, or of {known}")
    return found


def pictures_in(folder: Path) -> dict[str, Path]:
    """The pictures of a folder by their stems, in order."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES)
    return {file.stem: file for file in files}
