"""A photograph for the style network."""

import pytest
import skimage.data
import torch
from torch import Tensor


@pytest.fixture(scope="session")
def photograph() -> Tensor:
    """(1, 3, 160, 240) in [0, 1]."""
    return torch.from_numpy(skimage.data.chelsea()[60:220, 60:300]).movedim(-1, 0)[None] / 255
