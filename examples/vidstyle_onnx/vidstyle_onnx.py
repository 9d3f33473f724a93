"""Networks of one style each, in ONNX, as a style model: ``--style`` names the network."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.errors import DeviceError, MediaError
from vidstyle.style.model import Sample

_SIDES = (2, 3)  # axes of height and width


@dataclass(frozen=True)
class Network:
    """A network that is ready to run.

    Attributes:
        scale: the value that it has for white.
        content: of its file.
    """

    session: onnxruntime.InferenceSession
    scale: float
    content: bytes = field(repr=False)


class OnnxStyles:
    """Runs a frame through the network of its style; there is nothing to freeze for a shot."""

    #: Networks of this kind halve their pictures twice.
    grid = 4
    margin = 64
    passes = 0

    def __init__(self, device: torch.device) -> None:
        """
        Raises:
            DeviceError: onnxruntime cannot run there.
        """
        providers = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
        wanted = providers.get(device.type)
        if wanted not in onnxruntime.get_available_providers():
            raise DeviceError(
                f"--device {device}: this onnxruntime runs on the CPU only; install "
                "onnxruntime-gpu, or use --device cpu"
            )
        self.device = device
        self._provider = (wanted, {"device_id": device.index or 0}) if device.index else wanted

    def read_style(self, path: Path, picture: Callable[[], Tensor]) -> Network:  # noqa: ARG002
        """A network from its file.

        Raises:
            MediaError: the file is no such network.
        """
        try:
            network = self._network(path.read_bytes())
        except Exception as error:
            # onnxruntime's exceptions share no base but this one.
            reason = str(error).partition("\n")[0]
            raise MediaError(f"--style {path}: not a network in ONNX ({reason})") from None
        shapes = [
            tuple(end.shape)
            for end in (*network.session.get_inputs(), *network.session.get_outputs())
        ]
        if len(shapes) != 2 or any(len(shape) != 4 for shape in shapes):
            raise MediaError(f"--style {path}: a network of one picture in and one out is needed")
        if any(isinstance(shapes[0][axis], int) for axis in _SIDES):
            raise MediaError(
                f"--style {path}: takes pictures of {shapes[0][3]}x{shapes[0][2]} only; export it "
                "with dynamic height and width"
            )
        return network

    def _network(self, content: bytes) -> Network:
        session = onnxruntime.InferenceSession(content, providers=[self._provider])
        scale = session.get_modelmeta().custom_metadata_map.get("scale", "255")
        return Network(session, float(scale), content)

    def transfer(self, samples: Callable[[], Iterable[Sample]], style: Network) -> Network:  # noqa: ARG002
        """See :class:`~vidstyle.style.model.StyleModel`."""
        return style

    def save(self, frozen: Network) -> dict[str, Tensor]:
        """See :class:`~vidstyle.style.model.StyleModel`: the network itself, which is small."""
        return {"network": torch.frombuffer(bytearray(frozen.content), dtype=torch.uint8)}

    def load(self, tensors: Mapping[str, Tensor]) -> Network:
        """See :class:`~vidstyle.style.model.StyleModel`."""
        return self._network(tensors["network"].numpy().tobytes())

    def __call__(self, images: Tensor, transfer: Network, strength: float = 1.0) -> Tensor:
        """See :class:`~vidstyle.style.model.StyleModel`."""
        height, width = images.shape[-2:]
        right, below = -width % self.grid, -height % self.grid
        padded = F.pad(images, (0, right, 0, below), mode="replicate").cpu().numpy()
        (name,) = (end.name for end in transfer.session.get_inputs())
        styled = [
            transfer.session.run(None, {name: padded[n : n + 1] * np.float32(transfer.scale)})[0]
            for n in range(len(padded))
        ]
        result = torch.from_numpy(np.concatenate(styled)) / transfer.scale
        result = result[..., :height, :width].clamp(0, 1).to(images)
        return torch.lerp(images, result, strength)


def build(device: torch.device) -> OnnxStyles:
    """The entry point."""
    return OnnxStyles(device)
