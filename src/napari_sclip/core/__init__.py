"""The numerics: numpy and torch only, no model files, no user interface."""
