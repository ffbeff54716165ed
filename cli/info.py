"""`rdi info`."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from rdi.cli.terminal import one_line, show, show_json, tell
from rdi.errors import InputError, RdiError
from rdi.isolated import PHOTO_READING, IsolatedProcess

_NO_PHOTOS = (".onnx", ".zip", ".safetensors")


def info(
    files: Annotated[
        list[Path],
        typer.Argument(help="Raw photos, models (.onnx) or weights (.safetensors).", metavar="FILE...", readable=False),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a file.")] = False,
) -> None:
    """Show what a raw photo, a model or a weights file says of itself.

    For a photo also the raw values in a few numbers, and what the amplifier (m = 5, before the clip) estimates. Models
    that ship with rdi go by their names, rdi and rdi-srgb.

    Example: rdi info photo.ARW
    """
    from rdi.models import by_name

    failed = False
    paths = [by_name(file) for file in files]
    photos = [path for path in paths if path.suffix.lower() not in _NO_PHOTOS and path.is_file()]
    with IsolatedProcess(PHOTO_READING) if photos else nullcontext() as process:
        if process:  # LibRaw's process decodes the first while this one loads numpy
            process.begin("rdi.camera.reading", "read_photo", photos[0])
        for path in paths:
            try:
                found = _describe(path, process)
            except RdiError as error:
                failed = True
                tell(f"rdi: {error}")
                continue
            if as_json:
                show_json({"file": ""} | found | {"file": str(path)})
            else:
                show(_format(path, found))
    if failed:
        raise typer.Exit(1)


def _describe(path: Path, process: IsolatedProcess | None) -> dict[str, Any]:
    """What a file says of itself; a photo is read in that process, which is there for every one that is a file."""
    from rdi import describe

    if path.is_dir():
        raise InputError(f"{path} is a folder; give a raw photo, model (.onnx) or weights (.safetensors) in it")

    match path.suffix.lower():
        case ".onnx":
            from rdi.runtime.model import open_model
            from rdi.runtime.strip_file import strips_of

            model = open_model(path)
            return {"kind": "model", "strips": strips_of(model)} | describe.describe_metadata(model.metadata)
        case ".zip":
            from rdi.runtime.strip_file import read_manifest

            return {"kind": ""} | read_manifest(path) | {"kind": "a model's strips"}
        case ".safetensors":
            return describe.describe_weights(path)
        case _:
            from rdi.camera.containers import check_container
            from rdi.runtime.decoding import read_isolated

            check_container(path)
            assert process is not None  # it is a file, or the line above has refused it
            return describe.describe_photo(read_isolated(process, path).value)


def _format(path: Path, found: dict[str, Any]) -> str:
    lines = [f"{one_line(path)}: {found.pop('kind')}"]
    if isinstance(found.get("training"), dict):
        found["training"] = _latest_run(found["training"])
    return "\n".join(lines + _entries(found, "  "))


def _latest_run(training: dict[str, Any]) -> dict[str, Any]:
    """The run that made the weights; of those that it started from, their number alone."""
    run, earlier = training, 0
    while isinstance(run.get("started_from"), dict):
        run, earlier = run["started_from"], earlier + 1
    return (
        training | {"started_from": f"{earlier} earlier run{'s' * (earlier > 1)}, see --json"} if earlier else training
    )


def _entries(found: dict[str, Any], indent: str) -> list[str]:
    """One line an entry, names padded to one width; a dictionary's own entries follow its name, indented."""
    width = max((len(one_line(name)) for name, value in found.items() if not isinstance(value, dict)), default=0)
    lines = []
    for name, value in found.items():
        shown = one_line(name).replace("_", " ")
        if isinstance(value, dict):
            lines += [f"{indent}{shown}", *_entries(value, f"{indent}  ")]
        else:
            for text in _lines(name, value):
                first, *more = text.splitlines() or [""]  # a file of settings has several
                lines += [f"{indent}{shown:<{width}}  {first}", *(f"{indent}{'':<{width}}  {line}" for line in more)]
    return lines


def _lines(name: str, value: Any) -> list[str]:
    """A value for people; several lines for warnings, none for what is absent."""
    if value is None or value == [] or (name == "phase" and not any(value)):
        return []
    if name == "warnings" and isinstance(value, list):
        return [*map(one_line, value)]
    if name == "exposure_time" and isinstance(value, float) and value > 0:
        return [f"1/{1 / value:.0f} s" if value < 0.3 else f"{value:g} s"]
    if isinstance(value, list):
        distinct = value[:1] if len(value) > 1 and all(item == value[0] for item in value) else value
        return [" ".join(str(item) for item in distinct)]
    return [f"{value:g}" if isinstance(value, float) else str(value)]
