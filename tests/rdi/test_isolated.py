import ctypes
import importlib
import operator
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rdi import child
from rdi.errors import InputError
from rdi.isolated import CallLostError, IsolatedProcess, KilledError, NotStartedError
from rdi.memory import resident_bytes


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> None:
    """With a guard of a minute."""
    for _ in range(1200):
        if not is_alive(pid):
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} lives on")


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc which processes live")


def test_values_and_arrays_come_back() -> None:
    with IsolatedProcess() as process:
        answer = process.call(operator.add, np.arange(60_000, dtype=np.uint16), 1)
        assert np.array_equal(answer.value, np.arange(1, 60_001))
        assert answer.value.flags.writeable
        assert answer.milliseconds > 0
        assert process.call(os.getpid).value == process.pid != os.getpid()


def test_a_call_that_was_begun_is_not_made_again(tmp_path: Path) -> None:
    folder = str(tmp_path / "once")
    with IsolatedProcess() as process:
        process.begin(os.mkdir.__module__, "mkdir", folder)
        process.call(os.mkdir, folder)
        with pytest.raises(FileExistsError):
            process.call(os.mkdir, folder)


def test_a_call_that_was_begun_in_vain_gives_way_to_another() -> None:
    with IsolatedProcess() as process:
        process.begin("operator", "sub", 5, 2)
        assert process.call(operator.add, 1, 2).value == 3
        process.begin("nowhere", "nothing")
        assert process.call(operator.add, 1, 2).value == 3
        process.begin("os", "abort")
        with pytest.raises(CallLostError, match="SIGABRT"):
            process.call(operator.add, 1, 2)
        process.begin("operator", "add", 1, 2)
        process.rest()
        assert process.call(operator.sub, 1, 2).value == -1


def test_what_a_call_raises_is_raised_here_with_where_it_happened() -> None:
    with IsolatedProcess() as process:
        with pytest.raises(ZeroDivisionError) as caught:
            process.call(operator.truediv, 1, 0)
        assert "in _attempt" in caught.value.__notes__[0]
        assert process.call(operator.add, 1, 2).value == 3


@pytest.mark.parametrize("crash", [(os.abort,), (ctypes.string_at, 0), (os._exit, 3)])
def test_a_crash_costs_one_call(crash: tuple[Any, ...]) -> None:
    with IsolatedProcess() as process:
        before = process.pid
        with pytest.raises(CallLostError, match=r"crashed \((SIGABRT|SIGSEGV|exit code 3)\)"):
            process.call(*crash)
        assert process.call(operator.add, 1, 2).value == 3
        assert process.pid != before


def test_a_call_that_hangs_is_given_up(hanging: Path) -> None:
    with IsolatedProcess() as process:
        with pytest.raises(CallLostError, match="took more than 300 seconds"):
            process.call(exec, f"open({str(hanging)!r}, 'w').close(); import time; time.sleep(600)")
        assert process.call(operator.add, 1, 2).value == 3


def test_a_call_is_given_up_after_its_time() -> None:
    with IsolatedProcess(timeout=0.2) as process, pytest.raises(CallLostError, match=r"took more than 0\.2 seconds"):
        process.call(time.sleep, 600)


def test_what_is_printed_there_does_not_get_among_the_answers(capfd: pytest.CaptureFixture[str]) -> None:
    with IsolatedProcess() as process:
        assert process.call(os.write, 1, b"LibRaw says hello\n").printed == "LibRaw says hello"
        assert process.call(os.system, "echo hello from a program >&2").printed == "hello from a program"
        assert process.call(operator.add, 1, 2).printed == ""
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_an_error_that_cannot_be_sent_is_a_crash_of_its_call_alone() -> None:
    with IsolatedProcess() as process:
        with pytest.raises(CallLostError):
            process.call(eval, "(x for x in ())")  # a generator cannot be pickled
        assert process.call(operator.add, 1, 2).value == 3


def test_an_answer_that_breaks_off_here_is_not_mixed_up_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(stream: object) -> None:
        raise MemoryError

    with IsolatedProcess() as process:
        with monkeypatch.context() as patched, pytest.raises(MemoryError):
            patched.setattr(child, "receive", fail)
            process.call(operator.add, 1, 2)
        assert process.call(operator.add, 3, 4).value == 7


@needs_proc
def test_closing_ends_a_call_that_runs() -> None:
    import threading

    process = IsolatedProcess()
    pid = process.pid
    assert pid is not None
    threading.Timer(0.5, process.close).start()
    with pytest.raises(CallLostError):
        process.call(time.sleep, 600)
    wait_until_gone(pid)
    with pytest.raises(CallLostError, match="closed"):
        process.call(os.getpid)


