"""Every error that rdi raises on purpose.

    RdiError
    ├── UsageError              options that exclude each other, values out of range
    │   └── ChoiceError         something must be chosen; lists what, a line each
    ├── InputError              a file that cannot be read
    │   ├── NotARawPhotoError   a picture, a text, a folder: no camera raw file
    │   ├── TruncatedPhotoError a raw file that is shorter than its own header says
    │   └── UnsupportedMosaicError   Foveon, monochrome, linear: no Bayer or X-Trans mosaic
    ├── LevelsError             black and white level, gains or matrix that make no sense
    ├── MemoryLimitError        a photo that cannot be restored within the memory allowed, or the memory there is
    ├── ModelError              an ONNX file that is damaged or was not written by `rdi export`
    ├── CheckpointError         a weights file that is damaged or does not fit the network
    ├── ProviderError           an execution provider that cannot be used
    ├── OutputError             a file that cannot or must not be written
    ├── TrainingDataError       nothing to train on, or something damaged in it
    ├── VerificationError       an exported graph that does not compute what the network computes
    └── MissingPackageError     a package that is not installed, or broken

A message says what was given, what is allowed and what to do next. The command line prints it in one line and exits
with 1 (2 for a UsageError); anything else that surfaces is a defect of rdi.
"""


class RdiError(Exception):
    """Base of all of them."""


class UsageError(RdiError):
    """Options or arguments that exclude each other or are out of range."""


class ChoiceError(UsageError):
    """Something must be chosen; the message lists what, a line each. Every other message is one line."""


class InputError(RdiError):
    """A file that is missing or cannot be read."""


class NotARawPhotoError(InputError):
    """A file that is not a camera raw file at all."""


class TruncatedPhotoError(InputError):
    """A raw file that ends before its own picture data do."""


class UnsupportedMosaicError(InputError):
    """A raw file whose pixels are no Bayer or X-Trans mosaic."""


class LevelsError(RdiError):
    """Black level, white level, gains or colour matrix that make no sense."""


class MemoryLimitError(RdiError):
    """A photo for which the memory that was allowed, or that there is, does not suffice.

    Of a limit the message names the smallest that works.
    """


class ModelError(RdiError):
    """A model file that is damaged, foreign or does not fit the photo."""


class CheckpointError(RdiError):
    """A weights file that is damaged or does not fit the network."""


class ProviderError(RdiError):
    """An execution provider that cannot be used here."""


class OutputError(RdiError):
    """An output file that cannot or must not be written."""


class TrainingDataError(RdiError):
    """Training data that are missing, too few or damaged."""


class VerificationError(RdiError):
    """An exported graph that does not compute what the trained network computes."""


class MissingPackageError(RdiError):
    """A package that is not installed, as those of an extra may be, or that is broken."""
