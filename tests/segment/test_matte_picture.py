"""What of a picture is a matte: coverage, alpha, channels, labels."""

import cv2
import numpy as np
import pytest
from PIL import Image

from vidstyle.errors import MediaError, UsageError
from vidstyle.segment.mattes.matte_picture import MatteReader, read_matte

SIZE = (40, 60)


def blob(value: int = 255, dtype: type = np.uint8) -> np.ndarray:
    matte = np.zeros(SIZE, dtype)
    matte[10:20, 30:50] = value
    return matte


def write(folder, names, matte=None):
    for name in names:
        assert cv2.imwrite(str(folder / name), blob() if matte is None else matte)


def palette(path, labels, colours, **options):
    picture = Image.fromarray(labels)
    picture.putpalette(colours)
    picture.save(path, **options)


def two_labels() -> np.ndarray:
    labels = blob(1)
    labels[30:, :10] = 2
    return labels


VOC = [0, 0, 0, 128, 0, 0, 0, 128, 0]


def test_sixteen_bits_are_scaled(tmp_path):
    write(tmp_path, ["a.png"], blob(65535, np.uint16))
    write(tmp_path, ["b.png"], blob(32896, np.uint16))
    assert read_matte(tmp_path / "a.png", SIZE).max() == 255
    assert read_matte(tmp_path / "b.png", SIZE).max() == 128


def test_alpha_is_the_matte_unless_opaque(tmp_path):
    cutout = np.dstack([np.full(SIZE, 9, np.uint8)] * 3 + [blob()])
    opaque = np.dstack([blob()] * 3 + [np.full(SIZE, 255, np.uint8)])
    write(tmp_path, ["cutout.png"], cutout)
    write(tmp_path, ["opaque.png"], opaque)
    assert np.array_equal(read_matte(tmp_path / "cutout.png", SIZE), blob())
    assert np.array_equal(read_matte(tmp_path / "opaque.png", SIZE), blob())


def test_an_unreadable_matte_is_bad_media(tmp_path):
    path = tmp_path / "m.png"
    path.write_text("no picture")
    with pytest.raises(MediaError, match=r"m\.png"):
        read_matte(path, SIZE)
    with pytest.raises(MediaError, match="missing"):
        read_matte(tmp_path / "absent.png", SIZE)


def test_a_palette_holds_labels(tmp_path, caplog):
    path = tmp_path / "m.png"
    palette(path, two_labels(), VOC)
    everything = np.where(two_labels() > 0, 255, 0)
    assert np.array_equal(MatteReader([path], SIZE, origin="matte:m")(path), everything)
    assert "labels 1, 2, all but 0 is the object; choose one by #2" in caplog.text
    assert np.array_equal(read_matte(path, SIZE, "1"), blob())
    assert not (read_matte(path, SIZE, "2") & blob()).any()
    assert not read_matte(path, SIZE, "3").any()


def test_a_palette_of_greys_is_grey(tmp_path):
    path = tmp_path / "m.png"
    palette(path, blob(3), [value for grey in (0, 100, 150, 200) for value in (grey, grey, grey)])
    assert np.array_equal(read_matte(path, SIZE), blob(200))


def test_a_palette_may_be_transparent(tmp_path):
    path = tmp_path / "m.png"
    palette(path, blob(1), VOC, transparency=0)
    assert np.array_equal(read_matte(path, SIZE), blob())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("label", [1, 7])
def test_small_numbers_are_labels(tmp_path, dtype: type, label: int):
    path = tmp_path / "m.png"
    cv2.imwrite(str(path), blob(label, dtype))
    assert np.array_equal(read_matte(path, SIZE), blob())
    assert np.array_equal(read_matte(path, SIZE, str(label)), blob())


def test_identifiers_in_sixteen_bits_are_labels(tmp_path):
    path = tmp_path / "m.png"
    cv2.imwrite(str(path), two_labels().astype(np.uint16) * 1001)
    assert np.array_equal(read_matte(path, SIZE), np.where(two_labels() > 0, 255, 0))
    assert np.array_equal(read_matte(path, SIZE, "1001"), blob())


