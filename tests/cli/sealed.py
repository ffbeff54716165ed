"""Runs `rdi` where nothing, native libraries and processes of its own included, can make a network socket.

python sealed.py ARGUMENTS   # of rdi

On Linux the kernel ends the process that tries (seccomp; sockets between processes of one computer, AF_UNIX, are let
through). Everywhere Python's own sockets raise.
"""

import ctypes
import platform
import sys
from typing import Any

SOCKET_CALL = {"x86_64": 41, "aarch64": 198}  # number of the system call
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # instructions of BPF: load a word, jump if equal, return
_NUMBER, _FAMILY = 0, 16  # offsets in the kernel's seccomp_data: of the call's number, of its first argument
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2  # of prctl
_AF_UNIX = 1


class Instruction(ctypes.Structure):
    """struct sock_filter."""

    _fields_ = [("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32)]


class Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(Instruction))]


def seal() -> None:
    """No network for this process and all that it starts; OSError where the kernel takes no filter."""
    sys.addaudithook(_refuse_sockets)
    if sys.platform != "linux":
        return
    steps = [
        Instruction(_LOAD, 0, 0, _NUMBER),
        Instruction(_EQUAL, 0, 3, SOCKET_CALL[platform.machine()]),
        Instruction(_LOAD, 0, 0, _FAMILY),
        Instruction(_EQUAL, 1, 0, _AF_UNIX),
        Instruction(_RETURN, 0, 0, _KILL),
        Instruction(_RETURN, 0, 0, _ALLOW),
    ]
    program = Program(len(steps), (Instruction * len(steps))(*steps))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SECCOMP, _FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls")


def _refuse_sockets(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith("socket."):
        raise RuntimeError(f"{event} {arguments}: rdi must not use the network")


if __name__ == "__main__":
    seal()
    from rdi.cli.main import app

    app(sys.argv[1:])
