"""One step: the mean of the weights, what a state holds, what is refused."""

import math

import pytest
import torch

from rdi.network import RestorationNetwork
from rdi.training import learner as learner_module
from rdi.training.learner import Learner
from rdi.training.processes import Processes
from rdi.training.sample import Sample
from rdi.training.settings import TrainingSettings

SETTINGS = TrainingSettings(steps=9, batch=1, crop=192, warm_up=0, mixed_precision=False, ema=0.9)


def learner(settings=SETTINGS, **given):
    torch.manual_seed(0)
    return Learner(RestorationNetwork(), settings, Processes(), **given)


def batch(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Sample(torch.rand(1, 1, 192, 192, generator=generator), torch.rand(1, 3, 192, 192, generator=generator))


def test_the_mean_of_the_weights_follows_its_definition():
    one = learner()
    mean = one.network.output.bias.detach().clone()
    for number in range(3):
        one.step(number, batch(number))
        decay = min(0.9, (1 + number) / (10 + number))
        mean = decay * mean + (1 - decay) * one.network.output.bias.detach()
    torch.testing.assert_close(one.average.output.bias, mean)
    assert one.exported is one.average


def test_without_a_mean_the_weights_themselves_are_exported():
    one = learner(TrainingSettings(batch=1, crop=192, ema=0))
    assert one.exported is one.network
    assert not [name for name in one.tensors() if name.startswith("average")]


@pytest.mark.parametrize(("wanted", "native", "mixed"), [(None, True, True), (None, False, False), (True, False, True)])
def test_bfloat16_is_used_where_the_processor_has_it_or_it_was_asked_for(monkeypatch, wanted, native, mixed):
    monkeypatch.setattr(learner_module, "multiplies_bfloat16", lambda _: native)
    one = learner(TrainingSettings(batch=1, crop=192, mixed_precision=wanted))
    assert one.mixed_precision is mixed
    loss, exact = (each.loss(batch()).item() for each in (one, learner()))
    assert (loss != exact) is mixed


def test_a_learner_goes_on_from_anothers_tensors():
    one, other = learner(), learner()
    one.step(0, batch())
    other.restore(one.tensors())
    for each in (one, other):
        each.step(1, batch(1))
    assert all(torch.equal(tensor, other.tensors()[name]) for name, tensor in one.tensors().items())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_leaves_the_weights(bad):
    one = learner()
    before = one.tensors()
    sample = batch()
    sample.target[0, 0, 0, 0] = bad
    assert not one.step(0, sample).finite
    assert all(torch.equal(tensor, before[name]) for name, tensor in one.tensors().items())


def test_larger_gradients_are_scaled_down_and_none_if_clip_is_zero():
    for clip, highest in ((0.01, 0.01), (0.0, math.inf)):
        one = learner(TrainingSettings(batch=1, crop=192, clip=clip, mixed_precision=False))
        result = one.step(0, batch())
        norm = torch.cat([p.grad.flatten() for p in one.network.parameters()]).norm()
        assert float(norm) == pytest.approx(min(result.gradient_norm, highest), rel=1e-3)
        assert result.gradient_norm > 0.05


def test_where_nothing_can_be_compiled_a_note_says_so_and_training_goes_on(monkeypatch):
    def fail(module, **given):
        def call(*inputs):
            raise RuntimeError("no C++ compiler found\nand more")

        return call

    notes: list[str] = []
    monkeypatch.setattr(torch, "compile", fail)
    one = learner(TrainingSettings(batch=1, crop=192, compile=True), note=notes.append)
    assert one.step(0, batch()).finite
    assert len(notes) == 1
    assert "--compile: this machine cannot compile the network (no C++ compiler found)" in notes[0]
