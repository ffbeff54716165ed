"""EXIF of raw files, container by container, and the block for a restored picture."""

import io
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from rdi.camera.exif import EXIF_IFD, GPS_IFD, read_tags

DIRECTORY: dict[int, Any] = {271: "Acme", 272: "Night 1\0", 274: 6, 306: "2024:01:02 03:04:05", 315: "Me", 256: 40}
EXPOSURE: dict[int, Any] = {
    33434: IFDRational(1, 25),
    34855: 3200,
    37500: b"maker's own",
    37510: b"ASCII\0\0\0comment",
    40961: 1,
    42036: "50 mm F1.4",
}
GPS: dict[int, Any] = {1: "N", 2: (IFDRational(48), IFDRational(8), IFDRational(0))}


def block(main: dict[int, Any], exif: dict[int, Any], gps: dict[int, Any] | None = None) -> bytes:
    """TIFF bytes of these directories."""
    made = Image.Exif()
    for tag, value in main.items():
        made[tag] = value
    for pointer, values in ((EXIF_IFD, exif), (GPS_IFD, gps or {})):
        if values:
            made.get_ifd(pointer).update(values)
    return made.tobytes()[6:]


def jpeg(exif: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "JPEG", exif=b"Exif\0\0" + exif)
    return buffer.getvalue()


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def raf(exif: bytes) -> bytes:
    picture = jpeg(exif)
    head = bytearray(b"FUJIFILMCCD-RAW ".ljust(128, b"\0"))
    struct.pack_into(">II", head, 84, 128, len(picture))
    return bytes(head) + picture


def cr3(_: bytes) -> bytes:
    parts = [(b"CMT1", DIRECTORY), (b"CMT2", EXPOSURE), (b"CMT4", GPS)]
    uuid = bytes(16) + b"".join(box(kind, block(values, {})) for kind, values in parts)
    return box(b"ftyp", b"crx \0\0\0\1crx isom") + box(b"moov", box(b"uuid", uuid)) + box(b"mdat", bytes(40))


def orf(exif: bytes) -> bytes:
    return (b"MMOR" if exif.startswith(b"MM") else b"IIRO") + exif[4:]


def no_preview() -> bytes:
    return b""


@pytest.mark.parametrize("container", [bytes, raf, cr3, orf])
def test_exif_is_found_in_every_container(container: Any, tmp_path: Path) -> None:
    path = tmp_path / "photo.raw"
    path.write_bytes(container(block(DIRECTORY, EXPOSURE, GPS)))
    tags = read_tags(path, no_preview)
    assert (tags.make, tags.model, tags.iso, tags.exposure_time) == ("Acme", "Night 1", 3200, 0.04)


def test_the_preview_stands_in_where_the_container_has_none(tmp_path: Path) -> None:
    path = tmp_path / "photo.mrw"
    path.write_bytes(b"\0MRM" + bytes(100))
    tags = read_tags(path, lambda: jpeg(block(DIRECTORY, EXPOSURE)))
    assert (tags.model, tags.iso) == ("Night 1", 3200)


@pytest.mark.parametrize("container", [bytes, cr3])
def test_the_block_keeps_what_describes_the_photo_and_drops_the_rest(container: Any, tmp_path: Path) -> None:
    path = tmp_path / "photo.raw"
    path.write_bytes(container(block(DIRECTORY, EXPOSURE, GPS)))
    kept = Image.Exif()
    kept.load(b"Exif\0\0" + read_tags(path, no_preview).block)
    assert {tag: kept[tag] for tag in (271, 272, 306, 315)} == {
        tag: DIRECTORY[tag].strip("\0") for tag in (271, 272, 306, 315)
    }
    assert kept[274] == 1
    assert 256 not in kept
    exif = kept.get_ifd(EXIF_IFD)
    assert (exif[33434], exif[34855], exif[42036]) == (0.04, 3200, "50 mm F1.4")
    assert not {37500, 37510, 40961} & set(exif)
    assert kept.get_ifd(GPS_IFD)[2] == (48, 8, 0)


def test_a_picture_takes_the_block(tmp_path: Path) -> None:
    path = tmp_path / "photo.raw"
    path.write_bytes(block(DIRECTORY, EXPOSURE, GPS))
    picture = Image.open(io.BytesIO(jpeg(read_tags(path, no_preview).block)))
    assert picture.getexif()[272] == "Night 1"


