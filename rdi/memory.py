"""How much memory this process holds and has held at most, and sizes as people write them."""

import re
import sys
from pathlib import Path
from typing import Any

from rdi.errors import MissingPackageError, UsageError

LEAST_WITHOUT_UNIT = 10**6  # bytes; nobody who writes 300 means less than a megabyte
_STATUS = Path("/proc/self/status")
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}


def peak_resident_bytes() -> int:
    """Highest resident set size of this process so far, bytes.

    On Linux from /proc: `getrusage` also counts what the parent process had before this one was started.
    """
    if _STATUS.exists():
        return _status("VmHWM")
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return int(_psutil().peak_wset)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def resident_bytes() -> int:
    """Resident set size of this process now, bytes; outside Linux psutil is asked, which must be installed."""
    return _status("VmRSS") if _STATUS.exists() else int(_psutil().rss)


def parse_bytes(text: str) -> int:
    """`400MB`, `1.5GB`, `512MiB` or a number of bytes, a million at least, -> bytes; UsageError for anything else."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*", text)
    unit = _UNITS.get(match[2].upper()) if match else None
    if match is None or unit is None or not float(match[1]) * unit >= 1:
        raise UsageError(f"{text!r} is no amount of memory; give one such as 400MB, 1.5GB or 512MiB")
    if not match[2] and float(match[1]) < LEAST_WITHOUT_UNIT:
        raise UsageError(f"{match[1]} bytes? give {match[1]}MB, or another unit")
    return int(float(match[1]) * unit)


def megabytes(size: int) -> str:
    """For people: `401 MB`, rounded up."""
    return f"{-(-size // 10**6)} MB"


def _status(name: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def _psutil() -> Any:
    try:
        import psutil
    except ModuleNotFoundError as error:
        raise MissingPackageError("measuring memory on this system needs psutil: pip install psutil") from error
    return psutil.Process().memory_info()
