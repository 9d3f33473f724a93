"""Clips whose true mattes are known: a photographed face moving over another photograph."""

from collections.abc import Callable, Collection, Iterator, Sequence
from fractions import Fraction
from functools import partial

import cv2
import numpy as np
import pytest
import segment_anything
import skimage.data
import torch
from photographs import astronaut
from scenes import Layer, Scene
from scenes import similarity as placed
from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    TwoWayTransformer,
)

from vidstyle.media.frame import Frame
from vidstyle.models.weights import find
from vidstyle.segment.detectors.coco import NAMES
from vidstyle.segment.detectors.detector import Detection
from vidstyle.segment.detectors.vocabulary import name_for
from vidstyle.segment.mattes.store import bounding_box
from vidstyle.segment.people.networks import PersonNetworks
from vidstyle.segment.segmenters.segmenter import Segmenter, build_segmenter


class ArrayClip:
    """Pictures in memory as a clip; ``truth`` holds the object's true matte of each. Frames whose
    numbers are in ``missing`` cannot be decoded."""

    def __init__(
        self,
        images: Sequence[np.ndarray],
        truth: Sequence[np.ndarray],
        missing: Collection[int] = (),
    ) -> None:
        self.images, self.truth, self.missing = images, truth, missing
        self.count, self.size = len(images), images[0].shape[:2]
        self.reads: list[tuple[int, int]] = []

    def frames(self, start: int, stop: int | None) -> Iterator[Frame]:
        stop = self.count if stop is None else stop
        self.reads.append((start, stop))
        for i in (i for i in range(start, stop) if i not in self.missing):
            yield Frame(torch.from_numpy(self.images[i]), i, i, Fraction(1, 24))


def moving_photo(count: int, size: tuple[int, int] = (180, 270), speed: float = 4.0) -> ArrayClip:
    """The astronaut's head and shoulders, cut out as an ellipse, moving over a cup of coffee."""
    height, width = size
    backdrop = cv2.resize(skimage.data.coffee(), (width, height), interpolation=cv2.INTER_AREA)
    side = height // 2
    cutout = cv2.resize(skimage.data.astronaut()[:300, 80:380], (side, side))
    shape = np.zeros((side, side), np.uint8)
    cv2.ellipse(shape, (side // 2, side // 2), (side // 3, side // 2 - 2), 0, 0, 360, 255, -1)
    images, truth = [], []
    for i in range(count):
        angle, x = 2.0 * np.sin(i / 3), width * 0.1 + speed * i
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), angle, 1.0)
        turn[:, 2] += x, height * 0.3 + 3 * np.sin(i / 2)
        object_, matte = (cv2.warpAffine(a, turn, (width, height)) for a in (cutout, shape))
        alpha = matte[..., None] / 255.0
        images.append(np.rint(backdrop * (1 - alpha) + object_ * alpha).astype(np.uint8))
        truth.append(matte)
    return ArrayClip(images, truth)


def similarity(matte: np.ndarray, truth: np.ndarray) -> float:
    """Region similarity J: intersection over union."""
    a, b = matte > 127, truth > 127
    return float((a & b).sum() / max((a | b).sum(), 1))


class SeeingDetector:
    """A ``Detector`` that answers with the true box of every person of whom enough is seen.

    It knows a picture by its content, as a detector does.

    Args:
        clips: the same pictures, each with another person's mattes.
    """

    name = "fake"

    def __init__(self, *clips: ArrayClip) -> None:
        self._mattes: dict[bytes, list[np.ndarray]] = {}
        for clip in clips:
            for image, truth in zip(clip.images, clip.truth, strict=True):
                self._mattes.setdefault(image.tobytes(), []).append(np.where(truth > 127, truth, 0))

    def name_of(self, word: str) -> str:
        return name_for(word, NAMES)

    def detect(
        self,
        image: np.ndarray,
        names: Sequence[str] = (),  # noqa: ARG002
        faint: bool = False,  # noqa: ARG002
    ) -> list[Detection]:
        seen = [m for m in self._mattes[image.tobytes()] if (m > 0).mean() > 0.025]
        return [Detection("person", 0.8, bounding_box(matte)) for matte in seen]


Path = Callable[[float], float]


def people(count: int, *paths: Path, size: tuple[int, int] = (180, 320)) -> tuple[ArrayClip, ...]:
    """The astronaut's double in a blue suit, and before her, along the second path, the astronaut;
    a path says where she stands (x) in each frame. One clip for each, with her visible mattes."""
    height, width = size
    coffee = cv2.resize(skimage.data.coffee(), (width, height), interpolation=cv2.INTER_AREA)
    picture, matte = astronaut(0.27)
    side = matte.shape[0]

    def walk(path: Path) -> Callable[[float], np.ndarray]:
        def motion(t: float) -> np.ndarray:
            y, sway = height + 12 + 2 * np.cos(t / 2), 1.5 * np.sin(t / 3)
            return placed(path(t), y, degrees=sway, pivot=(side / 2, side))

        return motion

    looks = [(picture[:, ::-1, ::-1].copy(), matte[:, ::-1].copy()), (picture, matte)]
    layers = [Layer(np.float32(coffee / 255), None, lambda _: np.eye(3))]
    layers += [Layer(*look, walk(path)) for look, path in zip(looks, paths, strict=False)]
    scene = Scene(layers, size)
    images = [np.rint(255 * scene.picture(t)).astype(np.uint8) for t in range(count)]
    mattes = [np.rint(255 * scene.mattes(t)).astype(np.uint8) for t in range(count)]
    return tuple(ArrayClip(images, [m[i + 1] for m in mattes]) for i in range(len(paths)))


