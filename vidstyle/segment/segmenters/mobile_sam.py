"""MobileSAM (Zhang et al. 2023): Segment Anything with a small image encoder."""

from pathlib import Path

import torch
from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

from vidstyle.errors import WeightsError
from vidstyle.models.weights import load_tensors
from vidstyle.segment.segmenters.onnx_encoder import OnnxEncoder

_FEATURES = 256  # channels of the encoder's features
_STRIDE = 16  # picture pixels per feature


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
    side = OnnxEncoder.img_size // _STRIDE
    model = Sam(
        OnnxEncoder(encoder, device),
        PromptEncoder(_FEATURES, (side, side), (OnnxEncoder.img_size,) * 2, mask_in_chans=16),
        MaskDecoder(
            transformer_dim=_FEATURES,
            transformer=TwoWayTransformer(
                depth=2, embedding_dim=_FEATURES, num_heads=8, mlp_dim=2048
            ),
        ),
    )
    try:
        model.load_state_dict(load_tensors(decoder))
    except RuntimeError:
        raise WeightsError(f"{decoder}: these are no weights of MobileSAM's decoder") from None
    return model.eval().to(device)
