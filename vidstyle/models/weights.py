"""Weights on this machine: find, verify and load them. Nothing here touches the network.

Folders are searched in this order: those of ``VIDSTYLE_MODEL_PATH`` (separated as in ``PATH``),
the user's cache, torch.hub's checkpoints, and the models that ship with vidstyle.
"""

import hashlib
import importlib.resources
import os
import pickle
import tomllib
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from vidstyle.errors import WeightsError
from vidstyle.models.registry import HUB, REGISTRY, WeightFile
from vidstyle.runtime.nesting import parsed

_UNREADABLE = (OSError, RuntimeError, ValueError, LookupError, EOFError)

MODEL_FILES = ("weights.safetensors", "config.toml")
"""The files that make a folder a style model."""


@dataclass(frozen=True)
class ModelFolder:
    """A style model's folder: ``weights.safetensors`` and ``config.toml``."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def weights(self) -> Path:
        return self.folder / MODEL_FILES[0]

    @property
    def size(self) -> int:
        """Bytes of its weights."""
        return self.weights.stat().st_size

    def config(self) -> dict[str, object]:
        """``config.toml``; ``sha256`` (of the weights) and ``licence`` are read by this module.

        Raises:
            WeightsError: it is not valid TOML.
        """
        path = self.folder / MODEL_FILES[1]
        try:
            return parsed(tomllib.loads, path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise WeightsError(f"{path}: cannot be read ({error}); restore the model") from None


def cache_folder() -> Path:
    """Where fetched weights go unless the user says otherwise."""
    return platformdirs.user_cache_path("vidstyle") / "models"


def search_folders() -> list[Path]:
    """The search folders, highest priority first; some may not exist."""
    listed = os.environ.get("VIDSTYLE_MODEL_PATH", "").split(os.pathsep)
    return [
        *(Path(folder).expanduser() for folder in listed if folder),
        cache_folder(),
        Path(torch.hub.get_dir()) / "checkpoints",
        _bundled_folder(),
    ]


def find(name: str) -> Path | None:
    """The first file of a registry entry, in the first folder that contains all of its files.

    Its companions (a Darknet .cfg) are beside it. No file is read: see :func:`require`.

    Raises:
        WeightsError: there is no such entry.
    """
    files = entry_files(name)
    for folder in search_folders():
        if all((folder / file.name).is_file() for file in files):
            return folder / files[0].name
    return None


def require(name: str) -> Path:
    """Like :func:`find`, but also verifies the files.

    Raises:
        WeightsError: there is no such entry, its files are not on this machine, or one is corrupt.
    """
    path = find(name)
    if path is None:
        raise WeightsError(
            f"{name}: its weights are not on this machine; run `vidstyle models fetch {name}`, or "
            "point VIDSTYLE_MODEL_PATH at a folder that holds "
            + " and ".join(file.name for file in entry_files(name))
        )
    for file in entry_files(name):
        verify(path.with_name(file.name), file)
    return path


def verify(path: Path, file: WeightFile) -> None:
    """Checks a file's sha256 against the registry.

    Raises:
        WeightsError: it differs, or the file cannot be read.
    """
    digest = sha256(path)
    if not file.matches(digest):
        raise WeightsError(
            f"{path}: corrupt: its sha256 begins {digest[:8]}, not {file.sha256[:8]}; delete it "
            "and run `vidstyle models fetch`"
        )


def verify_model(model: ModelFolder) -> None:
    """Checks a style model's weights against the sha256 in its ``config.toml``.

    Raises:
        WeightsError: it differs, the config records none, or a file cannot be read.
    """
    recorded, digest = model.config().get("sha256"), sha256(model.weights)
    if digest != recorded:
        raise WeightsError(
            f"{model.weights}: its sha256 is {digest}, but {MODEL_FILES[1]} records {recorded}; "
            "restore the model's folder"
        )


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal.

    Raises:
        WeightsError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from None


def find_model(name_or_path: str | Path) -> Path:
    """The folder of a style model, given by path or found by name.

    Raises:
        WeightsError: there is none.
    """
    path = Path(name_or_path)
    if _is_model(path):
        return path
    if path.name != str(name_or_path):
        raise WeightsError(f"{path}: not a style model: needs {' and '.join(MODEL_FILES)}")
    models = style_models()
    for model in models:
        if model.name == path.name:
            return model.folder
    known = ", ".join(sorted({model.name for model in models})) or "none"
    raise WeightsError(f"--model {name_or_path}: no such style model on this machine; has: {known}")


def style_models() -> list[ModelFolder]:
    """Every style model in the search folders; on a name clash, the one of higher priority."""
    found: dict[str, ModelFolder] = {}
    for folder in search_folders():
        for child in sorted(folder.iterdir()) if folder.is_dir() else ():
            if _is_model(child):
                found.setdefault(child.name, ModelFolder(child))
    return list(found.values())


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Named tensors, on the CPU, from a .safetensors file or a .pth state dict.

    A .pth file is unpickled with ``weights_only``, so it cannot run code.

    Raises:
        WeightsError: the file cannot be read, or contains anything but numeric tensors.
    """
    try:
        if path.suffix == ".safetensors":
            tensors: object = safetensors.torch.load_file(path)
        else:
            tensors = torch.load(path, map_location="cpu", weights_only=True)
    # A damaged archive or pickle raises arbitrary exceptions, depending on its first wrong byte.
    except (*_UNREADABLE, SafetensorError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise WeightsError(
            f"{path}: cannot be read as weights ({reason}); fetch it again"
        ) from None
    if not isinstance(tensors, dict) or not all(
        isinstance(tensor, Tensor) for tensor in tensors.values()
    ):
        raise WeightsError(f"{path}: holds more than named tensors; give a state dict")
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise WeightsError(
                f"{path}: {name} contains NaN or infinity; restore or train it again"
            )
    return tensors


def entry_files(name: str) -> tuple[WeightFile, ...]:
    """The files of a registry entry.

    Raises:
        WeightsError: there is no such entry.
    """
    if name not in REGISTRY:
        known = ", ".join(REGISTRY | HUB)
        raise WeightsError(f"{name}: no such weights; vidstyle knows {known}")
    return REGISTRY[name].files


def _is_model(folder: Path) -> bool:
    return all((folder / name).is_file() for name in MODEL_FILES)


def _bundled_folder() -> Path:
    """The models that ship with vidstyle: in the installed package, else in the checkout."""
    try:
        return Path(str(importlib.resources.files("vidstyle._models").joinpath("micro"))).parent
    except ModuleNotFoundError:
        return Path(__file__).parents[2] / "models"
