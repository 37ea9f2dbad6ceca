"""Synthetic scenes with ground truth, and the sample data of the napari menu."""
