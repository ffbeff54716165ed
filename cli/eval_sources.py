"""What `rdi eval` measures on, as its options name it."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rdi.cli.eval_output import tell
from rdi.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdi.camera.cfa import Cfa
    from rdi.evaluation.captures import Source
    from rdi.evaluation.colours import ColourTable
    from rdi.evaluation.models import Model
    from rdi.simulate import Sensor

ISO, RATIOS = 3200.0, "100,250,300"
CHART_RATIO = 100


class SourceOptions(NamedTuple):
    """The options, None where not given; one of the first four names what is measured on, the others belong to some."""

    photos: Path | None = None
    sid: Path | None = None
    pairs: Path | None = None
    chart: bool | None = None
    list: Path | None = None
    iso: float | None = None
    ratio: str | None = None
    camera: str | None = None
    split: str | None = None
    sensors: str | None = None

    def require_one(self) -> None:
        """UsageError for none or several sources, and for an option that the chosen one would ignore."""
        given = [name for name, value in self._asdict().items() if value is not None]
        chosen = [name for name in given if name in BELONGING]
        if len(chosen) != 1:
            which = " and ".join(f"--{name}" for name in chosen) or "nothing"
            raise UsageError(f"{which} to measure on; give one of --photos DIR, --sid DIR, --pairs DIR and --chart")
        others = {option for options in BELONGING.values() for option in options} - {*BELONGING[chosen[0]]}
        ignored = [name for name in given if name in others]
        if ignored:
            owners = " and ".join(f"--{source}" for source, options in BELONGING.items() if ignored[0] in options)
            raise UsageError(f"--{ignored[0]} is an option of {owners}, not of --{chosen[0]}; leave it out")


BELONGING = {
    "photos": ("list", "iso", "ratio", "sensors"),
    "sid": ("camera", "split"),
    "pairs": (),
    "chart": ("iso", "ratio", "sensors"),
}


def open_source(options: SourceOptions, models: "Sequence[Model]", *, skip_missing: bool) -> "Source":
    """The captures that the options name.

    models: the pattern of simulated captures is theirs
    Raises UsageError for options that make no sense, TrainingDataError for data that are missing.
    """
    options.require_one()
    if options.photos:
        return _darkened(options.photos, options, models)
    return _recorded(options, skip_missing=skip_missing)


def require_none(source: str, **given: object) -> None:
    """UsageError for options that would be ignored with this source: None or False is not given."""
    for name, value in given.items():
        if value:
            raise UsageError(f"--{name.replace('_', '-')} is of no use with --{source}; leave it out")


def measure_chart(options: SourceOptions, models: "Sequence[Model]") -> "ColourTable":
    """The colour table of the cameras that the options name; UsageError for options that make no sense."""
    from rdi.evaluation.colours import measure_colours

    ratios = parse_ratios(options.ratio or str(CHART_RATIO))
    if len(ratios) > 1:
        raise UsageError(f"--ratio {options.ratio}: --chart is measured at one ratio; give one")
    iso = ISO if options.iso is None else options.iso
    return measure_colours(models, _cameras(options.sensors, pattern_of(models)), iso, ratios[0], tell)


def _cameras(names: str | None, pattern: "Cfa") -> "list[Sensor]":
    """The named cameras, or those of the default that have the models' pattern."""
    from rdi.evaluation.colours import CAMERAS
    from rdi.sensors.cameras import sensors_of

    if names is None:
        fitting = sensors_of(pattern)
        return [sensor for sensor in fitting if sensor.name in CAMERAS] or [*fitting]
    sensors = _named_cameras(names)
    unfit = next((sensor for sensor in sensors if sensor.cfa.period != pattern.period), None)
    if unfit:
        raise UsageError(
            f"--sensors {unfit.name} has a mosaic of {unfit.cfa}, the models are for {pattern}; leave it out"
        )
    return sensors


def _named_cameras(names: str) -> "list[Sensor]":
    """Cameras of the table; UsageError for an unknown one, and for one that is named twice."""
    from rdi.sensors.cameras import find_sensor

    sensors = [find_sensor(name) for name in names.split(",")]
    if len({sensor.name for sensor in sensors}) < len(sensors):
        raise UsageError(f"--sensors {names} names a camera twice; leave one out")
    return sensors


def _darkened(folder: Path, options: SourceOptions, models: "Sequence[Model]") -> "Source":
    from rdi.evaluation.captures import DarkenedPhotos

    iso = ISO if options.iso is None else options.iso
    photos, ratios = _listed_photos(folder, options.list), parse_ratios(options.ratio or RATIOS)
    cameras = _named_cameras(options.sensors) if options.sensors else []
    return DarkenedPhotos(photos, ratios, iso, pattern_of(models), cameras)


def _recorded(options: SourceOptions, *, skip_missing: bool) -> "Source":
    from rdi.evaluation.captures import own_captures, sid_captures
    from rdi.training.choices import Camera
    from rdi.training.sid import ALL_SPLITS

    if options.sid is None:
        assert options.pairs
        return own_captures(options.pairs, skip_missing=skip_missing)
    camera, split = options.camera or "sony", options.split or "test"
    if camera not in list(Camera):
        raise UsageError(f"--camera {camera} is unknown; give {' or '.join(Camera)}")
    if split not in ALL_SPLITS:
        raise UsageError(f"--split {split} is unknown; give {', '.join(ALL_SPLITS)}")
    return sid_captures(options.sid, Camera(camera), split, skip_missing=skip_missing)


def _listed_photos(folder: Path, names: Path | None) -> list[Path]:
    """The listed photos of the folder, or all of them where nothing lists any."""
    from rdi.training.photos import HELD_OUT_LISTS, find_photos, read_list

    if names is not None and not names.is_file():
        raise UsageError(f"--list {names} does not exist; give a file with one photo name a line")
    listed = read_list(names or folder / HELD_OUT_LISTS[0])
    paths = [folder / name for name in listed] if listed else find_photos(folder)
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise UsageError(f"{missing[0]} is listed but not there")
    return paths


def parse_ratios(text: str) -> list[float]:
    """Exposure ratios, comma-separated; UsageError for what is no list of different ones."""
    try:
        ratios = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"--ratio {text} is no list of numbers; give for example 100,300") from error
    if not all(1 <= ratio <= 10_000 for ratio in ratios) or len(set(ratios)) < len(ratios):
        raise UsageError(f"--ratio {text} is out of range; give different ratios from 1 to 10000")
    return ratios


def pattern_of(models: "Sequence[Model]") -> "Cfa":
    """What the simulated sensor has: the models' own; UsageError where they differ."""
    patterns = {model.cfa for model in models}
    if len(patterns) > 1:
        names = ", ".join(f"{model.name} ({model.cfa})" for model in models)
        raise UsageError(f"the models are made for different patterns: {names}; measure them in two runs")
    return patterns.pop()
