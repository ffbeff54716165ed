import os
from pathlib import Path

import pytest

from rdi.errors import UsageError
from rdi.runtime.threads import cgroup_quota, choose_threads, count_cores, physical_cores


def topology(folder: Path, siblings: dict[int, str]) -> Path:
    for cpu, text in siblings.items():
        place = folder / f"cpu{cpu}" / "topology"
        place.mkdir(parents=True)
        (place / "thread_siblings_list").write_text(text + "\n")
    return folder


def test_two_threads_of_a_core_count_once(tmp_path: Path) -> None:
    folder = topology(tmp_path, {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"})
    assert count_cores({0, 1, 2, 3}, folder) == 2


def test_only_cores_that_the_process_may_use_count(tmp_path: Path) -> None:
    folder = topology(tmp_path, {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"})
    assert count_cores({0, 2}, folder) == 1
    assert count_cores({0, 3}, folder) == 2


def test_without_a_topology_each_cpu_is_a_core(tmp_path: Path) -> None:
    assert count_cores({0, 1, 5}, tmp_path) == 3


def cgroup(root: Path, own: str, limits: dict[str, str]) -> tuple[Path, Path]:
    for group, text in limits.items():
        (root / group).mkdir(parents=True, exist_ok=True)
        (root / group / "cpu.max").write_text(text)
    (root / "self").write_text(own)
    return root, root / "self"


def test_the_tightest_quota_of_the_groups_above_counts(tmp_path: Path) -> None:
    limits = {"a": "300000 100000", "a/b": "max 100000", "other": "10000 100000"}
    assert cgroup_quota(*cgroup(tmp_path, "0::/a/b\n", limits)) == 3.0


def test_in_a_container_the_root_is_the_group(tmp_path: Path) -> None:
    assert cgroup_quota(*cgroup(tmp_path, "0::/\n", {".": "150000 100000"})) == 1.5


def test_no_quota_is_no_limit(tmp_path: Path) -> None:
    assert cgroup_quota(*cgroup(tmp_path, "0::/a\n", {"a": "max 100000"})) is None
    assert cgroup_quota(tmp_path / "nowhere", tmp_path / "nothing") is None


def test_the_older_form_of_quotas_is_read(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("250000")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert cgroup_quota(tmp_path, tmp_path / "nothing") == 2.5
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1")
    assert cgroup_quota(tmp_path, tmp_path / "nothing") is None


def test_this_computer_has_a_core() -> None:
    assert physical_cores() >= 1


def test_threads_are_as_asked_or_the_physical_cores() -> None:
    most = 4 * (os.cpu_count() or 1)
    assert (choose_threads(None), choose_threads(1), choose_threads(most)) == (physical_cores(), 1, most)
    for asked in (0, -1, most + 1, 100_000):
        with pytest.raises(UsageError, match=f"{asked} threads are out of range; give 1 to {most} "):
            choose_threads(asked)
