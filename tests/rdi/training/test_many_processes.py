"""Several processes train one network: torchrun, gloo."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from rdi.errors import UsageError
from rdi.network import RestorationNetwork
from rdi.training.batches import Batches
from rdi.training.learner import Learner
from rdi.training.processes import Processes
from rdi.training.sample import Sample
from rdi.training.settings import TrainingSettings
from rdi.training.state import load_newest_state

SETTINGS = TrainingSettings(steps=3, batch=4, crop=192, mixed_precision=False, clip=0.0, ema=0.0)

GRADIENTS = """
import sys
import torch
from safetensors.torch import save_file
from rdi.network import RestorationNetwork
from rdi.training.learner import Learner
from rdi.training.processes import joined
from rdi.training.sample import Sample
from rdi.training.settings import TrainingSettings

settings = TrainingSettings(steps=3, batch=4, crop=192, mixed_precision=False, clip=0.0, ema=0.0)
with joined("cpu") as processes:
    torch.manual_seed(processes.rank)  # other weights in each: they must become the first one's
    learner = Learner(RestorationNetwork(), settings, processes)
    torch.manual_seed(7)
    inputs, target = torch.rand(4, 1, 192, 192), torch.rand(4, 3, 192, 192)
    share = slice(2 * processes.rank, 2 * processes.rank + 2)
    result = learner.step(0, Sample(inputs[share], target[share]))
    gradients = {name: p.grad.contiguous() for name, p in learner.network.named_parameters()}
    gradients["loss"] = torch.tensor(result.loss)
    save_file(gradients, f"{sys.argv[1]}/{processes.rank}.safetensors")
"""
FAILING = """
import sys
from rdi.training.processes import joined

with joined("cpu") as processes:
    if processes.rank == 1:
        raise SystemExit("rank 1 fails")
    processes.mean(1.0)
    print("nobody gets here")
"""


def torchrun(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.run(
        [*launcher, *command],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
    )


def test_averaged_gradients_equal_those_of_one_process_with_the_double_batch(tmp_path: Path) -> None:
    script = tmp_path / "gradients.py"
    script.write_text(GRADIENTS)
    ended = torchrun(str(script), str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    torch.manual_seed(0)
    learner = Learner(RestorationNetwork(), SETTINGS, Processes())
    torch.manual_seed(7)
    result = learner.step(0, Sample(torch.rand(4, 1, 192, 192), torch.rand(4, 3, 192, 192)))
    assert float(first["loss"]) == pytest.approx(result.loss, rel=1e-6)
    for name, parameter in learner.network.named_parameters():
        assert parameter.grad is not None
        assert torch.equal(first[name], second[name])
        # Biases are sums of hundreds of thousands of terms that cancel: their float32 rounding is 5e-4 of them.
        assert float((first[name] - parameter.grad).norm()) < 2e-3 * float(parameter.grad.norm())


def test_two_processes_train_resume_and_leave_one_run(training_photos: Path, tmp_path: Path) -> None:
    options = [
        *("--photos", str(training_photos), "--batch", "2", "--crop", "192", "--warm-up", "1", "--workers", "1"),
        *("--validate-every", "4", "--checkpoint-every", "2", "--no-tensorboard", "--channels-last"),
    ]
    command = ["-m", "rdi.cli", "train"]
    begun = torchrun(*command, *options, "--steps", "2", "--out", str(tmp_path / "two"), "--schedule", "constant")
    assert begun.returncode == 0, begun.stderr
    on = torchrun(*command, "--resume", str(tmp_path / "two"), "--steps", "4")
    assert on.returncode == 0, on.stderr
    again = torchrun(*command, *options, "--steps", "4", "--out", str(tmp_path / "again"), "--schedule", "constant")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("wrote ") == 1
    assert again.stderr.count("pictures to train on") == 1
    assert "Warning" not in again.stderr
    two, once = (load_newest_state(tmp_path / name)[0] for name in ("two", "again"))
    assert [name for name in once.tensors if not torch.equal(once.tensors[name], two.tensors[name])] == []
    assert (tmp_path / "two" / "losses.csv").read_text() == (tmp_path / "again" / "losses.csv").read_text()


def test_the_failure_of_one_ends_all(tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text(FAILING)
    ended = torchrun(str(script))
    assert ended.returncode != 0
    assert "nobody gets here" not in ended.stdout


def test_each_process_has_its_own_slice_of_every_batch() -> None:
    alone = list(Batches(1, SETTINGS, Processes()))
    shares = [list(Batches(1, SETTINGS, Processes(rank=rank, count=2))) for rank in (0, 1)]
    assert alone == [[4, 5, 6, 7], [8, 9, 10, 11]]
    assert [one + two for one, two in zip(*shares, strict=True)] == alone


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(UsageError, match="--batch 4 cannot be shared by 3 processes"):
        Batches(0, SETTINGS, Processes(count=3))
