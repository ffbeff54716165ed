"""`rdi bench --branches`."""

from rdi.cli.benchmarks.network import given_network
from rdi.cli.benchmarks.request import Figures, Request, observe
from rdi.cli.export import require_packages


def measure(request: Request) -> Figures:
    """Time each part of the network alone."""
    require_packages()
    from rdi.export.benchmarks.branch_speed import measure_branches
    from rdi.runtime.threads import choose_threads

    size, threads = request.one_size(), choose_threads(request.threads)
    return measure_branches(given_network(request), size, threads=threads, runs=request.rounds, observe=observe)
