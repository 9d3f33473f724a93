"""Multi-file models from the Hugging Face Hub, as read by the ``transformers`` library."""

import json
import logging
import shutil
from pathlib import Path

from vidstyle.errors import MediaError, WeightsError
from vidstyle.models import weights
from vidstyle.models.registry import HUB
from vidstyle.runtime.atomic import replacing_folder
from vidstyle.runtime.extras import needs_extra

_FILES = ("*.json", "*.txt", "*.safetensors")  # no pickles
_SUMS = "SHA256SUMS"

_log = logging.getLogger(__name__)


def hub_names(role: str) -> list[str]:
    """Names of the models with a role."""
    return [name for name, model in HUB.items() if model.role == role]


def model_type(folder: Path) -> str | None:
    """The model type in a folder's config.json; None if it names none."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return config.get("model_type") if isinstance(config, dict) else None


def find_hub_model(name: str) -> Path | None:
    """The folder of a model, in the first search folder that contains it."""
    for folder in weights.search_folders():
        if (folder / name / "config.json").is_file() and any((folder / name).glob("*.safetensors")):
            return folder / name
    return None


def require_hub_model(name: str) -> Path:
    """
    Raises:
        WeightsError: it is not on this machine.
    """
    folder = find_hub_model(name)
    if folder is None:
        raise WeightsError(
            f"{name}: its weights are not on this machine; run 'vidstyle models fetch {name}', or "
            f"copy {HUB[name].repository} from huggingface.co into a folder {name} of "
            "VIDSTYLE_MODEL_PATH"
        )
    return folder


def fetch_hub_model(name: str, to: Path) -> Path:
    """Fetch a model into ``to / name``, unless it is already there and intact.

    The hub's own library downloads and verifies it, through ``HF_ENDPOINT`` if a studio has a
    mirror, and with the token of ``hf auth login`` or ``HF_TOKEN`` for gated models. Publishers may
    change their files, so the checksums of the downloaded ones are stored beside them.

    Raises:
        WeightsError: it cannot be fetched, or the folder cannot be written.
        UsageError: the hub's library is not installed.
    """
    target, model = to / name, HUB[name]
    if (target / _SUMS).is_file():
        try:
            verify_hub_model(target)
        except WeightsError as error:
            _log.warning("%s; fetching it again", error)
        else:
            _log.info("%s: already there", target)
            return target
    _log.info("downloading %s (%d MB) from the hub", model.repository, model.size / 1e6)
    try:
        with replacing_folder(target) as partial:
            _download(name, partial)
            files = sorted(path for path in partial.iterdir() if path.is_file())
            if not any(path.suffix == ".safetensors" for path in files):
                raise WeightsError(f"{model.repository}: has no weights in safetensors")
            sums = [f"{weights.sha256(path)}  {path.name}\n" for path in files]
            (partial / _SUMS).write_text("".join(sums), encoding="utf-8")
    except MediaError as error:
        raise WeightsError(str(error)) from None
    return target


def _download(name: str, folder: Path) -> None:
    with needs_extra("transformers", f"models fetch {name}"):
        import httpx
        import huggingface_hub as hub
    repository = HUB[name].repository
    try:
        hub.snapshot_download(repository, local_dir=folder, allow_patterns=[*_FILES])
    except hub.errors.GatedRepoError:
        raise WeightsError(
            f"{name}: its publisher asks for consent: accept the licence at "
            f"https://huggingface.co/{repository}, and run 'hf auth login' or set HF_TOKEN"
        ) from None
    except (httpx.HTTPError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(
            f"{name}: {repository} cannot be fetched ({reason[:160]}); check the network, or copy "
            f"it from another machine into a folder {name} of VIDSTYLE_MODEL_PATH"
        ) from None
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def verify_hub_model(folder: Path) -> None:
    """Check a folder against the checksums stored when it was fetched.

    Raises:
        WeightsError: a file differs from the download, or no checksums were stored.
    """
    try:
        lines = (folder / _SUMS).read_text(encoding="utf-8").splitlines()
    except OSError:
        raise WeightsError(f"{folder}: holds no {_SUMS}; it was not fetched by vidstyle") from None
    for digest, _, name in (line.partition("  ") for line in lines):
        path = folder / name
        if not path.is_file() or weights.sha256(path) != digest:
            raise WeightsError(f"{path}: corrupt; delete the folder and fetch it again")
