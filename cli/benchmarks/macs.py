"""`rdi bench --macs`."""

from rdi.cli.benchmarks.request import Figures, Request
from rdi.cli.export import require_packages

SIZES = "2848x4256,4032x5984"  # the paper's, Bayer and X-Trans


def measure(request: Request) -> Figures:
    """Count parameters and multiply-accumulates; nothing is timed."""
    require_packages()
    from rdi.export.benchmarks.arithmetic import count_arithmetic

    return count_arithmetic(request.size_list(SIZES))
