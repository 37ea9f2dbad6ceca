from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import imageio.v3
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_sclip.cli.images import read_image_file
from napari_sclip.core.contrast import rescale
from napari_sclip.errors import ImageError

RNG = np.random.default_rng(0)
COLOR = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (20, 30, 4), dtype=np.uint16)


def write_deep_png(path: Path, array: NDArray[np.uint16]) -> Path:
    """Write a 16-bit PNG of one, three or four channels: Pillow writes only those of one."""
    kind = {1: 0, 3: 2, 4: 6}[array.shape[2]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], 16, kind, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_of_16_bits_stays_so(tmp_path: Path, channels: int) -> None:
    array = DEEP[..., :channels]
    read = read_image_file(write_deep_png(tmp_path / "deep.png", array))
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, array[..., 0] if channels == 1 else array)


def test_a_16_bit_netpbm_stays_so(tmp_path: Path) -> None:
    grey = DEEP[..., 0]
    (tmp_path / "a.pgm").write_bytes(b"P5 30 20 65535\n" + grey.astype(">u2").tobytes())
    read = read_image_file(tmp_path / "a.pgm")
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, grey)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "float32", "float64"])
@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3), (1, 20, 30), (1, 1, 20, 30, 3)])
def test_tiff_keeps_dtype_and_values(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    array = RNG.integers(0, 100, shape).astype(dtype)
    color = "rgb" if shape[-1] == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", array, photometric=color)
    read = read_image_file(tmp_path / "a.tif")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, array.reshape([n for n in shape if n > 1]))


def test_tiff_with_a_plane_for_each_colour(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", np.moveaxis(COLOR, -1, 0), photometric="rgb", planarconfig="separate"
    )
    np.testing.assert_array_equal(read_image_file(tmp_path / "a.tif"), COLOR)


def test_pyramids_and_thumbnails_give_the_full_size(tmp_path: Path) -> None:
    large = RNG.integers(0, 256, (64, 96, 3), dtype=np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(large, subifds=1, photometric="rgb")
        file.write(large[::2, ::2], subfiletype=1, photometric="rgb")
    np.testing.assert_array_equal(read_image_file(tmp_path / "a.tif"), large)
    with tifffile.TiffWriter(tmp_path / "b.tif") as file:
        file.write(large, photometric="rgb")
        file.write(large[:20, :20], subfiletype=1, photometric="rgb")
    np.testing.assert_array_equal(read_image_file(tmp_path / "b.tif"), large)


@pytest.mark.parametrize("compression", ["tiff_lzw", "jpeg", "packbits", "tiff_deflate"])
def test_tiff_of_photo_programs(tmp_path: Path, compression: str) -> None:
    smooth = np.full((32, 32, 3), 90, dtype=np.uint8)
    Image.fromarray(smooth).save(tmp_path / "a.tif", compression=compression)
    np.testing.assert_allclose(read_image_file(tmp_path / "a.tif"), smooth, atol=2)


def test_indexed_and_other_colours_become_rgb(tmp_path: Path) -> None:
    flat = Image.fromarray(np.full((8, 9, 3), (250, 20, 60), dtype=np.uint8))
    flat.quantize(4).save(tmp_path / "p.png")
    flat.quantize(4).save(tmp_path / "p.tif")
    flat.quantize(4).save(tmp_path / "p.gif")
    flat.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=100)
    flat.convert("CMYK").save(tmp_path / "cmyk.tif")
    for path in sorted(tmp_path.iterdir()):
        read = read_image_file(path)
        assert read.shape == (8, 9, 3), path
        np.testing.assert_allclose(read[4, 4], (250, 20, 60), atol=8)


