"""The public Python API, as a host calls it: a script, a page, a node graph with its own threads.

``test_a_host_is_left_as_it_was`` stands for all that a library must not do to a process.
"""

import logging
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import vidstyle as api
from vidstyle.media.video import reader
from vidstyle.media.video.reader import open_clip

BOX = "box:20,10,80,96"


def pictures(clip: Path) -> NDArray[np.uint8]:
    """(N, H, W, 3)."""
    with av.open(str(clip)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> api.Model:
    return api.load_model(str(tiny_model), device="cpu")


@pytest.fixture(scope="module")
def frames(shot: Any) -> NDArray[np.uint8]:
    return pictures(shot.clip)[:4]


@pytest.fixture(scope="module")
def masks(shot: Any) -> NDArray[np.uint8]:
    return np.stack([shot.matte(index) for index in range(4)])


def test_render_reports_and_leaves_all_else_alone(
    shot: Any, tiny_model: Path, style_picture: Path, tmp_path: Path
) -> None:
    steps: list[api.Step] = []
    target = tmp_path / "styled.%04d.png"
    report = api.render(
        shot.clip,
        object=f"matte:{shot.mattes}",
        style=style_picture,
        output=target,
        model=str(tiny_model),
        last=3,
        on_progress=steps.append,
    )
    assert report.content["output"] == str(target)
    assert [step.fraction for step in steps] == sorted(step.fraction for step in steps)
    assert (steps[-1].stage, steps[-1].done, steps[-1].total) == ("render", 4, 4)
    plates = np.stack([frame.image.numpy() for frame in open_clip(str(shot.clip)).frames(0, 4)])
    styled = np.stack([cv2.imread(str(target) % n)[..., ::-1] for n in range(4)])
    outside = np.stack([cv2.dilate(shot.matte(n), np.ones((9, 9))) for n in range(4)]) == 0
    assert np.array_equal(styled[outside], plates[outside])
    assert not np.array_equal(styled[~outside], plates[~outside])


def test_progress_does_not_go_back_with_several_objects(
    shot: Any, tiny_model: Path, style_picture: Path, tmp_path: Path
) -> None:
    fractions: list[float] = []
    api.render(
        shot.clip,
        object=[f"matte:{shot.mattes}", BOX, "frame"],
        style=style_picture,
        output=tmp_path / "styled.mkv",
        model=str(tiny_model),
        last=3,
        on_progress=lambda step: fractions.append(step.fraction),
    )
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


@pytest.mark.parametrize("wanted", [BOX, "matte", None])
def test_a_frame_is_decoded_once(
    wanted: str | None,
    shot: Any,
    tiny_model: Path,
    style_picture: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded: Counter[int] = Counter()
    to_decode = reader.decode

    def counting(*arguments: Any) -> Iterator[Any]:
        for picture in to_decode(*arguments):
            decoded[picture.index] += 1
            yield picture

    monkeypatch.setattr(reader, "decode", counting)
    api.render(
        shot.clip,
        object=f"matte:{shot.mattes}" if wanted == "matte" else wanted,
        style=style_picture,
        output=tmp_path / "styled.mkv",
        matte_out=tmp_path / "matte.mkv" if wanted else None,
        model=str(tiny_model),
        segmenter="grabcut",
    )
    assert decoded == Counter(range(16))


def test_a_render_can_be_cancelled(
    shot: Any, tiny_model: Path, style_picture: Path, tmp_path: Path
) -> None:
    token = api.CancelToken()

    def stop(step: api.Step) -> None:
        if step.stage == "render":
            token.cancel()

    with pytest.raises(api.Cancelled):
        api.render(
            shot.clip,
            style=style_picture,
            output=tmp_path / "styled.mkv",
            model=str(tiny_model),
            on_progress=stop,
            cancel=token,
        )
    assert [*tmp_path.iterdir()] == []


def test_errors_come_from_one_tree(shot: Any, style_picture: Path, tmp_path: Path) -> None:
    with pytest.raises(api.MediaError, match="no such"):
        api.render(shot.clip, style=tmp_path / "none.png", output=tmp_path / "s.mkv")
    with pytest.raises(api.UsageError, match="strength"):
        api.render(shot.clip, style=style_picture, output=tmp_path / "s.mkv", strength=2.0)
    with pytest.raises(TypeError, match="hue"):
        api.render(shot.clip, style=style_picture, output=tmp_path / "s.mkv", hue=3)
    with pytest.raises(api.WeightsError, match="none"):
        api.load_model("none")
    assert all(issubclass(error, api.VidstyleError) for error in (api.MediaError, api.UsageError))


def test_find_gives_mattes_by_frame(shot: Any) -> None:
    found = api.find(shot.clip, f"mask:{shot.mask}", segmenter="grabcut", last=5)
    assert (len(found), found.first, found.last, found.size) == (6, 0, 5, shot.size)
    for index in range(6):
        seen, truth = found[index] > 127, shot.matte(index) > 127
        assert (seen & truth).sum() / (seen | truth).sum() > 0.6, index
        assert 0 < found.confidence(index) <= 1
    assert np.array_equal(found[-1], found[5])
    assert len(found[1:3]) == 2
    with pytest.raises(IndexError):
        found[6]


def test_finding_nothing_is_said(shot: Any, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "empty.png"), np.zeros(shot.size, np.uint8))
    with pytest.raises(api.ObjectNotFoundError):
        api.find(shot.clip, f"mask:{tmp_path / 'empty.png'}", segmenter="grabcut")


def as_tensor(frames: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(frames).movedim(-1, 1).float() / 255


KINDS: dict[str, Callable[[NDArray[np.uint8]], Any]] = {
    "uint8 array": lambda frames: frames,
    "uint16 array": lambda frames: frames.astype(np.uint16) * 257,
    "float array": lambda frames: frames.astype(np.float32) / 255,
    "double array": lambda frames: frames / 255,
    "float tensor": as_tensor,
    "half tensor": lambda frames: as_tensor(frames).half(),
    "uint8 tensor": lambda frames: torch.from_numpy(frames).movedim(-1, 1).contiguous(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_come_back_as_they_went_in(
    kind: str,
    model: api.Model,
    frames: NDArray[np.uint8],
    masks: NDArray[np.uint8],
    style_picture: Path,
) -> None:
    given = KINDS[kind](frames)
    look = model.fit(given, style_picture, masks=masks)
    styled = model(given, look, masks=masks)
    assert (type(styled), styled.dtype, styled.shape) == (type(given), given.dtype, given.shape)
    plain = model(frames, model.fit(frames, style_picture, masks=masks), masks=masks)
    assert np.abs(unit(styled) - unit(plain)).max() < 0.02
    outside = np.stack([cv2.dilate(mask, np.ones((9, 9))) for mask in masks]) == 0
    # Single precision is kept of a double's.
    assert np.allclose(unit(styled)[outside], unit(given)[outside], atol=1e-7, rtol=0)
    none = model(given, look, masks=masks, strength=0)
    assert np.allclose(unit(none), unit(given), atol=1e-7, rtol=0)


def unit(pictures: Any) -> NDArray[np.float64]:
    """(N, H, W, 3) with white at 1."""
    if isinstance(pictures, torch.Tensor):
        pictures = pictures.movedim(1, -1).numpy()
    white = np.iinfo(pictures.dtype).max if np.issubdtype(pictures.dtype, np.integer) else 1
    return pictures.astype(np.float64) / white


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"frames": np.zeros((4, 96, 160), np.uint8)}, r"frames of shape .* give \(N, H, W, 3\)"),
        ({"frames": np.zeros((4, 96, 160, 3), np.int64)}, "give uint8, uint16 or floating"),
        ({"masks": np.zeros((3, 96, 160), np.uint8)}, "masks of shape"),
        ({"strength": 1.5}, "strength"),
    ],
)
def test_arrays_that_cannot_be_meant_are_refused(
    change: dict[str, Any],
    said: str,
    model: api.Model,
    frames: NDArray[np.uint8],
    style_picture: Path,
) -> None:
    look = model.fit(frames, style_picture)
    call = {"frames": frames, "masks": None, **change}
    with pytest.raises(api.UsageError, match=said):
        model(call.pop("frames"), look, **call)


