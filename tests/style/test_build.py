"""Models whose files claim what they should not."""

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from vidstyle.errors import WeightsError
from vidstyle.style.build import build_network


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


@pytest.fixture
def changed(model: Path) -> Callable[[str, str], Path]:
    """The model with a line of its config.toml told otherwise."""

    def change(name: str, value: str) -> Path:
        config = model / "config.toml"
        text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", config.read_text())
        assert count == 1
        config.write_text(text)
        return model

    return change


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("depth", "[1000000, 1, 1, 1]"),
        ("depth", "[-1, 1, 1, 1]"),
        ("depth", "[1, 1, 1]"),
        ("depth", '["a", 1, 1, 1]'),
        ("features", "1000000000000"),
        ("coarse", "65536"),
        ("brush", "-3"),
        ("attention", "99999"),
        ("encoder", "[]"),
        ("ridge", '"0.1"'),
        ("ridge", "nan"),
        ("ridge", "true"),
        ("ridge", "0"),
    ],
)
def test_what_the_weights_do_not_bear_out_is_refused_at_once(changed, name, value) -> None:
    folder = changed(name, value)
    with pytest.raises(WeightsError, match=f"^{re.escape(str(folder))}: not a style model"):
        build_network(str(folder))


def test_weights_that_are_no_numbers_are_refused(model: Path, changed) -> None:
    path = model / "weights.safetensors"
    tensors = safetensors.torch.load_file(path)
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    tensors[name].view(-1)[0] = torch.nan
    safetensors.torch.save_file(tensors, path)
    changed("sha256", f'"{hashlib.sha256(path.read_bytes()).hexdigest()}"')
    with pytest.raises(WeightsError, match=f"{name} contains NaN or infinity; restore or train"):
        build_network(str(model))
