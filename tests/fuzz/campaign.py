"""A campaign of hostile files through `rdi info` and `rdi infer`, and its log.

    python -m tests.fuzz.campaign --mutants 240 --real 80 --log fuzz.log

in the checkout tries the mutants 1 to 240 of each of the eight generated seeds, and 80 of the real ARW where it is.
"""

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rdi.camera import Cfa
from rdi.isolated import CallLostError, IsolatedProcess
from tests.fuzz.models import write_grey_model
from tests.fuzz.mutants import write_mutant
from tests.fuzz.seeds import REAL, REAL_FILE, seed, seed_names
from tests.fuzz.trial import PATIENCE, Fault, Trial, try_infer, try_info
from tests.fuzz.truth import Agreement, agreement

BATCH = 240  # files of one run
REAL_BATCH = 8
Mutant = tuple[str, int]


@dataclass
class Log:
    """What became of a campaign.

    endings:   how the files ended, by command and kind
    agreement: of the pictures' mosaics with what other decoders see
    peaks:     command -> bytes that a process of it held at most
    pictures:  names of the files that became one
    """

    mutants: int = 0
    pictures: set[str] = field(default_factory=set)
    endings: Counter[str] = field(default_factory=Counter)
    agreement: Counter[Agreement] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    peaks: Counter[str] = field(default_factory=Counter)

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"{self.mutants} mutants, {len(self.faults)} faults"
        yield from (f"  FAULT {fault.file}: {fault.what}" for fault in self.faults)
        yield from (
            f"  {count:5}  {ending}" for ending, count in sorted(self.endings.items(), key=lambda item: -item[1])
        )
        yield from (
            f"  {count:5}  pictures: other decoders see {kind} pixels" for kind, count in self.agreement.items()
        )
        yield from (f"  {peak / 1e6:5.0f}  MB at most in a process of rdi {name}" for name, peak in self.peaks.items())


def run_campaign(mutants: Sequence[Mutant], bayer: Path | str | None = None, log: Log | None = None) -> Log:
    """Try each mutant with both commands; `bayer` is the model for Bayer files, by default one that costs nothing."""
    log = log or Log()
    with tempfile.TemporaryDirectory(prefix="rdi-fuzz-") as folder:
        work = Path(folder)
        models = {cfa: write_grey_model(work / f"{cfa}.onnx", cfa) for cfa in (Cfa.RGGB, Cfa.XTRANS)}
        for batch in _batches(mutants):
            model = models[Cfa.XTRANS] if batch[0][0].startswith("xtrans") else bayer or models[Cfa.RGGB]
            _try_batch(batch, model, work, log)
    return log


def _batches(mutants: Sequence[Mutant]) -> Iterator[list[Mutant]]:
    """Mutants that share a model, few enough for their files to lie on the disk together."""
    for kind in ("xtrans", "bayer", REAL):
        chosen = [one for one in mutants if _kind(one[0]) == kind]
        size = REAL_BATCH if kind == REAL else BATCH
        yield from (chosen[start : start + size] for start in range(0, len(chosen), size))


def _kind(name: str) -> str:
    return REAL if name == REAL else "xtrans" if name.startswith("xtrans") else "bayer"


def _try_batch(batch: Sequence[Mutant], model: Path | str, work: Path, log: Log) -> None:
    photos = work / "photos"
    photos.mkdir(exist_ok=True)
    files = [write_mutant(*one, photos) for one in batch]
    trials = {"info": try_info(files, work), "infer": try_infer(files, model, work)}
    log.mutants += len(files)
    for name, trial in trials.items():
        log.faults += trial.faults
        log.peaks[name] = max(log.peaks[name], trial.peak)
        log.endings.update(f"{name}: {_ending(path, trial)}" for path in files)
    log.pictures.update(file.stem for file in trials["infer"].good)
    log.faults += _disagreements(trials["info"], trials["infer"])
    if batch[0][0] != REAL:
        _compare(trials["info"].good, log)
    for file in files:
        file.unlink()


def _ending(file: Path, trial: Trial) -> str:
    """A picture, or what the error says, without names and numbers."""
    told = trial.told.get(file, {"error": "nothing"})
    if not told.get("error"):
        return "a picture" if "status" in told else "described"
    text = str(told["error"]).replace(str(file), "FILE").replace(str(file.name), "FILE")
    return re.sub(r"\d[\d,.]*", "N", re.sub(r"\[[^]]*]", "[...]", text))


def _disagreements(info: Trial, infer: Trial) -> Iterator[Fault]:
    """A picture of a file that `rdi info` refuses, or of another size; one whose pixels LibRaw is said to make up."""
    from rdi.runtime.outcomes import Status

    for file in infer.good:
        told, found = infer.told[file], info.told.get(file, {"error": "nothing"})
        if told["status"] != Status.RESTORED:
            yield Fault(file.name, f"was {told['status']}")
        if found.get("error"):
            yield Fault(file.name, f"is restored, and rdi info says {found['error']}")
        if any("may be made up" in warning for warning in found.get("warnings", ())):
            yield Fault(file.name, f"is restored although {found['warnings']}")


def _compare(files: Sequence[Path], log: Log) -> None:
    """Whether what was read is what the file holds."""
    with IsolatedProcess(("rdi.camera.reading", "rawpy", "tifffile"), timeout=PATIENCE / 5) as process:
        for file in files:
            try:
                found = process.call(agreement, file).value
            except CallLostError:  # the other decoders are not hardened
                found = Agreement.UNKNOWN
            if found is Agreement.DIFFERENT and _stream_is_damaged(file):
                found = Agreement.DAMAGED
            log.agreement[found] += 1
            if found is Agreement.DIFFERENT:
                log.faults.append(Fault(file.name, "the picture is not of what the file holds"))


def _stream_is_damaged(file: Path) -> bool:
    """Whether a mutant of a compressed seed lacks the sound compressed pixels."""
    sound = seed(file.stem.rpartition("-")[0])
    start = sound.find(b"\xff\xd8\xff\xc4")
    return start >= 0 and sound[start:] not in file.read_bytes()


def all_mutants(each: int, real: int, first: int = 1, seeds: Sequence[str] = ()) -> list[Mutant]:
    """`each` mutants of each generated seed, or these, from number `first` on; `real` of the ARW, if it is there."""
    found = [(name, number) for name in seeds or seed_names() for number in range(first, first + each)]
    return found + [(REAL, number) for number in range(first, first + real) if REAL_FILE.exists()]


def main() -> None:
    """Run a campaign and write its log."""
    parser = argparse.ArgumentParser(description="Hostile raw files through rdi info and rdi infer.")
    parser.add_argument("--mutants", type=int, default=240, help="of each generated seed")
    parser.add_argument("--real", type=int, default=80, help="of the real ARW")
    parser.add_argument("--first", type=int, default=1, help="number of the first")
    parser.add_argument("--seeds", nargs="+", choices=seed_names(), default=[], help="default: all")
    parser.add_argument("--log", type=Path, help="written anew after each batch")
    given = parser.parse_args()
    log = Log()
    mutants = all_mutants(given.mutants, given.real, given.first, given.seeds)
    for batch in _batches(mutants):
        run_campaign(batch, log=log)
        if given.log:
            given.log.write_text("\n".join(log.lines()) + "\n")
    print("\n".join(log.lines()))
    raise SystemExit(bool(log.faults))


if __name__ == "__main__":
    main()
