"""Which label id stands for which class, and which names a Labels layer has for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count

from napari_sclip.widgets.state.classes_rows import Entry

BYTE = 255


class IdBook:
    """Gives ids to rows, so that those that a layer knows keep their meaning.

    Within this class an id is "painted" if the layer knows it. A row has a painted id and
    another name than the layer only until the layer can be told: two classes may not have one
    name there.
    """

    def __init__(self) -> None:
        self._painted: dict[str, int] = {}
        self._present: frozenset[int] = frozenset()

    def adopt(
        self, entries: Sequence[Entry], ids: Mapping[str, int], *, again: bool = False
    ) -> None:
        """Let a layer's names and ids hold; all rows without one get a new id.

        Where they held before (`again`), rows that it does not know yet keep the id that a
        person may have painted with already.
        """
        self._painted = {name: number for name, number in ids.items() if number > 0}
        if not again:
            self._present = frozenset()
        held = set(self._painted.values())
        for entry in entries:
            if not again or entry.own_id in held:
                entry.own_id = None
        self.settle(entries)

    def reserve(self, present: Iterable[int]) -> None:
        """Give none of these ids to rows that are new: they are painted already."""
        self._present = frozenset(present)

    def release(self, entry: Entry) -> None:
        """Take back a painted id from a row whose name was typed over."""
        if entry.own_id in self._painted.values() and self._painted.get(entry.name) != entry.own_id:
            entry.own_id = None

    def owns(self, entry: Entry) -> bool:
        """Whether the layer knows the row's id."""
        return entry.own_id in self._painted.values()

    def knows(self, name: str) -> bool:
        """Whether the layer has a class of this name."""
        return name in self._painted

    def settle(self, entries: Sequence[Entry]) -> None:
        """Give back painted ids to the names that have them, and new ids to rows without one."""
        held = {entry.own_id for entry in entries}
        for entry in entries:
            painted = self._painted.get(entry.name)
            if painted is not None and painted not in held:
                entry.own_id = painted
                held.add(painted)
        for entry in entries:
            if entry.own_id is None and not entry.background:
                taken = {e.own_id or 0 for e in entries} | set(self._painted.values())
                taken |= self._present
                entry.own_id = max(taken) + 1
                if entry.own_id > BYTE:  # the layer could not hold it
                    entry.own_id = next(k for k in count(1) if k not in taken)

    def reconcile(self, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
        """Yield the old and new name of what the layer must rename to agree with the rows.

        A row that took a name which the layer has for another id takes that id instead.
        """
        counts = Counter(entry.name for entry in entries)
        names = {number: name for name, number in self._painted.items()}
        waiting = [
            entry
            for entry in entries
            if entry.own_id in names
            and names[entry.own_id] != entry.name
            and entry.name
            and counts[entry.name] == 1
        ]
        while told := next((e for e in waiting if e.name not in self._painted), None):
            waiting.remove(told)
            assert told.own_id is not None
            del self._painted[names[told.own_id]]
            self._painted[told.name] = told.own_id
            yield names[told.own_id], told.name
        self._swap(entries, waiting)

    def _swap(self, entries: Sequence[Entry], waiting: list[Entry]) -> None:
        while True:
            held = {e.own_id for e in entries if not any(e is w for w in waiting)}
            possible = [e for e in waiting if self._painted[e.name] not in held]
            if len(possible) == len(waiting):
                break
            waiting = possible
        for entry in waiting:
            entry.own_id = self._painted[entry.name]
