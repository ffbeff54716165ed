"""One writer at a time, and no lock that outlives its owner."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rdi.errors import OutputError
from rdi.locks import writer_lock

OWNER_WITH_A_FORK = """
import multiprocessing, sys, time
from pathlib import Path
from rdi.locks import writer_lock

with writer_lock(Path(sys.argv[1]), "busy"):
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    child.start()
    print(child.pid, flush=True)
    time.sleep(60)
"""


def test_a_folder_has_one_writer_and_the_next_one_when_it_is_done(tmp_path: Path) -> None:
    with writer_lock(tmp_path, "busy"), pytest.raises(OutputError, match="busy"), writer_lock(tmp_path, "busy"):
        pass
    with writer_lock(tmp_path, "busy"):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_killed_owner_holds_nothing_even_where_its_forks_live_on(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER_WITH_A_FORK, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        fork = int(owner.stdout.readline())
        try:
            with pytest.raises(OutputError, match="busy"), writer_lock(tmp_path, "busy"):
                pass
            owner.kill()
            owner.wait()
            time.sleep(0.05)  # the kernel closes a dead process's files
            os.kill(fork, 0)  # still there
            with writer_lock(tmp_path, "busy"):
                pass
        finally:
            owner.kill()
            os.kill(fork, signal.SIGKILL)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*missing"), writer_lock(tmp_path / "missing", "busy"):
        pass
