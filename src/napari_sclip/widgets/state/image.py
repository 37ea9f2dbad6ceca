"""Which image is segmented, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from psygnal import SignalGroupDescriptor

from napari_sclip.layers.image.options import ReadOptions


@dataclass(frozen=True)
class AxisChoice:
    """An axis of the image that may count channels.

    Attributes
    ----------
    axis : int
        Of the layer's data.
    label : str
        As the viewer names it.
    length : int
    """

    axis: int
    label: str
    length: int


@dataclass(frozen=True)
class ImageFacts:
    """What the widget offers for the image, as the viewer shows it now.

    Attributes
    ----------
    name : str
        Of the layer.
    described : str
        Kind and size, as "RGB, 300 x 451 pixels".
    rgb : bool
    shape : tuple of int
        Height and width in pixels of what will be read.
    axes : tuple of AxisChoice
        Slider axes, one of which may count channels.
    channel_axis : int or None
        The one that is taken if the person leaves that open.
    channels : int
        Length of the axis of channels that is in use; 0 where there is none.
    displayed : int
        Visible image layers that "as displayed" blends.
    planes : int
        Planes along the sliders.
    shapes : tuple of str
        Names of the Shapes layers.
    warning : str
        What is odd about the image, in one sentence, or nothing.
    suggestion : str
        Classes that fit the image, as the line of classes takes them, or nothing.
    suggested_model : str
        Name of the model that goes with them, or nothing.
    """

    name: str
    described: str
    rgb: bool
    shape: tuple[int, int]
    axes: tuple[AxisChoice, ...] = ()
    channel_axis: int | None = None
    channels: int = 0
    displayed: int = 1
    planes: int = 1
    shapes: tuple[str, ...] = ()
    warning: str = ""
    suggestion: str = ""
    suggested_model: str = ""


@dataclass(frozen=True)
class Preview:
    """A small picture of what the model will see.

    Attributes
    ----------
    width, height : int
        Pixels.
    rgb : bytes
        Row by row, three bytes a pixel.
    """

    width: int
    height: int
    rgb: bytes = field(repr=False)


@dataclass
class ImageState:
    """Choices of the section "Image"; the names are those of `ReadOptions`.

    Attributes
    ----------
    facts : ImageFacts or None
        None while there is no image.
    problem : str
        Why the image cannot be segmented as chosen, or nothing.
    preview : Preview or None
    pinned : bool
        Whether the widget stays on its image when another becomes active.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    facts: ImageFacts | None = None
    problem: str = ""
    preview: Preview | None = None
    pinned: bool = False
    channels: str = "layer"
    channel_axis: int | str | None = "auto"
    channel: int | None = None
    contrast: str = "limits"
    percentile_low: float = 1.0
    percentile_high: float = 99.0
    region: str = "plane"
    shapes: str | None = None
    planes: str = "current"
    labels_size: str = "image"

    def options(self, *, shapes: Any = None, short_side: int | None = None) -> ReadOptions:  # noqa: ANN401 - a layer
        """Return the choices as `read_request` takes them.

        Parameters
        ----------
        shapes : Shapes layer, optional
            The one that is named by `shapes`.
        short_side : int or None
            Of the settings of the run.

        Raises
        ------
        ConfigError
            If the choices contradict one another.
        """
        return ReadOptions(
            channels=self.channels,
            channel_axis=self.channel_axis,
            channel=self.channel,
            contrast=self.contrast,
            percentiles=(self.percentile_low, self.percentile_high),
            region=self.region,
            shapes=shapes,
            planes=self.planes,
            short_side=short_side,
            labels_size=self.labels_size,
        )
