"""A Segment Anything image encoder in ONNX, run by ONNX Runtime or, without it, by OpenCV."""

import logging
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.errors import WeightsError
from vidstyle.runtime.onnx_runtime import import_onnxruntime, open_session

logger = logging.getLogger(__name__)

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class OnnxEncoder(torch.nn.Module):
    """Maps a picture preprocessed by ``segment_anything``, (1, 3, ``img_size``, ``img_size``), to
    its features (1, 256, ``img_size`` / 16, ``img_size`` / 16), on the picture's device.

    The two runtimes agree to a few millionths.

    Args:
        path: the graph, with one input and one output.
        device: CUDA is used if ONNX Runtime supports it; otherwise the CPU.

    Raises:
        WeightsError: the file is not such a graph.
    """

    img_size = 1024

    def __init__(self, path: Path, device: torch.device) -> None:
        super().__init__()
        try:
            import_onnxruntime()
        except ModuleNotFoundError:
            self.runtime, self._run = "OpenCV", _by_opencv(path)
        else:
            self.runtime, self._run = "ONNX Runtime", _by_onnxruntime(path, device)
        logger.info("%s runs in %s", path.name, self.runtime)

    def forward(self, pictures: Tensor) -> Tensor:
        features = self._run(pictures.float().cpu().contiguous().numpy())
        return torch.from_numpy(features).to(pictures.device)


def _by_onnxruntime(path: Path, device: torch.device) -> Run:
    try:
        session = open_session(path, device, torch.get_num_threads())
    # Its errors have no other base class in common.
    except Exception as error:
        raise _unreadable(path, error) from None
    (name,) = (given.name for given in session.get_inputs())
    return lambda pictures: np.asarray(session.run(None, {name: pictures})[0], np.float32)


def _by_opencv(path: Path) -> Run:
    try:
        network = cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise _unreadable(path, error) from None

    def run(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        network.setInput(pictures)
        # The network owns the array it returns and overwrites it with the next result.
        return np.array(network.forward(), np.float32)

    return run


def _unreadable(path: Path, error: Exception) -> WeightsError:
    reason = " ".join(str(error).split())[:120]
    return WeightsError(f"{path}: cannot be read as an image encoder in ONNX ({reason})")
