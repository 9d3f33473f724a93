"""MobileSAM (Zhang et al. 2023): Segment Anything with a small image encoder."""

from pathlib import Path

import torch
from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

from vidstyle.errors import WeightsError
from vidstyle.models.weights import load_tensors
from vidstyle.segment.segmenters.onnx_encoder import OnnxEncoder
from vidstyle.segment.segmenters.tiny_vit import TinyVit

_FEATURES = 256  # channels of the encoder's features
_STRIDE = 16  # picture pixels per feature
_CLASSIFIER = ("image_encoder.norm_head.", "image_encoder.head.")


def load_mobile_sam(encoder: Path, decoder: Path, device: torch.device) -> Sam:
    """A ``segment_anything`` model, in evaluation mode, on its device.

    The image encoder (a TinyViT) replaces that package's ViT; MobileSAM shares SAM's prompt
    encoder and mask decoder, so the package's own are used.

    Args:
        encoder: an ONNX file.
        decoder: tensors of prompt encoder and mask decoder, under the package's names.

    Raises:
        WeightsError: a file is missing, damaged, or contains something else.
    """
    model = _with_sams_decoder(OnnxEncoder(encoder, device))
    try:
        model.load_state_dict(load_tensors(decoder))
    except RuntimeError:
        raise WeightsError(f"{decoder}: these are no weights of MobileSAM's decoder") from None
    return model.eval().to(device)


def load_checkpoint(path: Path, device: torch.device) -> Sam:
    """The same from its authors' checkpoint, ``mobile_sam.pt``; all of it runs in PyTorch.

    Raises:
        WeightsError: the file is missing, damaged, or contains something else.
    """
    model = _with_sams_decoder(TinyVit())
    state = load_tensors(path)
    try:
        # TinyViT was trained to classify.
        model.load_state_dict({k: v for k, v in state.items() if not k.startswith(_CLASSIFIER)})
    except RuntimeError:
        raise WeightsError(f"{path}: these are no weights of MobileSAM") from None
    return model.eval().to(device)


def _with_sams_decoder(encoder: OnnxEncoder | TinyVit) -> Sam:
    side = encoder.img_size // _STRIDE
    return Sam(
        encoder,
        PromptEncoder(_FEATURES, (side, side), (encoder.img_size,) * 2, mask_in_chans=16),
        MaskDecoder(
            transformer_dim=_FEATURES,
            transformer=TwoWayTransformer(
                depth=2, embedding_dim=_FEATURES, num_heads=8, mlp_dim=2048
            ),
        ),
    )