@needs_proc
@pytest.mark.parametrize("busy", [False, True])
def test_it_never_outlives_its_owner(busy: bool) -> None:
    """Even where the owner is killed and can tell nobody, and a call hangs."""
    program = f"""
        import threading, time
        from rdi.isolated import IsolatedProcess
        process = IsolatedProcess()
        print(process.pid, flush=True)
        {"threading.Thread(target=process.call, args=(time.sleep, 600)).start()" if busy else ""}
        time.sleep(600)
    """
    owner = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    time.sleep(1.0)
    assert is_alive(pid)
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    wait_until_gone(pid)


def test_modules_beside_the_photos_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fractions.py").write_text("raise SystemExit('imported from the current folder')")
    monkeypatch.chdir(tmp_path)
    with IsolatedProcess(preload=["fractions"]) as process:
        assert process.call(operator.add, 1, 2).value == 3


def test_rdis_errors_arrive_as_they_are(tmp_path: Path) -> None:
    from rdi.camera.reading import read_photo

    with IsolatedProcess() as process, pytest.raises(InputError, match=r"none\.ARW"):
        process.call(read_photo, tmp_path / "none.ARW")


def test_calls_of_several_threads_wait_for_each_other() -> None:
    with IsolatedProcess() as process, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda number: process.call(abs, -number).value, range(200)))
    assert answers == list(range(200))


def test_a_process_that_is_killed_is_told_from_one_that_crashes() -> None:
    with IsolatedProcess() as process:
        with pytest.raises(KilledError, match="was killed, perhaps for want of memory"):
            process.call(os.kill, process.pid, signal.SIGKILL)
        assert process.call(operator.add, 1, 2).value == 3


def test_a_process_that_dies_while_it_starts_is_told_from_a_call_that_crashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "breaks.py").write_text("import os\nprint('no such instruction', flush=True)\nos.abort()")
    monkeypatch.syspath_prepend(str(tmp_path))
    with (
        IsolatedProcess(preload=["breaks"]) as process,
        pytest.raises(NotStartedError, match=r"^does not start \(SIGABRT, no such instruction\)"),
    ):
        process.call(operator.add, 1, 2)


def test_a_computer_that_starts_no_process_is_told_at_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with IsolatedProcess() as process, pytest.raises(NotStartedError, match="No such file"):
        process.call(operator.add, 1, 2)


def test_a_module_that_cannot_be_preloaded_fails_only_what_needs_it(capfd: pytest.CaptureFixture[str]) -> None:
    with IsolatedProcess(preload=["rdi_no_such_module"]) as process:
        assert process.call(operator.add, 1, 2).value == 3
    assert capfd.readouterr().err == ""


def test_a_function_that_is_not_to_be_found_there_is_a_failed_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with IsolatedProcess() as process:
        process.call(os.getpid)
        before = process.pid
        (tmp_path / "only_here.py").write_text("def one():\n    return 1\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        with pytest.raises(ModuleNotFoundError, match="only_here"):
            process.call(importlib.import_module("only_here").one)
        assert process.call(operator.add, 1, 2).value == 3
        assert process.pid == before
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "sent", [b"", pickle.dumps(pickle.dumps((abs, (1,))))[:-5], b"no request"], ids=["ends", "half", "garbage"]
)
def test_a_request_that_breaks_off_is_the_end_of_the_process(sent: bytes) -> None:
    command = [sys.executable, "-c", "from rdi.serving import serve; serve([])"]
    done = subprocess.run(command, input=sent, capture_output=True, timeout=60, check=True)
    assert done.stderr == b""


def test_a_system_that_gives_pipes_no_more_room_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    with IsolatedProcess() as process:
        assert process.call(operator.add, 1, 2).value == 3


@needs_proc
def test_nothing_of_an_answer_is_kept_there() -> None:
    with IsolatedProcess(preload=["numpy"]) as process:
        before = process.call(resident_bytes).value
        assert process.call(np.ones, 100_000_000, np.uint8).value.nbytes == 100_000_000
        assert process.call(resident_bytes).value < before + 50_000_000


def test_a_process_at_rest_is_none_and_the_next_call_starts_another() -> None:
    with IsolatedProcess(()) as process:
        first = process.call(os.getpid).value
        assert process.pid == first
        process.rest()
        assert process.pid is None
        assert process.call(os.getpid).value not in (first, os.getpid())