@pytest.fixture(scope="session")
def make_people() -> Callable[..., tuple[ArrayClip, ...]]:
    return people


@pytest.fixture(scope="session")
def seeing() -> type[SeeingDetector]:
    return SeeingDetector


@pytest.fixture(scope="session")
def make_array_clip() -> Callable[[Sequence[np.ndarray]], ArrayClip]:
    """A clip of pictures whose truth nobody asks for."""
    return lambda images: ArrayClip(images, ())


@pytest.fixture(scope="session")
def make_clip() -> Callable[..., ArrayClip]:
    return moving_photo


@pytest.fixture(scope="session")
def score() -> Callable[[np.ndarray, np.ndarray], float]:
    return similarity


@pytest.fixture(scope="session")
def mobile_sam() -> Segmenter:
    """With its real weights."""
    path = find("mobile-sam")
    if path is None:
        pytest.skip("mobile-sam is not fetched (VIDSTYLE_MODEL_PATH)")
    return build_segmenter("mobile-sam", path, torch.device("cpu"))


@pytest.fixture(scope="session")
def photo_clip() -> ArrayClip:
    """Sixteen frames of 180x270."""
    return moving_photo(16)


@pytest.fixture(scope="session")
def two_discs() -> tuple[np.ndarray, ...]:
    """A picture of a red and a blue disc on grass; a matte of each."""
    grain = np.random.default_rng(0).normal(0, 12, (160, 280, 3))
    picture = np.clip(grain + np.array((60, 140, 60)), 0, 255).astype(np.uint8)
    mattes = []
    for x, colour in ((80, (200, 40, 40)), (200, (40, 60, 200))):
        matte = cv2.circle(np.zeros((160, 280), np.uint8), (x, 80), 45, 255, cv2.FILLED)
        picture[matte > 0] = np.clip(grain + colour, 0, 255)[matte > 0]
        mattes.append(matte)
    return picture, *mattes


def build_tiny_sam() -> segment_anything.modeling.Sam:
    """The package's own parts, small, with random weights."""
    torch.manual_seed(0)
    side, patch, width = 128, 16, 32
    grid = (side // patch, side // patch)
    return segment_anything.modeling.Sam(
        ImageEncoderViT(
            img_size=side,
            patch_size=patch,
            embed_dim=32,
            depth=2,
            num_heads=2,
            out_chans=width,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            window_size=4,
            global_attn_indexes=(1,),
        ),
        PromptEncoder(width, grid, (side, side), mask_in_chans=4),
        MaskDecoder(
            transformer_dim=width,
            transformer=TwoWayTransformer(depth=1, embedding_dim=width, num_heads=2, mlp_dim=32),
        ),
    ).eval()


@pytest.fixture(scope="session")
def new_sam() -> Callable[[], segment_anything.modeling.Sam]:
    """Builds the same tiny SAM each time."""
    return build_tiny_sam


@pytest.fixture
def tiny_sam() -> segment_anything.modeling.Sam:
    return build_tiny_sam()


@pytest.fixture(scope="session")
def sam2_settings():
    """``sam2_settings(width)``: what a configuration of SAM 2 is told for a tiny model whose
    pictures have sides of 128 pixels, and whose features have ``width`` channels."""

    def settings(width):
        backbone = {
            "model_type": "sam2_hiera_det_model",
            "hidden_size": 16,
            "image_size": [128, 128],
            "blocks_per_stage": [1, 1, 2, 1],
            "embed_dim_per_stage": [16, 32, 64, 128],
            "num_attention_heads_per_stage": [1, 1, 2, 2],
            "window_size_per_stage": [8, 4, 4, 4],
            "global_attention_blocks": [3],
        }
        return {
            "vision_config": {
                "model_type": "sam2_vision_model",
                "backbone_config": backbone,
                "backbone_channel_list": [128, 64, 32, 16],
                "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
                "fpn_hidden_size": width,
            },
            "prompt_encoder_config": {"hidden_size": width, "image_size": 128, "patch_size": 16},
            "mask_decoder_config": {
                "hidden_size": width,
                "mlp_dim": 32,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "iou_head_hidden_dim": 32,
            },
        }

    return settings


@pytest.fixture(scope="session")
def portrait():
    """The astronaut, and her matte."""
    return skimage.data.astronaut(), np.where(astronaut(1.0)[1] > 0.5, 255, 0)


@pytest.fixture(scope="session")
def person_networks():
    """With their real weights."""
    path = find("mediapipe-person")
    if path is None:
        pytest.skip("mediapipe-person is not fetched (VIDSTYLE_MODEL_PATH)")
    return PersonNetworks(path, path.with_name("selfie_segmentation.tflite"))
