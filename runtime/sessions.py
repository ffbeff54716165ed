"""Sessions of onnxruntime, set up for this network: one for each frame size."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdi.errors import ModelError, ProviderError
from rdi.graph_contract import SIZE_NAMES, WITH_DEFAULTS
from rdi.runtime.given_inputs import without_defaults
from rdi.runtime.model import ModelFile
from rdi.runtime.package import first_line, import_onnxruntime, session_errors
from rdi.runtime.placement import RECORD, require_placed
from rdi.runtime.provider_options import parse_device, provider_options
from rdi.runtime.providers import Provider, load_failure_reason, prepare, require_built_in, require_used
from rdi.runtime.threads import choose_threads

LARGEST_REST = 1 << 20  # bytes of a free piece of memory that may go unused in a smaller request; 128 MB by default
GIVEN = tuple(name for name in WITH_DEFAULTS if name != "m")  # by the runtime; m matters to the graph's estimate alone
# For which threads spin between two operators before they sleep, in microseconds. Waking them each time takes 14 % of
# 0.25 megapixels, 8 % of one and, with rendering camera and its many operators, 3 % of twelve. onnxruntime's own 1 ms
# is no faster, and takes the cores from whoever decodes and encodes: 6 % of a batch.
SPIN = 100
KEPT = 2  # sessions; a batch from one camera needs one, a mixed folder rarely more than two sizes in a row


class Sessions:
    """Makes the sessions of one model on one provider and keeps the last few.

    A session knows its frame's size: with it onnxruntime fuses additions into strided convolutions that it leaves apart
    in a graph of symbolic sizes (382 against 429 ms on 12 megapixels); making one costs about 15 ms.
    """

    def __init__(
        self, model: ModelFile, provider: Provider, threads: int | None = None, device: str | None = None
    ) -> None:
        self.threads = choose_threads(threads)
        self.device = parse_device(provider, device)
        require_built_in(provider)
        self.model = model
        self.provider = provider
        self._content = model.content if provider is Provider.CPU else without_defaults(model.content, GIVEN)
        self._sessions: OrderedDict[tuple[int, int], Any] = OrderedDict()

    def get(self, height: int, width: int) -> Any:
        """The session for frames of this size (already padded); made on first use.

        Raises ProviderError where the provider does not load, ModelError for a size against the model's rule.
        """
        multiple = self.model.metadata.size_multiple
        if height % multiple or width % multiple:  # onnxruntime would die in a Reshape, with an unreadable message
            raise ModelError(f"the model takes frames in multiples of {multiple}, not {width}x{height}; pad them first")
        size = (height, width)
        if size not in self._sessions:
            while len(self._sessions) >= KEPT:  # before making the new one: two big sessions at once cost memory
                self._sessions.popitem(last=False)
            self._sessions[size] = self._make(height, width)
        self._sessions.move_to_end(size)
        return self._sessions[size]

    def _make(self, height: int, width: int) -> Any:
        try:
            sizes = dict(zip(SIZE_NAMES, (height, width), strict=True))
            return make_session(self._content, self.provider, self.threads, sizes, self.device)
        except session_errors() as error:
            raise ProviderError(
                f"provider {self.provider} cannot load {self.model.path} ({first_line(error)}); "
                "`rdi doctor` shows what this computer can use"
            ) from error


def make_session(
    content: bytes,
    provider: Provider,
    threads: int,
    sizes: Mapping[str, int] | None = None,
    device: str | None = None,
) -> Any:
    """A session that runs on this provider, not on another one in its place.

    content: of a model file
    sizes:   symbolic sizes of the inputs to fix, by their names in the graph; the others stay open
    device:  of the provider, as `parse_device` returns it; None for its default
    Raises ProviderError where the provider does not load or runs little of the model; for the CPU onnxruntime's own
    errors for content that it cannot load.
    """
    options = session_options(provider, threads)
    for name, size in (sizes or {}).items():
        options.add_free_dimension_override_by_name(name, size)
    wanted = [(provider.onnx_name, provider_options(provider, threads, device))]
    if provider is Provider.CPU:
        return import_onnxruntime().InferenceSession(content, options, providers=wanted, enable_fallback=0)
    prepare(provider)
    options.add_session_config_entry(RECORD, "1")
    wanted.append((Provider.CPU.onnx_name, {}))
    try:
        with _silence():
            session = import_onnxruntime().InferenceSession(content, options, providers=wanted, enable_fallback=0)
    except session_errors() as error:
        reason = load_failure_reason(provider, first_line(error))
        raise ProviderError(f"provider {provider} cannot be used: {reason}") from error
    require_used(provider, session.get_providers())
    require_placed(session, provider)
    return session


@contextmanager
def _silence() -> Iterator[None]:
    """Keep onnxruntime's log off stderr: OpenVINO warns of each constant it folds, and errors we say ourselves.

    It is onnxruntime's log of the whole process, and there is no way to ask for its level: who set one with
    `set_default_logger_severity` has to set it again after making a session on another provider than the CPU.
    """
    set_severity = import_onnxruntime().set_default_logger_severity
    set_severity(4)
    try:
        yield
    finally:
        set_severity(2)  # onnxruntime's default; it does not tell what it was


def run_session(
    session: Any, inputs: Mapping[str, NDArray[Any]], output: str, shape: tuple[int, ...] | None = None
) -> NDArray[Any]:
    """Run a session for one output.

    shape: that it must have; onnxruntime holds no model to the shapes that it declares. ModelError for another one

    `session.run` would hand out a copy of it: 13 of 476 ms on 12 megapixels, and the picture twice in memory. Binding
    the output to memory of ours would do as well, but a binding knows no input that has a default.
    """
    wrap = import_onnxruntime().OrtValue.ortvalue_from_numpy
    # Not ascontiguousarray, which makes a scalar (1,): onnxruntime 1.24 fails in the graph's If then.
    held = {name: np.asarray(value, order="C") for name, value in inputs.items()}
    (result,) = session.run_with_ort_values([output], {name: wrap(value) for name, value in held.items()})
    array: NDArray[Any] = result.numpy()  # a view, which keeps the result's memory as long as it lives
    if shape is not None and array.shape != shape:
        raise ModelError(f"the model gives {output} of shape {array.shape} in place of {shape}; export it again")
    return array


def session_options(provider: Provider, threads: int) -> Any:
    """The settings that were measured to be best for this network; see the comments."""
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL  # ORT_PARALLEL is 1.6-2.1x slower here
    # ORT_ENABLE_EXTENDED would lose the blocked-layout kernels: 682 against 398 ms.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3  # it warns about each input that has a default
    options.add_session_config_entry("session.intra_op.spin_duration_us", str(SPIN))
    # Threads that spin after the last operator would take the cores from whoever encodes the picture.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if provider is Provider.CPU:
        # One arena for all sessions, whose free pieces are split rather than handed out with a rest: 512 MB for a frame
        # of 12 megapixels. Growing by exactly what is asked for leaves pieces that never join: 673 MB.
        _share_one_arena()
        options.add_session_config_entry("session.use_env_allocators", "1")
        options.enable_mem_pattern = False
    return options


@cache
def _share_one_arena() -> None:
    """Register the process's CPU arena. Where other code did so before, that one goes on."""
    onnxruntime = import_onnxruntime()
    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    settings = {"arena_extend_strategy": 0, "max_dead_bytes_per_chunk": LARGEST_REST}
    onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg(settings))
