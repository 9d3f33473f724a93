"""Object outlines from annotation files: Labelme's and COCO's JSON.

Both are converted to shapes that ``pycocotools`` rasterises on demand. File names inside a JSON
file are only compared with those of the pictures; none is ever opened.
"""

import difflib
import json
import math
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
import pycocotools.mask as rle
from numpy.typing import NDArray

from vidstyle.errors import MediaError
from vidstyle.runtime.nesting import parsed

#: Corners of the polygon that approximates a circle: its area is 0.04 % too small.
_CORNERS = 128

#: How far outside a picture a corner may lie, in multiples of its longer side. Drawing takes memory
#: proportional to the length of an outline, so that one wrong number could exhaust it.
_FAR = 10


@dataclass(frozen=True)
class Annotation:
    """The outlined shapes of one picture.

    Attributes:
        file: the annotation file; named in errors.
        size: (H, W) of the picture, according to the file.
        shapes: polygons as [x, y, x, y, …] in pixels from the upper left corner, and run lengths
            in COCO's form, {"size": [H, W], "counts": list or packed in a str}.
    """

    file: Path
    size: tuple[int, int]
    shapes: list[list[float] | dict[str, Any]]

    def draw(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        """The union of all shapes: (H, W), 255 inside.

        Args:
            size: (H, W) of the picture itself.

        Raises:
            MediaError: the annotated picture had a different size, or a shape is invalid.
        """
        if self.size != size:
            raise MediaError(
                f"{self.file}: was made for a picture of {self.size[1]}x{self.size[0]} pixels, "
                f"this one has {size[1]}x{size[0]}; annotate the pictures that you train on"
            )
        with _checking(self.file):
            drawn = _decode(rle.merge([self._run_lengths(shape) for shape in self.shapes]))
        return np.ascontiguousarray(drawn) * np.uint8(255)

    def _run_lengths(self, shape: list[float] | dict[str, Any]) -> dict[str, Any]:
        height, width = self.size
        if isinstance(shape, dict):
            counts = shape["counts"]
            lengths = _lengths(counts) if isinstance(counts, str) else counts
            # pycocotools does not check them: merging lengths of a wrong sum may never end.
            if tuple(shape["size"]) != self.size or min(lengths) < 0:
                raise ValueError(f"run lengths of size {shape['size']}")
            if sum(lengths) != height * width:
                raise ValueError(f"run lengths for {sum(lengths)} pixels of {height * width}")
            return dict(rle.frPyObjects({"size": self.size, "counts": lengths}, height, width))
        if len(shape) % 2 or not all(abs(number) <= _FAR * max(self.size) for number in shape):
            raise ValueError("a corner without its y, or far outside the picture")
        return dict(rle.frPyObjects([shape], height, width)[0])


def read_labelme(file: Path, labels: Collection[str] | None) -> tuple[Annotation, set[str]]:
    """Labelme's file for one picture: polygons, rectangles and circles.

    Args:
        labels: the ones to read; None reads all.

    Returns:
        The shapes with these labels, and all the labels in the file.

    Raises:
        MediaError: not a Labelme file, or a chosen shape has no interior (lines, points) or is not
            a valid outline.
    """
    with _checking(file):
        content = parsed(json.loads, file.read_bytes())
        size = int(content["imageHeight"]), int(content["imageWidth"])
        shapes = content["shapes"]
        chosen = [shape for shape in shapes if labels is None or shape["label"] in labels]
        outlines = [_outline(shape["shape_type"], shape["points"]) for shape in chosen]
        found = {str(shape["label"]) for shape in shapes}
    return Annotation(file, size, [outline for outline in outlines if len(outline) >= 6]), found


def read_coco(
    file: Path, stems: Collection[str], labels: Collection[str] | None
) -> dict[str, Annotation]:
    """COCO's instance annotations of the pictures with these stems: polygons and run lengths,
    including those of crowds.

    Args:
        stems: names of pictures without folder and suffix.
        labels: names of the categories to read; None reads all.

    Returns:
        {stem: annotation}, for the pictures that have one.

    Raises:
        MediaError: not a COCO file, two of its pictures have the same stem, or it has no such
            category.
    """
    with _checking(file):
        content = parsed(json.loads, file.read_bytes())
        names = {category["id"]: category["name"] for category in content["categories"]}
        check_labels(file, labels, set(names.values()))
        pictures: dict[int, tuple[str, Annotation]] = {}
        taken: set[str] = set()
        for image in content["images"]:
            # Windows paths split at both kinds of slash.
            stem = PureWindowsPath(image["file_name"]).stem
            if stem not in stems:
                continue
            if stem in taken:
                raise MediaError(f"{file}: two pictures in it are named {stem}; rename one")
            taken.add(stem)
            size = int(image["height"]), int(image["width"])
            pictures[image["id"]] = stem, Annotation(file, size, [])
        for instance in content["annotations"]:
            wanted = labels is None or names[instance["category_id"]] in labels
            if wanted and instance["image_id"] in pictures:
                shapes = pictures[instance["image_id"]][1].shapes
                shapes.extend(_segments(instance["segmentation"]))
    return {stem: annotation for stem, annotation in pictures.values() if annotation.shapes}


def check_labels(source: Path, labels: Collection[str] | None, found: Collection[str]) -> None:
    """Raises MediaError if one of ``labels`` is not among those ``found`` in ``source``."""
    for label in sorted(set(labels or ()) - set(found)):
        near = difflib.get_close_matches(label, found, n=3) or sorted(found)[:3]
        raise MediaError(
            f"{source}: nothing in it is labelled {label!r}; there is {', '.join(near) or 'none'}"
        )


def _lengths(code: str) -> list[int]:
    """COCO's packed run lengths: five bits per character, lowest first, the sixth bit set if more
    follow; from the fourth length on, the difference to the last but one."""
    lengths: list[int] = []
    value = shift = 0
    for character in code.encode():
        bits = character - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            signed = value - (1 << shift) if bits & 0x10 else value
            lengths.append(signed + (lengths[-2] if len(lengths) > 2 else 0))
            value = shift = 0
    return lengths


def _decode(run_lengths: dict[str, Any]) -> NDArray[np.uint8]:
    with warnings.catch_warnings():
        # pycocotools 2.0.11 hands NumPy 2 an __array__ without the argument ``copy``.
        warnings.filterwarnings("ignore", "__array__", DeprecationWarning)
        return np.asarray(rle.decode(run_lengths), np.uint8)


def _outline(kind: str, points: list[list[float]]) -> list[float]:
    """A Labelme shape as a polygon [x, y, x, y, …]; with under three corners it has no interior."""
    corners = np.array(points, np.float64).reshape(-1, 2)
    if not np.isfinite(corners).all():
        raise ValueError("a corner that is no number")
    if kind == "rectangle":  # two opposite corners
        (x0, y0), (x1, y1) = corners
        corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    elif kind == "circle":  # its centre, and a point on it
        centre, rim = corners
        angles = np.arange(_CORNERS) * (2 * math.pi / _CORNERS)
        radius = float(np.hypot(*(rim - centre)))
        corners = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    elif kind != "polygon":
        raise ValueError(f"a shape of type {kind}, where polygon, rectangle and circle are read")
    return [float(number) for number in corners.flat]


def _segments(segmentation: Any) -> list[list[float] | dict[str, Any]]:
    """COCO's "segmentation" as a list of shapes, without polygons that have no interior."""
    if isinstance(segmentation, dict):
        return [segmentation]
    return [polygon for polygon in segmentation if len(polygon) >= 6]


@contextmanager
def _checking(file: Path) -> Iterator[None]:
    """Converts errors from invalid files into a one-line MediaError."""
    try:
        yield
    except MediaError:
        raise
    except OSError as error:
        raise MediaError(f"{file}: cannot be read ({error.strerror}); check the file") from None
    except json.JSONDecodeError as error:
        raise MediaError(f"{file}: broken JSON ({error}); export it again") from None
    except KeyError as error:
        raise MediaError(
            f"{file}: no {error} where Labelme or COCO have one; give a file of theirs"
        ) from None
    # A wrong type in the JSON can raise anything; pycocotools raises plain Exception.
    except Exception as error:
        raise MediaError(
            f"{file}: broken annotation ({' '.join(str(error).split())}); fix or remove it"
        ) from None
