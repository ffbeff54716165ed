"""White-balance gains as people type them: `R,G,B`."""

from rdi.camera.photo import MAX_GAIN
from rdi.errors import UsageError

Gains = tuple[float, float, float]


def parse_gains(text: str, otherwise: str) -> Gains:
    """`R,G,B`, scaled to green = 1; UsageError unless it is three gains above 0, up to 64 times green's.

    otherwise: what else the option takes, for the message
    """
    try:
        red, green, blue = (float(part) for part in text.split(","))
        gains = (red / green, 1.0, blue / green)
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(
            f"white balance {text!r} is unknown; give {otherwise} or three gains such as 2.1,1,1.6"
        ) from error
    if not all(0 < gain <= MAX_GAIN for gain in gains) or green < 0:
        raise UsageError(
            f"white balance {text!r} is out of range; give gains above 0, up to {MAX_GAIN:g} times green's"
        )
    return gains
