"""`rdi doctor`."""

import json
from typing import Annotated

import typer


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
            print(f"{check.verdict:<7}  {check.name}: {check.detail}")
    if as_json:
        print(json.dumps([check.as_json() for check in checks], indent=2))
    if any(check.verdict is Verdict.BROKEN for check in checks):
        raise typer.Exit(1)
