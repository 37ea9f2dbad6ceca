"""Rows of a form: a label and its controls, shown or hidden together."""

from __future__ import annotations

import itertools
import re
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QSignalBlocker, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QFocusEvent, QPalette, QResizeEvent, QShowEvent, QWheelEvent
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDoubleSpinBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_sclip.colors import error_color, hex_color
from napari_sclip.widgets.views.choice_box import Choice, ChoiceBox

Living = TypeVar("Living", bound=QObject)

WIDEST_LABEL = "Shapes layer"
"""The labels of all rows of the dock widget are as wide as this one."""

MASKS = "Masks (*.png *.tif *.tiff *.npy *.json *.zarr *.bmp *.gif);;All files (*)"

UNUSABLE = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')
"""What some system does not allow in the name of a file."""

LONG_WORD = re.compile(r"\S{37,}")
BREAK = "\N{ZERO WIDTH SPACE}"
"""Where Qt may break a line."""

THEME_CHANGES = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)


class RowLabel(QLabel):
    """The label of a row, as wide as those of all others in whatever font."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a width that does not depend on the text, unless that is long."""
        return self._widened(super().minimumSizeHint())

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the same width."""
        return self._widened(super().sizeHint())

    def _widened(self, size: QSize) -> QSize:
        metrics = self.fontMetrics()
        widest = metrics.horizontalAdvance(WIDEST_LABEL) + metrics.averageCharWidth()
        return QSize(max(size.width(), widest), size.height())


class Row(QWidget):
    """One row; QFormLayout cannot hide its rows in Qt 5.

    Parameters
    ----------
    label : str
        May carry a mnemonic, which leads to the first control.
    *controls : QWidget
        Share what room there is beside the label.
    parent : QWidget, optional
    """

    def __init__(self, label: str, *controls: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        text = RowLabel(label, self)
        text.setBuddy(controls[0])
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(text)
        for control in controls:
            layout.addWidget(control, 1)
            if not control.accessibleName():
                control.setAccessibleName(label.replace("&", ""))


def stack(widget: QWidget, parts: Iterable[QWidget]) -> None:
    """Lay parts out below one another, as wide as the widget."""
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    for part in parts:
        layout.addWidget(part)


def make_box(name: str, tooltip: str, choices: Sequence[Choice] = ()) -> ChoiceBox:
    """Make a combo box of this object name, which offers these choices."""
    box = ChoiceBox()
    box.setObjectName(name)
    box.setToolTip(tooltip)
    box.show_choices(choices, "")
    return box


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


def make_button(
    name: str, text: str, about: str, act: Callable[[], None], parent: QWidget
) -> QPushButton:
    """Make a button.

    Parameters
    ----------
    name : str
        Its object name.
    text, about : str
        What stands on it, and its tooltip while it can be pressed.
    act : callable
        A bound method; called without arguments.
    parent : QWidget
    """
    button = QPushButton(text, parent)
    button.setObjectName(name)
    button.setToolTip(about)
    button.setProperty("about", about)
    button.setAutoDefault(True)  # Return presses it, as Space does
    button.clicked.connect(act)
    return button


def allow(button: QPushButton, reason: str) -> None:
    """Enable a button or, where there is a reason why not, disable it and say that."""
    button.setEnabled(not reason)
    button.setToolTip(reason or str(button.property("about")))


def ask_mask(parent: QWidget) -> str:
    """Ask for a file to open; nothing if a person chose none."""
    return QFileDialog.getOpenFileName(parent, "Start from a mask", "", MASKS)[0]


def ask_where(parent: QWidget, name: str, kind: str, suffix: str) -> str:
    """Ask where to save; the dialog asks before a file is replaced.

    Parameters
    ----------
    parent : QWidget
    name : str
        Proposed, without an ending.
    kind : str
        What is saved, in words.
    suffix : str
        Its usual ending, with the dot.
    """
    proposed = UNUSABLE.sub("_", f"{name}{suffix}")
    dialog = QFileDialog(parent, f"Save labels: {kind}", proposed, f"{kind} (*{suffix})")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(suffix.removeprefix("."))
    return dialog.selectedFiles()[0] if dialog.exec() else ""


class Emitter(Protocol):
    """A signal of psygnal."""

    def connect(self, slot: Callable[[], None], /) -> Any:  # noqa: ANN401
        """Call a function whenever it comes."""

    def disconnect(self, slot: Callable[[], None], /, missing_ok: bool = True) -> Any:  # noqa: ANN401
        """Call it no more."""


@dataclass(frozen=True)
class Field:
    """Something that a view shows.

    Attributes
    ----------
    changed : Emitter
        Comes when it has another value.
    value : callable
        Returns the value that it has now.
    """

    changed: Emitter
    value: Callable[[], object]


def fields(part: Any, *names: str) -> list[Field]:  # noqa: ANN401 - any part of the state
    """Return fields of a part of the state.

    Parameters
    ----------
    part : dataclass with events, or ClassTable
    *names : str
    """
    return [
        Field(part.events[name] if hasattr(part, "events") else part.changed, value)
        for name in names
        for value in [partial(getattr, part, name)]
    ]


def at_once(signal: Emitter, owner: Living, act: Callable[[Living], object]) -> None:
    """Call a function of a Qt object whenever a signal comes, as long as the object is there.

    Qt may end an object before Python does, when napari's window goes, and tells of it when that
    is too late.

    Parameters
    ----------
    signal : Emitter
    owner : QObject
        Only referred to weakly.
    act : callable
        Called with the owner, to which it must not refer itself.
    """

    def call() -> None:
        living = reference()
        if living is not None and isalive(living):  # type: ignore[no-untyped-call]  # qtpy has no types
            act(living)

    reference = weakref.ref(owner, lambda _: signal.disconnect(call, missing_ok=True))
    signal.connect(call)


class Redraw(QTimer):
    """Shows fields that changed, once an event-loop turn however many did and however often.

    Nothing is shown for a field that has its old value again.

    Parameters
    ----------
    show : bound method of a QWidget
        The timer is the widget's child, and dies with it.
    shown : sequence of Field
    every_ms : int
        How long changes are gathered; 0 for the turn that goes on.
    """

    def __init__(self, show: Callable[[], None], shown: Sequence[Field], every_ms: int = 0) -> None:
        super().__init__(show.__self__)  # type: ignore[attr-defined]  # a bound method has one
        self._show = weakref.WeakMethod(show)
        self._fields = tuple(shown)
        self._values = self._now()
        self.setSingleShot(True)
        self.setInterval(every_ms)
        self.timeout.connect(self._on_timeout)
        for signal in {id(field.changed): field.changed for field in shown}.values():
            at_once(signal, self, Redraw._soon)

    @property
    def fields(self) -> tuple[Field, ...]:
        """What is shown."""
        return self._fields

    def _now(self) -> list[object]:
        return [field.value() for field in self._fields]

    def _soon(self) -> None:
        if not self.isActive():
            self.start()

    def _on_timeout(self) -> None:
        values, show = self._now(), self._show()
        if values != self._values and show is not None:
            self._values = values
            show()


def follow(show: Callable[[], None], *shown: Sequence[Field], every_ms: int = 0) -> None:
    """Call a method of a widget now, and once in each event-loop turn in which fields changed.

    Parameters
    ----------
    show : bound method of a QWidget
    *shown : sequences of Field
        All fields that the method reads, see `fields`.
    every_ms : int
        Longer than a turn for what changes more often than a person can read.
    """
    Redraw(show, list(itertools.chain(*shown)), every_ms)
    show()


Control = ChoiceBox | NumberBox | QSpinBox | QLineEdit | QAbstractButton


def bind(
    control: Control,
    state: Any,  # noqa: ANN401 - any part of the state
    field: str,
    *,
    to_shown: Callable[[Any], Any] = lambda value: value,
    to_value: Callable[[Any], Any] = lambda shown: shown,
) -> None:
    """Let a control show a field of the state, and write to it what a person chooses.

    What already means the value of the field is left as it is, also while it is being typed.

    Parameters
    ----------
    control : ChoiceBox, NumberBox, QSpinBox, QLineEdit or checkable button
    state : dataclass with events
    field : str
    to_shown, to_value : callable
        Turn the field's value into what the control shows, and back.
    """

    def show(living: Control) -> None:
        value = getattr(state, field)
        read, write, _ = _parts_of(living)
        # What a number box shows is rounded; it knows by itself what it has shown.
        if isinstance(living, NumberBox) or to_value(read()) != value:
            with QSignalBlocker(living):
                write(to_shown(value))

    def take(shown: Any) -> None:  # noqa: ANN401 - whatever the control shows
        setattr(state, field, to_value(shown))

    _parts_of(control)[-1].connect(take)
    at_once(state.events[field], control, show)
    show(control)


def _parts_of(control: Control) -> tuple[Callable[[], Any], Callable[[Any], None], Any]:
    """Return how what a control shows is read and written, and the signal that it was changed."""
    if isinstance(control, ChoiceBox):
        return control.key, control.choose, control.picked
    if isinstance(control, NumberBox):
        return lambda: control.number, control.show_number, control.edited
    if isinstance(control, QSpinBox):
        return control.value, control.setValue, control.valueChanged
    if isinstance(control, QLineEdit):
        return control.text, control.setText, control.textChanged
    return control.isChecked, control.setChecked, control.toggled


class ElidedLabel(QLabel):
    """One line of text that is cut with an ellipsis where there is no room; the tooltip has all.

    `text` is always the whole text.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """Return the whole text."""
        return self._whole

    def setText(self, text: str | None) -> None:  # noqa: N802 - Qt's name
        """Show another text."""
        self._whole = text or ""
        self._elide()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a height, and no width: any width will do."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Cut the text for the new width."""
        super().resizeEvent(event)
        self._elide()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Cut the text for another font."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.FontChange:
            self._elide()

    def _elide(self) -> None:
        metrics = self.fontMetrics()
        # A label with a frame, which napari's style gives it, begins half a letter further in.
        indent = metrics.horizontalAdvance("x") // 2 if self.frameWidth() else 0
        room = self.contentsRect().width() - indent
        shown = metrics.elidedText(self._whole, Qt.TextElideMode.ElideRight, room)
        super().setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


