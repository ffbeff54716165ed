"""The machine that figures name."""

import os

import numpy as np

from rdi.runtime.machine import Machine, this_machine
from rdi.runtime.threads import physical_cores

QUIET = Machine("Example 9000", 1, 8 * 2**30, "Example OS, Python 3.11", (), {"rdi": "1", "numpy": "2"}, 0.1)


def test_it_is_this_one() -> None:
    machine = this_machine()
    assert machine.cores == physical_cores()
    assert machine.versions["numpy"] == np.__version__
    assert machine.processor in machine.describe()
    if hasattr(os, "getloadavg"):
        assert machine.load is not None


def test_a_line_for_people_holds_what_figures_depend_on() -> None:
    assert QUIET.describe() == "Example 9000, 1 core, 8 GiB; Example OS, Python 3.11; rdi 1, numpy 2"


def test_a_busy_machine_says_so() -> None:
    busy = Machine(**{**vars(QUIET), "cores": 2, "memory": None, "gpus": ("GPU driver 1",), "load": 2.34})
    said = busy.describe()
    assert said.startswith("Example 9000, 2 cores; GPU driver 1; Example OS")
    assert said.endswith("BUSY when this began (load 2.3): trust ratios, not times")
    assert busy.to_dict()["load"] == 2.34
