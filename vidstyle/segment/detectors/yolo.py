"""YOLOv3-tiny: the light detector, 35 MB, read by OpenCV."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.errors import WeightsError
from vidstyle.media.frame import Box
from vidstyle.segment.clip import Image
from vidstyle.segment.detectors.coco import NAMES
from vidstyle.segment.detectors.detector import Detection
from vidstyle.segment.detectors.nesting import merge_nested
from vidstyle.segment.detectors.vocabulary import name_for

# OpenCV silently reads a truncated file as if the rest were zeros.
_WEIGHTS_BYTES = 35_434_956


class YoloTiny:
    """YOLOv3-tiny (Redmon & Farhadi 2018), Darknet's files read by OpenCV.

    The network is weak, and what it finds depends on the scale: it is run on each picture at
    several sizes, and the detections are merged by non-maximum suppression and ``merge_nested``.

    Args:
        cfg: Darknet's ``yolov3-tiny.cfg``.
        weights: Darknet's ``yolov3-tiny.weights``.
        long_sides: lengths of the picture's long side for the network.
        threshold: minimum score; ``faint``: that of a low-confidence detection.

    Raises:
        WeightsError: a file is missing or damaged.
    """

    name = "yolov3-tiny"

    def __init__(
        self,
        cfg: Path,
        weights: Path,
        long_sides: Sequence[int] = (320, 416, 608),
        threshold: float = 0.25,
        faint: float = 0.05,
    ) -> None:
        for path in (cfg, weights):
            if not path.is_file():
                raise WeightsError(
                    f"{path}: the detector's file is missing; run 'vidstyle models fetch'"
                )
        if weights.stat().st_size != _WEIGHTS_BYTES:
            raise WeightsError(
                f"{weights}: damaged, not {_WEIGHTS_BYTES} bytes; run 'vidstyle models fetch'"
            )
        try:
            self._net = cv2.dnn.readNetFromDarknet(
                _answering_from(faint, cfg), np.fromfile(weights, np.uint8)
            )
        except cv2.error as error:
            raise WeightsError(
                f"{weights}: the detector's weights cannot be read ({error.err}); "
                "run 'vidstyle models fetch'"
            ) from None
        self._outputs = self._net.getUnconnectedOutLayersNames()
        self._long_sides = long_sides
        self._threshold, self._faint = threshold, faint

    def name_of(self, word: str) -> str:
        """See ``Detector``."""
        return name_for(word, NAMES)

    def detect(
        self,
        image: Image,
        names: Sequence[str] = (),  # noqa: ARG002
        faint: bool = False,
    ) -> list[Detection]:
        """See ``Detector``."""
        least = self._faint if faint else self._threshold
        rows = np.concatenate([self._rows(image, side, least) for side in self._long_sides])
        classes = rows[:, 5:].argmax(axis=1)
        scores = rows[:, 5:].max(axis=1)
        height, width = image.shape[:2]
        # Rows: centre x, centre y, width, height, all relative to the picture's size.
        boxes = rows[:, :4] * np.array([width, height, width, height])
        boxes[:, :2] -= boxes[:, 2:] / 2
        kept = cv2.dnn.NMSBoxesBatched(
            boxes.tolist(), scores.tolist(), classes.tolist(), least, 0.45
        )
        found = [
            Detection(NAMES[classes[i]], float(scores[i]), _clipped(boxes[i], width, height))
            for i in kept
        ]
        return merge_nested([d for d in found if d.box.width > 0 and d.box.height > 0])

    def _rows(self, image: Image, long_side: int, least: float) -> np.ndarray:
        """The network's rows whose best class has a score of ``least`` or more."""
        scale = long_side / max(image.shape[:2])
        # The network halves the picture five times.
        size = [max(1, round(side * scale / 32)) * 32 for side in image.shape[1::-1]]
        self._net.setInput(cv2.dnn.blobFromImage(image, 1 / 255, size))
        rows: np.ndarray = np.concatenate(self._net.forward(self._outputs))
        return np.asarray(rows[rows[:, 5:].max(axis=1) >= least])


def _answering_from(least: float, cfg: Path) -> NDArray[np.uint8]:
    """Darknet's configuration, with the minimum score that OpenCV's layer passes on, which defaults
    to 0.2."""
    text = cfg.read_bytes().replace(b"[yolo]", b"[yolo]\nthresh=%g" % least)
    return np.frombuffer(text, np.uint8)


def _clipped(box: np.ndarray, width: int, height: int) -> Box:
    """A box (x, y, width, height) in pixels, as whole pixels inside the picture."""
    x0, y0 = np.maximum(np.rint(box[:2]).astype(int), 0)
    x1, y1 = np.minimum(np.rint(box[:2] + box[2:]).astype(int), (width, height))
    return Box(int(x0), int(y0), int(x1), int(y1))
