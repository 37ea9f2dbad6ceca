"""Between napari's layers and the engine: reads images, writes labels; knows no Qt."""
