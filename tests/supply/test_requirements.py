import re
from importlib.metadata import version

import pytest
from packaging.version import Version
from supply.installed import brought_by
from supply.requirements import all_requirements, constraints, lowest, name_of, range_of, requirements_by_extra


def test_every_package_that_pyproject_names_has_a_lowest_version() -> None:
    lines = list(constraints(all_requirements()))
    assert len(lines) > 25
    for line in lines:
        assert re.fullmatch(r"[\w-]+==[\d.]+(; .+)?", line)


@pytest.mark.parametrize(
    ("requirement", "constraint"),
    [
        ("numpy>=2.0", "numpy==2.0"),
        ("torch>=2.13,<2.14", "torch==2.13"),
        ("onnxruntime-gpu[cuda,cudnn]>=1.31", "onnxruntime-gpu==1.31"),
        ("onnxruntime-openvino>=1.24; python_version < '3.14'", "onnxruntime-openvino==1.24; python_version < '3.14'"),
    ],
)
def test_a_floor_becomes_a_constraint_that_pip_takes(requirement: str, constraint: str) -> None:
    assert lowest(requirement) == constraint


@pytest.mark.parametrize("requirement", ["numpy", "numpy<3", "numpy>2", "numpy~=2.0", "numpy==2.0", "numpy>=2.0,!=2.1"])
def test_a_requirement_without_a_lowest_version_is_refused(requirement: str) -> None:
    with pytest.raises(ValueError, match="has no lower bound; write name>=LOWEST"):
        lowest(requirement)


def test_two_floors_of_one_package_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two floors: A-b==1\.0 and a_b==2\.0"):
        list(constraints(["A-b>=1.0", "a_b>=2.0"]))


def test_names_and_ranges_are_told_apart() -> None:
    assert name_of("Scikit_Image>=0.26") == "scikit-image"
    assert range_of("torch>=2.13,<2.14") == ">=2.13,<2.14"
    listed = requirements_by_extra()
    assert {"core", "cpu", "cuda", "openvino", "train", "export", "bench", "eval", "dev"} == set(listed)
    assert not any(text.startswith("rdi") for texts in listed.values() for text in texts)


def test_what_is_installed_here_is_no_older_than_what_pyproject_allows() -> None:
    floors = {name_of(text): lowest(text).partition("==")[2].partition(";")[0] for text in all_requirements()}
    installed = [name for name in brought_by(all_requirements()) if name in floors]
    assert {"numpy", "rawpy", "onnxruntime", "torch"} <= set(installed)
    for name in installed:
        assert Version(version(name)) >= Version(floors[name]), name
