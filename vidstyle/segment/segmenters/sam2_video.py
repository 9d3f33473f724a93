"""Segment Anything 2 with its memory: it tracks what it has cut out."""

from pathlib import Path

import torch
from transformers import Sam2Model, Sam2Processor, Sam2VideoModel, Sam2VideoProcessor

from vidstyle.models.hub import model_type
from vidstyle.segment.segmenters.pretrained import load_pretrained
from vidstyle.segment.segmenters.sam2 import Sam2
from vidstyle.segment.tracking.memory import MemoryTracker

_TYPE = "sam2_video"


class Sam2Video(Sam2):
    """A ``Segmenter`` by the second model, whose memory then carries the mattes in place of
    ``Tracker`` (see ``Remembering``).

    Args:
        model, processor: what cuts out; on its device.
        video, video_processor: what tracks, likewise.
    """

    name = "sam2-video"
    # It has nothing to better in what it has tracked itself.
    renews = False

    def __init__(
        self,
        model: Sam2Model,
        processor: Sam2Processor,
        video: Sam2VideoModel,
        video_processor: Sam2VideoProcessor,
    ) -> None:
        super().__init__(model, processor)
        # The encoder is most of either model, and the same in both.
        video.vision_encoder = model.vision_encoder
        self._video, self._video_processor = video.eval(), video_processor

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> "Sam2Video":
        """A model in a folder as its authors publish it (``facebook/sam2.1-hiera-tiny``). Nothing
        is downloaded.

        Raises:
            WeightsError: the folder holds no such model.
        """
        files = "its config.json, model.safetensors and processor files"
        model, processor = load_pretrained(folder, "SAM 2", files, Sam2Model, Sam2Processor)
        video, video_processor = load_pretrained(
            folder, "SAM 2 video", files, Sam2VideoModel, Sam2VideoProcessor
        )
        return cls(model.to(device), processor, video.to(device), video_processor)

    def tracker(self) -> MemoryTracker:
        """See ``Remembering``."""
        return MemoryTracker(self._video, self._video_processor)


def is_video_model(folder: Path) -> bool:
    """Whether a folder says that its model tracks, too."""
    return model_type(folder) == _TYPE
