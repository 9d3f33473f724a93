"""How models of other packages are found, and what of theirs may go wrong."""

from importlib.metadata import EntryPoint

import pytest
import torch

from vidstyle.errors import DeviceError, WeightsError
from vidstyle.style import plugins
from vidstyle.style.build import build_style_model, find_plugin, model_identity
from vidstyle.style.stylizer import Stylizer

CPU = torch.device("cpu")


def no_model(device: torch.device) -> object:
    return device


def failing(device: torch.device) -> object:
    raise RuntimeError(f"no\nluck on {device}")


def elsewhere(device: torch.device) -> object:
    raise DeviceError(f"{device}: not here")


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entry points of this file's functions, of a module that is not there, and of a name that
    vidstyle's own model has."""
    targets = {name: f"{__name__}:{name}" for name in ("no_model", "failing", "elsewhere")}
    targets |= {"gone": "no_such_package:build", "micro": f"{__name__}:failing"}
    found = [EntryPoint(name, value, plugins.GROUP) for name, value in targets.items()]
    monkeypatch.setattr(plugins, "entry_points", lambda group: found if group else [])


def test_a_model_that_is_there_goes_before_a_plugin() -> None:
    assert find_plugin("micro") is None
    assert isinstance(build_style_model("micro", CPU), Stylizer)
    assert len(model_identity("micro")) == 64


def test_what_a_plugin_does_wrong_is_told() -> None:
    for name, words in (("no_model", "StyleModel"), ("failing", r"\(no\)"), ("gone", "no_such")):
        with pytest.raises(WeightsError, match=words):
            build_style_model(name, CPU)
    with pytest.raises(DeviceError, match="not here"):
        build_style_model("elsewhere", CPU)
    with pytest.raises(WeightsError, match="plug-ins: elsewhere, failing"):
        build_style_model("unknown", CPU)
