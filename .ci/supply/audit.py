"""Looks up the packages that are installed for rdi in the lists of known vulnerabilities, with pip-audit.

PYTHONPATH=.ci python -m supply.audit FOLDER   # of the environment that pip-audit gets to itself; made if missing

Fails for a vulnerability, and where pip-audit fails though the lists can be reached. Where nobody can be asked
(no network, a mirror without these lists), says so in one line and does not fail.
"""

import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from supply.installed import brought_by
from supply.requirements import all_requirements

PIP_AUDIT = "pip-audit>=2.10"
# In turn, until one of them knows any of the packages: pip-audit's name of it, and an address that answers if it does.
SERVICES = {"pypi": "https://pypi.org/pypi/pip/23.2.1/json", "osv": "https://api.osv.dev/v1/vulns/PYSEC-2018-28"}
# Known vulnerabilities that do not concern rdi: identifier -> why not.
ACCEPTED: Mapping[str, str] = {}
_PATIENCE = 20  # seconds
_PROBE = """
import requests, sys
try:
    requests.get(sys.argv[1], timeout=float(sys.argv[2])).raise_for_status()
except requests.RequestException as error:
    sys.exit(type(error).__name__ if error.response is None else f"HTTP status {error.response.status_code}")
"""


class NotAuditedError(Exception):
    """Nobody could be asked."""


def main(folder: Path) -> int:
    """Print what is known; the exit code."""
    pins = pinned()
    try:
        report = _ask(_programs(folder), pins)
    except NotAuditedError as error:
        print(f"not audited: {error}")
        return 0
    text, code = verdict(report)
    print(text)
    return code


def pinned() -> list[str]:
    """`name==version` of all that is installed for rdi; 2.13.0+cpu is known to the lists as 2.13.0."""
    return [f"{name}=={found.version.partition('+')[0]}" for name, found in brought_by(all_requirements()).items()]


def verdict(report: Mapping[str, Any]) -> tuple[str, int]:
    """What to print of pip-audit's report, and the exit code: 1 for a vulnerability that is not accepted."""
    packages = report["dependencies"]
    lines, code = [], 0
    for package in packages:
        for known in package.get("vulns", []):
            name = f"{package['name']} {package['version']}: {known['id']}"
            why = next((ACCEPTED[id_] for id_ in [known["id"], *known.get("aliases", [])] if id_ in ACCEPTED), None)
            fixed = ", ".join(known.get("fix_versions", [])) or "no version yet"
            lines.append(f"{name}, mended by {fixed}" if why is None else f"{name}, accepted: {why}")
            code |= why is None
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if unknown:
        lines.append(f"not audited, as the list does not know them: {', '.join(unknown)}")
    lines.append(f"audited: {len(packages) - len(unknown)} packages, {'vulnerable' if code else 'nothing known'}")
    return "\n".join(lines), int(code)


def _ask(programs: Path, pins: list[str]) -> Mapping[str, Any]:
    """The report of the first service that knows any of the packages; NotAuditedError where none does.

    programs: the folder in which pip-audit and its Python are
    """
    silent = []
    for service, address in SERVICES.items():
        reason = _unreachable(programs, address)
        if reason:
            silent.append(f"{service} gives no answer ({reason})")
            continue
        report = _run(programs, service, pins)
        if not all("skip_reason" in package for package in report["dependencies"]):
            return report
        silent.append(f"{service} knows none of the packages")
    raise NotAuditedError("; ".join(silent))


def _run(programs: Path, service: str, pins: list[str]) -> Mapping[str, Any]:
    """pip-audit's report on these versions; ends the program with what it said where it gives none."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "requirements.txt"
        listed.write_text("\n".join(pins) + "\n", encoding="utf-8")
        options = ["--disable-pip", "--no-deps", "--progress-spinner", "off", "--timeout", str(_PATIENCE)]
        command = [str(programs / "pip-audit"), "-r", str(listed), "-s", service, "-f", "json", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        report: Mapping[str, Any] = json.loads(done.stdout)
    except ValueError:  # its exit code is 1 for a vulnerability, too
        raise SystemExit(f"pip-audit failed: {done.stderr.strip()}") from None
    return report


def _unreachable(programs: Path, address: str) -> str | None:
    """Why there is no answer from there, asked as pip-audit asks; None if there is one.

    Asking first takes a second. pip-audit itself would ask a mirror without these lists seventy times.
    """
    command = [str(programs / "python"), "-c", _PROBE, address, str(_PATIENCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason given"])[-1]


def _programs(folder: Path) -> Path:
    """Where pip-audit is, in an environment of its own: its thirty packages are none of rdi's.

    Raises NotAuditedError where it cannot be installed.
    """
    programs = folder / "bin"
    if not (programs / "pip-audit").exists():
        venv.create(folder, with_pip=True, clear=True)
        command = [str(programs / "python"), "-m", "pip", "install", "--quiet", PIP_AUDIT]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise NotAuditedError(f"{PIP_AUDIT} cannot be installed ({last})")
    return programs


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
