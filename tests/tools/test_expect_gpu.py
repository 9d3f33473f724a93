"""What a GPU should take, from what the operations are."""

import pytest
import torch
from expect_gpu import Count


@pytest.mark.parametrize("inference", [False, True])
def test_a_convolution_is_counted_in_half_precision(inference: bool) -> None:
    image, kernel = torch.rand(1, 3, 10, 10), torch.rand(4, 3, 3, 3)
    with torch.inference_mode(inference), (count := Count()):
        result = torch.nn.functional.conv2d(image, kernel)
    (operation,) = count.operations
    halved = 4 * (image.numel() + kernel.numel() + result.numel()) / 2
    assert operation == (2 * 3 * 3 * 3 * result.numel(), halved)


def test_what_only_looks_costs_nothing_and_what_adds_its_bytes() -> None:
    image = torch.rand(4, 6)
    with Count() as count:
        image[1:].T.reshape(3, 6).add(1)
    assert sum(work for work, _ in count.operations) == 0
    # The copy that reshape makes of what is transposed, and the sum.
    assert sum(moved for _, moved in count.operations) == 2 * 2 * 18 * 4


def test_what_is_slower_decides() -> None:
    count = Count([(100.0, 1.0), (1.0, 100.0)])
    assert count.seconds(flops=10.0, bandwidth=100.0) == 10 + 1
