"""RAFT in half precision, and in several threads: what must not be rounded, nor be mixed up."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from vidstyle.motion.raft import Correlations, RaftFlow


def test_correlations_are_not_rounded() -> None:
    # Sums of 256 products of about 400: beyond the largest number of half precision.
    features = 20 + torch.rand(2, 1, 256, 16, 16, generator=torch.Generator().manual_seed(0))
    block = Correlations(num_levels=4, radius=3)
    block.build_pyramid(*features)
    wanted = list(block.corr_pyramid)
    with torch.autocast("cpu", torch.bfloat16):
        block.build_pyramid(*features)
    for level, exact in zip(block.corr_pyramid, wanted, strict=True):
        assert level.dtype == torch.float32
        assert torch.equal(level, exact)


def test_threads_do_not_mix_up_their_pairs(raft_small_weights: Path) -> None:
    raft = RaftFlow("raft-small", raft_small_weights, device=torch.device("cpu"), flow_size=540)
    random = torch.Generator().manual_seed(2)
    pairs = [torch.rand(2, 1, 3, 128, 128 + 8 * n, generator=random) for n in range(4)]
    alone = [raft(*pair) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        together = [*pool.map(lambda pair: raft(*pair), pairs)]
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one, other)


@pytest.mark.gpu
def test_cuda_agrees_with_the_cpu(raft_small_weights: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    pair = torch.rand(2, 1, 3, 128, 160, generator=torch.Generator().manual_seed(1))
    flows = [
        RaftFlow("raft-small", raft_small_weights, device=torch.device(name), flow_size=540)(*pair)
        for name in ("cpu", "cuda")
    ]
    assert (flows[0] - flows[1]).abs().mean() < 0.1
