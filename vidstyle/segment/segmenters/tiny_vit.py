"""MobileSAM's image encoder: TinyViT (Wu et al., ECCV 2022) with SAM's neck (Zhang et al. 2023).

Modules are named as in the authors' checkpoint, ``mobile_sam.pt``.
"""

import torch.nn.functional as F
from segment_anything.modeling.common import LayerNorm2d
from torch import Tensor, arange, nn, zeros

_WIDTHS = (64, 128, 160, 320)
_DEPTHS = (2, 2, 6, 2)
_WINDOWS = (7, 7, 14, 7)  # features a side, within which attention is
_STRIDES = (2, 2, 1)  # from one stage to the next; the last two work at the neck's scale
_HEAD = 32  # channels of an attention head
_EXPANSION = 4  # of channels, inside a block
_FEATURES = 256


class TinyVit(nn.Module):
    """Maps a picture preprocessed by ``segment_anything``, (1, 3, ``img_size``, ``img_size``), to
    its features (1, 256, ``img_size`` / 16, ``img_size`` / 16)."""

    img_size = 1024

    def __init__(self) -> None:
        super().__init__()
        self.patch_embed = _Embedding(_WIDTHS[0])
        stages: list[nn.Module] = [_Stage(0, _Convolutions)]
        stages += [_Stage(stage, _Block) for stage in range(1, len(_WIDTHS))]
        self.layers = nn.Sequential(*stages)
        self.neck = nn.Sequential(
            nn.Conv2d(_WIDTHS[-1], _FEATURES, 1, bias=False),
            LayerNorm2d(_FEATURES),
            nn.Conv2d(_FEATURES, _FEATURES, 3, padding=1, bias=False),
            LayerNorm2d(_FEATURES),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        features: Tensor = self.neck(self.layers(self.patch_embed(pictures)))
        return features


class _Normed(nn.Sequential):
    """A convolution with batch normalisation."""

    def __init__(self, inputs: int, outputs: int, side: int, stride: int = 1, groups: int = 1):
        super().__init__()
        conv = nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups, bias=False)
        self.add_module("c", conv)
        self.add_module("bn", nn.BatchNorm2d(outputs))


class _Embedding(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.seq = nn.Sequential(
            _Normed(3, width // 2, 3, 2), nn.GELU(), _Normed(width // 2, width, 3, 2)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        features: Tensor = self.seq(pictures)
        return features


class _Convolutions(nn.Module):
    """An inverted residual block (Sandler et al. 2018)."""

    def __init__(self, stage: int) -> None:
        super().__init__()
        width = _WIDTHS[stage]
        inner = _EXPANSION * width
        self.conv1 = _Normed(width, inner, 1)
        self.conv2 = _Normed(inner, inner, 3, groups=inner)
        self.conv3 = _Normed(inner, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        inner = F.gelu(self.conv2(F.gelu(self.conv1(features))))
        return F.gelu(features + self.conv3(inner))


class _Merging(nn.Module):
    """From one stage's width and scale to the next one's."""

    def __init__(self, stage: int) -> None:
        super().__init__()
        before, width = _WIDTHS[stage : stage + 2]
        self.conv1 = _Normed(before, width, 1)
        self.conv2 = _Normed(width, width, 3, _STRIDES[stage], groups=width)
        self.conv3 = _Normed(width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        merged: Tensor = self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(features)))))
        return merged


class _Attention(nn.Module):
    """Attention among the features of a window, (N, side², C)."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self._side, self._heads = side, width // _HEAD
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        #: One for each distance, across and down.
        self.attention_biases = nn.Parameter(zeros(self._heads, side * side))

    def forward(self, windows: Tensor) -> Tensor:
        count, features, width = windows.shape
        mixed = self.qkv(self.norm(windows)).view(count, features, self._heads, -1)
        query, key, value = mixed.transpose(1, 2).split(_HEAD, -1)
        seen = F.scaled_dot_product_attention(query, key, value, self.biases())
        attended: Tensor = self.proj(seen.transpose(1, 2).reshape(count, features, width))
        return attended

    def biases(self) -> Tensor:
        """For each pair of features, (heads, side², side²)."""
        place = arange(self._side, device=self.attention_biases.device)
        apart = (place[:, None] - place).abs()
        distances = self._side * apart[:, None, :, None] + apart[None, :, None, :]
        return self.attention_biases[:, distances.flatten(0, 1).flatten(1)]


class _Perceptron(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, _EXPANSION * width)
        self.fc2 = nn.Linear(_EXPANSION * width, width)

    def forward(self, features: Tensor) -> Tensor:
        mixed: Tensor = self.fc2(F.gelu(self.fc1(self.norm(features))))
        return mixed


class _Block(nn.Module):
    """Attention in windows, a convolution across their borders, and a perceptron."""

    def __init__(self, stage: int) -> None:
        super().__init__()
        width, self._side = _WIDTHS[stage], _WINDOWS[stage]
        self.attn = _Attention(width, self._side)
        self.local_conv = _Normed(width, width, 3, groups=width)
        self.mlp = _Perceptron(width)

    def forward(self, features: Tensor) -> Tensor:
        features = self.local_conv(features + self._attended(features))
        mixed: Tensor = self.mlp(features.movedim(1, -1))
        return features + mixed.movedim(-1, 1)

    def _attended(self, features: Tensor) -> Tensor:
        """(N, C, H, W); windows that reach beyond the border are filled up with zeros."""
        side, (count, width, *size) = self._side, features.shape
        right, below = (-length % side for length in (size[1], size[0]))
        padded = F.pad(features.movedim(1, -1), (0, 0, 0, right, 0, below))
        down, across = padded.shape[1] // side, padded.shape[2] // side
        split = padded.view(count, down, side, across, side, width).transpose(2, 3)
        seen: Tensor = self.attn(split.reshape(-1, side * side, width))
        whole = seen.view_as(split).transpose(2, 3).reshape(padded.shape)
        return whole[:, : size[0], : size[1]].movedim(-1, 1)


class _Stage(nn.Module):
    def __init__(self, stage: int, block: type[_Convolutions] | type[_Block]) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(block(stage) for _ in range(_DEPTHS[stage])))
        last = stage == len(_WIDTHS) - 1
        self.downsample: nn.Module = nn.Identity() if last else _Merging(stage)

    def forward(self, features: Tensor) -> Tensor:
        scaled: Tensor = self.downsample(self.blocks(features))
        return scaled
