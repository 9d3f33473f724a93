"""Tracking by the memory of SAM 2's video model, by its real classes at a tiny size."""

import gc

import numpy as np
import pytest
import torch

from vidstyle.errors import WeightsError
from vidstyle.options import RenderOptions
from vidstyle.pipeline.parts import build_parts
from vidstyle.segment.clip import small_frames_backwards
from vidstyle.segment.objects import find_mattes
from vidstyle.segment.prompts import parse_object
from vidstyle.segment.segmenters.segmenter import Remembering

transformers = pytest.importorskip("transformers")

SIDE, WIDTH = 128, 128


@pytest.fixture(scope="module")
def folder(tmp_path_factory, sam2_settings):
    """A tiny, untrained video model as its publisher lays it out."""
    torch.manual_seed(0)
    config = transformers.Sam2VideoConfig(
        **sam2_settings(WIDTH),
        image_size=SIDE,
        memory_attention_hidden_size=WIDTH,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=32,
        memory_attention_rope_feat_sizes=[8, 8],
        memory_encoder_hidden_size=WIDTH,
        memory_encoder_output_channels=64,
        mask_downsampler_embed_dim=WIDTH,
        memory_fuser_num_layers=1,
        memory_fuser_embed_dim=WIDTH,
        memory_fuser_intermediate_dim=32,
        initializer_range=0.2,  # as usual, its logits would all be about 0
    )
    model = transformers.Sam2VideoModel(config)
    with torch.no_grad():
        # Untrained, it would see nothing in any picture.
        model.mask_decoder.pred_obj_score_head.proj_out.weight.zero_()
        model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(4.0)
    place = tmp_path_factory.mktemp("sam2-video")
    model.save_pretrained(place)
    size = {"height": SIDE, "width": SIDE}
    transformers.Sam2VideoProcessor(
        transformers.Sam2ImageProcessor(size=size, mask_size={"height": 32, "width": 32}),
        transformers.Sam2VideoVideoProcessor(size=size),
        target_size=SIDE,
    ).save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def parts(folder):
    from vidstyle.segment.segmenters.sam2_video import Sam2Video

    return Sam2Video.load(folder, torch.device("cpu"))


@pytest.fixture(scope="module")
def clip(make_clip):
    return make_clip(24, size=(90, 135), speed=2.0)


def tracked(tracker, images, matte):
    tracker.reset(images[0], matte)
    return [tracker.step(image) for image in images[1:]]


def test_the_mattes_are_those_of_the_whole_clip_at_once(parts, clip):
    """As the library's own session makes them, which holds every picture and all of its memory."""
    model, processor = parts._video, parts._video_processor
    session = processor.init_video_session()
    for frame, image in enumerate(clip.images):
        session.add_new_frame(processor(images=image, return_tensors="pt").pixel_values[0], frame)
    truth = torch.from_numpy(clip.truth[0] > 127)
    processor.process_new_mask_for_video_frame(session, 0, [1], truth)
    whole = []
    for output in model.propagate_in_video_iterator(session, start_frame_idx=0):
        (logits,) = processor.post_process_masks([output.pred_masks], [clip.size], binarize=False)
        whole.append(np.rint(255 * torch.sigmoid(logits[0, 0]).numpy()))
    found = tracked(parts.tracker(), clip.images, clip.truth[0])
    assert np.ptp(found) > 20
    assert np.abs(np.stack(found) - np.stack(whole[1:])).max() <= 1


@pytest.mark.parametrize("chunk", [5, 8])
def test_however_the_clip_is_read_the_mattes_are_the_same(parts, clip, chunk):
    onwards = tracked(parts.tracker(), clip.images[::-1], clip.truth[-1])
    images = list(small_frames_backwards(clip, 0, clip.count, chunk))
    assert np.array_equal(onwards, tracked(parts.tracker(), images, clip.truth[-1]))


def test_what_it_holds_does_not_grow_with_the_clip(parts, clip):
    """Over 300 frames, with a key frame now and then."""
    tracker, held = parts.tracker(), []
    tracker.reset(clip.images[0], clip.truth[0])
    for step in range(1, 301):
        frame = step % clip.count
        tracker.step(clip.images[frame])
        if step % 40 == 0:
            tracker.reset(clip.images[frame], clip.truth[frame])
        if step in (180, 300):
            session = tracker._session
            assert len(session.processed_frames) == 1
            held.append(bytes_of(session))
    assert held[0] == held[1]


def bytes_of(session):
    """Of all tensors that can be reached from a session."""
    seen, left, total = set(), [session], 0
    while left:
        item = left.pop()
        if id(item) in seen or isinstance(item, type | torch.nn.Module):
            continue
        seen.add(id(item))
        if isinstance(item, torch.Tensor):
            total += item.untyped_storage().nbytes()
        elif isinstance(item, dict | list | tuple) or hasattr(item, "__dict__"):
            left += gc.get_referents(item)
    return total


def test_a_key_frame_replaces_what_was_tracked_there_and_is_remembered(parts, clip):
    tracker = parts.tracker()
    before = tracked(tracker, clip.images[:6], clip.truth[0])
    tracker.reset(clip.images[5], clip.truth[5])
    assert tracker.confidence == 1
    assert list(tracker._outputs("cond_frame_outputs")) == [0, 5]
    assert list(tracker._outputs("non_cond_frame_outputs")) == [1, 2, 3, 4]
    after = tracker.step(clip.images[6])
    without = parts.tracker()
    assert np.array_equal(before, tracked(without, clip.images[:6], clip.truth[0]))
    assert not np.array_equal(after, without.step(clip.images[6]))


def test_another_picture_starts_afresh(parts, clip):
    tracker = parts.tracker()
    first = tracked(tracker, clip.images[:4], clip.truth[0])
    assert np.array_equal(first, tracked(tracker, clip.images[:4], clip.truth[0]))


def test_what_the_model_does_not_see_has_no_matte_and_no_confidence(parts, clip):
    head = parts._video.mask_decoder.pred_obj_score_head.proj_out.bias
    with torch.no_grad():
        head.sub_(30)
        tracker = parts.tracker()
        (matte,) = tracked(tracker, clip.images[:2], clip.truth[0])
        head.add_(30)
    assert not matte.any()
    assert tracker.confidence < 0.01


def test_no_step_before_a_key_frame(parts, clip):
    with pytest.raises(RuntimeError, match="reset"):
        parts.tracker().step(clip.images[0])


def test_it_is_chosen_by_its_folder_and_holds_a_clip(folder, tiny_model, clip, tmp_path):
    options = RenderOptions(segmenter=str(folder), model=str(tiny_model), temporal="off")
    box = parse_object("box:10,20,60,80@2")
    chosen = build_parts(options, [box])
    assert isinstance(chosen.segmenter, Remembering)
    done = []
    mattes = find_mattes(box, clip, [(0, clip.count)], chosen, tmp_path, done.append)
    assert sum(done) == len(mattes) == clip.count
    assert mattes[0].shape == clip.size


def test_a_folder_of_a_broken_video_model_is_refused(tmp_path, tiny_model):
    (tmp_path / "config.json").write_text('{"model_type": "sam2_video"}')
    options = RenderOptions(segmenter=str(tmp_path), model=str(tiny_model), temporal="off")
    with pytest.raises(WeightsError, match=tmp_path.name):
        build_parts(options, [parse_object("point:3,4")])
