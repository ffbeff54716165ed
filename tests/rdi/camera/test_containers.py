"""What is refused before LibRaw sees it: pictures, parts of files, hostile directories."""

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from rdi.camera import RawPhoto
from rdi.camera.containers import check_container
from rdi.camera.dng import encode_dng
from rdi.camera.tiff import MAX_DIRECTORIES, MAX_ENTRIES, open_tiff
from rdi.errors import InputError, NotARawPhotoError, RdiError, TruncatedPhotoError, UnsupportedMosaicError


def box(kind: bytes, content: bytes, size: int | None = None) -> bytes:
    return struct.pack(">I4s", len(content) + 8 if size is None else size, kind) + content


def directory(order: str, fields: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    entries = b"".join(struct.pack(f"{order}HHII", *field) for field in fields)
    return struct.pack(f"{order}H", len(fields)) + entries + struct.pack(f"{order}I", following)


def tiff(order: str, fields: list[tuple[int, int, int, int]], following: int = 0, magic: bytes | None = None) -> bytes:
    magic = magic or (b"II*\0" if order == "<" else b"MM\0*")
    return magic + struct.pack(f"{order}I", 8) + directory(order, fields, following)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def outcome(path: Path) -> str:
    """The message of an RdiError, or that the file passed; anything else surfaces."""
    try:
        check_container(path)
    except RdiError as error:
        return str(error)
    return f"{path} passed"


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.ARW does not exist"):
        check_container(tmp_path / "none.ARW")


def test_a_folder_is_no_raw_photo(tmp_path: Path) -> None:
    with pytest.raises(NotARawPhotoError, match="is a folder"):
        check_container(tmp_path)


def test_an_empty_file_is_no_raw_photo(tmp_path: Path) -> None:
    with pytest.raises(NotARawPhotoError, match="is empty"):
        check_container(write(tmp_path / "empty.ARW", b""))


@pytest.mark.parametrize(
    ("format", "said"), [("JPEG", "a JPEG"), ("PNG", "a PNG"), ("GIF", "a GIF"), ("WEBP", "a WebP"), ("TIFF", "a TIFF")]
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_finished_picture_is_named_as_one(mode: str, format: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.ARW"
    Image.new(mode, (40, 30)).save(path, format)
    with pytest.raises(NotARawPhotoError, match=f"is {said} picture, already finished"):
        check_container(path)


def test_a_grey_16_bit_tiff_is_not_taken_for_a_mosaic(tmp_path: Path) -> None:
    path = tmp_path / "grey.tif"
    Image.fromarray(np.zeros((64, 64), dtype=np.uint16)).save(path)
    with pytest.raises(NotARawPhotoError, match="TIFF picture"):
        check_container(path)


def test_a_dng_that_lost_its_own_tags_is_not_called_a_finished_picture_alone(tmp_path: Path) -> None:
    with pytest.raises(NotARawPhotoError, match=r"a TIFF picture, already finished, or a damaged raw file; .* copy it"):
        check_container(write(tmp_path / "damaged.dng", tiff("<", [(262, 3, 1, 1)]).ljust(150, b"\0")))


def test_a_photo_in_a_folder_that_must_not_be_read_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(InputError, match=r"cannot read .*a\.dng: Permission denied"):
        check_container(tmp_path / "a.dng")


def test_a_heic_picture_is_named_as_one(tmp_path: Path) -> None:
    with pytest.raises(NotARawPhotoError, match="a HEIC picture"):
        check_container(write(tmp_path / "a.heic", box(b"ftyp", b"heic\0\0\0\0mif1")))


def test_foveon_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedMosaicError, match="Foveon"):
        check_container(write(tmp_path / "a.x3f", b"FOVb" + bytes(100)))


@pytest.mark.parametrize("keep", [0.02, 0.5, 0.9999])
def test_a_dng_cut_anywhere_is_refused(keep: float, small_photo: RawPhoto, tmp_path: Path) -> None:
    data = encode_dng(small_photo)
    with pytest.raises(TruncatedPhotoError, match="cut off"):
        check_container(write(tmp_path / "cut.dng", data[: int(len(data) * keep)]))


def test_a_whole_dng_passes_with_its_black_levels(small_photo: RawPhoto, tmp_path: Path) -> None:
    found = check_container(write(tmp_path / "whole.dng", encode_dng(small_photo)))
    assert found.is_dng
    assert found.black_level is not None
    assert found.black_level.tolist() == [[10, 11], [12, 13]]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("offsets", "counts"), [(273, 279), (324, 325)])
def test_strips_and_tiles_must_lie_within_the_file(order: str, offsets: int, counts: int, tmp_path: Path) -> None:
    fields = [(271, 2, 4, 0), (offsets, 4, 1, 100), (counts, 4, 1, 50)]
    data = tiff(order, fields).ljust(150, b"\0")
    check_container(write(tmp_path / "whole.nef", data))
    with pytest.raises(TruncatedPhotoError, match=": 1 byte or more is missing"):
        check_container(write(tmp_path / "cut.nef", data[:-1]))


@pytest.mark.parametrize("magic", [b"IIRO", b"IIRS"])
def test_olympus_files_are_checked_as_well(magic: bytes, tmp_path: Path) -> None:
    data = tiff("<", [(271, 2, 4, 0), (273, 4, 1, 100), (279, 4, 1, 50)], magic=magic)
    with pytest.raises(TruncatedPhotoError):
        check_container(write(tmp_path / "cut.orf", data))


def test_a_strip_in_a_sub_directory_counts(tmp_path: Path) -> None:
    first = tiff("<", [(271, 2, 4, 0), (330, 4, 1, 60)]).ljust(60, b"\0")
    data = first + directory("<", [(273, 4, 1, 200), (279, 4, 1, 100)])
    with pytest.raises(TruncatedPhotoError):
        check_container(write(tmp_path / "cut.arw", data))
    check_container(write(tmp_path / "whole.arw", data.ljust(300, b"\0")))


def test_a_sub_directory_behind_the_end_means_a_cut_file(tmp_path: Path) -> None:
    with pytest.raises(TruncatedPhotoError):
        check_container(write(tmp_path / "cut.arw", tiff("<", [(271, 2, 4, 0), (330, 4, 1, 5000)])))


def test_garbage_in_the_pointer_to_a_next_directory_is_no_cut(tmp_path: Path) -> None:
    check_container(write(tmp_path / "odd.nef", tiff("<", [(271, 2, 4, 0)], following=0xDEADBEEF)))


def test_directories_in_a_circle_end(tmp_path: Path) -> None:
    data = tiff("<", [(271, 2, 4, 0), (330, 4, 1, 8)], following=8)
    found = open_tiff(io.BytesIO(data), len(data))
    assert found is not None
    assert len(found.directories) == 1


def test_a_long_chain_of_directories_is_cut_short() -> None:
    data = b"II*\0" + struct.pack("<I", 8)
    for i in range(1000):
        data += directory("<", [], following=8 + 6 * (i + 1))
    found = open_tiff(io.BytesIO(data), len(data))
    assert found is not None
    assert len(found.directories) == MAX_DIRECTORIES


def test_a_directory_of_more_fields_than_libraw_reads_is_cut_short() -> None:
    data = tiff("<", [(number, 3, 1, 0) for number in range(2000)])
    found = open_tiff(io.BytesIO(data), len(data))
    assert found is not None
    assert len(found.directories[0]) == MAX_ENTRIES


def test_an_absurd_count_of_strips_is_not_believed() -> None:
    data = tiff("<", [(273, 4, 0xFFFFFFFF, 0), (279, 12, 0xFFFFFFFF, 0)])
    found = open_tiff(io.BytesIO(data), len(data))
    assert found is not None
    assert found.values(found.directories[0], 273) == ()


def test_rationals_are_divided_and_a_zero_below_is_nan() -> None:
    data = tiff("<", [(50714, 5, 2, 30)]).ljust(30, b"\0") + struct.pack("<4I", 25, 2, 1, 0)
    found = open_tiff(io.BytesIO(data), len(data))
    assert found is not None
    values = found.values(found.directories[0], 50714)
    assert values[0] == 12.5
    assert np.isnan(values[1])


def test_big_tiff_is_read_too() -> None:
    head = b"II+\0" + struct.pack("<HHQ", 8, 0, 16)
    data = head + struct.pack("<QHHQQQ", 1, 273, 16, 1, 2**40, 0)
    found = open_tiff(io.BytesIO(data), len(data))
    assert found is not None
    assert found.integers(found.directories[0], 273) == (2**40,)


@pytest.mark.parametrize(
    "fields",
    [
        {50713: (8, (-1, -1)), 50714: (3, 7)},
        {50713: (3, (0, 0))},
        {50713: (3, 2)},
        {50829: (4, 3)},
        {50713: (3, (2, 1))},
    ],
)
def test_nonsense_in_a_dngs_levels_does_not_surface(
    fields: dict[int, Any], small_photo: RawPhoto, write_variant: Callable[..., Path]
) -> None:
    path = write_variant(small_photo, fields)
    assert outcome(path) == f"{path} passed"


@pytest.mark.parametrize("fields", [[(50752, 3, 1, 2), (273, 4, 1, 100)], [(262, 3, 1, 32803), (324, 4, 1, 100)]])
def test_a_lossless_jpeg_of_canon_or_sony_that_cannot_be_decoded_is_refused(
    fields: list[tuple[int, int, int, int]], tmp_path: Path
) -> None:
    """LibRaw would hand out the memory as it was."""
    head = tiff("<", [(271, 2, 4, 0), (259, 3, 1, 7), *fields]).ljust(100, b"\0")
    jpeg = bytes(imagecodecs.ljpeg_encode(np.zeros((8, 8), dtype=np.uint16), bitspersample=14))
    check_container(write(tmp_path / "whole.cr2", head + jpeg))
    with pytest.raises(InputError, match="stands no lossless JPEG"):
        check_container(write(tmp_path / "damaged.cr2", head + jpeg.replace(b"\xff\xc4", b"\xff\xfe")))


def test_a_sony_file_with_its_lossless_jpeg_in_strips_is_refused(tmp_path: Path) -> None:
    """Sony's are tiles; of strips LibRaw would decode a part, and leave the rest as the memory was."""
    fields = [(271, 2, 4, int.from_bytes(b"SONY", "little")), (259, 3, 1, 7), (262, 3, 1, 32803)]
    jpeg = bytes(imagecodecs.ljpeg_encode(np.zeros((8, 8), dtype=np.uint16), bitspersample=14))
    tiles = tiff("<", [*fields, (324, 4, 1, 100)]).ljust(100, b"\0") + jpeg
    check_container(write(tmp_path / "tiles.arw", tiles))
    strips = tiff("<", [*fields, (273, 4, 1, 100)]).ljust(100, b"\0") + jpeg
    with pytest.raises(InputError, match="its lossless JPEG is not in tiles"):
        check_container(write(tmp_path / "strips.arw", strips))


def test_fujifilms_header_tells_where_the_mosaic_ends(tmp_path: Path) -> None:
    head = bytearray(b"FUJIFILMCCD-RAW ".ljust(128, b"\0"))
    struct.pack_into(">II", head, 100, 128, 72)
    check_container(write(tmp_path / "whole.raf", bytes(head).ljust(200, b"\0")))
    with pytest.raises(TruncatedPhotoError, match=": 1 byte or more is missing"):
        check_container(write(tmp_path / "cut.raf", bytes(head).ljust(199, b"\0")))
    with pytest.raises(TruncatedPhotoError):
        check_container(write(tmp_path / "stub.raf", bytes(head[:50])))


def test_canons_boxes_tell_where_the_file_ends(tmp_path: Path) -> None:
    start = box(b"ftyp", b"crx \0\0\0\1crx isom") + box(b"moov", bytes(20))
    check_container(write(tmp_path / "whole.cr3", start + box(b"mdat", bytes(100))))
    with pytest.raises(TruncatedPhotoError, match=": 60 bytes or more are missing"):
        check_container(write(tmp_path / "cut.cr3", start + box(b"mdat", bytes(40), size=108)))
    wide = struct.pack(">I4sQ", 1, b"mdat", 2**40)
    with pytest.raises(TruncatedPhotoError):
        check_container(write(tmp_path / "wide.cr3", start + wide + bytes(100)))


def test_panasonics_mosaic_must_begin_within_the_file(tmp_path: Path) -> None:
    data = tiff("<", [(0x118, 4, 1, 500)], magic=b"IIU\0")
    with pytest.raises(TruncatedPhotoError):
        check_container(write(tmp_path / "cut.rw2", data))
    check_container(write(tmp_path / "whole.rw2", data.ljust(501, b"\0")))


@pytest.mark.parametrize(
    ("data", "checked"),
    [
        (tiff("<", [(271, 2, 1, 0)]), True),
        (box(b"ftyp", b"crx \0\0\0\1crx isom"), True),
        (b"FUJIFILMCCD-RAW ".ljust(128, b"\0"), True),
        (tiff("<", [(0x118, 4, 1, 8)], magic=b"IIU\0"), True),
        (b"\0MRM" + bytes(100), False),
        (b"II\x1a\0\0\0HEAPCCDR" + bytes(100), False),
        (b"MM\0*\0\0\0\x14MMMMRawT\0\0\0\0" + directory(">", [(271, 2, 1, 0)]), False),
    ],
    ids=["TIFF", "CR3", "RAF", "RW2", "MRW", "CRW", "IIQ"],
)
def test_a_format_that_does_not_say_where_it_ends_is_marked(data: bytes, checked: bool, tmp_path: Path) -> None:
    assert check_container(write(tmp_path / "photo.raw", data)).checked is checked


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sampled_from(
        [b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"II+\0", b"IIU\0", b"FUJIFILMCCD-RAW ", b"\0\0\0\x10ftyp"]
    ),
    rest=st.binary(max_size=300),
)
def test_no_bytes_surface_as_anything_but_our_errors(start: bytes, rest: bytes, tmp_path: Path) -> None:
    path = write(tmp_path / "fuzz.raw", start + rest)
    assert str(path) in outcome(path)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 700), value=st.binary(min_size=1, max_size=8))
def test_damage_in_a_dngs_directories_surfaces_as_our_errors(
    position: int, value: bytes, small_photo: RawPhoto, tmp_path: Path
) -> None:
    data = bytearray(encode_dng(small_photo))
    data[position : position + len(value)] = value
    assert "damaged.dng" in outcome(write(tmp_path / "damaged.dng", bytes(data)))
