"""Runs of `rdi info` and `rdi infer` on hostile files, in processes of their own, and what is wrong with how they end.

A file must end in a picture or in one line that names it. Whatever else comes of one is a `Fault`: a traceback, a
signal, a hang, a file that is left, memory beyond the bound.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 300.0  # seconds without a word after which a run counts as hung: a guard, not a bar
ADDRESS_SPACE = 4 << 30  # bytes that each process may map: beyond them allocations fail
# A small process between the tests and the command: what a process is forked from counts as its own peak. Arguments:
# where to write the peak, the limit, and the command; it ends as the command does.
_MEASURED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
child = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, *sys.argv[3:]])
_, status, usage = os.wait4(child, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(usage.ru_maxrss * 1024))
code = os.waitstatus_to_exitcode(status)
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


@dataclass(frozen=True)
class Fault:
    """What must not happen, and to which file."""

    file: str
    what: str


@dataclass
class Trial:
    """What became of files in one command.

    told:   file -> what the command printed of it: one JSON object, or {"error": line}
    faults: what must not happen
    peak:   bytes that a process of the command held at most
    """

    told: dict[Path, dict[str, Any]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    peak: int = 0

    @property
    def good(self) -> list[Path]:
        """The files that were read."""
        return [path for path, told in self.told.items() if not told.get("error")]


@dataclass(frozen=True)
class _Ended:
    code: int
    hung: bool
    lines: list[str]
    complaints: list[str]
    peak: int


def try_info(files: Sequence[Path], work: Path) -> Trial:
    """`rdi info` on all of them."""
    return _try(["info", "--json"], files, work)


def try_infer(files: Sequence[Path], model: Path | str, work: Path) -> Trial:
    """`rdi infer` on all of them; the pictures are checked and removed again."""
    out = work / "out"
    trial = _try(["infer", "--json", "--threads", "1", "--model", str(model), "--out", str(out)], files, work)
    trial.faults += list(_picture_faults(trial, out))
    return trial


def _try(command: Sequence[str], files: Sequence[Path], work: Path) -> Trial:
    """Run until each file is told of: where a run breaks off, the next one begins behind the file that broke it."""
    trial, pending = Trial(), list(files)
    while pending:
        before = _listing(pending)
        temporary = work / "tmp"
        temporary.mkdir(exist_ok=True)
        ended = _run([*command, *map(str, pending)], work, temporary)
        told = _told(ended, pending)
        trial.told |= told
        trial.peak = max(trial.peak, ended.peak)
        rest = [path for path in pending if path not in told]
        if rest:
            trial.faults.append(Fault(rest[0].name, _ending(ended)))
        elif ended.code not in (0, 1) or ended.hung:
            trial.faults.append(Fault(f"{pending[0].name} to {pending[-1].name}", _ending(ended)))
        if any(line.startswith("Traceback") for line in ended.complaints):
            trial.faults.append(Fault(rest[0].name if rest else "?", "\n".join(ended.complaints[-8:])))
        if _listing(pending) != before:
            trial.faults.append(Fault("?", "the folder of the files is not as it was"))
        trial.faults += [Fault("?", f"{path.name} is left") for path in sorted(temporary.iterdir())]
        trial.faults += [Fault("?", f"process {pid} is left") for pid in _processes_of(temporary)]
        pending = rest[1:]
    return trial


def _run(command: Sequence[str], work: Path, temporary: Path) -> _Ended:
    environment = {**os.environ, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    said, complained, peak = work / "stdout", work / "stderr", work / "peak"
    peak.write_text("0")
    measured = [sys.executable, "-c", _MEASURED, str(peak), str(ADDRESS_SPACE), "-m", "rdi.cli", *command]
    with said.open("wb") as out, complained.open("wb") as err:
        running = subprocess.Popen(measured, stdout=out, stderr=err, env=environment, start_new_session=True)
        hung = not _ends(running, (said, complained))
    lines, complaints = (path.read_text(errors="replace").splitlines() for path in (said, complained))
    ended = _Ended(running.returncode, hung, lines, complaints, int(peak.read_text()))
    for path in (said, complained, peak):
        path.unlink()
    return ended


def _ends(running: subprocess.Popen[bytes], outputs: Sequence[Path]) -> bool:
    """Wait for the end; False where it had to be killed for want of progress."""
    progress, since = -1, time.monotonic()
    while running.poll() is None:
        size = sum(path.stat().st_size for path in outputs)
        if size != progress:
            progress, since = size, time.monotonic()
        elif time.monotonic() - since > PATIENCE:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            return False
        time.sleep(0.02)
    return True


def _told(ended: _Ended, files: Sequence[Path]) -> dict[Path, dict[str, Any]]:
    """What was said of each file: on stdout as JSON, or, of `rdi info`, in a line of stderr that names it."""
    found: dict[Path, dict[str, Any]] = {}
    for line in ended.lines:
        with suppress(json.JSONDecodeError):  # broken off
            one = json.loads(line)
            found[Path(one.get("photo") or one["file"])] = one
    for path in files:
        lines = [line for line in ended.complaints if line.startswith("rdi: ") and f"{path}" in line]
        if lines and path not in found:
            found[path] = {"error": lines[0].removeprefix("rdi: ")}
    return found


def _ending(ended: _Ended) -> str:
    last = ended.complaints[-3:] or ended.lines[-1:]
    if ended.hung:
        return f"no word for {PATIENCE:g} s; {last}"
    name = f"signal {signal.Signals(-ended.code).name}" if ended.code < 0 else f"exit code {ended.code}"
    return f"{name}; {last}"


def _picture_faults(trial: Trial, out: Path) -> Iterator[Fault]:
    """Each file that was restored has one picture that can be opened, and nothing else lies there."""
    from PIL import Image

    expected = {Path(told["output"]): path for path, told in trial.told.items() if not told.get("error")}
    there = set(out.iterdir()) if out.exists() else set()
    for picture, path in expected.items():
        try:
            with Image.open(picture) as image:
                image.load()
        except OSError as error:
            yield Fault(path.name, f"its picture cannot be opened: {error}")
    yield from (Fault("?", f"{path.name} is left") for path in sorted(there - expected.keys()))
    for path in there:
        path.unlink()


def _listing(files: Sequence[Path]) -> list[tuple[str, int, int]]:
    folder = sorted(files[0].parent.iterdir())
    return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in folder if path.is_file()]


def _processes_of(temporary: Path) -> list[int]:
    """Processes that were started for a run and live on; a moment is granted to those that are leaving."""
    mark = f"TMPDIR={temporary}".encode()
    for _ in range(100):
        alive = [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in _environment(path)]
        if not alive:
            return []
        time.sleep(0.1)
    return alive


def _environment(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has left, or is somebody else's
        return b""
