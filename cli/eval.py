"""`rdi eval`."""

from typing import TYPE_CHECKING

from rdi.cli import eval_options as options
from rdi.cli.eval_output import show, tell
from rdi.cli.eval_sources import SourceOptions, measure_chart, open_source, require_none
from rdi.cli.outputs import require_out
from rdi.errors import UsageError

if TYPE_CHECKING:
    from rdi.evaluation.models import Exposing
    from rdi.evaluation.rows import Row, RowsFile
    from rdi.evaluation.running import Evaluator


def evaluate(
    photos: options.Photos = None,
    sid: options.Sid = None,
    pairs: options.Pairs = None,
    chart: options.Chart = False,
    names: options.Names = None,
    iso: options.Iso = None,
    ratio: options.Ratio = None,
    camera: options.CameraName = None,
    split: options.Split = None,
    sensors: options.Sensors = None,
    skip_missing: options.SkipMissing = False,
    model: options.ModelFiles = None,
    from_paper: options.FromPaper = None,
    provider: options.Provider = "cpu",
    exposure: options.ExposureNames = None,
    gamut: options.GamutName = None,
    ma_model: options.MaModel = None,
    csv: options.CsvFile = None,
    resume: options.Resume = False,
    overwrite: options.Overwrite = False,
    out: options.OutFile = None,
    report: options.Report = None,
    with_paper: options.WithPaper = False,
    as_json: options.AsJson = False,
) -> None:
    """Measure models on dark captures whose pictures are known: PSNR, SSIM, NIQE, Ma; colours by a ColorChecker.

    Example: rdi eval --photos photos --ratio 100,300 --model models/rdi.onnx --csv figures.csv
    """
    wanted = SourceOptions(photos, sid, pairs, chart or None, names, iso, ratio, camera, split, sensors)
    wanted.require_one()
    if chart:
        ignored = {"csv": csv, "report": report, "with_paper": with_paper, "skip_missing": skip_missing}
        require_none("chart", exposure=exposure, ma_model=ma_model, **ignored)
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
    from rdi.runtime.gamut import parse_gamut

    colours = parse_gamut(gamut or ("compress" if chart else "clip"))
    models = open_models(model or [shipped_model()], from_paper, provider, colours)
    if chart:
        show(measure_chart(wanted, models), out, as_json)
        return
    exposures = _exposures(exposure or "gt,paper")
    source = open_source(wanted, models, skip_missing=skip_missing)
    measures = Measures(ma_model)
    file = RowsFile(csv, resume=resume, overwrite=overwrite) if csv else None
    known = file.known if file else {}
    evaluator = Evaluator(source, models, exposures, measures, known, skip_missing, tell=tell)
    rows = _run(evaluator, file)
    result = conclude(evaluator, rows, overall=photos is None, with_paper=with_paper)
    if not result.rows:
        raise UsageError("no capture could be measured: --exposure gt needs the true ratio; add paper or auto")
    show(result, out, as_json)
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
        tell(f"left out: {note}")
    known, rows = len(evaluator.known_rows()), []
    if known:
        tell(f"{known} of {evaluator.wanted} pictures are measured already")
    try:
        for row in evaluator.rows():
            if file:
                file.append(row)
            rows.append(row)
            ratio = "" if row.ratio is None else f"ratio {row.ratio:g}  "
            tell(
                f"[{known + len(rows)}/{evaluator.wanted}] {row.capture}  {ratio}{row.exposure} "
                f"x{row.amplification:.4g}  {row.model}  {row.psnr:.2f} dB"
            )
    except (KeyboardInterrupt, SystemExit):
        if file:
            tell(f"{file.path} has {known + len(rows)} of {evaluator.wanted} pictures; --resume goes on with it")
        raise
    return rows
