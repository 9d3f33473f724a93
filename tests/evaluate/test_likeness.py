"""SSIM and LPIPS against the packages that others use."""

import warnings
from pathlib import Path

import lpips
import numpy as np
import pytest
import skimage.data
import torch
import torchvision
from skimage.metrics import structural_similarity
from torch import Tensor

from vidstyle.errors import WeightsError
from vidstyle.evaluate.likeness import PerceptualDistance, build_lpips
from vidstyle.evaluate.metrics import masked_mean
from vidstyle.evaluate.structure import ssim_map
from vidstyle.models import weights


@pytest.fixture(scope="module")
def plate() -> Tensor:
    """A cat, (1, 3, 96, 128) in [0, 1]."""
    cat = torch.from_numpy(skimage.data.chelsea()[100:196, 150:278].copy())
    return cat.movedim(-1, 0)[None].float() / 255


@pytest.fixture(scope="module")
def result(plate: Tensor) -> Tensor:
    """The left half blurred, the right half noisy."""
    blurred = torch.nn.functional.avg_pool2d(plate, 5, 1, 2)
    noise = 0.1 * torch.randn(plate.shape, generator=torch.Generator().manual_seed(0))
    noisy = (plate + noise).clamp(0, 1)
    return torch.cat([blurred[..., :64], noisy[..., 64:]], dim=-1)


def test_ssim_is_scikit_images_and_torchmetrics(plate: Tensor, result: Tensor) -> None:
    values, whole = ssim_map(result, plate)
    ours = masked_mean(values, whole).item()
    theirs = structural_similarity(
        result[0].double().numpy(),
        plate[0].double().numpy(),
        channel_axis=0,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ours == pytest.approx(theirs, abs=1e-4)
    metrics = pytest.importorskip("torchmetrics.functional.image")
    _, full = metrics.structural_similarity_index_measure(
        result, plate, data_range=1.0, return_full_image=True
    )
    # Its own mean takes in the border, where it repeats the picture backwards.
    assert ours == pytest.approx(full[..., 5:-5, 5:-5].mean().item(), abs=1e-4)
    assert 0.3 < ours < 0.9


def test_ssim_of_flat_pictures_is_its_luminance_term() -> None:
    light, dark = torch.full((1, 3, 16, 16), 0.6), torch.full((1, 3, 16, 16), 0.3)
    expected = (2 * 0.6 * 0.3 + 1e-4) / (0.6**2 + 0.3**2 + 1e-4)
    values, whole = ssim_map(light, dark)
    assert masked_mean(values, whole).item() == pytest.approx(expected, abs=1e-4)


def test_ssim_has_a_place(plate: Tensor, result: Tensor) -> None:
    mixed = torch.cat([plate[..., :64], result[..., 64:]], dim=-1)
    values, _ = ssim_map(mixed, plate)
    assert values.shape == (1, 1, 96, 128)
    assert values[..., 10:50].mean() == pytest.approx(1, abs=1e-6)
    assert values[..., 80:].mean() < 0.9


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The features of an AlexNet that has learned nothing, as torchvision stores them."""
    torch.manual_seed(0)
    tensors = torchvision.models.AlexNet().state_dict()
    path = tmp_path_factory.mktemp("weights") / "alexnet.pth"
    torch.save({key: value for key, value in tensors.items() if "features" in key}, path)
    return path


def test_lpips_is_the_packages(plate: Tensor, result: Tensor, backbone: Path) -> None:
    ours = PerceptualDistance("alexnet", backbone, torch.device("cpu"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    numbers = sorted(int(key.split(".")[1]) for key in theirs.net.state_dict() if "bias" in key)
    features = torch.load(backbone, weights_only=True)
    for number, part in zip(numbers, range(1, 6), strict=True):
        convolution = getattr(theirs.net, f"slice{part}").get_submodule(str(number))
        for name, parameter in convolution.named_parameters():
            parameter.data.copy_(features[f"features.{number}.{name}"])
    expected = theirs(2 * result - 1, 2 * plate - 1).item()
    distance = ours(result, plate)
    assert distance.shape == (1, 1, 96, 128)
    # Each layer's map is spread over the frame: its mean differs a little from the layer's own.
    assert distance.mean().item() == pytest.approx(expected, rel=0.05)
    assert ours(plate, plate).abs().max() == 0


def test_lpips_of_other_weights(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"features.0.weight": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=r"other\.pth: not torchvision's alexnet"):
        PerceptualDistance("alexnet", path, torch.device("cpu"))


def test_without_weights_lpips_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find", lambda _: None)
    missing = build_lpips((96, 128), torch.device("cpu"))
    assert "vidstyle models fetch alexnet" in str(missing)
    assert "too small" in str(build_lpips((32, 128), torch.device("cpu")))


def test_a_mean_over_equal_pictures_is_one(plate: Tensor) -> None:
    values, whole = ssim_map(plate, plate)
    assert np.isclose(masked_mean(values, whole).item(), 1)
