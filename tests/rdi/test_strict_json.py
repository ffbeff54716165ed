"""JSON that every reader takes, and text that commands nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rdi.printable import from_markdown, in_markdown, one_line, printable
from rdi.strict_json import DEEPEST, read_json, read_object, write_json

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=8,
)


def refuse(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


@given(VALUES, some.booleans(), some.sampled_from([None, 1]))
def test_what_is_written_is_json_without_commands(value: object, ascii_only: bool, indent: int | None) -> None:
    text = write_json(value, indent, ascii_only=ascii_only)
    assert printable(text) == text
    text.encode()
    read = json.loads(text, parse_constant=refuse)
    if not isinstance(value, float):
        assert write_json(read, indent, ascii_only=ascii_only) == text


def test_text_comes_back_as_it_was() -> None:
    for hostile in ("\x7f\x9b31m", "\x1b[31m\r\n", "\u202egnp.exe", "\u2028", "a\udcffb", "\x00", "</script>"):
        for ascii_only in (True, False):
            assert json.loads(write_json({hostile: [hostile]}, ascii_only=ascii_only)) == {hostile: [hostile]}


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999", "[NaN]", '{"a": [1, -1e999]}'])
def test_numbers_that_are_none_become_nothing(text: str) -> None:
    assert "None" in str(read_json(text))
    json.loads(write_json(json.loads(text)), parse_constant=refuse)


@pytest.mark.parametrize("text", ["", "{", "nonsense", "[" * 1_000_000, '{"a":' * 100_000, "9" * 5000, b"\xff\xfe\x00"])
def test_what_is_no_json_or_nested_too_deep_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


def test_objects_may_be_nested_as_runs_are() -> None:
    nested = '{"started_from":' * (DEEPEST - 2) + "1" + "}" * (DEEPEST - 2)
    assert read_object(nested)["started_from"]
    with pytest.raises(ValueError, match="nested too deep"):
        read_object('{"a":' * 3 + nested + "}" * 3)
    with pytest.raises(ValueError, match="expected a JSON object"):
        read_object("[1]")


@given(some.text())
def test_a_line_is_one_line_and_commands_nothing(text: str) -> None:
    shown = one_line(text)
    assert len(shown.splitlines()) <= 1
    assert not any(char < " " or "\x7f" <= char <= "\x9f" for char in shown)
    assert not set(shown) & set("\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(some.text())
def test_markdown_takes_any_name_as_text(name: str) -> None:
    written = in_markdown(name)
    assert not set("|<[`") & {char for place, char in enumerate(written) if place == 0 or written[place - 1] != "\\"}
    if "\\" not in name:
        assert from_markdown(written) == one_line(name)
