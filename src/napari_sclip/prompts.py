"""Classes and the phrases that stand for them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from napari_sclip.colors import parse_color
from napari_sclip.errors import ClassesError

BACKGROUND_NAME = "background"

_SEPARATORS = re.compile(r"[,\r\n]")


@dataclass(frozen=True)
class ClassPrompt:
    """One output label and the phrases that describe it.

    Parameters
    ----------
    name : str
        Name of the class. A class named ``background`` is the background.
    prompts : sequence of str, optional
        Phrases given to the text tower, one or more; the name itself if left empty.
    background : bool, optional
        Whether the pixels of this class get id 0.
    color : str, optional
        A colour name of CSS or ``#rrggbb``; a stable colour is chosen by name if left out.

    Raises
    ------
    ClassesError
        If the name or a prompt is empty, or another field is not usable.
    """

    name: str
    prompts: tuple[str, ...] = ()
    background: bool = False
    color: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ClassesError(
                f"A class needs a name of at least one character; got {self.name!r}. "
                "Give the class a name."
            )
        given: object = self.prompts
        prompts = (given,) if isinstance(given, str) else given
        if not isinstance(prompts, Sequence) or not all(isinstance(p, str) for p in prompts):
            raise ClassesError(
                f"The prompts of class {self.name!r} must be strings; got {given!r}. "
                "Give a tuple of phrases."
            )
        cleaned = tuple(" ".join(str(p).split()) for p in prompts)
        if not all(cleaned):
            raise ClassesError(
                f"The prompts of class {self.name!r} must not be empty; got {given!r}. "
                "Remove the empty one, or leave out all to use the name itself."
            )
        if self.background not in (True, False):
            raise ClassesError(
                f"background of class {self.name!r} must be True or False; got {self.background!r}."
            )
        name = " ".join(self.name.split())
        for text in (name, *cleaned):
            _check_text(text)
        if self.color is not None:
            parse_color(self.color)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "prompts", tuple(dict.fromkeys(cleaned)) or (name,))
        object.__setattr__(self, "background", bool(self.background) or is_background_name(name))


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ClassesError(
            f"Expected text of valid characters; got {text!r}, which is no Unicode text. Type it "
            "again, in a terminal or file that uses UTF-8."
        ) from error


def is_background_name(name: str) -> bool:
    """Whether a class of this name is the background."""
    return name.strip().casefold() == BACKGROUND_NAME


@dataclass(frozen=True)
class TypedClass:
    """One class of a text as it stands there, finished or not.

    Attributes
    ----------
    text : str
        What was typed, without the spaces around it.
    name : str
        May be empty.
    prompts : tuple of str
        Phrases after ``=``; empty where none were given.
    fault_in : str
        "name" or "prompts" if `parse_classes` refuses the text; else nothing.
    fault : str
        What to do about that.
    """

    text: str
    name: str
    prompts: tuple[str, ...] = ()
    fault_in: str = ""
    fault: str = ""


def split_classes(text: str) -> tuple[TypedClass, ...]:
    """Read a text that may still be being typed: nothing is refused, empty parts are left out."""
    return tuple(_read_typed(part) for part in _SEPARATORS.split(text) if part.strip())


def split_prompts(text: str) -> tuple[str, ...]:
    """Read phrases that are separated by ``|``; empty ones are left out."""
    phrases = (" ".join(phrase.split()) for phrase in text.split("|"))
    return tuple(dict.fromkeys(phrase for phrase in phrases if phrase))


def fits_text(phrase: str) -> bool:
    """Whether the text form can hold a phrase: it has no comma, new line, ``=`` or ``|``."""
    return re.search(r"[,=|\r\n]", phrase) is None


def name_fits_text(name: str) -> bool:
    """Whether the text form can hold a name: a phrase that fits, without ``;``.

    A name with semicolons is a list whose classes were separated by them.
    """
    return fits_text(name) and ";" not in name


def parse_classes(classes: str | Sequence[str | ClassPrompt]) -> tuple[ClassPrompt, ...]:
    """Read classes in any of the forms that the public calls accept.

    Parameters
    ----------
    classes : str or sequence of (str or ClassPrompt)
        As a string, classes are separated by commas or new lines and
        ``name = prompt | prompt`` gives a class prompts of its own. Each string of a
        sequence is one class in the same form.

    Returns
    -------
    tuple of ClassPrompt
        In the order given, names unique, at most one of them the background.

    Raises
    ------
    ClassesError
        If there is no class, only the background, a name twice, or more than one background;
        if classes are separated by semicolons; or if a string of a sequence is empty: the
        classes after it would get other ids.
    """
    if isinstance(classes, str):
        items: list[str | ClassPrompt] = [c for c in _SEPARATORS.split(classes) if c.strip()]
    elif isinstance(classes, ClassPrompt):
        items = [classes]
    elif isinstance(classes, Sequence):
        items = list(classes)
    else:
        raise ClassesError(
            "Classes must be a string such as 'leaf, soil' or a sequence of strings and "
            f"ClassPrompt; got {type(classes).__name__}."
        )
    parsed = [_parse_one(item) for item in items]
    _check_together(parsed)
    return tuple(parsed)


def label_ids(classes: Sequence[ClassPrompt]) -> tuple[int, ...]:
    """Label id of each class: 0 for the background, the others counted from 1 in order."""
    ids, following = [], 1
    for item in classes:
        if item.background:
            ids.append(0)
        else:
            ids.append(following)
            following += 1
    return tuple(ids)


def format_classes(classes: Sequence[ClassPrompt]) -> str:
    """Write classes in the string form that `parse_classes` reads; colours are left out.

    Raises
    ------
    ClassesError
        If that form cannot hold them: a comma, ``=`` or ``|`` within a name or a prompt, ``;``
        within a name, or a background of another name.
    """
    text = ", ".join(
        c.name if c.prompts == (c.name,) else f"{c.name} = {' | '.join(c.prompts)}" for c in classes
    )
    if parse_classes(text) != tuple(dataclasses.replace(c, color=None) for c in classes):
        raise ClassesError(
            f"These classes cannot be written as one line of text; it would read {text!r}. Take "
            "commas, '=' and '|' out of names and prompts, and name the background 'background'."
        )
    return text


def _parse_one(item: object) -> ClassPrompt:
    if isinstance(item, ClassPrompt):
        return item
    if not isinstance(item, str):
        raise ClassesError(
            f"A class must be a string or a ClassPrompt; got {type(item).__name__} ({item!r})."
        )
    typed = _read_typed(item)
    if typed.fault:
        raise ClassesError(f"Expected 'name = prompt | prompt'; got {typed.text!r}. {typed.fault}")
    return ClassPrompt(typed.name or item, typed.prompts)


def _read_typed(text: str) -> TypedClass:
    before, equals, after = text.partition("=")
    text, name = text.strip(), " ".join(before.split())
    prompts = split_prompts(after if equals else before)
    if ";" in before or (";" in after and "=" in after):
        parts = ", ".join(part for part in (" ".join(p.split()) for p in text.split(";")) if part)
        fault = ("name", f"Separate classes by commas, not by semicolons: {parts!r}.")
        return TypedClass(text, name, prompts if equals else (), *fault)
    if not equals and "|" not in before:
        return TypedClass(text, name)
    if not equals or not name:
        name = ""
        fault = ("name", "Write a name and '=' before the phrases.")
    elif "=" in after:
        fault = ("prompts", "Write only one '='.")
    elif not prompts:
        fault = ("prompts", "Write at least one phrase after '=', or take '=' away.")
    else:
        fault = ("", "")
    return TypedClass(text, name, prompts, *fault)


def _check_together(classes: Sequence[ClassPrompt]) -> None:
    if not classes:
        raise ClassesError(
            "Expected at least one class; got none. Type what you want to see labelled, "
            "for example 'leaf, soil, insect'."
        )
    names = [c.name for c in classes]
    doubles = sorted({n for n in names if names.count(n) > 1})
    if doubles:
        raise ClassesError(
            f"Every class needs a name of its own; given more than once: {', '.join(doubles)}. "
            "To give one class several phrases, write 'name = phrase | phrase'."
        )
    backgrounds = [c.name for c in classes if c.background]
    if len(backgrounds) > 1:
        raise ClassesError(
            f"At most one class can be the background; got {', '.join(backgrounds)}. "
            "Join them: 'background = phrase | phrase'."
        )
    if len(backgrounds) == len(classes):
        raise ClassesError(
            f"Expected at least one class besides the background; got only {backgrounds[0]!r}. "
            "Add a class that you want to see labelled."
        )


def class_of_id(
    number: int, name: str, prompts: Sequence[str] = (), color: str | None = None
) -> ClassPrompt:
    """Make the class of an id that another program named; only 0 is the background.

    Raises
    ------
    ClassesError
        If the name or the colour is not usable.
    """
    if number != 0 and is_background_name(name):
        name = f"{name} ({number})"
    return ClassPrompt(name, tuple(prompts), background=number == 0, color=color)


def with_unknown(
    known: Iterable[tuple[int, ClassPrompt]],
    present: Iterable[int],
    colors: Mapping[int, str] | None = None,
) -> list[tuple[int, ClassPrompt]]:
    """Name the ids that no class has, so that none is lost.

    Parameters
    ----------
    known : iterable of (int, ClassPrompt)
    present : iterable of int
        Ids that occur.
    colors : mapping of int to str, optional
        Colours of ids, for those that are not known.

    Returns
    -------
    list of (int, ClassPrompt)
        What is known, then "label 7" and so on; 0 needs no name.
    """
    found = list(known)
    names = {c.name for _, c in found}
    for k in sorted(set(present) - {k for k, _ in found} - {0}):
        name = f"label {k}"
        while name in names:
            name += " (other)"
        names.add(name)
        found.append((k, ClassPrompt(name, color=(colors or {}).get(k))))
    return found
