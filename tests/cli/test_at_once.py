"""Two runs that want to make the same output."""

from vidstyle.runtime.claim import claimed


def test_the_second_of_two_renders_of_one_output_is_told(
    vidstyle, shot, style_picture, tiny_model, tmp_path
) -> None:
    target = tmp_path / "styled.mp4"
    render = (
        *("-q", "render", shot.clip, "--style", style_picture, "--model", tiny_model),
        *("--device", "cpu", "-o", target),
    )
    with claimed(str(target)):
        refused = vidstyle(*render)
    assert refused.code == 2
    assert refused.err == (
        f"vidstyle: {target}: another run is writing it; wait for that, or name another output\n"
    )
    assert not list(tmp_path.iterdir())
    assert vidstyle(*render).code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".vidstyle", "styled.mp4"]


def test_a_join_waits_for_no_other(vidstyle, shot, style_picture, tiny_model, tmp_path) -> None:
    work, target = tmp_path / "work", tmp_path / "styled.mp4"
    look = ("--style", style_picture, "--model", tiny_model, "--device", "cpu")
    assert vidstyle("-q", "analyse", shot.clip, *look, "--work", work).code == 0
    join = ("-q", "join", shot.clip, "--work", work, "--repair", "-o", target)
    with claimed(str(target)):
        assert vidstyle(*join).code == 2
    assert not target.exists()
    assert vidstyle(*join).code == 0
