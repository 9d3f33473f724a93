"""``vidstyle still`` on photographs and DICOM test files, as a user calls it."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, TiffImagePlugin, TiffTags

from vidstyle.still.dicom import NOTE
from vidstyle.still.metadata import Metadata, read_metadata
from vidstyle.still.save import save_picture

USAGE, MEDIA, NOT_FOUND, QUALITY = 2, 3, 6, 7
FEATHER = 2  # the default, in pixels


def photograph(side: int = 96) -> NDArray[np.uint8]:
    """(side, side, 3) BGR."""
    small = cv2.resize(skimage.data.astronaut(), (side, side), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[..., ::-1])


def matte(side: int = 96) -> NDArray[np.uint8]:
    return np.asarray(cv2.circle(np.zeros((side, side), np.uint8), (40, 40), 25, 255, -1))


def read(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of three pictures, and beside it a folder of their mattes."""
    for name in ("photos", "mattes"):
        (tmp_path / name).mkdir()
    for number, name in enumerate("abc"):
        cv2.imwrite(str(tmp_path / f"photos/{name}.png"), np.roll(photograph(), number, 2))
        cv2.imwrite(str(tmp_path / f"mattes/{name}.png"), np.roll(matte(), 5 * number, 1))
    return tmp_path / "photos"


@pytest.fixture
def still(vidstyle, style_picture, tiny_model) -> Callable[..., object]:
    def call(*arguments: object):
        parts = ("--style", style_picture, "--model", tiny_model, "--device", "cpu")
        return vidstyle("-q", "still", *arguments, *parts)

    return call


