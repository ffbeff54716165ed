"""Regression forests as MATLAB's RF_Reg_C toolbox stores them, and how they are asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.errors import InputError, MissingPackageError
from rdi.extras import install_hint

FEATURES = (18, 45, 75)  # that the three forests look at
_WHAT = "give the authors' model.mat (github.com/chaoma99/sr-metric) or pyiqa's NRQM_model.mat"


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees side by side: arrays are (nodes, trees), node 0 is the root.

    left, right: the node to go to; 0 in `left` marks a leaf
    feature:     which value a node asks about
    threshold:   up to it the way goes left
    value:       what a leaf says
    correction:  (offset, factor) that undoes the forest's bias
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    value: NDArray[np.float64]
    correction: tuple[float, float] = (0.0, 1.0)

    def predict(self, features: NDArray[np.float64]) -> float:
        """The mean of what the trees say of one picture's features (features,)."""
        trees = np.arange(self.left.shape[1])
        node = np.zeros_like(trees)
        while (inner := self.left[node, trees] > 0).any():
            lower = features[self.feature[node, trees]] <= self.threshold[node, trees]
            node = np.where(inner, np.where(lower, self.left[node, trees], self.right[node, trees]), node)
        offset, factor = self.correction
        return offset + factor * float(self.value[node, trees].mean())


def read_forests(file: Path) -> tuple[tuple[Forest, ...], NDArray[np.float64]]:
    """The three forests, and the (4,) weights of 1 and of what they say.

    file: MATLAB 5 file with a struct `model`: `rf`, a cell of three forests with the fields lDau, rDau, upper, avnode,
          mbest and, if any, coef; `linear`, four numbers
    Raises InputError for a file that is missing or anything else, MissingPackageError without scipy.
    """
    model = _load(file)
    try:
        cells, linear = model["rf"][0, 0].ravel(), np.asarray(model["linear"][0, 0], dtype=np.float64).ravel()
        if len(cells) != len(FEATURES) or linear.shape != (4,):
            raise ValueError(f"{len(cells)} forests and {linear.size} weights in place of 3 and 4")
        forests = tuple(_forest(cell, count) for cell, count in zip(cells, FEATURES, strict=True))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{file} is not Ma's model: {error}; {_WHAT}") from error
    return forests, linear


def _load(file: Path) -> Any:
    try:
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"Ma's metric needs scipy: {install_hint('eval')}") from error
    if not file.is_file():
        raise InputError(f"{file} does not exist; {_WHAT}")
    try:
        return loadmat(file, variable_names=["model"])["model"]
    except NotImplementedError as error:
        raise InputError(f"{file} is a MATLAB 7.3 file; save it in MATLAB with -v7, or {_WHAT}") from error
    except KeyError as error:
        raise InputError(f"{file} has no variable `model`; {_WHAT}") from error
    except (MatReadError, ValueError, TypeError, OSError, EOFError) as error:
        raise InputError(f"{file} is no MATLAB file that can be read ({error}); {_WHAT}") from error


def _forest(cell: Any, features: int) -> Forest:
    fields = {name: np.asarray(cell[name][0, 0]) for name in ("lDau", "rDau", "mbest", "upper", "avnode")}
    if len({values.shape for values in fields.values()}) > 1 or fields["lDau"].ndim != 2:
        raise ValueError("the arrays of a forest differ in shape")
    left, right, feature = (fields[name].astype(np.int64) - 1 for name in ("lDau", "rDau", "mbest"))
    inner = left >= 0
    own = np.arange(len(left))[:, None]
    for daughters in (left, right):
        # A daughter stands behind its mother, so every way ends.
        if (inner & ((daughters <= own) | (daughters >= len(left)))).any():
            raise ValueError("a node leads nowhere")
    if (inner & ((feature < 0) | (feature >= features))).any():
        raise ValueError(f"a node asks about a feature beyond {features}")
    return Forest(
        np.where(inner, left, 0),
        np.where(inner, right, 0),
        np.where(inner, feature, 0),
        fields["upper"].astype(np.float64),
        fields["avnode"].astype(np.float64),
        _correction(cell),
    )


def _correction(cell: Any) -> tuple[float, float]:
    found = np.asarray(cell["coef"][0, 0]).ravel() if "coef" in (cell.dtype.names or ()) else np.empty(0)
    return (float(found[0]), float(found[1])) if found.size == 2 and found.any() else (0.0, 1.0)
