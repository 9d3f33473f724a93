"""What a client may spend in a while."""

from vidstyle.runtime.allowance import Allowance


def test_each_client_has_its_own_and_gets_it_back() -> None:
    now = [0.0]
    allowance = Allowance(3, seconds=60, clock=lambda: now[0])
    allowance.spend("one", 2)
    assert allowance.allows("one")
    assert not allowance.allows("one", 2)
    assert allowance.allows("two", 3)
    now[0] = 59
    allowance.spend("one")
    assert not allowance.allows("one")
    now[0] = 61
    assert allowance.allows("one", 2)
    assert not allowance.allows("one", 3)


def test_more_than_all_of_it_is_never_allowed() -> None:
    assert not Allowance(3, seconds=60).allows("one", 4)


def test_clients_of_long_ago_take_no_memory() -> None:
    now = [0.0]
    allowance = Allowance(3, seconds=60, clock=lambda: now[0])
    for client in range(100):
        allowance.spend(client)
    now[0] = 61
    allowance.spend("new")
    assert len(allowance._spent) == 1
