"""``python -m napari_sclip``: the command line."""

from napari_sclip.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
