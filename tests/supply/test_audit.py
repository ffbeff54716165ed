"""`make audit`: never silent about a vulnerability, one line where nobody can be asked."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from supply import audit

KNOWN = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["13.0.1"]}
SOUND: dict[str, Any] = {"name": "numpy", "version": "2.4.6", "vulns": []}
VULNERABLE: dict[str, Any] = {"name": "pillow", "version": "13.0.0", "vulns": [KNOWN]}
UNKNOWN: dict[str, Any] = {"name": "rawpy", "skip_reason": "Dependency not found on PyPI"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with a pip-audit that gives no report, and a Python whose services all answer."""
    monkeypatch.setattr(audit, "pinned", lambda: ["numpy==2.4.6"])
    install(tmp_path, "pip-audit", "echo it broke >&2; exit 1")
    install(tmp_path, "python", "exit 0")
    return tmp_path


def install(folder: Path, name: str, script: str) -> None:
    program = folder / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def answer(folder: Path, *packages: dict[str, Any]) -> None:
    """Have pip-audit report this, with its exit code for vulnerabilities."""
    code = int(any(package.get("vulns") for package in packages))
    install(folder, "pip-audit", f"cat <<'END'\n{json.dumps({'dependencies': packages})}\nEND\nexit {code}")


def test_a_vulnerability_fails_and_is_named_with_what_mends_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(folder, SOUND, VULNERABLE, UNKNOWN)
    assert audit.main(folder) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "pillow 13.0.0: PYSEC-1, mended by 13.0.1"
    assert said[1] == "not audited, as the list does not know them: rawpy"
    assert said[2] == "audited: 2 packages, vulnerable"


def test_nothing_known_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(folder, SOUND)
    assert audit.main(folder) == 0
    assert capsys.readouterr().out == "audited: 1 packages, nothing known\n"


@pytest.mark.parametrize("name", ["PYSEC-1", "CVE-1"])
def test_a_vulnerability_that_does_not_concern_rdi_passes_with_the_reason(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "ACCEPTED", {name: "rdi reads no FLI files"})
    text, code = audit.verdict({"dependencies": [VULNERABLE]})
    assert code == 0
    assert "pillow 13.0.0: PYSEC-1, accepted: rdi reads no FLI files" in text


def test_accepting_one_vulnerability_accepts_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "ACCEPTED", {"PYSEC-1": "does not concern rdi"})
    other = {"id": "PYSEC-2", "aliases": [], "fix_versions": []}
    text, code = audit.verdict({"dependencies": [VULNERABLE | {"vulns": [KNOWN, other]}]})
    assert code == 1
    assert "PYSEC-2, mended by no version yet" in text


def test_where_no_service_answers_it_says_so_in_one_line_and_passes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(folder, VULNERABLE)  # never asked
    install(folder, "python", "echo HTTP status 404 >&2; exit 1")
    assert audit.main(folder) == 0
    assert capsys.readouterr().out == (
        "not audited: pypi gives no answer (HTTP status 404); osv gives no answer (HTTP status 404)\n"
    )


def test_a_service_that_knows_nothing_leaves_it_to_the_next_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, full = (json.dumps({"dependencies": [package]}) for package in (UNKNOWN, VULNERABLE))
    install(folder, "pip-audit", f"""case "$*" in *" osv "*) echo '{full}';; *) echo '{empty}';; esac""")
    assert audit.main(folder) == 1
    assert "PYSEC-1" in capsys.readouterr().out


def test_where_every_service_knows_nothing_it_does_not_claim_to_have_looked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(folder, UNKNOWN)
    assert audit.main(folder) == 0
    assert capsys.readouterr().out.startswith("not audited: pypi knows none of the packages; osv")


def test_a_pip_audit_that_breaks_though_the_service_answers_fails(folder: Path) -> None:
    with pytest.raises(SystemExit, match="pip-audit failed: it broke"):
        audit.main(folder)


def test_where_pip_audit_cannot_be_installed_it_says_so_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def create(folder: Path, **_: object) -> None:
        install(folder, "python", "echo 'ERROR: No matching distribution found' >&2; exit 1")

    monkeypatch.setattr("venv.create", create)
    assert audit.main(tmp_path) == 0
    assert capsys.readouterr().out == (
        "not audited: pip-audit>=2.10 cannot be installed (ERROR: No matching distribution found)\n"
    )


def test_all_that_is_installed_for_rdi_is_asked_about_by_its_public_version() -> None:
    pins = audit.pinned()
    assert len(pins) > 40
    assert not [pin for pin in pins if "+" in pin or pin.startswith("rdi==")]
