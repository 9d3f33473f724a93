"""Copies to the device: what is not waited for must still arrive as it was."""

import pytest
import torch

from vidstyle.errors import DeviceError
from vidstyle.runtime.device import copied_to, holds, select_device

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "said"),
    [("mps", "no usable Apple GPU"), ("tpu", "use auto, cpu"), ("meta", "use --device cpu")],
)
def test_a_device_that_is_not_there_is_refused(
    name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=said):
        select_device(name)


def test_apples_gpu_holds_what_it_can() -> None:
    mps = torch.device("mps")
    assert [holds(mps, kind) for kind in (torch.uint8, torch.uint16, torch.float32)] == [
        True,
        False,
        True,
    ]
    assert holds(CPU, torch.float64)


def test_on_the_cpu_nothing_is_copied() -> None:
    tensor = torch.arange(6)
    assert copied_to(CPU, tensor) is tensor


@pytest.mark.gpu
@pytest.mark.parametrize("kind", [torch.uint8, torch.uint16, torch.float32])
def test_pinned_memory_is_not_reused_before_its_copy_is_done(kind: torch.dtype) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    cuda = torch.device("cuda")
    busy = torch.rand(4096, 4096, device=cuda)
    plates = torch.zeros(64, 256, 256, 3, dtype=kind)
    copies = []
    for value in range(16):
        busy = busy @ busy.softmax(0)  # the copies below queue behind it
        plates.fill_(value)
        # A crop, as of the box around an object; its source changes at once.
        copies.append(copied_to(cuda, plates[:, 16:200, 32:200]))
    for value, copy in enumerate(copies):
        assert (copy.float() == value).all()
