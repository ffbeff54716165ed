"""Run as a program: starts `rdi` commands in processes forked from this one, which has imported everything already.

A command then costs its own work, and not the seconds in which PyTorch is loaded; else it is the real one: a process
group of its own, real signals, a real end of the interpreter. Requests come as lines of JSON on stdin and are answered
on stdout, in order: {"start": [arguments], "folder": ..., "before": source} by the process's number, {"wait": number}
by {"code", "output"}, code -N for signal N.
"""

import fcntl
import json
import os
import signal
import sys
from typing import Any

PIPE = 1 << 20  # bytes that a command may print before anybody reads


def preload() -> None:
    """All but ONNX Runtime, whose own thread, started when it is loaded, would be missing in the forks."""
    sys.modules["onnxruntime"] = None  # type: ignore[assignment]  # else onnxsim loads it
    import torch

    import rdi.camera.reading
    import rdi.evaluation.page
    import rdi.evaluation.result
    import rdi.evaluation.running
    import rdi.export.comparison
    import rdi.export.exporter
    import rdi.runtime.batch
    import rdi.runtime.report
    import rdi.training.cache.preparation
    import rdi.training.session  # noqa: F401

    del sys.modules["onnxruntime"]
    torch.set_num_threads(1)


def start(request: dict[str, Any]) -> tuple[int, int]:
    """The new process's number and the reading end of what it prints; does not return in the new process."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE)
    process = os.fork()
    os.setpgid(process, process)  # by both: a signal to the group may come before either gets on
    if process:
        os.close(writing)
        return process, reading
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (writing, 1), (writing, 2)):
        os.dup2(source, target)
    for handle in (nothing, reading, writing):
        os.close(handle)
    # What Python knows of the parent's files, such as that one can be sought in, need not hold for these.
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", 1)
    # A shell starts what runs in the background with it ignored, which rdi respects.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["folder"])
    exec(request["before"], {"__name__": "before"})
    from rdi.cli.main import app

    sys.argv = ["rdi", *request["start"]]
    app()
    raise AssertionError("a command ends the process")


def wait(process: int, reading: int) -> dict[str, Any]:
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    os.set_blocking(reading, False)  # a process that it started may live on and have the other end
    with os.fdopen(reading, "rb") as pipe:
        return {"code": code, "output": (pipe.read() or b"").decode(errors="replace")}


def main() -> None:
    preload()
    print(json.dumps("ready"), flush=True)
    outputs: dict[int, int] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            process, outputs[process] = start(request)
            answer: Any = process
        else:
            answer = wait(request["wait"], outputs.pop(request["wait"]))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
