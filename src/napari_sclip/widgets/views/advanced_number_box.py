"""A spin box that leaves the typing hand alone."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt, QTimer, Signal
from qtpy.QtGui import QFocusEvent, QWheelEvent
from qtpy.QtWidgets import QDoubleSpinBox, QWidget


class NumberBox(QDoubleSpinBox):
    """A number, or none; told about while it is typed.

    The wheel changes nothing unless the box has the focus.

    Parameters
    ----------
    low, high : float
        The range.
    step : float
        Of the arrows.
    decimals : int
    unit : str
        Behind the number.
    none_text : str, optional
        Shown for None, which takes the place of 0; without it there is no None.
    parent : QWidget, optional
    """

    edited = Signal(object)
    """The number, or None, as a person made it; not sent by `show_number`."""

    def __init__(
        self,
        low: float,
        high: float,
        step: float,
        *,
        decimals: int = 0,
        unit: str = "",
        none_text: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._none_text = none_text
        self._shown: list[float | None] = []  # none yet
        self.setDecimals(decimals)
        self.setRange(0 if none_text else low, high)
        self.setSingleStep(step)
        self.setSuffix(unit)
        self.setSpecialValueText(none_text)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # A click into words would put the cursor where no digit can be typed. The timer waits
        # for the click to be over; it is the box's own, so that it dies with it.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.selectAll)
        self.valueChanged.connect(self._on_value)

    @property
    def number(self) -> float | None:
        """The number; an int if there are no decimals."""
        value = self.value()
        if self._none_text and value == 0:
            return None
        return round(value) if self.decimals() == 0 else value

    def show_number(self, number: float | None) -> None:
        """Show another number; one that was shown before does not take away what was typed since.

        Parameters
        ----------
        number : float or None
        """
        if self._shown == [number]:
            return
        self._shown = [number]
        rounded = None if number is None else round(number, self.decimals())
        if rounded != self.number:
            with QSignalBlocker(self):
                self.setValue(0 if number is None else number)

    def textFromValue(self, v: float) -> str:  # noqa: N802 - Qt's name
        """Return the number without zeros that say nothing."""
        text = super().textFromValue(v)
        point = self.locale().decimalPoint()
        return text.rstrip("0").rstrip(point) if point in text else text

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802 - Qt's name
        """Select words, so that a number can be typed over them."""
        super().focusInEvent(event)
        if self.number is None:
            self._soon.start(0)

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802 - Qt's name
        """Leave the wheel to what scrolls, unless this has the focus."""
        if event is not None and not self.hasFocus():
            event.ignore()
            return
        super().wheelEvent(event)

    def _on_value(self) -> None:
        self.edited.emit(self.number)
