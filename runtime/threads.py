"""How many threads the network gets: one for each physical core that this process may use.

More threads than physical cores make the network slower (4 threads on 2 cores: 654 against 398 ms), and a container's
quota or a pinned process has fewer cores than the machine.
"""

import math
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from rdi.errors import UsageError

_THREADS_PER_CPU = 4  # more than that is a slip of the finger, and starting them takes minutes

_CPUS = Path("/sys/devices/system/cpu")
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def physical_cores() -> int:
    """Physical cores that this process may use, at least 1.

    On Linux: the cores behind the CPUs of the process's affinity, no more than the cgroup's quota rounded up.
    Elsewhere the number of CPUs, which is the number of cores where cores do not run two threads (Apple).
    """
    if sys.platform != "linux":
        return os.cpu_count() or 1
    cores = count_cores(os.sched_getaffinity(0), _CPUS)
    quota = cgroup_quota(_CGROUPS, _OWN_CGROUP)
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def choose_threads(asked: int | None) -> int:
    """How many threads the network gets: as asked, or the physical cores.

    Raises UsageError below 1 and above four for each of the machine's CPUs.
    """
    if asked is None:
        return physical_cores()
    cpus = os.cpu_count() or 1
    if not 1 <= asked <= cpus * _THREADS_PER_CPU:
        raise UsageError(f"{asked} threads are out of range; give 1 to {cpus * _THREADS_PER_CPU} ({cpus} CPUs here)")
    return asked


def count_cores(cpus: Iterable[int], topology: Path) -> int:
    """Distinct cores behind these CPUs; a CPU without a topology counts as a core.

    topology: the folder with `cpuN/topology/thread_siblings_list`
    """
    siblings = {_read(topology / f"cpu{cpu}" / "topology" / "thread_siblings_list") or f"cpu{cpu}" for cpu in cpus}
    return max(1, len(siblings))


def cgroup_quota(root: Path, own: Path) -> float | None:
    """CPUs that the process's control group may use at a time; None for no limit.

    root: where the control groups are mounted
    own:  the file that names the process's own group
    """
    quotas = [_quota_v2(folder) for folder in _own_folders(root, own)]
    quotas += [_quota_v1(root / "cpu"), _quota_v1(root / "cpu,cpuacct")]
    limits = [quota for quota in quotas if quota is not None]
    return min(limits) if limits else None


def _own_folders(root: Path, own: Path) -> list[Path]:
    """The process's group and all groups above it: each may set a limit (in a container the root is the group)."""
    unified = [line[3:] for line in _read(own).splitlines() if line.startswith("0::/")]
    group = root / unified[0].lstrip("/") if unified else root
    return [folder for folder in (group, *group.parents) if folder.is_relative_to(root)]


def _quota_v2(folder: Path) -> float | None:
    """`cpu.max` holds "QUOTA PERIOD" in microseconds, or "max PERIOD"."""
    fields = _read(folder / "cpu.max").split()
    return float(fields[0]) / float(fields[1]) if len(fields) == 2 and fields[0].isdigit() else None


def _quota_v1(folder: Path) -> float | None:
    quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    return float(quota) / float(period) if quota.isdigit() and period.isdigit() else None  # -1: no limit


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # not there on this kernel or in this container: no limit known
        return ""
