"""`rdi bench --stages`."""

from rdi.cli.benchmarks.request import Figures, Request


def measure(request: Request) -> Figures:
    """Time what a photo goes through, from raw file to JPEG."""
    from rdi.models import shipped_sample
    from rdi.runtime.stage_speed import measure_stages

    return measure_stages(request.subject or shipped_sample(), request.model, request.threads, request.rounds)
