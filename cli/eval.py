"""`rdi eval`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rdi.cli import eval_options as options
from rdi.cli.eval_sources import SourceOptions, open_source
from rdi.cli.outputs import require_out
from rdi.cli.terminal import printable
from rdi.errors import UsageError

if TYPE_CHECKING:
    from rdi.evaluation.models import Exposing
    from rdi.evaluation.result import Evaluation
    from rdi.evaluation.rows import Row, RowsFile
    from rdi.evaluation.running import Evaluator


def evaluate(
    photos: options.Photos = None,
    sid: options.Sid = None,
    pairs: options.Pairs = None,
    names: options.Names = None,
    iso: options.Iso = None,
    ratio: options.Ratio = None,
    camera: options.CameraName = None,
    split: options.Split = None,
    skip_missing: options.SkipMissing = False,
    model: options.ModelFiles = None,
    from_paper: options.FromPaper = None,
    provider: options.Provider = "cpu",
    exposure: options.ExposureNames = "gt,paper",
    ma_model: options.MaModel = None,
    csv: options.CsvFile = None,
    resume: options.Resume = False,
    overwrite: options.Overwrite = False,
    out: options.OutFile = None,
    report: options.Report = None,
    with_paper: options.WithPaper = False,
    as_json: options.AsJson = False,
) -> None:
    """Measure models on dark captures whose pictures are known: PSNR, SSIM, NIQE and Ma.

    Example: rdi eval --photos photos --ratio 100,300 --model models/rdi.onnx --csv figures.csv
    """
    wanted = SourceOptions(photos, sid, pairs, names, iso, ratio, camera, split)
    wanted.require_one()
    if csv is None and (resume or overwrite):
        raise UsageError(f"--{'resume' if resume else 'overwrite'} is of use with --csv only; give --csv FILE")
    require_out(out, (".md", ".json"))
    if report:
        from rdi.page.document import require_page_path

        require_page_path(report)
    from rdi.cli.eval_models import open_models
    from rdi.evaluation.measures import Measures
    from rdi.evaluation.result import conclude
    from rdi.evaluation.rows import RowsFile
    from rdi.evaluation.running import Evaluator
    from rdi.models import shipped_model

    exposures = _exposures(exposure)
    models = open_models(model or [shipped_model()], from_paper, provider)
    source = open_source(wanted, models, skip_missing=skip_missing)
    measures = Measures(ma_model)
    file = RowsFile(csv, resume=resume, overwrite=overwrite) if csv else None
    known = file.known if file else {}
    evaluator = Evaluator(source, models, exposures, measures, known, skip_missing, tell=_tell)
    rows = _run(evaluator, file)
    result = conclude(evaluator, rows, overall=photos is None, with_paper=with_paper)
    if not result.rows:
        raise UsageError("no capture could be measured: --exposure gt needs the true ratio; add paper or auto")
    _show(result, out, as_json)
    if report:
        from rdi.evaluation.page import write_evaluation_page

        write_evaluation_page(report, result, source, models)


def _exposures(text: str) -> "list[Exposing]":
    from rdi.evaluation.models import Exposing

    known = {str(exposing): exposing for exposing in Exposing}
    asked = [name.strip() for name in text.split(",")]
    unknown = [name for name in asked if name not in known]
    if unknown or len(set(asked)) < len(asked):
        raise UsageError(f"--exposure {text} is unknown; give some of {', '.join(known)}, each once")
    return [known[name] for name in asked]


def _run(evaluator: "Evaluator", file: "RowsFile | None") -> "list[Row]":
    """All rows; each is told, and added to the file, as it is done."""
    for note in evaluator.source.notes:
        _tell(f"left out: {note}")
    known, rows = len(evaluator.known_rows()), []
    if known:
        _tell(f"{known} of {evaluator.wanted} pictures are measured already")
    try:
        for row in evaluator.rows():
            if file:
                file.append(row)
            rows.append(row)
            ratio = "" if row.ratio is None else f"ratio {row.ratio:g}  "
            _tell(
                f"[{known + len(rows)}/{evaluator.wanted}] {row.capture}  {ratio}{row.exposure} "
                f"x{row.amplification:.4g}  {row.model}  {row.psnr:.2f} dB"
            )
    except (KeyboardInterrupt, SystemExit):
        if file:
            _tell(f"{file.path} has {known + len(rows)} of {evaluator.wanted} pictures; --resume goes on with it")
        raise
    return rows


def _show(result: "Evaluation", out: Path | None, as_json: bool) -> None:
    from rdi.atomic import atomic_path

    figures = json.dumps(result.to_dict(), indent=1, allow_nan=False)
    print(figures if as_json else printable(result.markdown()))
    if out:  # after the figures are shown: a disk that is full must not take them along
        with atomic_path(out) as temporary:
            text = figures if out.suffix == ".json" else printable(result.markdown())
            temporary.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")


def _tell(text: str) -> None:
    print(printable(text), file=sys.stderr)
