"""What picture files say of themselves before they are decoded."""

import io

import cv2
import pytest
import skimage.data
from PIL import Image

from vidstyle.errors import MediaError
from vidstyle.media import limits
from vidstyle.media.picture import read_picture
from vidstyle.media.picture_header import is_cut_short, told_size

KINDS = [
    "jpg",
    "png",
    "webp",
    "bmp",
    "ppm",
    "tiff",
    "progressive.jpg",
    "lossless.webp",
    "alpha.webp",
]


def encoded(kind: str) -> bytes:
    picture = Image.fromarray(skimage.data.astronaut()[:100, :150])
    if kind.startswith("alpha"):
        picture.putalpha(picture.convert("L"))
    name, options = kind.split(".")[-1], {}
    if kind.startswith("progressive"):
        options = {"progressive": True}
    if kind.startswith("lossless"):
        options = {"lossless": True}
    content = io.BytesIO()
    picture.save(content, {"jpg": "jpeg"}.get(name, name), **options)
    return content.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_is_told_by_the_header(kind):
    content = encoded(kind)
    assert told_size(content) == (150, 100)
    assert not is_cut_short(content)
    for length in (0, 1, 9, 20):
        told_size(content[:length])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_what_breaks_off_is_refused(tmp_path, kind, share):
    if kind == "tiff":
        pytest.importorskip("OpenImageIO")
    content, path = encoded(kind), tmp_path / f"cut.{kind}"
    path.write_bytes(content)
    assert read_picture(path).pixels.shape == (100, 150, 3)
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(MediaError, match="cut"):
        read_picture(path)


def test_what_follows_a_jpeg_or_lies_within_its_tags_is_not_its_end():
    """Phones put a video behind the picture, and a thumbnail before it."""
    thumbnail = encoded("jpg")
    exif = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    content = encoded("jpg")
    content = content[:2] + exif + content[2:]
    assert told_size(content) == (150, 100)
    assert not is_cut_short(content + b"ftypmp42" * 99)
    assert is_cut_short(content[: len(exif) + 900])


@pytest.mark.parametrize("kind", KINDS)
def test_large_pictures_are_refused_before_they_are_decoded(tmp_path, kind, monkeypatch):
    monkeypatch.setenv(limits.VARIABLE, "14999")
    monkeypatch.setattr(cv2, "imdecode", None)
    path = tmp_path / f"large.{kind}"
    path.write_bytes(encoded(kind))
    with pytest.raises(MediaError, match="150x100 pixels are more than the 14999"):
        read_picture(path)