class WrappedLabel(QLabel):
    """Plain text over as many lines as it needs; hidden while there is none.

    Long words, as names of files are, break wherever a line ends; the tooltip has the text in one
    piece. `text` is always as it was given.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setVisible(False)

    def setText(self, text: str | None) -> None:  # noqa: N802 - Qt's name
        """Show another text, or hide for want of one."""
        if text != self._whole:
            self._whole = text or ""
            shown = LONG_WORD.sub(lambda word: BREAK.join(word[0]), self._whole)
            super().setText(shown)
            self.setToolTip(self._whole if shown != self._whole else "")
        self.setVisible(bool(text))

    def text(self) -> str:
        """Return the text as it was given."""
        return self._whole


class ProblemLabel(WrappedLabel):
    """A sentence that says what is wrong, in a red that is readable in dark and light themes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._red = ""

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Choose the red for the theme, which is known by now."""
        super().showEvent(event)
        self._choose_red()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Choose the red for another theme."""
        super().changeEvent(event)
        if event is not None and event.type() in THEME_CHANGES and self.isVisible():
            self._choose_red()

    def _choose_red(self) -> None:
        # Its own palette keeps what its own colour was chosen on.
        red = red_on(self.parentWidget() or self)
        if red != self._red:
            self._red = red
            self.setStyleSheet(f"color: {red};")


