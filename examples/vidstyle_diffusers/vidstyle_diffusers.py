"""Image-to-image diffusion as a style model: ``--style`` names a TOML file with the prompt."""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import AutoPipelineForImage2Image
from torch import Tensor

from vidstyle.errors import MediaError, WeightsError
from vidstyle.style.model import Sample


@dataclass(frozen=True)
class Wanted:
    """A style file.

    Attributes:
        pipeline: its folder.
        change: how far pictures may go from the plate, above 0, at most 1.
        steps: of the whole way; ``change`` of them are taken.
        guidance: how strictly the prompt is followed.
        seed: of the noise, the same in every frame.
    """

    pipeline: str
    prompt: str
    change: float = 0.4
    steps: int = 20
    guidance: float = 7.5
    seed: int = 0

    @classmethod
    def read(cls, path: Path) -> "Wanted":
        """
        Raises:
            MediaError: the file is missing, or says what is not valid.
        """
        try:
            wanted = cls(**tomllib.loads(path.read_text(encoding="utf-8")))
            possible = 0 < wanted.change <= 1 and wanted.steps * wanted.change >= 1
        except (OSError, ValueError, TypeError) as error:
            raise MediaError(
                f"--style {path}: not a style file ({error}); see the README"
            ) from None
        if not possible:
            raise MediaError(
                f"--style {path}: change {wanted.change} of {wanted.steps} steps is none; give more"
            )
        return wanted


@dataclass(frozen=True)
class Ready:
    """A pipeline on its device, and what is wanted of it."""

    pipeline: Any
    wanted: Wanted


class Diffusion:
    """Runs every frame through a pipeline, from the same noise."""

    #: Pixels to the coarsest cell of Stable Diffusion's U-Net.
    grid = 64
    margin = 32
    passes = 0

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def read_style(self, path: Path, picture: Callable[[], Tensor]) -> Ready:  # noqa: ARG002
        """A style file and its pipeline.

        Raises:
            MediaError: see :meth:`Wanted.read`.
            WeightsError: the pipeline cannot be loaded.
        """
        wanted = Wanted.read(path)
        return Ready(self._pipeline(wanted), wanted)

    def _pipeline(self, wanted: Wanted) -> Any:
        kind = torch.float16 if self.device.type == "cuda" else torch.float32
        try:
            pipeline = AutoPipelineForImage2Image.from_pretrained(
                wanted.pipeline, torch_dtype=kind, local_files_only=True
            )
        except (OSError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise WeightsError(
                f"{wanted.pipeline}: no pipeline that can be loaded ({reason})"
            ) from None
        pipeline.set_progress_bar_config(disable=True)
        return pipeline.to(self.device)

    def transfer(self, samples: Callable[[], Iterable[Sample]], style: Ready) -> Ready:  # noqa: ARG002
        """See :class:`~vidstyle.style.model.StyleModel`."""
        return style

    def save(self, frozen: Ready) -> dict[str, Tensor]:
        """See :class:`~vidstyle.style.model.StyleModel`. A pipeline is too large to be handed
        around: what is saved is its folder, which all machines must see under the same name."""
        text = json.dumps(asdict(frozen.wanted)).encode()
        return {"wanted": torch.frombuffer(bytearray(text), dtype=torch.uint8)}

    def load(self, tensors: Mapping[str, Tensor]) -> Ready:
        """See :class:`~vidstyle.style.model.StyleModel`.

        Raises:
            WeightsError: the pipeline is not on this machine.
        """
        wanted = Wanted(**json.loads(bytes(tensors["wanted"].tolist())))
        return Ready(self._pipeline(wanted), wanted)

    @torch.inference_mode()
    def __call__(self, images: Tensor, transfer: Ready, strength: float = 1.0) -> Tensor:
        """See :class:`~vidstyle.style.model.StyleModel`."""
        if strength == 0:
            return images
        height, width = images.shape[-2:]
        padded = F.pad(images, (0, -width % self.grid, 0, -height % self.grid), mode="replicate")
        wanted = transfer.wanted
        styled = [self._one(transfer.pipeline, wanted, plate[None]) for plate in padded]
        result = torch.cat(styled)[..., :height, :width].to(images)
        return torch.lerp(images, result, strength)

    def _one(self, pipeline: Any, wanted: Wanted, plate: Tensor) -> Tensor:
        done: Tensor = pipeline(
            prompt=wanted.prompt,
            image=plate,
            strength=wanted.change,
            num_inference_steps=wanted.steps,
            guidance_scale=wanted.guidance,
            generator=torch.Generator().manual_seed(wanted.seed),
            output_type="pt",
        ).images
        return done.clamp(0, 1)


def build(device: torch.device) -> Diffusion:
    """The entry point."""
    return Diffusion(device)
