"""Pictures with known motion, and readers for the benchmarks' ground truth."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

DATA = Path(__file__).parents[3] / "shared"


def read_rgb(path: Path) -> Tensor:
    """(1, 3, H, W) float32 in [0, 1]."""
    codes = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return torch.from_numpy(codes).permute(2, 0, 1)[None] / 255


def read_flo(path: Path) -> Tensor:
    """Middlebury's .flo: (1, 2, H, W) float32 in pixels, unknown vectors above 1e9."""
    return torch.from_numpy(cv2.readOpticalFlow(str(path))).permute(2, 0, 1)[None]


@pytest.fixture
def raft_small_weights() -> Path:
    path = DATA / "weights/raft_small_C_T.pth"
    if not path.exists():
        pytest.skip("RAFT-small's weights are not on this machine")
    return path


@pytest.fixture
def sintel() -> tuple[Tensor, Tensor, Tensor]:
    """A pair of MPI-Sintel's alley_1 (final pass), and its true flow."""
    folder = DATA / "data/sintel/alley_1_final"
    if not folder.exists():
        pytest.skip("MPI-Sintel is not on this machine")
    return (
        read_rgb(folder / "frame_0002.png"),
        read_rgb(folder / "frame_0003.png"),
        read_flo(folder / "gt/frame_0002.flo"),
    )


@pytest.fixture(scope="session")
def photograph() -> Tensor:
    """scikit-image's coffee cup: (1, 3, 400, 600) float32 in [0, 1]."""
    data = pytest.importorskip("skimage.data")
    return torch.from_numpy(np.ascontiguousarray(data.coffee())).permute(2, 0, 1)[None] / 255
