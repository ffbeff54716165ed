"""The machine that figures were measured on: they mean little without it."""

import os
import platform
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rdi import __version__
from rdi.runtime.threads import physical_cores

_PACKAGES = ("numpy", "rawpy", "onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "openvino", "torch")
_CPU_INFO = Path("/proc/cpuinfo")
_STAT = Path("/proc/stat")
_WATCHED = 0.5  # seconds
_IDLE = 0.2  # of a CPU: what a machine does by itself


@dataclass(frozen=True)
class Machine:
    """What figures depend on.

    processor: the CPU's name for people
    cores:     physical ones that rdi may use
    memory:    bytes in all; None where the system does not tell
    system:    of the computer, and Python's version
    gpus:      NVIDIA's, as their driver names them
    versions:  of the packages that compute, as installed
    busy:      CPUs that others kept busy while this process waited half a second; None where the system does not tell
    """

    processor: str
    cores: int
    memory: int | None
    system: str
    gpus: tuple[str, ...]
    versions: Mapping[str, str]
    busy: float | None

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "gpus": list(self.gpus)}

    def describe(self) -> str:
        """For people, on one line."""
        memory = "" if self.memory is None else f", {self.memory / 2**30:.0f} GiB"
        gpus = f"; {', '.join(self.gpus)}" if self.gpus else ""
        packages = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        cores = f"{self.cores} core{'s' * (self.cores > 1)}"
        return f"{self.processor}, {cores}{memory}{gpus}; {self.system}; {packages}{self._busy()}"

    def _busy(self) -> str:
        if self.busy is None or self.busy <= _IDLE:
            return ""
        return f"; BUSY (others used {self.busy:.1f} CPUs when this began): trust ratios, not times"


def this_machine() -> Machine:
    """The machine that this process runs on."""
    return Machine(
        processor=_processor(),
        cores=physical_cores(),
        memory=_memory(),
        system=f"{_system()}, Python {platform.python_version()}",
        gpus=_gpus(),
        versions={"rdi": __version__, **{name: found for name in _PACKAGES if (found := _version(name))}},
        busy=_busy_cpus(),
    )


def _busy_cpus() -> float | None:
    """Not the load average, which remembers a minute: the benchmark before this one would be in it."""
    if not _STAT.exists():
        return None
    before = _cpu_times()
    time.sleep(_WATCHED)
    (working, idle), (working_before, idle_before) = _cpu_times(), before
    share = (working - working_before) / max(1, working - working_before + idle - idle_before)
    return round(share * (os.cpu_count() or 1), 2)


def _cpu_times() -> tuple[int, int]:
    """Ticks of all CPUs since the system started: working, or taken by another virtual machine; idle."""
    user, nice, system, idle, waiting, interrupts, soft, stolen = map(int, _STAT.read_text().split()[1:9])
    return user + nice + system + interrupts + soft + stolen, idle + waiting


def _processor() -> str:
    if _CPU_INFO.exists():
        lines = [line.partition(":")[2] for line in _CPU_INFO.read_text().splitlines() if line.startswith("model name")]
        if lines:
            return " ".join(lines[0].replace("(R)", "").replace("(TM)", "").split())
    return platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


def _system() -> str:
    try:
        release = platform.freedesktop_os_release()
    except (OSError, AttributeError):
        return f"{platform.system()} {platform.release()}"
    return f"{release.get('PRETTY_NAME', release['NAME'])}, {platform.system()} {platform.release()}"


def _gpus() -> tuple[str, ...]:
    """What `nvidia-smi`, which comes with the driver, lists; nothing where there is none."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip().replace(", ", " driver ") for line in found.stdout.splitlines() if line.strip())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
