import logging
from pathlib import Path

import numpy as np
import pytest

from rdi.camera import RawPhoto
from rdi.errors import ProviderError, UsageError
from rdi.runtime import Provider, Restorer
from rdi.runtime.providers import available_providers

ABSENT = next(provider for provider in Provider if provider not in available_providers())


def test_without_leave_a_provider_that_cannot_be_used_is_refused(tiny_model: Path) -> None:
    with pytest.raises(ProviderError, match=f"provider {ABSENT} cannot be used"):
        Restorer(tiny_model, provider=ABSENT)


def test_with_leave_the_cpu_restores_and_the_result_says_why(
    tiny_model: Path, dark_photo: RawPhoto, caplog: pytest.LogCaptureFixture
) -> None:
    restorer = Restorer(tiny_model, provider=ABSENT, allow_fallback=True)
    restored = restorer.restore(dark_photo)
    assert (restorer.provider, restored.provider) == (Provider.CPU, Provider.CPU)
    assert restored.fallback == restorer.fallback
    assert f"provider {ABSENT} cannot be used" in str(restored.fallback)
    assert np.array_equal(restored.image, Restorer(tiny_model).restore(dark_photo).image)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"running on the cpu instead of {ABSENT}" in record.message


def test_a_provider_that_is_used_says_nothing(
    tiny_model: Path, dark_photo: RawPhoto, caplog: pytest.LogCaptureFixture
) -> None:
    restored = Restorer(tiny_model, allow_fallback=True).restore(dark_photo)
    assert (restored.provider, restored.fallback) == (Provider.CPU, None)
    assert caplog.records == []


def test_leave_to_fall_back_excuses_no_slip(tiny_model: Path) -> None:
    with pytest.raises(UsageError, match="unknown provider 'gpu'"):
        Restorer(tiny_model, provider="gpu", allow_fallback=True)
    with pytest.raises(UsageError, match="unknown to provider cuda"):
        Restorer(tiny_model, provider="cuda", device="first", allow_fallback=True)


def test_a_device_belongs_to_the_provider_that_was_asked_for(tiny_model: Path) -> None:
    device = "0" if ABSENT is not Provider.OPENVINO else "CPU"
    assert Restorer(tiny_model, provider=ABSENT, device=device, allow_fallback=True).provider is Provider.CPU
