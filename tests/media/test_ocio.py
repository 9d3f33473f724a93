"""Colour spaces by name."""

import sys

import numpy as np
import pytest

from vidstyle.errors import UsageError
from vidstyle.media.ocio import Config

pytest.importorskip("PyOpenColorIO")


@pytest.fixture
def config(monkeypatch) -> Config:
    monkeypatch.delenv("OCIO", raising=False)
    return Config()


def test_names_aliases_and_roles(config):
    assert config.space("acescg") == config.space("scene_linear") == "ACEScg"
    assert config.pair_named("ACEScg:sRGB - Display") == ("ACEScg", "sRGB - Display")
    assert config.pair_named("ACEScct") == ("ACEScct", None)
    assert config.is_linear("ACES2065-1")
    assert not config.is_linear("ACEScct")
    assert config.is_viewable("Rec.1886 Rec.709 - Display")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ACESgc", r"--colorspace ACESgc: no such colour space in ocio://.*; nearest: ACEScg"),
        ("ACEScg:srgb_dsplay", "--colorspace srgb_dsplay: .*nearest: srgb_display"),
        ("qqqq:ACEScg", "--colorspace qqqq: .*; look into the config"),
    ],
)
def test_a_wrong_name_lists_the_nearest(config, text, message):
    with pytest.raises(UsageError, match=message):
        config.pair_named(text)


def test_files_tell_their_space_or_the_rules_do(config):
    assert config.space_of_file("a.exr", "lin_ap1_scene") == "ACEScg"
    assert config.space_of_file("a.exr", "no such") == "ACES2065-1"
    assert config.space_of_file("a.exr", None) == "ACES2065-1"


def test_the_view_and_its_inverse(config):
    grey = np.array([[0.18] * 3, [2.0] * 3], np.float32)
    look = config.looked_at("ACEScg")
    seen = look.to(grey)
    assert 0.3 < seen[0, 0] < 0.5 < seen[1, 0] < 1
    assert np.allclose(look.back(seen), grey, rtol=1e-3)
    assert grey[0, 0] == np.float32(0.18), "given colours are not changed in place"
    display = config.between("ACEScg", config.view_space())
    assert display(grey).shape == grey.shape


def test_a_config_that_cannot_be_read(monkeypatch, tmp_path):
    monkeypatch.setenv("OCIO", str(tmp_path / "none.ocio"))
    with pytest.raises(UsageError, match=r"OCIO=.*none\.ocio: not a readable colour config"):
        Config()


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "PyOpenColorIO", None)
    with pytest.raises(UsageError, match=r"need OpenColorIO; .*vidstyle\[post\]"):
        Config()
