"""ONNX model -> restored picture, with ONNX Runtime; needs neither torch nor onnx.

from rdi.camera import read_photo
from rdi.runtime import Restorer, save_picture

restored = Restorer().restore(read_photo("photo.ARW"))
save_picture(restored, "photo_restored.jpg")
"""

from rdi.runtime.exposure import Amplification, Exposure, ExposureMode
from rdi.runtime.model import read_metadata
from rdi.runtime.pictures import PictureSettings, save_picture
from rdi.runtime.providers import Provider
from rdi.runtime.restorer import Restored, Restorer
from rdi.runtime.white_balance import WhiteBalance, parse_white_balance

__all__ = [
    "Amplification",
    "Exposure",
    "ExposureMode",
    "PictureSettings",
    "Provider",
    "Restored",
    "Restorer",
    "WhiteBalance",
    "parse_white_balance",
    "read_metadata",
    "save_picture",
]