def red_on(place: QWidget) -> str:
    """Return the red, ``#rrggbb``, that is read easily on the background of a widget."""
    window = place.palette().color(QPalette.ColorRole.Window)
    return hex_color(error_color((window.red(), window.green(), window.blue())))


class Panel(QFrame):
    """Hidden at first.

    Parameters
    ----------
    name : str
        Of the object.
    parent : QWidget, optional
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setVisible(False)

    def edge_color(self) -> str:
        """Return the colour of the left edge, as style sheets take it."""
        return "palette(highlight)"

    def has_focus_inside(self) -> bool:
        """Whether one of its controls has the focus."""
        focused = QApplication.focusWidget()
        return focused is not None and self.isAncestorOf(focused)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take the colours of the theme, which are known by now."""
        super().showEvent(event)
        self._mark()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event is not None and event.type() in THEME_CHANGES and self.isVisible():
            self._mark()

    def _mark(self) -> None:
        """Colour the edge, and frame the button that has the focus: napari's style does not."""
        text = (self.parentWidget() or self).palette().color(QPalette.ColorRole.WindowText)
        style = (
            f"#{self.objectName()} {{ border-left: 3px solid {self.edge_color()}; }}"
            f"QPushButton:focus {{ border: 1px solid {text.name()}; }}"
        )
        if style != self.styleSheet():
            self.setStyleSheet(style)


def tab_through(root: QWidget) -> None:
    """Let the Tab key visit the controls in the order of the layouts, from top to bottom.

    Parameters
    ----------
    root : QWidget
    """
    stops = [w for w in _in_layout_order(root) if w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    for one, following in itertools.pairwise(stops):
        QWidget.setTabOrder(one, following)


def _in_layout_order(widget: QWidget) -> Iterator[QWidget]:
    yield widget
    inner = widget.widget() if isinstance(widget, QScrollArea) else None
    if inner is not None:
        yield from _in_layout_order(inner)
    layout = widget.layout()
    if layout is not None:
        yield from _of_layout(layout)


def _of_layout(layout: QLayout) -> Iterator[QWidget]:
    for index in range(layout.count()):
        item = layout.itemAt(index)
        if isinstance(item, QLayout):
            yield from _of_layout(item)
        elif item is not None and (widget := item.widget()) is not None:
            yield from _in_layout_order(widget)
