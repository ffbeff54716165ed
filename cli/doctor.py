"""`rdi doctor`."""

from typing import Annotated

import typer

from rdi.cli.terminal import one_line, show, show_json


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list of all checks.")] = False,
) -> None:
    """Check what this computer has of what rdi needs, and restore a tiny picture as a trial.

    Exits with 1 if something is broken.

    Example: rdi doctor
    """
    from rdi.runtime.doctor import Verdict, diagnose

    checks = []
    for check in diagnose():
        checks.append(check)
        if not as_json:
            show(one_line(f"{check.verdict:<7}  {check.name}: {check.detail}"))
    if as_json:
        show_json([check.as_json() for check in checks], indent=2)
    if any(check.verdict is Verdict.BROKEN for check in checks):
        raise typer.Exit(1)
