"""`rdi demo`."""

from pathlib import Path
from typing import Annotated

import typer

from rdi.cli.terminal import one_line, show

NAME = "rdi_demo.png"


def demo(
    out: Annotated[
        Path, typer.Option(help="Picture (.png, .jpg, .tif) or existing folder for rdi_demo.png; default: here.")
    ] = Path(),
    provider: Annotated[
        str, typer.Option(help="cpu, cuda, openvino, tensorrt, coreml or dml: used, or refused with the reason.")
    ] = "cpu",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the pictures of an earlier run.")] = False,
) -> None:
    """Restore the dark photo that ships with rdi; write it beside the plain renderings, and the result alone.

    Example: rdi demo
    """
    from rdi.models import shipped_sample
    from rdi.runtime.demo import demonstrate
    from rdi.runtime.pictures import choose_settings, save_picture
    from rdi.runtime.restorer import Restorer
    from rdi.runtime.targets import is_file, require_writable

    beside = out if is_file(out) else out / NAME
    alone = beside.with_name(f"{beside.stem}_restored{beside.suffix}")
    choose_settings(beside)
    require_writable(beside.parent)
    existing = [] if overwrite else [path for path in (beside, alone) if path.exists()]
    if existing:
        there = " and ".join(map(one_line, existing))
        show(f"{there} exist already and were left as they are; --overwrite replaces them")
    if len(existing) == 2:
        return
    shown = demonstrate(shipped_sample(), Restorer(provider=provider))
    for picture, path in ((shown.side_by_side, beside), (shown.restored, alone)):
        if path not in existing:  # a run that was broken off may have left one of them
            save_picture(picture, path, replace=overwrite)
    chosen, photo = shown.restored.amplification, shown.photo
    show(f"{photo.camera}, ISO {photo.iso or 0:g}, {photo.width}x{photo.height}")
    show(f"  amplification {chosen.value:.4g} ({chosen.describe()})")
    show(f"  provider {shown.restored.provider}; network {shown.restored.timings['network']:.0f} ms")
    show(f"  {one_line(beside)} (as shot, brightened, restored)\n  {one_line(alone)}")
