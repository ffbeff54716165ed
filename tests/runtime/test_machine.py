"""The machine that figures name."""

from pathlib import Path

import numpy as np
import pytest

from rdi.runtime.machine import Machine, this_machine
from rdi.runtime.threads import physical_cores

QUIET = Machine("Example 9000", 1, 8 * 2**30, "Example OS, Python 3.11", (), {"rdi": "1", "numpy": "2"}, 0.1)


def test_it_is_this_one() -> None:
    machine = this_machine()
    assert machine.cores == physical_cores()
    assert machine.versions["numpy"] == np.__version__
    assert machine.processor in machine.describe()


def test_a_line_for_people_holds_what_figures_depend_on() -> None:
    assert QUIET.describe() == "Example 9000, 1 core, 8 GiB; Example OS, Python 3.11; rdi 1, numpy 2"


def test_a_busy_machine_says_so() -> None:
    busy = Machine(**{**vars(QUIET), "cores": 2, "memory": None, "gpus": ("GPU driver 1",), "busy": 2.34})
    said = busy.describe()
    assert said.startswith("Example 9000, 2 cores; GPU driver 1; Example OS")
    assert said.endswith("BUSY (others used 2.3 CPUs when this began): trust ratios, not times")
    assert busy.to_dict()["busy"] == 2.34


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="needs Linux")
def test_what_others_do_is_seen_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ticks = iter(["cpu 100 0 0 100 0 0 0 0 0 0\n", "cpu 120 10 10 130 10 5 5 10 0 0\n"])
    stat = tmp_path / "stat"

    def pass_time(_: float) -> None:
        stat.write_text(next(ticks))

    pass_time(0)
    monkeypatch.setattr("rdi.runtime.machine._STAT", stat)
    monkeypatch.setattr("rdi.runtime.machine.time.sleep", pass_time)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert this_machine().busy == 2.4  # 60 of 100 ticks on four CPUs
