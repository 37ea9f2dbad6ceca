"""Models: the registry, the files, and the only place that imports open_clip."""
