"""What an output is remembered to be made of."""

from pathlib import Path

import pytest

from vidstyle.errors import MediaError
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.pipeline.made import fingerprint, identity
from vidstyle.pipeline.preparation import Request


@pytest.mark.parametrize(
    ("spec", "file"),
    [
        ("mask:m.png@3", "m.png"),
        ("mask:m.png#2@3", "m.png"),
        ("mask:x.exr#red@3", "x.exr"),
        ("person+mask:a+b.png", "a+b.png"),
        ("matte:labels/", "labels/a.0001.png"),
        ("matte:labels/#2", "labels/a.0001.png"),
        ("matte:labels/a.####.png#2", "labels/a.0001.png"),
        ("matte:m.mov", "m.mov"),
    ],
)
@pytest.mark.parametrize("excluded", [False, True])
def test_a_retouched_mask_makes_another_request(
    tiny_model: Path, tmp_path, monkeypatch, spec: str, file: str, excluded: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("labels").mkdir()
    Path("clip.mov").touch()
    Path(file).write_bytes(b"mask")
    options = RenderOptions(
        model=str(tiny_model), device="cpu", exclude=(spec,) if excluded else ()
    )
    wanted = StyledObject(None if excluded else spec, None)
    request = Request(source="clip.mov", objects=[wanted], options=options)
    before = fingerprint(request)
    assert fingerprint(request) == before
    Path(file).write_bytes(b"retouched")
    assert fingerprint(request) != before


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    link = tmp_path / "a.0001.png"
    link.symlink_to(tmp_path / "gone.png")
    with pytest.raises(MediaError, match=r"a\.0001\.png: has gone, or is a link to nothing"):
        identity([link])