def test_grey_with_transparency_black_and_white_and_inverted(tmp_path: Path) -> None:
    grey = Image.fromarray(COLOR[..., 0])
    grey.convert("LA").save(tmp_path / "la.png")
    np.testing.assert_array_equal(read_image_file(tmp_path / "la.png"), COLOR[..., 0])
    bits = COLOR[..., 0] > 127
    Image.fromarray(bits).save(tmp_path / "1.png")
    np.testing.assert_array_equal(read_image_file(tmp_path / "1.png"), bits * np.uint8(255))
    tifffile.imwrite(tmp_path / "w.tif", COLOR[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(read_image_file(tmp_path / "w.tif"), 255 - COLOR[..., 0])


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_exif_orientation_is_honoured(tmp_path: Path, name: str, orientation: int) -> None:
    upright = np.zeros((16, 32, 3), dtype=np.uint8)
    upright[:8, :16] = 200
    quarter_turns = {1: 0, 3: 2, 6: 1, 8: 3}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.rot90(upright, quarter_turns).copy()).save(tmp_path / name, exif=exif)
    np.testing.assert_allclose(read_image_file(tmp_path / name), upright, atol=12)


def test_the_second_picture_of_a_phone_does_not_count(tmp_path: Path) -> None:
    photo, depth = Image.fromarray(COLOR), Image.fromarray(COLOR[::2, ::2])
    photo.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[depth])
    assert read_image_file(tmp_path / "a.jpg").shape == (20, 30, 3)


def two_frames(path: Path) -> None:
    first, second = Image.fromarray(COLOR), Image.fromarray(COLOR[::-1])
    first.save(path, save_all=True, append_images=[second])


def stack(path: Path, *shape: int, **options: Any) -> None:  # noqa: ANN401
    tifffile.imwrite(path, np.zeros(shape, dtype=np.uint8), photometric="minisblack", **options)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("frames.gif", "(2, 20, 30)"),
        ("frames.png", "(2, 20, 30)"),
        ("frames.webp", "(2, 20, 30)"),
        ("stack.tif", "(5, 20, 30)"),
        ("channels.tif", "(3, 20, 30)"),
        ("five.tif", "(20, 30, 5)"),
        ("ome.ome.tif", "(4, 2, 20, 30)"),
    ],
)
def test_files_of_several_planes_say_what_they_hold(tmp_path: Path, name: str, shape: str) -> None:
    path = tmp_path / name
    if name.startswith("frames"):
        two_frames(path)
    elif name == "ome.ome.tif":
        stack(path, 4, 2, 20, 30, metadata={"axes": "ZCYX"})
    elif name == "five.tif":
        stack(path, 20, 30, 5, planarconfig="contig")
    else:
        stack(path, *([5, 20, 30] if name == "stack.tif" else [3, 20, 30]))
    with pytest.raises(ImageError) as caught:
        read_image_file(path)
    assert f"holds {shape}. Save the plane" in str(caught.value)
    assert name in str(caught.value)


def test_tiff_of_pages_of_different_sizes_is_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(COLOR[..., 0])
        file.write(COLOR[::2, ::2, 0])
    with pytest.raises(ImageError, match=r"holds \(2, 20, 30\)"):
        read_image_file(tmp_path / "a.tif")


def test_what_only_imageio_knows_is_read(tmp_path: Path) -> None:
    imageio.v3.imwrite(tmp_path / "a.npz", COLOR)
    np.testing.assert_array_equal(read_image_file(tmp_path / "a.npz"), COLOR)


def test_large_pictures_are_read_without_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(COLOR).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert read_image_file(tmp_path / "a.png").shape == (20, 30, 3)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is a folder, not an image"):
        read_image_file(tmp_path)


def test_rescaling_maps_all_channels_together() -> None:
    values = np.array([[[100, 200, 300, 999]], [[150, 250, 100, 0]]], dtype=np.uint16)
    expected = [[[0, 0.5, 1]], [[0.25, 0.75, 0]]]
    np.testing.assert_allclose(rescale(values), expected, atol=1e-6)
    assert rescale(values).dtype == np.float32


def test_rescaling_leaves_what_is_not_finite() -> None:
    scaled = rescale(np.array([[-2.0, np.nan], [2.0, np.inf]]))
    np.testing.assert_array_equal(scaled, [[0, np.nan], [1, np.inf]])
    np.testing.assert_array_equal(rescale(np.full((2, 2), 5)), np.zeros((2, 2)))
    assert np.isnan(rescale(np.full((2, 2), np.nan))).all()


@pytest.mark.parametrize("shape", [(1, 9, 3), (1, 9, 4), (1, 1, 3), (9, 1, 3)])
def test_a_colour_image_of_one_row_keeps_its_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "row.png"
    Image.fromarray(np.zeros(shape, np.uint8)).save(path)
    assert read_image_file(path).shape == shape
