"""The page listens on this computer unless told, and limits are numbers above nothing."""

import pytest

from neurogaze.errors import InputError
from neurogaze.serve.settings import ServeSettings


def test_the_page_is_for_this_computer_unless_asked():
    assert ServeSettings().loopback
    assert ServeSettings(host="::1").loopback
    assert not ServeSettings(host="0.0.0.0").loopback
    assert not ServeSettings(host="192.168.1.4").loopback


@pytest.mark.parametrize(
    "change", [{"port": -1}, {"port": 70_000}, {"faces": 0}, {"waiting": -3}, {"uploads": 0}]
)
def test_what_makes_no_server_is_refused(change):
    with pytest.raises(InputError, match=str(next(iter(change.values())))):
        ServeSettings(**change)
