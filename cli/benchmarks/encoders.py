"""`rdi bench --encoders`."""

from rdi.cli.benchmarks.request import Figures, Request


def measure(request: Request) -> Figures:
    """Time the picture encoders against Pillow's."""
    from rdi.runtime.encoder_speed import measure_encoders
    from rdi.runtime.restorer import Restorer

    return measure_encoders(Restorer(request.model, threads=request.threads), request.one_size(), request.rounds)
