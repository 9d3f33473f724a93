"""DICOM pictures as a viewer shows them, on pydicom's test files."""

from pathlib import Path

import numpy as np
import pytest

from vidstyle.errors import MediaError, UsageError
from vidstyle.still.dicom import NOTE, Window, is_dicom, read_dicom

pydicom = pytest.importorskip("pydicom")


def file(name: str) -> Path:
    from pydicom.data import get_testdata_file

    return Path(get_testdata_file(name, download=False))


def grey(path: Path, window: Window | None = None) -> np.ndarray:
    """(H, W) in [0, 1]."""
    pixels = read_dicom(path, window)[1].image.numpy()
    assert pixels.dtype == np.uint16
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0] / 65535


def changed(name: str, tmp_path: Path, **fields: object) -> Path:
    dataset = pydicom.dcmread(file(name))
    for field, value in fields.items():
        setattr(dataset, field, value)
    path = tmp_path / "changed.dcm"
    dataset.save_as(path)
    return path


def test_the_window_asked_for_is_that_of_the_standard() -> None:
    """PS3.3, C.11.2.1.2.1, equation C.11-1, in Hounsfield units."""
    dataset = pydicom.dcmread(file("CT_small.dcm"))
    units = dataset.pixel_array * dataset.RescaleSlope + dataset.RescaleIntercept
    expected = ((units - (40 - 0.5)) / (400 - 1) + 0.5).clip(0, 1)
    shown = grey(file("CT_small.dcm"), Window(40, 400))
    assert np.abs(shown - expected).max() < 1e-4
    assert ((shown > 0) & (shown < 1)).mean() > 0.1


def test_the_files_own_window_is_honoured(tmp_path: Path) -> None:
    own = grey(changed("CT_small.dcm", tmp_path, WindowCenter=40, WindowWidth=400))
    assert np.array_equal(own, grey(file("CT_small.dcm"), Window(40, 400)))
    # No value reaches the ends of this one: they must not be stretched to black and white.
    wide = grey(file("CT_small.dcm"), Window(0, 20000))
    assert 0.4 < wide.min() < wide.max() < 0.6


def test_without_a_window_all_values_are_shown() -> None:
    shown = grey(file("CT_small.dcm"))
    assert (shown.min(), shown.max()) == (0, 1)


def test_monochrome1_is_turned_over(tmp_path: Path) -> None:
    turned = changed("CT_small.dcm", tmp_path, PhotometricInterpretation="MONOCHROME1")
    window = Window(40, 400)
    assert np.abs(grey(turned, window) - (1 - grey(file("CT_small.dcm"), window))).max() < 1e-4


@pytest.mark.parametrize("name", ["examples_palette.dcm", "examples_rgb_color.dcm"])
def test_colour_comes_in_eight_bits(name: str) -> None:
    info, frame, metadata = read_dicom(file(name), None)
    assert (info.bits, str(frame.image.dtype)) == (8, "torch.uint8")
    assert frame.image.shape == (*info.size, 3)
    assert frame.image.float().std() > 10
    assert metadata.exif is not None
    assert NOTE.encode() in metadata.exif


def test_what_is_no_single_picture_is_told(tmp_path: Path) -> None:
    for name, words in (("rtplan.dcm", "without a picture"), ("rtdose.dcm", "15 pictures")):
        with pytest.raises(MediaError, match=words):
            read_dicom(file(name), None)
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(file("CT_small.dcm").read_bytes()[:2000])
    with pytest.raises(MediaError, match=r"broken\.dcm"):
        read_dicom(broken, None)
    broken.write_bytes(b"no DICOM at all")
    with pytest.raises(MediaError, match=r"broken\.dcm: not DICOM, or without its header;"):
        read_dicom(broken, None)
    broken.write_bytes(b"")
    with pytest.raises(MediaError, match=r"broken\.dcm: an empty file;"):
        read_dicom(broken, None)


def test_files_are_known_by_suffix_or_first_bytes(tmp_path: Path) -> None:
    for name in ("1.2.840.113619.2.55.3", "IM0001"):
        bare = tmp_path / name
        bare.write_bytes(file("CT_small.dcm").read_bytes())
        assert is_dicom(bare)
    assert is_dicom(Path("x.DCM"))
    bare.write_bytes(b"text")
    assert not is_dicom(bare)
    assert not is_dicom(Path("x.png"))


@pytest.mark.parametrize("text", ["40", "a,b", "40,0", "nan,400", "40,400,3"])
def test_malformed_windows_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--window"):
        Window.parse(text)