def test_eight_bits_in_sixteen_are_coverage(tmp_path):
    path = tmp_path / "m.png"
    ramp = np.tile(np.arange(60, dtype=np.uint16) * 4, (40, 1))
    ramp[0] = 255
    cv2.imwrite(str(path), ramp)
    assert np.array_equal(read_matte(path, SIZE), ramp)


def test_a_faint_frame_of_soft_mattes_stays_faint(tmp_path):
    """One picture of it alone might be labels; the others tell that it is not."""
    write(tmp_path, ["1.png"], blob(1))
    write(tmp_path, ["2.png"], blob(255))
    files = [tmp_path / "1.png", tmp_path / "2.png"]
    assert np.array_equal(MatteReader(files, SIZE)(files[0]), blob(1))


def test_empty_frames_do_not_hide_what_the_others_mean(tmp_path):
    files = [tmp_path / f"{number:02}.png" for number in range(30)]
    for file in files:
        cv2.imwrite(str(file), blob(0))
    cv2.imwrite(str(files[20]), blob(1))
    read = MatteReader(files, SIZE)
    assert np.array_equal(read(files[20]), blob())
    assert not read(files[0]).any()


@pytest.mark.parametrize("colour", [(0, 0, 255), (128, 0, 0), (0, 90, 90)])
def test_the_colour_of_a_matte_is_only_a_name(tmp_path, colour: tuple[int, int, int]):
    hard = blob()[..., None] // 255 * np.uint8(colour)
    soft = cv2.GaussianBlur(hard, (0, 0), 2)
    for name, picture in (("hard", hard), ("soft", soft)):
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), picture)
        expected = picture.max(axis=2) * (255 / picture.max())
        assert np.abs(read_matte(path, SIZE) - expected).max() <= 1
    with pytest.raises(UsageError, match="no label 1"):
        read_matte(path, SIZE, "1")


def test_weak_mattes_are_told_of(tmp_path, caplog):
    path = tmp_path / "m.png"
    weak = cv2.GaussianBlur(blob(100), (0, 0), 1.5)
    cv2.imwrite(str(path), weak)
    assert np.array_equal(MatteReader([path], SIZE, origin="matte:m")(path), weak)
    assert "matte:m: the brightest value is 39% of white" in caplog.text


def test_an_empty_frame_of_cutouts_is_empty(tmp_path):
    files = [tmp_path / "1.png", tmp_path / "2.png"]
    for file, alpha in zip(files, (blob(0), blob()), strict=True):
        cv2.imwrite(str(file), np.dstack([np.full(SIZE, 99, np.uint8)] * 3 + [alpha]))
    assert not MatteReader(files, SIZE)(files[0]).any()


def test_jpeg_s_ringing_is_no_matte(tmp_path):
    path = tmp_path / "m.jpg"
    cv2.imwrite(str(path), cv2.GaussianBlur(blob(), (0, 0), 0.7), [cv2.IMWRITE_JPEG_QUALITY, 75])
    matte = read_matte(path, SIZE)
    far = cv2.dilate(blob(), np.ones((7, 7), np.uint8)) == 0
    assert not matte[far].any()
    assert (matte[13:17, 34:46] == 255).all()


@pytest.mark.parametrize("kind", ["half", "float", "uint16"])
def test_mattes_of_exr_and_tiff(tmp_path, kind: str):
    oiio = pytest.importorskip("OpenImageIO")
    soft = cv2.GaussianBlur(blob(), (0, 0), 2)
    path = tmp_path / ("m.tif" if kind == "uint16" else "m.exr")
    for channels in (["R", "G", "B"], ["Y"], ["A"]):
        spec = oiio.ImageSpec(SIZE[1], SIZE[0], len(channels), kind)
        spec.channelnames = channels
        output = oiio.ImageOutput.create(str(path))
        assert output.open(str(path), spec)
        output.write_image(np.dstack([soft / np.float32(255)] * len(channels)))
        output.close()
        assert np.abs(read_matte(path, SIZE).astype(int) - soft).max() <= 1
