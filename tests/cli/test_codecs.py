"""``--codec list``."""

from vidstyle.media.video.codecs import CODECS


def test_it_tells_of_each_preset_what_it_keeps_and_whether_it_works(vidstyle) -> None:
    outcome = vidstyle("render", "--codec", "list")
    assert (outcome.code, outcome.err) == (0, "")
    head, *rows = outcome.out.splitlines()
    assert head.split() == [
        "preset", "in", "bits", "chroma", "alpha", "loss", "HDR", "metadata", "here",
    ]  # fmt: skip
    told = {row.split()[0]: row for row in rows}
    assert list(told) == list(CODECS)
    assert "mkv mp4 avi" in told["ffv1"]
    assert "kept   none" in told["ffv1"]
    assert told["h264"].endswith("some  kept          yes")
    for name in ("h264", "hevc", "av1", "prores", "prores-4444", "dnxhr-hqx", "ffv1"):
        assert told[name].endswith("yes")
