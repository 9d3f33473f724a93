"""Tracking a matte from frame to frame with the memory of a video model: SAM 2."""

from typing import Any

import numpy as np
import torch

from vidstyle.segment.clip import Image
from vidstyle.segment.mattes.store import Matte

_OBJECT = 1  # the only object's id in the session
_KEYS = 4  # latest key frames attended to: cost grows with their number


class MemoryTracker:
    """Tracks an object's matte to the next picture, forwards or backwards in time, with the memory
    of SAM 2 (Ravi et al. 2024): the features of the latest key frames and of the frames just
    before, with their mattes, and object pointers.

    Pictures are streamed: anything beyond the model's reach is dropped, so memory stays bounded,
    and the mattes are the same as when the model sees the whole clip at once.

    Args:
        model: a ``Sam2VideoModel`` in evaluation mode, on its device.
        processor: the model's own.
    """

    def __init__(self, model: Any, processor: Any) -> None:
        self._model, self._processor = model, processor
        self._reach = max(model.config.num_maskmem, model.config.max_object_pointers_in_encoder)
        self._session: Any = None
        self._image: Image | None = None
        self._frame = 0
        self._confidence = 1.0

    @property
    def confidence(self) -> float:
        """Of the latest matte: the model's certainty that the object is visible, times the matte's
        stability when its threshold moves; 1 at a key frame, 0 where nothing is seen. It is not
        calibrated."""
        return self._confidence

    def flows(self, latest: Image, image: Image) -> None:
        """The model does not need motion."""

    @torch.inference_mode()
    def reset(self, image: Image, matte: Matte) -> None:
        """Use a picture (H, W, 3) and the object's matte (H, W) in it as a key frame. Right after
        :meth:`step` with the same picture, earlier frames are kept in memory; otherwise they are
        forgotten."""
        if self._session is None or image is not self._image:
            self._session = self._processor.init_video_session(
                inference_device=self._model.device, dtype=self._model.dtype
            )
            self._image, self._frame = image, 0
            self._session.add_new_frame(self._pixels(image), 0)
        elif self._session.obj_ids:
            # The given matte replaces what was tracked in this frame.
            self._session.frames_tracked_per_obj[0].pop(self._frame, None)
            self._outputs("non_cond_frame_outputs").pop(self._frame, None)
            self._outputs("cond_frame_outputs").pop(self._frame, None)
        self._processor.process_new_mask_for_video_frame(
            self._session, self._frame, [_OBJECT], torch.from_numpy(matte > 127)
        )
        self._model(inference_session=self._session, frame_idx=self._frame)
        self._confidence = 1.0
        self._forget()

    @torch.inference_mode()
    def step(self, image: Image, flows: None = None) -> Matte:  # noqa: ARG002
        """The object's matte (H, W) in the picture after, or before, the latest one; empty if the
        object is not seen.

        Raises:
            RuntimeError: called before ``reset``.
        """
        if self._session is None:
            raise RuntimeError("reset() comes before step()")
        self._image, self._frame = image, self._frame + 1
        output = self._model(
            inference_session=self._session, frame=self._pixels(image), frame_idx=self._frame
        )
        self._forget()
        (logits,) = self._processor.post_process_masks(
            [output.pred_masks.float().cpu()], [image.shape[:2]], binarize=False
        )
        probability = torch.sigmoid(logits[0, 0]).numpy()
        sure, possible = ((probability > least).sum() for least in (0.73, 0.27))  # logits of 1, -1
        seen = float(torch.sigmoid(output.object_score_logits.float()).squeeze())
        self._confidence = seen * float(sure) / max(float(possible), 1.0)
        return np.asarray(np.rint(255 * probability), np.uint8)

    def _pixels(self, image: Image) -> torch.Tensor:
        """A picture as the model expects it, (3, h, w)."""
        inputs = self._processor(images=image, return_tensors="pt")
        pixels: torch.Tensor = inputs.pixel_values[0].to(self._model.device, self._model.dtype)
        return pixels

    def _outputs(self, kind: str) -> dict[int, dict[str, torch.Tensor]]:
        """The session's outputs of one kind, by frame: given mattes or tracked ones."""
        outputs: dict[int, dict[str, torch.Tensor]] = self._session.output_dict_per_obj[0][kind]
        return outputs

    def _forget(self) -> None:
        """Drop what no later frame attends to."""
        session, oldest = self._session, self._frame - self._reach
        tracked, given = (self._outputs(f"{kind}_frame_outputs") for kind in ("non_cond", "cond"))
        for held in (tracked, session.frames_tracked_per_obj[0]):
            for frame in [frame for frame in held if frame < oldest]:
                del held[frame]
        for frame in sorted(given)[:-_KEYS]:
            del given[frame]
        for outputs in (*tracked.values(), *given.values()):
            outputs.pop("high_res_masks", None)  # already encoded into memory, and the largest
        session.mask_inputs_per_obj[0].clear()
        for frame in [frame for frame in session.processed_frames if frame != self._frame]:
            del session.processed_frames[frame]
