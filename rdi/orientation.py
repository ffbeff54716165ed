"""EXIF orientation: how the camera was held, undone in the pixels."""

from typing import Any

from numpy.typing import NDArray


def upright(picture: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn a picture as EXIF's orientation 1 to 8 asks for: (H, W, 3) -> (H, W, 3) or (W, H, 3), a view.

    2 and 4 are mirrored, 3 stands on its head, 5 to 8 have rows and columns exchanged (6 and 8: turned by 90 degrees).
    """
    if orientation >= 5:
        picture = picture.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    return picture


def sensor_view(picture: NDArray[Any], orientation: int) -> NDArray[Any]:
    """An upright picture's pixels as the sensor had them, a view; `upright` turns it back."""
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    return picture.transpose(1, 0, 2) if orientation >= 5 else picture
