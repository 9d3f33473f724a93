"""torchvision's detectors: the real networks, at random weights."""

import numpy as np
import pytest
import torch
from torchvision.models import detection

from vidstyle.errors import ObjectNotFoundError, WeightsError
from vidstyle.segment.detectors.rcnn import VARIANTS, Rcnn


def network(name):
    """The real layers at random weights, for small pictures."""
    torch.manual_seed(1)
    built = VARIANTS[name].build(
        weights=None,
        weights_backbone=None,
        min_size=96,
        max_size=160,
        box_score_thresh=0.0,
        rpn_score_thresh=0.0,
        box_detections_per_img=60,
    )
    # Random layers blow up without running means: let them see one picture.
    for layer in built.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None
    with torch.no_grad():
        built.train().backbone(torch.rand(1, 3, 96, 160))
        # Unsure of every class, so that several are answered.
        built.roi_heads.box_predictor.cls_score.weight *= 1e-2
    return built


@pytest.fixture(scope="module", params=VARIANTS)
def detector(request):
    return Rcnn(request.param, network(request.param), threshold=0.0)


def test_answers_lie_inside_the_picture(detector, photo_clip):
    image = photo_clip.images[3]
    found = detector.detect(image)
    assert found
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)
    for d in found:
        assert 0 <= d.box.x0 < d.box.x1 <= image.shape[1]
        assert 0 <= d.box.y0 < d.box.y1 <= image.shape[0]
        assert detector.name_of(d.name) == d.name


def test_only_mask_rcnn_cuts_out(detector, photo_clip):
    image = photo_clip.images[3]
    mattes = [d.matte for d in detector.detect(image)]
    if detector.name == "maskrcnn-v2":
        assert all(m.shape == image.shape[:2] and m.dtype == np.uint8 for m in mattes)
    else:
        assert mattes == [None] * len(mattes)


def test_names_come_from_the_weights(detector):
    assert [detector.name_of(w) for w in ("Women", "sofas", "hair drier", "bikes")] == [
        "person", "couch", "hair drier", "bicycle",
    ]  # fmt: skip
    with pytest.raises(ObjectNotFoundError, match="giraffe"):
        detector.name_of("giraff")
    for word in ("n/a", "__background__"):
        with pytest.raises(ObjectNotFoundError):
            detector.name_of(word)


def test_unclear_ones_are_dropped(photo_clip):
    strict = Rcnn("fasterrcnn-mobilenet", network("fasterrcnn-mobilenet"), threshold=0.5)
    assert strict.detect(photo_clip.images[3]) == []


def test_weights_are_read_and_others_refused(tmp_path):
    path = tmp_path / "weights.pth"
    saved = network("fasterrcnn-mobilenet")
    torch.save(saved.state_dict(), path)
    loaded = Rcnn.load("fasterrcnn-mobilenet", path, torch.device("cpu"))
    assert torch.equal(
        loaded._network.state_dict()["roi_heads.box_predictor.cls_score.weight"],
        saved.state_dict()["roi_heads.box_predictor.cls_score.weight"],
    )
    torch.save({"layer": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match=r"weights\.pth"):
        Rcnn.load("fasterrcnn-mobilenet", path, torch.device("cpu"))


def test_categories_are_those_of_the_published_weights():
    meta = detection.MaskRCNN_ResNet50_FPN_V2_Weights.DEFAULT.meta
    assert VARIANTS["maskrcnn-v2"].categories == meta["categories"]