@pytest.mark.parametrize(
    ("exif", "iso"),
    [
        ({34855: 65535, 34866: 409600}, 409600),
        ({34855: 65535}, 65535),
        ({34866: 200}, 200),
        ({34855: 0}, None),
        ({34855: (800, 0)}, 800),
        ({42036: "x"}, None),
    ],
)
def test_iso_beyond_16_bits_stands_in_the_exposure_index(
    exif: dict[int, Any], iso: float | None, tmp_path: Path
) -> None:
    path = tmp_path / "photo.raw"
    path.write_bytes(block({}, exif))
    assert read_tags(path, no_preview).iso == iso


def test_an_exposure_time_divided_by_zero_is_none(tmp_path: Path) -> None:
    path = tmp_path / "photo.raw"
    path.write_bytes(block({}, {33434: IFDRational(1, 0)}))
    assert read_tags(path, no_preview).exposure_time is None


@pytest.mark.parametrize(
    "damage", [b"II*\0\xff\xff\xff\x7f", b"MM\0*\0\0\0\x08\xff\xff", b"nothing", b"\0\0\0\x10ftypcrx "]
)
def test_damaged_exif_costs_no_photo(damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photo.raw"
    path.write_bytes(damage)
    tags = read_tags(path, lambda: b"\xff\xd8 no JPEG")
    assert (tags.make, tags.iso, tags.block) == ("", None, b"")


@pytest.mark.parametrize("container", ["tiff", "cr3"])
def test_directories_that_name_the_whole_file_for_each_field_are_not_read(container: str, tmp_path: Path) -> None:
    """Three megabytes that would become a gigabyte and a half."""
    size, fields = 3_000_000, 500
    entries = b"".join(struct.pack("<HHII", 1000 + number, 7, size - 100, 8) for number in range(fields))
    data = (b"II*\0\x08\0\0\0" + struct.pack("<H", fields) + entries + bytes(4)).ljust(size, b"\0")
    if container == "cr3":
        data = box(b"ftyp", b"crx \0\0\0\1crx isom") + box(b"moov", box(b"uuid", bytes(16) + box(b"CMT1", data)))
    path = tmp_path / "bomb"
    path.write_bytes(data)
    tracemalloc.start()
    tags = read_tags(path, lambda: b"")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tags.block == b""
    assert peak < 10 * size


def test_a_box_of_canons_ends_with_its_parent(tmp_path: Path) -> None:
    """The uuid box claims to reach over moov's end, to a box that is none of its children."""
    inside, outside = box(b"CMT1", block(DIRECTORY, {})), box(b"CMT2", block(EXPOSURE, {}))
    uuid = struct.pack(">I4s", 24 + len(inside) + len(outside), b"uuid") + bytes(16) + inside
    path = tmp_path / "photo.cr3"
    path.write_bytes(box(b"ftyp", b"crx \0\0\0\1crx isom") + box(b"moov", uuid) + outside + box(b"mdat", bytes(40)))
    tags = read_tags(path, no_preview)
    assert (tags.model, tags.iso) == ("Night 1", None)


def test_control_characters_do_not_get_beyond_reading(tmp_path: Path) -> None:
    path = tmp_path / "photo.raw"
    path.write_bytes(block(DIRECTORY | {271: "Ac\x1b[31mme", 272: "Night\r\n1"}, EXPOSURE))
    tags = read_tags(path, no_preview)
    assert (tags.make, tags.model) == ("Ac [31mme", "Night  1")


@pytest.mark.real_data
def test_the_real_arws_block_names_lens_and_date(real_arw: Path) -> None:
    kept = Image.Exif()
    kept.load(b"Exif\0\0" + read_tags(real_arw, no_preview).block)
    assert kept[306] == "2018:07:11 01:18:47"
    assert kept.get_ifd(EXIF_IFD)[42036] == "E 55-210mm F4.5-6.3 OSS"
    assert kept.get_ifd(EXIF_IFD)[33437] == pytest.approx(6.3)
    assert 37500 not in kept.get_ifd(EXIF_IFD)
