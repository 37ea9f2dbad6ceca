"""Arrays as TIFF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_sclip.export.base import output_file


def write_tiff(
    path: Path,
    array: NDArray[Any],
    *,
    axes: str = "YX",
    names: tuple[str, ...] = (),
    overwrite: bool = False,
) -> None:
    """Write an array as a compressed TIFF, one page a plane.

    Parameters
    ----------
    path : Path
        The file.
    array : (H, W) or (K, H, W) array
        Of a dtype that TIFF knows.
    axes : str
        What its axes are, one letter each.
    names : tuple of str
        Names of the K planes, kept in the file's description.
    overwrite : bool
        Whether the file may exist already.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is False, or cannot be written.
    """
    import tifffile

    metadata: dict[str, Any] = {"axes": axes}
    if names:
        metadata["names"] = list(names)
    with output_file(path, overwrite=overwrite) as temporary:
        tifffile.imwrite(
            temporary, array, photometric="minisblack", compression="zlib", metadata=metadata
        )
