"""`rdi bench --encoders`."""

from rdi.cli.benchmarks.request import Figures, Request
from rdi.errors import UsageError

SIZE = "2848x4256"


def measure(request: Request) -> Figures:
    """Time the picture encoders against Pillow's."""
    from rdi.runtime.encoder_speed import measure_encoders
    from rdi.runtime.restorer import Restorer

    size, *more = request.size_list(SIZE)
    if more:
        raise UsageError(
            f"--encoders writes pictures of one size; --sizes {request.sizes} has {1 + len(more)}: give one"
        )
    return measure_encoders(Restorer(request.model, threads=request.threads), size, request.rounds)
