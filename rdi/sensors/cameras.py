"""The table of cameras whose captures can be simulated: `cameras.json`, with its sources."""

import difflib
import json
import re
from functools import cache
from importlib.resources import files

import numpy as np

from rdi.camera.cfa import Cfa
from rdi.errors import UsageError
from rdi.simulate import Sensor


@cache
def all_sensors() -> tuple[Sensor, ...]:
    """All cameras of the table, in its order: 50 of 11 makers."""
    table = json.loads((files("rdi.sensors") / "cameras.json").read_text(encoding="utf-8"))
    return tuple(
        Sensor(
            make=row["make"],
            model=row["model"],
            camera_from_xyz=tuple(map(tuple, (np.reshape(row["camera_from_xyz_e4"], (3, 3)) / 1e4).tolist())),
            cfa=Cfa(row["cfa"]),
            black_level=row["black"],
            white_level=row["white"],
            pixel_pitch=row["pitch_um"],
            highest_iso=row["highest_iso"],
        )
        for row in table["cameras"]
    )


def sensors_of(cfa: Cfa) -> tuple[Sensor, ...]:
    """The cameras that a model of this pattern can be trained with: X-Trans ones, or Bayer ones of any phase."""
    return tuple(sensor for sensor in all_sensors() if sensor.cfa.period == cfa.period)


def find_sensor(name: str) -> Sensor:
    """A camera by `Make Model` or `Model`; case, spaces and dashes do not count.

    Raises UsageError for a name that is not in the table, with the names most like it.
    """
    wanted = _key(name)
    for sensor in all_sensors():
        if wanted in (_key(sensor.name), _key(sensor.model)):
            return sensor
    known = {_key(key): sensor.name for sensor in all_sensors() for key in (sensor.model, sensor.name)}
    close = [known[key] for key in difflib.get_close_matches(wanted, known, n=6, cutoff=0.5)]
    close += [full for key, full in known.items() if wanted and wanted in key]
    hint = f"perhaps {' or '.join(list(dict.fromkeys(close))[:3])}" if close else "for example Sony ILCE-7SM2"
    raise UsageError(
        f"sensor {name!r} is not in the table of {len(all_sensors())} cameras; {hint}; "
        "`rdi simulate --list-sensors` lists them"
    )


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
