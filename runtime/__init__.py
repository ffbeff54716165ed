"""ONNX model -> restored picture, with ONNX Runtime; needs neither torch nor onnx.

from pathlib import Path
from rdi.camera.reading import read_photo
from rdi.runtime import Restorer, save_picture

restored = Restorer().restore(read_photo(Path("photo.ARW")))
save_picture(restored, Path("photo_restored.jpg"))
"""

from rdi.runtime.exposure import Amplification, Exposure, ExposureMode
from rdi.runtime.model import read_metadata
from rdi.runtime.pictures import PictureSettings, save_picture
from rdi.runtime.providers import Provider
from rdi.runtime.restorer import Restored, Restorer

__all__ = [
    "Amplification",
    "Exposure",
    "ExposureMode",
    "PictureSettings",
    "Provider",
    "Restored",
    "Restorer",
    "read_metadata",
    "save_picture",
]
