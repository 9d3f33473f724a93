"""The renders of a session."""

from dataclasses import replace

import pytest

from vidstyle.errors import UsageError
from vidstyle.ui.history import History


@pytest.fixture
def others(results):
    """Two more renders, whose files are copies."""
    made = []
    for name in ("other", "third"):
        folder = results.clip.parent.with_name(name)
        folder.mkdir()
        copies = [folder / path.name for path in results.made]
        for path, copy in zip(results.made, copies, strict=True):
            copy.write_bytes(path.read_bytes())
        made.append(replace(results, clip=copies[0], mattes=(copies[1],), report=copies[2]))
    return made


def test_renders_stay_until_they_are_removed(desk, results, others) -> None:
    history = History(1 << 30)
    for each in (results, *others):
        history.add(desk, each)
    assert [kept.number for kept in history.renders] == [1, 2, 3]
    assert all(path.exists() for kept in history.renders for path in kept.results.made)
    history.show(2)
    history.remove(desk)
    assert not others[0].clip.exists()
    assert history.shown.number == 3
    history.add(desk, results)
    assert [kept.number for kept in history.renders] == [1, 3, 4]
    with pytest.raises(UsageError, match="render 2 was removed"):
        history.show(2)


def test_what_is_kept_is_bounded_and_told(desk, results) -> None:
    history = History(desk.bytes - 1)
    history.check_room()
    history.add(desk, results)
    assert str(history).startswith("1 render, kept until you reload the page")
    assert str(history).endswith(": 0 of 0 MiB")
    with pytest.raises(UsageError, match="remove one that you no longer need"):
        history.check_room()
    history.remove(desk)
    history.check_room()


def test_a_desk_goes_with_its_last_render(desk, results, others) -> None:
    history = History(1 << 30)
    history.add(desk, results)
    history.add(desk, others[0])
    history.remove(None)
    assert desk.clip.exists()
    history.remove(None)
    assert not desk.clip.exists()
    assert history.shown is None
