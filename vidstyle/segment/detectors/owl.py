"""OWLv2 (Minderer et al., NeurIPS 2023) via ``transformers``."""

from collections.abc import Sequence

from transformers import Owlv2ForObjectDetection, Owlv2Processor

from vidstyle.segment.clip import Image
from vidstyle.segment.detectors.open_vocabulary import Found, OpenVocabulary


class Owl(OpenVocabulary):
    """An open-vocabulary ``Detector``: ``google/owlv2-base-patch16-ensemble``."""

    name = "owlv2"
    title = "OWLv2"
    classes = (Owlv2ForObjectDetection, Owlv2Processor)
    threshold, faint = 0.2, 0.05

    def _found(self, image: Image, names: Sequence[str], least: float) -> Found:
        queries = [f"a photo of a {name}" for name in names]
        inputs = self._processor(text=[queries], images=image, return_tensors="pt")
        outputs = self._model(**inputs.to(self._model.device))
        (found,) = self._processor.post_process_grounded_object_detection(
            outputs, threshold=least, target_sizes=[image.shape[:2]]
        )
        return Found(found["boxes"], found["scores"], found["labels"])
