"""Pages whose figures are the output of commands that stand in them: `make benchmarks` runs the commands again.

A block of a page begins with a comment that holds a command and ends with `<!-- end -->`; what the command prints
stands between them. A command that stands in several pages is run once, so that they have the same figures.

    python -m rdi.export.benchmarks.page [--photo photo.ARW] [--quick] docs/benchmarks.md README.md
"""

import argparse
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rdi.atomic import atomic_path

PHOTO = "photo.ARW"  # in a command: a photo of one's own, without which the block stays as it is
_BLOCK = re.compile(r"(<!-- (?P<command>rdi [^\n]+?) -->\n)(?P<body>.*?)(<!-- end -->)", flags=re.DOTALL)

Run = Callable[[str], str]


def blocks(text: str) -> dict[str, str]:
    """The commands of a page, in their order, each with what stands in its block."""
    return {found["command"]: found["body"].strip() for found in _BLOCK.finditer(text)}


def with_output(text: str, command: str, output: str) -> str:
    """The page with what a command printed in its block; a page without such a block as it is."""

    def filled(found: re.Match[str]) -> str:
        return f"{found[1]}\n{output.strip()}\n\n{found[4]}" if found["command"] == command else found[0]

    return _BLOCK.sub(filled, text)


def refresh(pages: Sequence[Path], run: Run, photo: Path | None = None) -> None:
    """Run every command once and write its output into every page that has it, at once: what is done is kept.

    run: takes a command and gives what it prints
    """
    for command in _commands(pages):
        if PHOTO in shlex.split(command) and photo is None:
            print(f"{command}: left as it is; --photo FILE refreshes it", file=sys.stderr)
            continue
        begun = time.monotonic()
        print(command, file=sys.stderr)
        output = run(command.replace(PHOTO, shlex.quote(str(photo))))
        print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr)
        for page in pages:
            _write(page, with_output(page.read_text(encoding="utf-8"), command, output))


def _commands(pages: Sequence[Path]) -> Iterator[str]:
    yield from dict.fromkeys(command for page in pages for command in blocks(page.read_text(encoding="utf-8")))


def _write(page: Path, text: str) -> None:
    with atomic_path(page) as temporary:
        temporary.write_text(text, encoding="utf-8")


def run_command(command: str) -> str:
    """What a command of rdi prints, run in the current folder; raises CalledProcessError where it fails."""
    words = [sys.executable, "-m", "rdi.cli", *shlex.split(command)[1:]]
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout


def quick(command: str) -> str:
    """The same command with one run and one trial: to see that it works, not for figures."""
    return re.sub(r"--(runs|trials) \d+", r"--\1 1", command)


def main() -> None:
    """Refresh the pages that are named."""
    parser = argparse.ArgumentParser(description="Run the commands that stand in pages and put in what they print.")
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--photo", type=Path, help=f"what stands for {PHOTO}")
    parser.add_argument("--quick", action="store_true", help="one run and one trial of each")
    given = parser.parse_args()
    refresh(given.pages, lambda command: run_command(quick(command) if given.quick else command), given.photo)


if __name__ == "__main__":
    main()
