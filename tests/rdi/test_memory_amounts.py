import pytest

from rdi.errors import UsageError
from rdi.memory import parse_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [("300MB", 300_000_000), ("1.5 gb", 1_500_000_000), ("512MiB", 512 << 20), ("2000000", 2_000_000), ("300B", 300)],
)
def test_amounts_are_read_with_their_units(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["300", "1.5", "999999"])
def test_a_small_number_without_a_unit_is_asked_about(text: str) -> None:
    with pytest.raises(UsageError, match=rf"^{text} bytes\? give {text}MB"):
        parse_bytes(text)
