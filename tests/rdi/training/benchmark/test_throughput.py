"""Training steps timed against a plain loop's."""

import json

import pytest
import torch
from typer.testing import CliRunner

from rdi.cli.benchmarks import training
from rdi.cli.main import app
from rdi.training.benchmark import throughput
from rdi.training.benchmark.throughput import measure_throughput, package_loss
from rdi.training.loss import restoration_loss


def test_all_loops_end_with_nearly_the_same_loss():
    figures = measure_throughput(steps=3, batch=1, crop=192)
    plain, ours, package = figures.rows
    assert plain.times_plain == 1
    assert plain.loss_difference == 0
    assert ours.times_plain == pytest.approx(ours.images_per_second / plain.images_per_second)
    assert abs(ours.loss_difference) < 0.05  # bfloat16, where the processor has it, is no float32
    assert abs(package.loss_difference) < 0.001
    assert "| rdi | " in figures.markdown()


def test_the_packages_loss_is_the_same_loss():
    restored, target = torch.rand(1, 3, 192, 192) * 1.2, torch.rand(1, 3, 192, 192)
    assert float(package_loss(restored, target)) == pytest.approx(float(restoration_loss(restored, target)), abs=1e-5)


def test_the_command_prints_them(monkeypatch):
    monkeypatch.setattr(
        throughput,
        "measure_throughput",
        lambda places, **given: measure_throughput(places, **given, batch=1, crop=192),
    )
    result = CliRunner().invoke(app, ["bench", "--training", "--runs", "2", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["throughput"]
    assert (found["steps"], found["batch"]) == (2, 1)
    assert training.STEPS == 50


def test_a_cache_without_its_mode_is_refused(tmp_path):
    result = CliRunner().invoke(app, ["bench", str(tmp_path)])
    assert result.exit_code == 2
    assert "is of use to --stages and --training alone" in result.stderr
