"""`rdi train`."""

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from rdi.cli.terminal import one_line, show
from rdi.cli.train_options import with_settings
from rdi.errors import ChoiceError, MissingPackageError, UsageError
from rdi.extras import install_hint
from rdi.training.configuration import configure

CHOICES = """nothing to train on: there is no ./Sony folder with Sony_train_list.txt here. Choose one:
  rdi train --photos DIR    simulated dark captures of your own photos (JPEG, PNG, TIFF)
  rdi train --sid DIR       the See-in-the-Dark dataset: the folder that holds Sony/ and its lists
  rdi train --pairs DIR     your own dark raw photos with bright ones of the same scenes
  rdi train --cache DIR     what `rdi prepare` made of one of these"""


@with_settings
def train(
    run: Annotated[Path | None, typer.Argument(help="With --resume: the run's folder.", metavar="RUN")] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file with settings, by their names here without the dashes.", metavar="FILE"),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="default, or paper: as published.", metavar="default|paper", show_default=False)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with RUN, or with the newest one under runs/, as if never stopped.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run.")] = False,
    **given: Any,
) -> None:
    """Train the network and write runs/DATE/checkpoint.safetensors; Ctrl-C keeps the last step.

    Trains on simulated dark captures of your photos or on SID; bare, on the SID that lies in the current folder. Photos
    named in VALIDATION.txt or HARDER.txt beside them are never trained on. Options overrule the file, which overrules
    the preset. On many GPUs: torchrun --nproc-per-node N -m rdi.cli train ...

    Example: rdi train --photos ~/Pictures --steps 20000
    """
    _refuse_contradictions(run, resume, overwrite, preset, given)
    prepare_threads()
    try:
        from rdi.training.session import new_session, resumed_session
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"training needs {error.name}: {install_hint('train')}") from error
    from rdi.cli.train_display import Display

    if resume:
        session = resumed_session(run, given, config)
    else:
        configuration = configure(given, config, preset)
        if not configuration.places.named:
            configuration = replace(configuration, places=replace(configuration.places, sid=_sid_here()))
        session = new_session(configuration, overwrite=overwrite)
    with Display(session.settings.steps, session.start) as display:
        path = session.train(display.observer())
    if path:  # the first of several processes
        show(_summary(path, display.done, session.settings.steps))


def _summary(path: Path, done: int, steps: int) -> str:
    """What was written and what to do next; every command can be pasted into a shell."""
    run, checkpoint, model = (shlex.quote(one_line(place)) for place in (path.parent, path, path.parent / "rdi.onnx"))
    lines = [
        f"wrote {one_line(path)} after {done} steps; export it with: rdi export --checkpoint {checkpoint} --out {model}"
    ]
    if done < steps:
        lines.append(f"stopped before step {steps:,}; go on with: rdi train --resume {run}")
    return "\n".join(lines)


def prepare_threads() -> None:
    """Have PyTorch's threads spin for some hundredths of a millisecond before they sleep; before it is loaded.

    Those that spin for long take the core from the process they wait for: with two loader workers on two cores a step
    took 0.95 s, with passive waiting 0.27 s. Those that sleep at once have to be woken for every operator: on two cores
    of another machine a step took 1.0 s so, and 0.6 s with a short spin. Only GNU's OpenMP, PyTorch's on Linux, has it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")


def _refuse_contradictions(
    run: Path | None, resume: bool, overwrite: bool, preset: str | None, given: dict[str, Any]
) -> None:
    if run and not resume:
        raise UsageError(
            f"{run}: give --resume to go on with that run, or --photos, --sid, --pairs or --cache for data"
        )
    refused = [
        name
        for name, value in {
            "--overwrite": overwrite,
            "--preset": preset,
            "--out": given["out"],
            "--init": given["init"],
        }.items()
        if value
    ]
    if resume and refused:
        raise UsageError(f"--resume goes on with a run as it was begun: {refused[0]} does not go with it; leave it out")


def _sid_here() -> Path:
    here = Path()
    if (here / "Sony").is_dir() and (here / "Sony_train_list.txt").is_file():
        return here
    raise ChoiceError(CHOICES)
