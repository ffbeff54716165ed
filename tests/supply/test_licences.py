"""docs/licences.md is true of pyproject.toml and of what is installed."""

import re
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from supply.installed import brought_by, licence_of
from supply.requirements import all_requirements, name_of, range_of, requirements_by_extra

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
ROWS = {
    row[0]: row[1:] for row in re.findall(r"^\| `([\w-]+)` \| ([\w, ]+) \| (?:`(.*?)` )?\| (.*?) \|", PAGE, flags=re.M)
}
SHIPPED = {extra: texts for extra, texts in requirements_by_extra().items() if extra != "dev"}
BROUGHT = brought_by(SHIPPED["core"] + SHIPPED["cpu"])
PERMISSIVE = r"MIT|BSD|Apache|PSF|ISC|Zlib|0BSD|CC0|BSL"


@pytest.mark.parametrize("extra", SHIPPED)
def test_every_package_of_an_extra_has_a_row_with_the_versions_of_pyproject(extra: str) -> None:
    for requirement in SHIPPED[extra]:
        extras, versions, _ = ROWS[name_of(requirement)]
        assert versions == range_of(requirement), requirement
        assert extra in extras.split(", "), requirement


@pytest.mark.parametrize("name", sorted(BROUGHT))
def test_every_package_that_a_user_gets_has_a_row(name: str) -> None:
    assert name in ROWS, f"add | `{name}` | core or cpu | | {licence_of(BROUGHT[name])} | to docs/licences.md"


@pytest.mark.parametrize("name", sorted(brought_by(ROWS).keys() & ROWS.keys()))
def test_a_row_has_the_licence_that_the_installed_package_names(name: str) -> None:
    assert ROWS[name][2] == licence_of(brought_by([name])[name])


def test_no_row_is_of_a_package_that_rdi_does_not_take() -> None:
    assert set(ROWS) <= {name_of(text) for texts in SHIPPED.values() for text in texts} | set(BROUGHT)


def test_everything_else_that_an_extra_brings_is_permissive() -> None:
    texts = [text for extra, texts in SHIPPED.items() if extra not in ("cuda", "openvino") for text in texts]
    others = {name: found for name, found in brought_by(texts).items() if name not in ROWS}
    assert others
    for name, found in others.items():
        if not name.startswith(("nvidia-", "cuda-")):  # of torch's builds for CUDA, which the page names
            assert re.search(PERMISSIVE, licence_of(found)), name
            assert "GPL" not in licence_of(found), name


def test_libraw_lies_in_rawpy_as_a_library_of_its_own_without_its_gpl_parts() -> None:
    import rawpy

    built_with = rawpy.flags
    assert built_with is not None
    assert not built_with["DEMOSAIC_PACK_GPL2"]
    assert not built_with["DEMOSAIC_PACK_GPL3"]
    names = [str(file) for file in distribution("rawpy").files or []]
    assert any(name.endswith("licenses/LICENSE.LibRaw") for name in names)


def test_every_file_of_data_that_is_others_stands_in_the_page_and_in_the_notices() -> None:
    notices = (ROOT / "NOTICE.md").read_text(encoding="utf-8")
    for path in [*(ROOT / "rdi").glob("*/*.npz"), *(ROOT / "rdi").glob("*/*.json")]:
        name = path.relative_to(ROOT).as_posix()
        assert f"`{name}`" in PAGE
        assert f"`{name}`" in notices


class Described(Distribution):
    """A distribution with these metadata."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ("License-Expression: MIT\nLicense: other", "MIT"),
        ("License: OSI Approved :: Apache Software License", "Apache Software License"),
        (f"License: {'text of it ' * 9}\nClassifier: License :: OSI Approved :: BSD License", "BSD License"),
        ("Classifier: Typing :: Typed", "not named"),
    ],
)
def test_the_licence_is_the_expression_else_the_short_text_else_the_classifiers(fields: str, licence: str) -> None:
    assert licence_of(Described(f"Metadata-Version: 2.4\nName: a\n{fields}\n")) == licence


def test_what_is_not_installed_is_left_out() -> None:
    assert brought_by(["a-package-that-nobody-made>=1"]) == {}
    assert set(brought_by(all_requirements())) > set(BROUGHT)
