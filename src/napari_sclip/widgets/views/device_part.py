"""Where and how the model computes: device, precision, attention."""

from __future__ import annotations

from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_sclip.widgets.state.model import ModelState
from napari_sclip.widgets.views.advanced_rows import LABEL_WIDTH
from napari_sclip.widgets.views.choice_box import Choice, ChoiceBox
from napari_sclip.widgets.views.following import follow
from napari_sclip.widgets.views.text_labels import WrappedLabel

AUTO = "auto"
AUTO_DEVICE = Choice(AUTO, "auto", "auto: a GPU if one can be used", "A GPU if one can be used")
PRECISIONS = (
    Choice(AUTO, "auto", "auto: what suits the device", "fp16 on CUDA, fp32 elsewhere"),
    Choice("fp32", "fp32", tooltip="Exact, and the slowest on a GPU"),
    Choice("fp16", "fp16", tooltip="Half the memory; fast on GPUs"),
    Choice("bf16", "bf16", tooltip="Half the memory; coarser numbers than fp16, wider range"),
)
AUTO_ATTENTION = Choice(
    AUTO, "auto", "auto: what suits the model", "The mode that is best for the chosen model"
)


class DevicePart(QWidget):
    """Three rows, and why a GPU is or is not used.

    Parameters
    ----------
    state : ModelState
    parent : QWidget, optional
    """

    def __init__(self, state: ModelState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._device = self._make_box("device", "Which part of this computer computes")
        self._precision = self._make_box(
            "precision", "Bits of the numbers that the vision tower computes with"
        )
        self._attention = self._make_box(
            "attention", "The rule in the last block of the vision tower"
        )
        self._report = WrappedLabel(self)
        self._report.setObjectName("sclip_model_gpu_report")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setColumnMinimumWidth(0, LABEL_WIDTH)
        layout.setColumnStretch(1, 1)
        rows = (("Device", self._device), ("Precision", self._precision))
        for row, (text, box) in enumerate((*rows, ("Attention", self._attention))):
            label = QLabel(text, self)
            label.setBuddy(box)
            box.setAccessibleName(text)
            layout.addWidget(label, 2 * row, 0)
            layout.addWidget(box, 2 * row, 1)
        layout.addWidget(self._report, 1, 0, 1, 2)
        self._device.picked.connect(self._on_device)
        self._precision.picked.connect(self._on_precision)
        self._attention.picked.connect(self._on_attention)
        self._show()
        follow(state.events, self._show)

    @property
    def summary(self) -> str:
        """What was chosen by hand, in a few words."""
        state = self._state
        chosen = [c for c in (state.device, state.precision, state.attention) if c != AUTO]
        return ", ".join(chosen) or "automatic"

    def _make_box(self, name: str, tooltip: str) -> ChoiceBox:
        box = ChoiceBox(self)
        box.setObjectName(f"sclip_model_{name}")
        box.setToolTip(tooltip)
        return box

    def _show(self) -> None:
        state = self._state
        devices = [
            Choice(name, name, f"{name}: {text}" if text else name, text)
            for name, text in state.devices
        ]
        # Until torch has been asked, nothing is known to be missing.
        missing = "{} (not found here)" if devices else "{}"
        self._device.show_choices([AUTO_DEVICE, *devices], state.device, missing)
        self._precision.show_choices(PRECISIONS, state.precision)
        attentions = [Choice(name, name, tooltip=text) for name, text in state.attentions]
        missing = "{} (unknown)" if attentions else "{}"
        self._attention.show_choices([AUTO_ATTENTION, *attentions], state.attention, missing)
        self._report.setText(state.gpu_report)

    def _on_device(self, key: str) -> None:
        self._state.device = key

    def _on_precision(self, key: str) -> None:
        self._state.precision = key

    def _on_attention(self, key: str) -> None:
        self._state.attention = key