def test_a_picture_is_a_style_as_its_file_is(
    model: api.Model, frames: NDArray[np.uint8], style_picture: Path
) -> None:
    picture = cv2.imread(str(style_picture))[..., ::-1]
    by_file, by_array = (
        model(frames, model.fit(frames, style)) for style in (style_picture, picture)
    )
    assert np.abs(by_file.astype(int) - by_array).max() <= 2


def test_steadied_frames_differ_less(
    model: api.Model, frames: NDArray[np.uint8], style_picture: Path
) -> None:
    noise = np.random.default_rng(0).normal(0, 8, frames.shape)
    still = (frames[:1] + noise).clip(0, 255).astype(np.uint8)
    look = model.fit(still, style_picture)
    free, held = (model(still, look, steady=steady).astype(float) for steady in (False, True))
    assert np.abs(np.diff(held, axis=0)).mean() < 0.8 * np.abs(np.diff(free, axis=0)).mean()


def painted_negative(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return 255 - frames[0]


def test_painted_keys_are_carried_in_memory_as_a_render_carries_them(
    model: api.Model,
    frames: NDArray[np.uint8],
    masks: NDArray[np.uint8],
    tiny_model: Path,
    style_picture: Path,
    tmp_path: Path,
) -> None:
    for name, pictures in (("p", frames[..., ::-1]), ("m", masks)):
        for index, picture in enumerate(pictures):
            cv2.imwrite(str(tmp_path / f"{name}.{index:04d}.png"), picture)
    cv2.imwrite(str(tmp_path / "key.png"), painted_negative(frames)[..., ::-1])
    steps: list[api.Step] = []
    for style in (None, style_picture):
        api.render(
            tmp_path / "p.####.png",
            object=f"matte:{tmp_path / 'm.####.png'}",
            key=f"{tmp_path / 'key.png'}@0",
            style=() if style is None else style,
            output=tmp_path / "out.%04d.png",
            overwrite=True,
            model=str(tiny_model),
            device="cpu",
            temporal="off",
        )
        rendered = [cv2.imread(str(tmp_path / f"out.{n:04d}.png"))[..., ::-1] for n in range(4)]
        keys = {0: painted_negative(frames)}
        look = model.fit(frames, style, masks=masks, keys=keys, on_progress=steps.append)
        assert np.array_equal(model(frames, look, masks=masks), rendered)
    assert [step.stage for step in steps if not step.done] == ["keys", "keys", "statistics"]
    assert steps[-1].fraction == 1


def test_the_outline_of_a_painted_key_is_what_is_restyled(
    model: api.Model, frames: NDArray[np.uint8]
) -> None:
    alpha = np.zeros((*frames.shape[1:3], 1), np.uint8)
    alpha[20:70, 30:100] = 255
    look = model.fit(frames, keys={0: np.concatenate([painted_negative(frames), alpha], axis=2)})
    outlined = look.outlined()
    assert outlined.shape == frames.shape[:3]
    assert np.array_equal(outlined[0] > 127, alpha[..., 0] > 127)
    changed = (model(frames, look, feather=0) != frames).any(-1)
    assert not changed[outlined == 0].any()
    assert changed[outlined > 127].mean() > 0.9


def test_keys_that_do_not_fit_are_refused(model: api.Model, frames: NDArray[np.uint8]) -> None:
    with pytest.raises(api.UsageError, match="neither style nor keys"):
        model.fit(frames)
    with pytest.raises(api.UsageError, match=r"keys\[9\]: not among .* 0-3"):
        model.fit(frames, keys={9: frames[0]})
    with pytest.raises(api.MediaError, match=r"keys\[1\]: 32x32 pixels"):
        model.fit(frames, keys={1: frames[0, :32, :32]})
    look = model.fit(frames, keys={0: painted_negative(frames)})
    with pytest.raises(api.UsageError, match=r"2 frames: .* a shot of 4"):
        model(frames[:2], look)


def test_a_model_tells_how_far_it_is_and_can_be_ended(
    model: api.Model, frames: NDArray[np.uint8], style_picture: Path
) -> None:
    steps: list[api.Step] = []
    look = model.fit(frames, style_picture)
    model(frames, look, on_progress=steps.append)
    assert (steps[-1].stage, steps[-1].done, steps[-1].fraction) == ("render", 4, 1)

    def stop(step: api.Step) -> None:
        raise KeyboardInterrupt(step.stage)

    with pytest.raises(KeyboardInterrupt, match="render"):
        model(frames, look, on_progress=stop)
    token = api.CancelToken()
    token.cancel()
    with pytest.raises(api.Cancelled):
        model.fit(frames, style_picture, cancel=token)


def test_an_object_is_found_in_frames_in_memory_as_in_files(
    frames: NDArray[np.uint8], shot: Any, tmp_path: Path
) -> None:
    for index, picture in enumerate(frames):
        cv2.imwrite(str(tmp_path / f"p.{index:04d}.png"), picture[..., ::-1])
    wanted = f"mask:{shot.mask}"
    there = api.find(tmp_path / "p.####.png", wanted, segmenter="grabcut")
    for given in (frames, torch.from_numpy(frames).movedim(-1, 1)):
        assert np.array_equal(api.find(given, wanted, segmenter="grabcut"), there)
    # Of single precision more is seen than 8 bits hold.
    floating = np.stack([*api.find(as_tensor(frames), wanted, segmenter="grabcut")])
    assert (np.abs(floating.astype(int) - np.stack([*there])) > 8).mean() < 0.01
    with pytest.raises(api.UsageError, match=r"matte_out: .* in memory"):
        api.find(frames, wanted, matte_out=tmp_path / "m.%04d.png")


def test_inference_mode_of_the_host_changes_nothing(
    frames: NDArray[np.uint8], masks: NDArray[np.uint8], tiny_model: Path, style_picture: Path
) -> None:
    """As graphs of nodes run; a mode of PyTorch holds for one thread, and workers are others."""

    def run() -> torch.Tensor:
        model, images = api.load_model(str(tiny_model), device="cpu"), as_tensor(frames)
        keys = {0: 1 - images[0]}
        look = model.fit(images, style_picture, masks=masks, keys=keys)
        return model(images, look, masks=masks, steady=True)

    with torch.inference_mode():
        inside = run()
    assert torch.equal(inside, run())


def test_two_threads_get_what_one_gets(
    model: api.Model,
    frames: NDArray[np.uint8],
    masks: NDArray[np.uint8],
    style_picture: Path,
    other_style_picture: Path,
) -> None:
    """As nodes of a graph do: tensors in, tensors out, at a time."""

    def node(style: Path) -> torch.Tensor:
        images = as_tensor(frames)
        look = model.fit(images, style, masks=torch.from_numpy(masks) / 255)
        return model(images, look, masks=torch.from_numpy(masks)[:, None] / 255)

    styles = [style_picture, other_style_picture] * 2
    alone = [node(style) for style in styles[:2]] * 2
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(node, styles))
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one, other)


def test_a_host_is_left_as_it_was(
    shot: Any, tiny_model: Path, style_picture: Path, tmp_path: Path
) -> None:
    def state() -> tuple[Any, ...]:
        log = logging.getLogger("vidstyle")
        return (
            [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
            [*logging.getLogger().handlers],
            [*log.handlers],
            log.level,
            torch.get_num_threads(),
            cv2.getNumThreads(),
            torch.initial_seed(),
            torch.get_rng_state().tolist(),
            threading.active_count(),
        )

    torch.manual_seed(7)
    before = state()
    api.render(
        shot.clip,
        object=BOX,
        style=style_picture,
        output=tmp_path / "styled.mkv",
        model=str(tiny_model),
        segmenter="grabcut",
        last=2,
    )
    assert state() == before


def test_what_is_public_is_there() -> None:
    assert {"render", "find", "load_model"} <= set(api.__all__) <= set(dir(api))
    assert all(getattr(api, name) is not None for name in api.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = api.nothing
