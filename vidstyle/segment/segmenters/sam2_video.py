"""Segment Anything 2 with its memory: it tracks what it has segmented."""

from pathlib import Path

import torch
from transformers import Sam2Model, Sam2Processor, Sam2VideoModel, Sam2VideoProcessor

from vidstyle.models.hub import model_type
from vidstyle.segment.segmenters.pretrained import load_pretrained
from vidstyle.segment.segmenters.sam2 import Sam2
from vidstyle.segment.tracking.memory import MemoryTracker

_TYPE = "sam2_video"


class Sam2Video(Sam2):
    """A ``Segmenter`` backed by SAM 2, whose memory then tracks the mattes instead of ``Tracker``
    (see ``Remembering``).

    Args:
        model, processor: for segmentation; on its device.
        video, video_processor: for tracking, likewise.
    """

    name = "sam2-video"
    # It cannot improve on what it has tracked itself.
    renews = False

    def __init__(
        self,
        model: Sam2Model,
        processor: Sam2Processor,
        video: Sam2VideoModel,
        video_processor: Sam2VideoProcessor,
    ) -> None:
        super().__init__(model, processor)
        # The encoder makes up most of either model, and is the same in both.
        video.vision_encoder = model.vision_encoder
        self._video, self._video_processor = video.eval(), video_processor

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> "Sam2Video":
        """Load a model from a folder laid out as published (``facebook/sam2.1-hiera-tiny``).
        Nothing is downloaded.

        Raises:
            WeightsError: the folder does not contain such a model.
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
    """Whether a folder's config says that its model can also track."""
    return model_type(folder) == _TYPE
