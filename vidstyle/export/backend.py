"""Backends that run the style network of a render: plain PyTorch, or an exported file."""

import logging
from pathlib import Path

import platformdirs
import torch
from torch import Tensor

from vidstyle.errors import WeightsError
from vidstyle.export.export import export, model_digest
from vidstyle.export.formats import FORMATS, format_of, load
from vidstyle.export.graph import Runtime, maps_of
from vidstyle.export.own import is_own
from vidstyle.models import weights
from vidstyle.style.build import is_vgg
from vidstyle.style.transform import AffineMap
from vidstyle.style.vgg import ENTRY

log = logging.getLogger(__name__)


class Backend:
    """An exported network with the interface that a stylizer calls."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def __call__(self, plates: Tensor, features: AffineMap) -> Tensor:
        """See :data:`~vidstyle.style.stylizer.Through`."""
        return self._runtime(plates, maps_of(features))


def build_backend(backend: str, model: str, device: torch.device) -> Backend | None:
    """The backend that ``--backend`` names; None for plain PyTorch.

    A format without a file means the default output of ``vidstyle export``; if that is missing, it
    is exported now, provided the format needs nothing but the model.

    Raises:
        UsageError: no such backend, or its runtime is not installed.
        WeightsError: the file is missing, damaged, or belongs to another model.
        DeviceError: no TensorRT on this machine.
    """
    if backend == "torch":
        return None
    if backend in FORMATS:
        name, path = backend, default_target(model, backend)
        if not path.is_file() or (FORMATS[name].is_code and not is_own(path)):
            if name in ("int8", "tensorrt"):
                raise WeightsError(
                    f"--backend {name}: {model} has not been exported for it; run vidstyle export "
                    f"--model {model} --format {name}"
                )
            log.info("backend: exporting %s to %s, once", model, path)
            path.parent.mkdir(parents=True, exist_ok=True)
            export(model, name, path)
    else:
        path = Path(backend)
        name = format_of(path)
    runtime, of = load(name, path, device)
    if of != model_digest(model):
        raise WeightsError(f"{path}: exported from a model other than {model}; export it again")
    log.info("backend: %s, %s", name, path)
    return Backend(runtime)


def default_target(model: str, name: str) -> Path:
    """Default output of an export, where renders also look for it."""
    name_of = ENTRY if is_vgg(model) else weights.find_model(model).name
    stem = f"{name_of}-{model_digest(model)[:8]}"
    return platformdirs.user_cache_path("vidstyle") / "exported" / (stem + FORMATS[name].suffix)
