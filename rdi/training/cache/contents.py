"""The pairs of a cache, put together from the entries of their files."""

from collections.abc import Mapping

from rdi.camera.cfa import Cfa
from rdi.errors import TrainingDataError
from rdi.training.cache.entries import MosaicEntry, TargetEntry
from rdi.training.cache.manifest import PairEntry
from rdi.training.pairs import Pair, SplitPairs, exposure_ratio, size_mismatch

TURNED = 5  # the first EXIF orientation that exchanges rows and columns


def pair_entries(
    data: SplitPairs, mosaics: Mapping[str, MosaicEntry], targets: Mapping[str, TargetEntry], *, skip: bool
) -> tuple[dict[str, tuple[PairEntry, ...]], list[str]]:
    """The pairs of each split, and why others were left out.

    skip: leave out pairs that do not fit together
    Raises TrainingDataError for the first of them otherwise, and where none is left.
    """
    skipped = list[str]()
    splits: dict[str, tuple[PairEntry, ...]] = {}
    first = next(iter(mosaics.values()))
    for split, pairs in data.splits.items():
        kept = list[PairEntry]()
        for pair in pairs:
            mosaic, target = mosaics[data.name_of(pair.dark)], targets[data.name_of(pair.bright)]
            try:
                kept.append(_entry(pair, mosaic, target, first))
            except TrainingDataError as error:
                if not skip:
                    raise
                skipped.append(str(error))
        if not kept:
            raise TrainingDataError(f"none of the {len(pairs)} pairs of {split} can be used; {skipped[-1]}")
        splits[split] = tuple(kept)
    return splits, skipped


def _entry(pair: Pair, mosaic: MosaicEntry, target: TargetEntry, first: MosaicEntry) -> PairEntry:
    shape, photo = target.array.shape[:2], mosaic.photo
    if target.upright and photo["orientation"] >= TURNED:
        shape = shape[::-1]
    if shape != mosaic.array.shape:
        raise TrainingDataError(size_mismatch(pair.place, shape, mosaic.array.shape))
    if (Cfa(photo["cfa"]) is Cfa.XTRANS) != (Cfa(first.photo["cfa"]) is Cfa.XTRANS):
        raise TrainingDataError(
            f"{pair.place}: {pair.dark} is {photo['cfa']}, {first.source.name} is {first.photo['cfa']}; a model is "
            "for Bayer or for X-Trans: keep them in data sets of their own"
        )
    dark = None if None in (photo["iso"], photo["exposure_time"]) else photo["iso"] * photo["exposure_time"]
    ratio = pair.ratio or exposure_ratio(dark, target.exposure, pair)
    return PairEntry(mosaic.source.name, target.source.name, ratio, pair.place)