@pytest.fixture
def camera_jpeg(tmp_path: Path) -> Path:
    """As a phone takes it: lying, with EXIF that tells so, a place and a profile."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.LensModel: "50mm"}
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N"}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / "phone.jpg"
    lying = Image.fromarray(photograph()[:64, :, ::-1])
    lying.save(path, exif=exif, icc_profile=profile, quality=95)
    return path


def test_a_folder_with_a_matte_each(still, photos: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    mattes = f"matte:{tmp_path / 'mattes'}"
    done = still(photos, "--object", mattes, "-o", tmp_path / "out", "--report", report)
    assert done.code == 0, done.err
    assert "3 done, 0 kept, 0 failed" in done.out
    for number, name in enumerate("abc"):
        plate, result = read(photos / f"{name}.png"), read(tmp_path / f"out/{name}.png")
        own = np.roll(matte(), 5 * number, 1)
        reach = cv2.dilate(own, np.ones((2 * FEATHER + 1,) * 2, np.uint8)) > 0
        assert np.array_equal(result[~reach], plate[~reach])
        assert (result[own > 0] != plate[own > 0]).any(axis=1).mean() > 0.9
    told = json.loads(report.read_text())
    assert told["counts"] == {"done": 3}
    assert told["stills"][0]["covered"] == pytest.approx((matte() > 0).mean(), abs=1e-3)


def test_one_bad_picture_does_not_stop_the_others(still, photos: Path, tmp_path: Path) -> None:
    (photos / "b.png").write_bytes(b"no picture")
    done = still(photos, "-o", tmp_path / "out")
    assert done.code == MEDIA
    assert "2 done, 0 kept, 1 failed" in done.out
    (line,) = done.err.splitlines()
    assert "1 of 3 pictures failed" in line
    assert "b.png" in line
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["a.png", "c.png"]


def test_resume_does_what_is_missing(still, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert still(photos / "a.png", "-o", out, "--resume").code == 0
    (out / "a.png").write_bytes(b"retouched")
    refused = still(photos, "-o", out)
    assert (refused.code, "--resume" in refused.err) == (USAGE, True)
    done = still(photos, "-o", out, "--resume")
    assert (done.code, "2 done, 1 kept, 0 failed" in done.out) == (0, True)
    assert (out / "a.png").read_bytes() == b"retouched"
    # Another look, and a picture that came again, are made again.
    other = still(photos, "-o", out, "--resume", "--strength", 0.5)
    assert (other.code, "3 done, 0 kept, 0 failed" in other.out) == (0, True)
    cv2.imwrite(str(photos / "b.png"), photograph())
    again = still(photos, "-o", out, "--resume", "--strength", 0.5)
    assert (again.code, "1 done, 2 kept, 0 failed" in again.out) == (0, True)


def test_resume_takes_nobody_elses_picture_for_done(still, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.png").write_bytes(b"somebody's")
    done = still(photos, "-o", out, "--resume")
    assert (done.code, "2 done, 0 kept, 1 failed" in done.out) == (USAGE, True)
    assert "a.png: exists, and there is no record of how it was made; add --overwrite" in done.err
    assert (out / "a.png").read_bytes() == b"somebody's"
    again = still(photos / "a.png", "-o", out / "a.png", "--overwrite")
    assert again.code == 0
    assert read(out / "a.png").shape == (96, 96, 3)


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_exif_and_profile_are_kept(still, camera_jpeg: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / f"styled.{kind}"
    assert still(camera_jpeg, "-o", target).code == 0
    with Image.open(camera_jpeg) as source, Image.open(target) as result:
        assert result.size == (64, 96)  # upright
        assert result.info["icc_profile"] == source.info["icc_profile"]
        exif = result.getexif()
        assert exif[ExifTags.Base.Make] == "Maker"
        assert exif[ExifTags.Base.Orientation] == 1
        assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.LensModel] == "50mm"
        assert exif.get_ifd(ExifTags.IFD.GPSInfo) == {ExifTags.GPS.GPSLatitudeRef: "N"}


def test_of_a_tiffs_own_tags_those_about_the_picture_are_kept(tmp_path: Path) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[ExifTags.Base.Artist] = "Anna"
    tags[ExifTags.IFD.Exif] = {ExifTags.Base.LensModel: "50mm"}
    layers = 37724  # Photoshop's
    tags[layers], tags.tagtype[layers] = bytes(70000), TiffTags.UNDEFINED
    Image.fromarray(photograph()).save(tmp_path / "a.tif", tiffinfo=tags)
    metadata = read_metadata(tmp_path / "a.tif")
    for target in (tmp_path / "a.png", tmp_path / "a.jpg"):
        save_picture(target, torch.from_numpy(photograph()), metadata)
        with Image.open(target) as result:
            exif = result.getexif()
            assert set(exif) == {ExifTags.Base.Artist, ExifTags.IFD.Exif}
            assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.LensModel] == "50mm"


def test_exif_that_a_jpeg_cannot_hold_is_left_out(tmp_path: Path, caplog) -> None:
    target = tmp_path / "a.jpg"
    for size, kept in ((65527, True), (65528, False)):
        save_picture(target, torch.from_numpy(photograph()), Metadata(exif=bytes(size)))
        assert (b"Exif" in target.read_bytes()) == kept
    assert caplog.messages == [f"{target}: its EXIF is more than JPEG holds and is left out"]


def test_metadata_of_a_picture_beyond_pillows_limit_is_read(
    camera_jpeg: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    metadata = read_metadata(camera_jpeg)
    assert metadata.exif
    assert metadata.profile


def test_depth_and_transparency_are_kept(still, tmp_path: Path) -> None:
    deep = photograph().astype(np.uint16) * 257
    alpha = np.full((96, 96), 65535, np.uint16)
    alpha[:, :20] = 1234
    source, target = tmp_path / "deep.png", tmp_path / "styled.png"
    cv2.imwrite(str(source), np.dstack([deep, alpha]))
    assert still(source, "--strength", 0.5, "-o", target).code == 0
    result = read(target)
    assert result.dtype == np.uint16
    assert np.array_equal(result[..., 3], alpha)
    assert len(np.unique(result[..., :3] % 257)) > 200  # more than 8 bits
    refused = still(source, "-o", tmp_path / "styled.jpg")
    assert (refused.code, "transparency" in refused.err) == (MEDIA, True)


def test_the_object_is_cut_out(still, photos: Path, tmp_path: Path) -> None:
    target, own = tmp_path / "shoe.png", f"matte:{tmp_path / 'mattes/a.png'}"
    assert still(photos / "a.png", "--object", own, "--cut-out", "-o", target).code == 0
    alpha = read(target)[..., 3]
    kernel = np.ones((2 * FEATHER + 1,) * 2, np.uint8)
    assert (alpha[cv2.erode(matte(), kernel) > 0] == 255).all()
    assert (alpha[cv2.dilate(matte(), kernel) == 0] == 0).all()
    soft = (alpha > 0) & (alpha < 255)
    assert soft.any()
    # Within, it is the still as it would be without the cut; at its edge, without the background.
    assert still(photos / "a.png", "--object", own, "-o", tmp_path / "in_place.png").code == 0
    alone, in_place = read(target)[..., :3], read(tmp_path / "in_place.png")[..., :3]
    assert np.array_equal(alone[alpha == 255], in_place[alpha == 255])
    assert (alone[soft] != in_place[soft]).any()
    refused = still(photos / "a.png", "--cut-out", "-o", tmp_path / "whole.png")
    assert (refused.code, "--object" in refused.err) == (USAGE, True)


def test_a_grid_shows_the_plate_and_every_strength(still, photos: Path, tmp_path: Path) -> None:
    target = tmp_path / "grid.png"
    assert still(photos / "a.png", "--grid", "0,0.5,1", "-o", target).code == 0
    sheet, plate = read(target), read(photos / "a.png")
    gap = 2
    cells = [sheet[gap : gap + 96, gap + n * 98 :][:, :96] for n in range(4)]
    assert np.array_equal(cells[0], plate)
    assert np.array_equal(cells[1], plate)
    half, full = (np.abs(cell.astype(int) - plate).mean() for cell in cells[2:])
    assert 0.3 * full < half < 0.7 * full
    assert (sheet[gap + 96 :] < 128).any()  # labels
    assert still(photos / "a.png", "--grid", "0,2", "-o", target).code == USAGE
    assert still(photos / "a.png", "--grid", "x", "-o", target).code == USAGE


def test_structure_below_the_bound_is_not_written(still, photos: Path, tmp_path: Path) -> None:
    report, out = tmp_path / "report.json", tmp_path / "out"
    options = ("--preserve", "structure", "--report", report)
    low = still(photos / "a.png", "-o", out, *options, "--fail-below", "ssim=0.1")
    assert low.code == 0
    (entry,) = json.loads(report.read_text())["stills"]
    assert 0.3 < entry["ssim"] < 0.99
    assert 0.7 < entry["gradient"] <= 1
    high = still(photos / "b.png", "-o", out, *options, "--fail-below", "ssim=0.999")
    assert (high.code, "ssim is 0." in high.err) == (QUALITY, True)
    assert [path.name for path in out.glob("[!.]*")] == ["a.png"]
    unknown = still(photos / "b.png", "-o", out, "--fail-below", "lpips=1")
    assert (unknown.code, "gradient" in unknown.err) == (USAGE, True)


def test_what_cannot_be_meant_is_refused_before_work(still, photos: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(photos / "a.jpg"), photograph())
    twice = still(photos, "-o", tmp_path / "out")
    assert (twice.code, "would both become" in twice.err) == (USAGE, True)
    itself = still(photos / "b.png", "-o", photos, "--overwrite")
    assert (itself.code, "is an input" in itself.err) == (USAGE, True)
    missing = still(tmp_path / "none.png", "-o", tmp_path / "out")
    assert (missing.code, "none.png" in missing.err) == (MEDIA, True)
    assert not (tmp_path / "out").exists()
    one, all_ = (photos / "a.jpg",), (photos,)
    for sources, name in ((one, "shoe.tif"), (one, "shoe.gif"), (all_, "shoe.png")):
        no_folder = still(*sources, "-o", tmp_path / name)
        assert (no_folder.code, f"{name}: name a folder or" in no_folder.err) == (USAGE, True)
        assert not (tmp_path / name).exists()
    outside = still(photos / "b.png", "-o", tmp_path / "x.png", "--object", "box:0,0,500,9")
    assert (outside.code, "outside the frame" in outside.err) == (USAGE, True)
    nameless = still(photos / "a.jpg", "-o", tmp_path / "x.png", "--object", f"matte:{photos}x")
    assert (nameless.code, "no such file or folder" in nameless.err) == (USAGE, True)


def test_pictures_that_cannot_be_kept_right_are_told(still, tmp_path: Path) -> None:
    cmyk = tmp_path / "print.jpg"
    Image.fromarray(photograph()).convert("CMYK").save(cmyk)
    refused = still(cmyk, "-o", tmp_path / "x.png")
    assert (refused.code, "CMYK" in refused.err) == (MEDIA, True)
    empty = tmp_path / "empty.png"
    cv2.imwrite(str(empty), np.zeros((96, 96), np.uint8))
    source = tmp_path / "photo.png"
    cv2.imwrite(str(source), photograph())
    nothing = still(source, "--object", f"matte:{empty}", "-o", tmp_path / "x.png")
    assert (nothing.code, str(source) in nothing.err) == (NOT_FOUND, True)


def test_slices_named_by_uid_are_told_apart(still, tmp_path: Path) -> None:
    pytest.importorskip("pydicom")
    from pydicom.data import get_testdata_file

    content = Path(get_testdata_file("CT_small.dcm")).read_bytes()
    (tmp_path / "series").mkdir()
    names = {"1.2.840.113619.2.55.3", "1.2.840.113619.2.55.4"}
    for name in names:
        (tmp_path / "series" / name).write_bytes(content)
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((128, 128), 255, np.uint8))
    done = still(tmp_path / "series", "--object", f"matte:{tmp_path}", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert {path.stem for path in (tmp_path / "out").glob("[!.]*")} == names


def test_a_ct_becomes_a_marked_picture_and_stays_as_it_is(still, tmp_path: Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    from pydicom.data import get_testdata_file

    source = tmp_path / "slice"  # as scanners name them: without a suffix
    source.write_bytes(Path(get_testdata_file("CT_small.dcm")).read_bytes())
    before = source.read_bytes()
    options = ("--preserve", "structure", "--window", "40,400", "--fail-below", "gradient=0.5")
    done = still(source, *options, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert source.read_bytes() == before
    target = tmp_path / "out/slice.png"
    assert read(target).dtype == np.uint16
    with Image.open(target) as result:
        assert result.getexif()[ExifTags.Base.ImageDescription] == NOTE
    name = str(pydicom.dcmread(source).PatientName).encode()
    assert len(name) > 3
    assert name not in target.read_bytes()


def test_a_window_for_what_has_none_and_dicom_as_output(still, tmp_path: Path, caplog) -> None:
    source = tmp_path / "photo.png"
    cv2.imwrite(str(source), photograph())
    assert still(source, "--window", "40,400", "-o", tmp_path / "out.png").code == 0
    assert f"{source}: not DICOM, so --window changes nothing" in caplog.text
    refused = still(source, "-o", tmp_path / "out.dcm")
    assert (refused.code, "name a folder or, for one picture" in refused.err) == (2, True)
    assert not (tmp_path / "out.dcm").exists()
