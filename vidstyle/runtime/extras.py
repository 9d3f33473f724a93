"""Optional packages, by the extra that installs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from vidstyle.errors import UsageError

#: Packages that only these extras install, by import name.
_PACKAGES = {
    "dicom": ("pydicom",),
    "export": ("onnx", "onnxruntime", "onnxscript"),
    "evaluate": ("h5py", "lpips", "skimage"),
    "farm": ("openjd", "yaml"),
    "matting": ("pymatting",),
    "post": ("OpenImageIO", "PyOpenColorIO", "opentimelineio", "yaml"),
    "study": ("choix", "scipy"),
    "train": ("accelerate", "h5py", "pycocotools", "skimage", "tensorboard", "torchmetrics"),
    "ui": ("gradio",),
    "transformers": ("httpx", "huggingface_hub", "transformers"),
}


@contextmanager
def needs_extra(extra: str, what: str) -> Iterator[None]:
    """For imports of packages from an extra.

    Args:
        what: the command or option that needs it.

    Raises:
        UsageError: a package of the extra is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _PACKAGES[extra]:
            raise
        raise UsageError(
            f"{what} needs {package}, which is not installed: pip install 'vidstyle[{extra}]'"
        ) from None


def is_installed(extra: str) -> bool:
    """Whether all packages of an extra are installed, without importing them."""
    return all(find_spec(package) for package in _PACKAGES[extra])
