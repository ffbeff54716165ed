"""The CPU in place of a provider that cannot be used: only where the caller allows it, and never silently."""

import logging
from dataclasses import dataclass

from rdi.errors import ProviderError
from rdi.runtime.model import ModelFile
from rdi.runtime.providers import Provider
from rdi.runtime.sessions import Sessions


@dataclass(frozen=True)
class Chosen:
    """The provider that is used.

    provider: what runs the network
    device:   of the provider; None for its default
    reason:   why it is not the one that was asked for; None where it is
    """

    provider: Provider
    device: str | None = None
    reason: str | None = None


def choose_provider(model: ModelFile, asked: Provider, device: str | None, threads: int | None) -> Chosen:
    """What was asked for if it runs the model's smallest frame, else the CPU and why, also logged as a warning.

    Without a handler for the logger `rdi`, Python writes the warning to stderr.
    """
    if asked is Provider.CPU:
        return Chosen(asked, device)
    smallest = model.metadata.size_multiple
    try:
        Sessions(model, asked, threads, device).get(smallest, smallest)
    except ProviderError as error:
        logging.getLogger("rdi").warning("rdi: WARNING: running on the cpu instead of %s: %s", asked, error)
        return Chosen(Provider.CPU, None, str(error))
    return Chosen(asked, device)
