"""`rdi bench --rewrites`."""

from rdi.cli.benchmarks.request import Figures, Request, observe
from rdi.cli.export import require_packages

SIZES = "1408x2112"


def measure(request: Request) -> Figures:
    """Time each rewrite of the deployment form against what it replaces."""
    require_packages()
    from rdi.export.benchmarks.rewrite_speed import measure_rewrites
    from rdi.runtime.threads import choose_threads

    sizes, threads = request.size_list(SIZES), choose_threads(request.threads)
    return measure_rewrites(sizes, threads=threads, runs=request.rounds, observe=observe)
