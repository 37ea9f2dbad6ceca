"""Measurements: speed, memory and accuracy. Run as modules from the repository."""
