"""The `rdi` command."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rdi import __version__
from rdi.cli.compare import compare
from rdi.cli.demo import demo
from rdi.cli.doctor import doctor
from rdi.cli.eval import evaluate
from rdi.cli.export import export, verify
from rdi.cli.infer import infer
from rdi.cli.info import info
from rdi.cli.simulate import simulate
from rdi.cli.train import train
from rdi.errors import RdiError, UsageError


class Commands(TyperGroup):
    """Turns an RdiError of any command into one line on stderr and an exit code; anything else is a defect."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            _fail(error, 2)
        except RdiError as error:
            _fail(error, 1)


def _fail(error: RdiError, code: int) -> None:
    print(f"rdi: {error}", file=sys.stderr)
    raise typer.Exit(code)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"rdi {__version__}")
        raise typer.Exit


@app.callback()
def rdi(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Restore photos taken in near darkness: raw file in, clean bright picture out."""


app.command("infer")(infer)
app.command("demo")(demo)
app.command("info")(info)
app.command("doctor")(doctor)
app.command("simulate")(simulate)
app.command("train")(train)
app.command("export")(export)
app.command("verify")(verify)
app.command("compare")(compare)
app.command("eval")(evaluate)
