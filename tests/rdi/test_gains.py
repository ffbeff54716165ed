"""`R,G,B`, typed."""

import pytest

from rdi.errors import UsageError
from rdi.gains import parse_gains


def test_gains_are_scaled_to_green() -> None:
    assert parse_gains("4, 2,3", "random") == (2, 1, 1.5)
    assert parse_gains("64,1,0.5", "random") == (64, 1, 0.5)


@pytest.mark.parametrize("text", ["sunny", "1,2", "1,2,3,4", "1,0,1", "a,b,c", ""])
def test_what_is_no_three_numbers_is_refused_with_the_alternatives(text: str) -> None:
    with pytest.raises(UsageError, match="is unknown; give random or three gains"):
        parse_gains(text, "random")


@pytest.mark.parametrize("text", ["1e9,1,1", "65,1,1", "1,0.01,1", "-1,1,1", "-1,-1,-1", "nan,1,1", "1,inf,1", "0,1,1"])
def test_gains_that_no_light_needs_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="up to 64 times green's"):
        parse_gains(text, "random")
