"""The `rdi` command."""

import atexit
import errno
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rdi import __version__
from rdi.cli.bench import bench
from rdi.cli.compare import compare
from rdi.cli.demo import demo
from rdi.cli.doctor import doctor
from rdi.cli.eval import evaluate
from rdi.cli.export import export, verify
from rdi.cli.infer import infer
from rdi.cli.info import info
from rdi.cli.prepare import prepare
from rdi.cli.simulate import simulate
from rdi.cli.terminal import accept_any_name, show, tell, tell_choices
from rdi.cli.train import train
from rdi.cli.train_options import SectionedCommand
from rdi.errors import ChoiceError, RdiError, UsageError
from rdi.isolated import PHOTO_READING, IsolatedProcess

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Commands(TyperGroup):
    """Turns an RdiError of any command, or one of the system, into one line on stderr and an exit code.

    Anything else is a defect.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Start LibRaw's process for a command that will read photos.

        Before the options are understood, for which typer loads pydantic: 70 ms in which another core can load rawpy.
        """
        if args[:1] == ["infer"] and not {"-h", "--help"}.intersection(args):
            ctx.obj = ctx.with_resource(IsolatedProcess(PHOTO_READING))
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        accept_any_name()
        try:
            with _breaking_off_cleans_up():
                result = super().invoke(ctx)
                sys.stdout.flush()  # a disk that is full shows now, not in a traceback of Python's end
                return result
        except UsageError as error:
            _fail(error, 2)
        except RdiError as error:
            _fail(error, 1)
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read along has read enough: click ends without a word
                raise
            _drop_unprinted()
            _fail(_system_error(error), 1)


def _fail(error: object, code: int) -> None:
    (tell_choices if isinstance(error, ChoiceError) else tell)(f"rdi: {error}")
    raise typer.Exit(code)


def _system_error(error: OSError) -> str:
    """What the system refused, and on which file where it says so."""
    where = "" if error.filename is None else f"{error.filename}: "
    return f"{where}{error.strerror or error}"


def _drop_unprinted() -> None:
    """Where stdout takes no more, what is left for it must not be tried again, and complained of, at Python's end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _breaking_off_cleans_up() -> Iterator[None]:
    """SIGINT (Ctrl-C) and SIGTERM leave the block like errors: temporary files go, the exit code is 130 or 143.

    Further ones are ignored, so that an impatient second Ctrl-C does not break off the cleaning.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _frame: FrameType | None) -> None:
        for other in _SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    # A shell starts what runs in the background with SIGINT ignored: that stays so.
    caught = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, leave) for number in caught}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _leave_at_once() -> None:
    """Spare Python's last garbage collection, which walks through all that was imported: 45 ms of `rdi infer`."""
    if "onnx" not in sys.modules:  # onnxsim would call what is left a leak, on stderr
        gc.freeze()


atexit.register(_leave_at_once)

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its boxes turn one wrong option into six lines, and importing it doubles the start
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        show(f"rdi {__version__}")
        raise typer.Exit


@app.callback()
def rdi(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Restore photos taken in near darkness: raw file in, clean bright picture out."""


# The list of commands cuts long sentences off: those get a shorter one.
app.command("infer")(infer)
app.command("demo", short_help="Restore the dark photo that ships with rdi.")(demo)
app.command("info")(info)
app.command("doctor", short_help="Check what this computer has of what rdi needs.")(doctor)
app.command("simulate", short_help="Turn a bright picture into a dark raw photo (DNG).")(simulate)
app.command("prepare", short_help="Decode SID or your own pairs once, for rdi train --cache.")(prepare)
app.command("train", cls=SectionedCommand, short_help="Train the network on your photos or on SID.")(train)
app.command("export", short_help="Write a trained network as one verified ONNX file.")(export)
app.command("verify", short_help="Check an ONNX file against the weights it was made from.")(verify)
app.command("compare", short_help="PyTorch against ONNX Runtime: time, memory, difference.")(compare)
app.command("bench", short_help="Time PyTorch, the plain export, rdi's file and OpenVINO.")(bench)
app.command("eval", short_help="Measure PSNR, SSIM, NIQE and Ma of models.")(evaluate)
