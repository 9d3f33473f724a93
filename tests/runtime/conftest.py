"""A second device that no machine needs to have: it computes on the CPU, and is as strict as a GPU.

Tensors on it (:class:`Placed`) hold theirs on the CPU and say that they are elsewhere. A mode of
PyTorch's dispatcher sees every operation: it refuses those that mix devices, and types that the
device lacks; and it counts what goes from one memory to the other, and what waits for it. Autocast
is PyTorch's own.

``FakeTensorMode`` holds no numbers, so that nothing which looks at one can run under it.
"""

import importlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Self

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_flatten, tree_map_only

_MOVES = ("to", "_to_copy", "cpu", "cuda")
_READS = ("_local_scalar_dense", "item", "equal", "is_nonzero")


class Placed(torch.Tensor):
    """A tensor on the second device.

    To PyTorch's own code it is on ``meta``, which needs no driver; its keys are the device's, so
    that autocast takes it for one of that device.
    """

    held: torch.Tensor
    on: "SecondDevice"

    @staticmethod
    def __new__(cls, held: torch.Tensor, on: "SecondDevice") -> Self:
        with _disable_current_modes(), torch.inference_mode(False):
            shape = torch.empty_strided(held.shape, held.stride(), dtype=held.dtype, device="meta")
            placed = torch.Tensor._make_subclass(
                cls, shape, False, device_for_backend_keys=on.device
            )
        placed.held, placed.on = held, on
        return placed

    device = property(lambda self: self.on.device)  # type: ignore[assignment]
    is_cuda = property(lambda self: self.on.device.type == "cuda")  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        placed = next(t for t in tree_flatten((args, kwargs))[0] if isinstance(t, Placed))
        return placed.on.run(func, args, kwargs or {})

    # In C++ these look for a driver before they dispatch.

    def new_tensor(self, data: Any, dtype: Any = None, **_: Any) -> "Placed":
        self.on.copies["up"] += 1
        with _disable_current_modes():
            return Placed(torch.tensor(data, dtype=dtype or self.dtype), self.on)

    def __getitem__(self, key: Any) -> "Placed":
        return Placed(self.held[self.on.inside(key)], self.on)

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(value, torch.Tensor) and value.ndim and not isinstance(value, Placed):
            self.on.copies["up"] += 1
        self.held[self.on.inside(key)] = value.held if isinstance(value, Placed) else value


class SecondDevice(TorchDispatchMode):
    """
    Attributes:
        device: what it says it is.
        copies: ``up`` to it, ``down`` from it, and ``wait``: a number was read.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.device, self.copies = torch.device(kind, 0), Counter[str]()
        self._lacks = (torch.float64, torch.uint16) if kind == "mps" else ()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.run(func, args, kwargs or {})

    def inside(self, values: Any) -> Any:
        """With tensors of this device as those that they hold."""
        flat = tree_flatten(values)[0]
        self.copies["up"] += sum(type(t) is torch.Tensor and t.ndim > 0 for t in flat)
        return tree_map_only(Placed, lambda placed: placed.held, values)

    def run(self, func: Any, args: Any, kwargs: Any) -> Any:
        """One operation, as the device would do it."""
        flat = tree_flatten((args, kwargs))[0]
        placed = [t for t in flat if isinstance(t, Placed)]
        others = [t for t in flat if type(t) is torch.Tensor and t.ndim > 0]
        named = next((t for t in flat if isinstance(t, torch.device)), None)
        name = func.overloadpacket.__name__
        here = bool(placed) if named is None else named.type in (self.device.type, "meta")
        if name in _MOVES:
            if here != bool(placed):
                self.copies["up" if here else "down"] += 1
        elif name == "copy_":
            here = isinstance(args[0], Placed)
            if here != isinstance(args[1], Placed):
                self.copies["up" if here else "down"] += 1
        elif name in _READS and placed:
            here = False
            self.copies["wait"] += 1
        elif placed and others:
            raise RuntimeError(f"{func}: tensors on {self.device} and on the CPU")
        args, kwargs = tree_map_only(torch.device, lambda _: torch.device("cpu"), (args, kwargs))
        args, kwargs = tree_map_only(Placed, lambda each: each.held, (args, kwargs))
        result = func(*args, **kwargs)
        if not here:
            return result
        # What was changed in place is the tensor that it was.
        known = {id(each.held): each for each in placed}

        def placed_again(tensor: torch.Tensor) -> Placed:
            return known[id(tensor)] if id(tensor) in known else self._placed(tensor)

        return tree_map_only(torch.Tensor, placed_again, result)

    def _placed(self, tensor: torch.Tensor) -> Placed:
        if tensor.dtype in self._lacks:
            raise TypeError(f"{self.device} has no {tensor.dtype}")
        return Placed(tensor, self)


@pytest.fixture
def second_device(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], AbstractContextManager[SecondDevice]]:
    """``with second_device("cuda") as there:`` there is one; also of the kind ``mps``."""

    # It remembers some of the functions that are replaced here, so it must be there before.
    importlib.import_module("torch._dynamo")

    @contextmanager
    def switched_on(kind: str) -> Iterator[SecondDevice]:
        with monkeypatch.context() as patch:
            patch.setattr(torch.cuda, "is_available", lambda: kind == "cuda")
            patch.setattr(torch.cuda, "device_count", lambda: int(kind == "cuda"))
            patch.setattr(torch.cuda, "_lazy_init", lambda: None)
            patch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
            patch.setattr(torch.backends.mps, "is_available", lambda: kind == "mps")
            patch.setattr(torch.mps, "empty_cache", lambda: None)
            patch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
            before = torch.__future__.get_overwrite_module_params_on_conversion()
            torch.__future__.set_overwrite_module_params_on_conversion(True)
            try:
                with SecondDevice(kind) as there:
                    yield there
            finally:
                torch.__future__.set_overwrite_module_params_on_conversion(before)

    return switched_on
