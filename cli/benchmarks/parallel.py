"""`rdi bench --parallel`."""

from rdi.cli.benchmarks.network import given_network
from rdi.cli.benchmarks.request import Figures, Request, observe
from rdi.cli.export import require_packages


def measure(request: Request) -> Figures:
    """Time the network's branches in sequence against all at once."""
    require_packages()
    from rdi.export.benchmarks.parallel_speed import measure_parallel
    from rdi.runtime.threads import choose_threads

    size, threads = request.one_size(), choose_threads(request.threads)
    return measure_parallel(given_network(request), size, threads=threads, runs=request.rounds, observe=observe)
