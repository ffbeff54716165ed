"""What this computer has of what rdi needs, found by trying it."""

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from rdi import __version__
from rdi.camera.cfa import Cfa
from rdi.camera.photo import RawPhoto
from rdi.errors import MissingPackageError, ModelError, ProviderError, RdiError
from rdi.extras import install_hint
from rdi.models import SHIPPED, shipped_model
from rdi.runtime.exposure import Exposure, ExposureMode
from rdi.runtime.model import ModelFile, open_model
from rdi.runtime.package import import_onnxruntime, installed_distributions
from rdi.runtime.placement import placement_of
from rdi.runtime.provider_options import openvino_devices
from rdi.runtime.providers import Provider, available_providers, missing_reason, two_distributions_reason
from rdi.runtime.restorer import Restorer
from rdi.runtime.sessions import Sessions
from rdi.runtime.threads import physical_cores

_PACKAGES = ("numpy", "rawpy", "pillow", "simplejpeg", "isal", "typer")


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    ABSENT = "absent"  # not here, and not needed: rdi works without it
    SKIPPED = "skipped"  # could not be tried, because something else is broken
    BROKEN = "broken"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    name:    what
    verdict: ok, absent, skipped or broken
    detail:  what was found; for the others also what mends it
    """

    name: str
    verdict: Verdict
    detail: str

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"name": self.name, "verdict": str(self.verdict), "detail": self.detail}


def diagnose(model: Path | None = None) -> Iterator[Check]:
    """Look at everything that `rdi infer` needs, one check after the other.

    model: the model file to check and to try; by default all that ship with rdi, and the first one is tried
    """
    yield Check("rdi", Verdict.OK, __version__)
    yield Check("python", Verdict.OK, f"{platform.python_version()} on {sys.platform} {platform.machine()}")
    yield _check_packages()
    cores = physical_cores()
    yield Check("cores", Verdict.OK, f"{cores} physical for rdi, {os.cpu_count() or 1} CPUs in all; threads: {cores}")
    runtime = _check_onnxruntime()
    yield runtime
    if runtime.verdict is Verdict.BROKEN:
        return
    named = {"model": model} if model else {f"model {name}": shipped_model(name) for name in SHIPPED}
    models = [_check_model(name, path) for name, path in named.items()]
    yield from (check for _, check in models)
    opened = models[0][0]
    for provider in Provider:
        yield _check_provider(provider, opened)
    if opened is not None:
        yield _check_restoration(opened)


def _check_packages() -> Check:
    """What rdi always needs."""
    try:
        found = [f"{name} {version(name)}" for name in _PACKAGES]
    except PackageNotFoundError as error:
        return Check("packages", Verdict.BROKEN, f"{error.name} is not installed; {install_hint('cpu')}")
    return Check("packages", Verdict.OK, ", ".join(found))


def _check_onnxruntime() -> Check:
    """One distribution, and one that can be imported."""
    try:
        loaded = import_onnxruntime().__version__
    except (MissingPackageError, ProviderError) as error:
        return Check("onnxruntime", Verdict.BROKEN, str(error))
    found = installed_distributions()
    if len(found) > 1:
        return Check("onnxruntime", Verdict.BROKEN, two_distributions_reason())
    names = found or ["onnxruntime of unknown origin"]
    return Check("onnxruntime", Verdict.OK, ", ".join(f"{name} {loaded}" for name in names))


def _check_model(name: str, path: Path) -> tuple[ModelFile | None, Check]:
    try:
        model = open_model(path)
    except ModelError as error:
        return None, Check(name, Verdict.BROKEN, str(error))
    said = model.metadata
    weights = said.weights_sha256[:12] or "without a hash"
    detail = (
        f"{model.path} ({len(model.content) / 1e6:.1f} MB): {said.variant}, {said.cfa}, white balance "
        f"{said.white_balance}, rendering {said.rendering}, "
        f"m = {said.m:g} {said.m_convention}, curve {said.curve}, {said.precision}, weights {weights}"
        + (f"; {said.precision.note}" if said.precision.note else "")
    )
    return model, Check(name, Verdict.OK, detail)


def _check_provider(provider: Provider, model: ModelFile | None) -> Check:
    """Built in, and loads: shown by a session for the smallest frame."""
    name = f"provider {provider}"
    if provider not in available_providers():
        return Check(name, Verdict.ABSENT, missing_reason(provider))
    if model is None:
        return Check(name, Verdict.SKIPPED, "built in, but not tried: there is no model to try it with")
    smallest = model.metadata.size_multiple
    try:
        session = Sessions(model, provider).get(smallest, smallest)
    except RdiError as error:
        verdict = Verdict.BROKEN if provider is Provider.CPU else Verdict.ABSENT
        return Check(name, verdict, str(error))
    if provider is Provider.CPU:
        return Check(name, Verdict.OK, "loads the model")
    devices = f"; devices: {', '.join(openvino_devices())}" if provider is Provider.OPENVINO else ""
    return Check(name, Verdict.OK, f"loads the model and runs {placement_of(session, provider).describe()}{devices}")


def _check_restoration(model: ModelFile) -> Check:
    """Restore a small dark ramp on the CPU: the picture must have its size and be brighter where the ramp is."""
    name = "restoration"
    try:
        restored = Restorer(model.path).restore(_ramp(model.metadata.cfa), Exposure(ExposureMode.NUMBER, 100))
    except RdiError as error:
        return Check(name, Verdict.BROKEN, str(error))
    dark, bright = (float(half.mean()) / 65535 for half in np.array_split(restored.image, 2, axis=1))
    if restored.image.shape != (64, 96, 3) or bright <= dark:
        return Check(
            name, Verdict.BROKEN, f"a dark ramp came back as {restored.image.shape}, {dark:.2f} to {bright:.2f}"
        )
    time = sum(restored.timings.values())
    return Check(name, Verdict.OK, f"a dark ramp of 96x64 pixels in {time:.0f} ms, session included")


def _ramp(cfa: Cfa) -> RawPhoto:
    """Left black, right 1 % of white, without noise."""
    ramp = np.linspace(512, 512 + 159, 96).astype(np.uint16)
    return RawPhoto(np.tile(ramp, (64, 1)), cfa, np.array([512.0]), 16383.0)
