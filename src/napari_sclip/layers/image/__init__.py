"""An image layer of napari, read as the RGB that the model sees."""
