"""What happens when a control of the dock widget is used."""

from __future__ import annotations

import dataclasses
import functools
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from napari.layers import Image, Labels
from qtpy.QtCore import QCoreApplication

from napari_sclip.errors import SclipError
from napari_sclip.layers.image.read import with_labels_size
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.annotations import count_hand_edits
from napari_sclip.layers.labels.write import why_not_updating
from napari_sclip.models.registry import DEFAULT_MODEL
from napari_sclip.paths import cache_dir, config_dir
from napari_sclip.progress import Progress
from napari_sclip.widgets.control.command import Repeating
from napari_sclip.widgets.control.context import Desk
from napari_sclip.widgets.control.explain import Explaining
from napari_sclip.widgets.control.export import Taking
from napari_sclip.widgets.control.image import ImageFollower, PreviewLoop
from napari_sclip.widgets.control.keys import CancelKey, PaintKeys
from napari_sclip.widgets.control.labels import LabelsLink, colored_classes
from napari_sclip.widgets.control.learn import Teaching
from napari_sclip.widgets.control.model import (
    RECOVERY,
    Downloading,
    Estimates,
    Scout,
    ask_download,
    ask_labels_size,
    ask_replace,
    describe_failure,
)
from napari_sclip.widgets.control.recovery import Recovering
from napari_sclip.widgets.control.review import Reviewing, Scribbling, Tally
from napari_sclip.widgets.control.run import MODEL_CHANGED, RunRequest, Seen, Segmenting
from napari_sclip.widgets.control.tasks import ProgressTeller, Runner, Work, single_shot
from napari_sclip.widgets.state.run import IDLE, RUNNING, STOPPING, Failure, Question
from napari_sclip.widgets.state.store import FIELDS, recall, remember
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.segment import SegmentOutcome
from napari_sclip.widgets.work.session import EMBEDDINGS_BYTES, NeedsDownloadError, Session
from napari_sclip.widgets.worker import Listener, Task

NOTHING_PAINTED = (
    "Nothing has been painted by hand yet. Choose a class (keys 1 to 9, with the labels active), "
    "paint where the labels are wrong, then press this again."
)

KEEP_MS = 1000
LIVE_MS = 200
LOOKS_AT_ONCE = ("threshold", "min_area_fraction", "templates")
MODEL_CHOICES = ("name", "weights", "architecture", "device", "precision", "attention")
DETAIL_CHOICES = ("level", "short_side", "window", "stride", "average_on")


class Corrections:
    """The parts, and what they are told together.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.teaching = Teaching(desk.state, desk.viewer.layers)
        self.tally = Tally(desk.viewer, desk.state)
        self.reviewing = Reviewing(desk, self.teaching, self.tally)
        self.explaining = Explaining(desk, self.teaching)
        self.scribbling = Scribbling(desk, self.tally)
        self.taking = Taking(desk)
        self.repeating = Repeating(desk, self.teaching)

    def close(self) -> None:
        """Let go of the viewer."""
        self.teaching.close()
        self.explaining.close()
        self.scribbling.close()
        self.reviewing.close()
        self.tally.close()

    def follow(self, labels: Labels | None) -> None:
        """Work on these labels from now on."""
        self.teaching.turn_to(labels)
        self.tally.follow(labels)
        if labels is not None:
            self.reviewing.bind(labels)

    def on_written(self, labels: Labels, learned: Any) -> None:  # noqa: ANN401 - a Classifier or None
        """Note that a run has written labels."""
        self.teaching.took(learned, labels)
        self.follow(labels)
        self.reviewing.forget()


class CorrectionActions:
    """What views ask for about corrections; a base of the controller."""

    corrections: Corrections

    def segment(self) -> None:
        """Start a run."""
        raise NotImplementedError

    def refine_from_strokes(self) -> None:
        """Start a run that learns from what was painted by hand."""
        tally = self.corrections.tally
        tally.count()
        correct = self.corrections.desk.state.correct
        known = correct.painted or correct.scribbled or correct.learned
        if not known and not tally.is_behind:
            self.corrections.desk.say(NOTHING_PAINTED)
            return
        correct.learn = True
        self.segment()

    def forget_learned(self) -> None:
        """Go back to the text alone, from the next run on."""
        self.corrections.teaching.forget()
        self.corrections.desk.say("Forgotten. The next run goes by the text alone.")

    def learned_values(self) -> Mapping[str, Any] | None:
        """Return what strokes have taught, as plain values for a preset, or None."""
        corrections = self.corrections
        classes = colored_classes(corrections.desk.state.classes)
        known = corrections.teaching.to_keep(classes)
        return None if known is None else known.to_dict()

    def why_not_learned(self) -> str:
        """Say why what strokes have taught is not of the classes in the table, if so."""
        corrections = self.corrections
        return corrections.teaching.why_not(colored_classes(corrections.desk.state.classes))

    def carry_over(self, values: Mapping[str, Any] | None) -> None:
        """Take over what a preset has learned, or nothing."""
        from napari_sclip.engine.classifier import Classifier

        self.corrections.teaching.carry(None if values is None else Classifier.from_dict(values))

    def tell(self, sentence: str) -> None:
        """Say something at the bottom of the widget."""
        self.corrections.desk.say(sentence)

    def keep_class(self, label: int) -> None:
        """Put a class that was removed from the table back into it."""
        self.corrections.taking.keep_class(label)

    def release_class(self, label: int) -> None:
        """Let the next run replace what was painted of a removed class."""
        self.corrections.taking.release_class(label)
        self.corrections.tally.count()

    def join_removed_classes(self) -> None:
        """Make one class of all that are painted and not in the table."""
        self.corrections.taking.join_removed_classes()
        self.corrections.tally.count()

    def release_removed_classes(self) -> None:
        """Let the next run replace what was painted of all removed classes."""
        self.corrections.taking.release_removed_classes()
        self.corrections.tally.count()

    def add_scribbles(self) -> None:
        """Add a layer to scribble in."""
        self.corrections.scribbling.add()

    def go_to_unsure(self, *, backwards: bool = False) -> None:
        """Show the next unsure region."""
        self.corrections.reviewing.go(backwards=backwards)

    def mark_checked(self) -> None:
        """Note that the region that was gone to is right, and go to the next."""
        self.corrections.reviewing.mark()

    def mark_all_checked(self, checked: bool) -> None:
        """Note that the whole plane is right, or that nothing of it is known to be."""
        self.corrections.reviewing.mark_all(checked)

    def show_scores(self, name: str) -> None:
        """Show the scores of a class as an image."""
        self.corrections.explaining.show_scores(name)

    def show_margin(self) -> None:
        """Show how sure the labels are as an image."""
        self.corrections.explaining.show_margin()

    def split_objects(self, name: str, *, touching: bool) -> None:
        """Make a layer in which each object of a class has an id of its own."""
        self.corrections.taking.split_objects(name, touching=touching)

    def write_objects_back(self) -> None:
        """Write the objects of the active layer back into the labels that they come from."""
        self.corrections.taking.write_objects_back()

    def list_formats(self) -> None:
        """Find out which formats labels can be saved in."""
        self.corrections.taking.list_formats()

    def export(self, path: str, format_name: str) -> None:
        """Save the labels as they are in the layer."""
        self.corrections.taking.export(path, format_name)

    def start_from_mask(self, path: str) -> None:
        """Make labels of a file, to start from."""
        self.corrections.taking.start_from_mask(path)

    def start_from_layer(self) -> None:
        """Take the active Labels layer, which comes from elsewhere, as the image's labels."""
        self.corrections.taking.start_from_layer()
        self.corrections.follow(self.corrections.desk.labels)

    def repeat_as(self, language: str) -> str:
        """Return the lines that repeat this run on other files: "shell" or "python"."""
        return self.corrections.repeating.lines(language)


class SettingsKeeper:
    """Brings back what was chosen last, and keeps what is chosen now.

    Parameters
    ----------
    state : WidgetState
    folder : Path
    """

    def __init__(self, state: WidgetState, folder: Path) -> None:
        self._state = state
        self._folder = folder
        state.model.name = DEFAULT_MODEL
        recall(state, folder)
        self._timer = single_shot(KEEP_MS, self.keep)
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.keep)
        state.classes.changed.connect(self._soon)
        for section, names in FIELDS.items():
            events = getattr(state, section).events
            for name in names:
                events[name].connect(self._soon)

    def keep(self) -> None:
        """Write the choices now; where that cannot be, they are lost at the end, and only then."""
        self._timer.stop()
        self._state.classes.keep_colors()
        remember(self._state, self._folder)

    def _soon(self) -> None:
        self._timer.start()


class Controller(CorrectionActions):
    """Connects the state with a viewer; the views call it, and see the state change.

    Parameters
    ----------
    viewer : Viewer
    state : WidgetState, optional
    session : Session, optional
        Keeps the model; a test gives its own.
    """

    def __init__(
        self,
        viewer: Any,  # noqa: ANN401 - napari has no types
        state: WidgetState | None = None,
        session: Session | None = None,
    ) -> None:
        self.state = state or WidgetState()
        self.session = session or Session()
        self._viewer = viewer
        self._open = True
        self._progress = ProgressTeller(self.state.run)
        self._runner = Runner(self._on_work)
        self._downloading = Downloading(
            self.state, self._runner, self._on_progress, self._on_failure
        )
        self._link = LabelsLink(viewer, self.state.classes)
        self._keys = PaintKeys(viewer, self.state.classes, self._link.know)
        self._preview = PreviewLoop(self.state.image)
        self._estimates = Estimates(self.state, config_dir(), self.session)
        self._segmenting: Segmenting | None = None
        self._seen = Seen(self.state)
        self._sized: Callable[[], Any] | None = None
        self._escape = CancelKey(viewer, self.state.run, self.cancel)
        self._told_of: Callable[[], Any] = lambda: None
        self._settings = SettingsKeeper(self.state, config_dir())
        self._live_timer = single_shot(LIVE_MS, self._segment_live)
        self._connect()
        self._waiting: RunRequest | None = None
        self._follower = ImageFollower(viewer, self.state, self._on_image)
        self._scout = Scout(self.state, self._on_ready)
        self._recovering = Recovering(viewer, self.state, cache_dir() / "recovery")
        self.corrections = Corrections(
            Desk(
                viewer,
                self.state,
                self.session,
                self._runner,
                self._follower,
                self._link,
                self._on_progress,
                self._on_failure,
                self._recovering.autosave.keep_soon,
                self._keys.bind,
            )
        )
        self._on_image()

    # What the views ask for

    def segment(self) -> None:
        """Start a run, or ask what has to be decided first."""
        if not self._open:
            return
        run = self.state.run
        if run.question is not None and run.question.about is not None:
            run.question = None
        self._wait_no_more()
        run.failure = None
        run.notice = ""
        self._follower.refresh()
        request = self._make_request(run.target)
        if request is not None:
            self._go_on(request)

    def cancel(self) -> None:
        """Stop what runs, or withdraw the question that is shown."""
        self.state.run.question = None
        self._wait_no_more()
        if self._runner.is_running:
            self.state.run.status = STOPPING
            self.state.run.message = "Stopping"
        self._runner.stop()

    def answer(self, key: str) -> None:
        """Answer the question that is shown."""
        question, self.state.run.question = self.state.run.question, None
        if question is None or key == "no":
            return
        about = question.about
        void = self._why_void(about)
        if void:
            self.state.run.notice = void
        elif question.key == RECOVERY:
            self._recovering.answer(key)
        elif question.key == "download":
            then = functools.partial(self._resume, about) if isinstance(about, RunRequest) else None
            self._downloading.start(then)
        elif isinstance(about, RunRequest):
            self._go_on(self._resized(about, key) if question.key == "labels-size" else about)

    def download(self) -> None:
        """Ask for the download of the chosen model."""
        if self.state.model.needs_download:
            self._downloading.ask()

    def unload(self) -> None:
        """Give back the memory of the model and of embedded images."""
        if self._runner.is_running:
            self.state.run.notice = "The model is at work. Cancel first, then unload it."
            return
        self.session.unload()
        self._seen.forget()
        self.state.model.loaded = ""
        self._on_image()
        self.state.run.notice = "Model unloaded, embeddings cleared."

    def measure(self) -> None:
        """Time one window, for the estimate."""
        if self._runner.is_running:
            self.state.run.notice = "Windows of the run that goes on are timed anyway."
            return
        if self.state.model.needs_download:
            self._downloading.ask()
            return
        work = self._estimates.measuring(self.session)
        listener = Listener(
            progress=self._on_progress, done=self._on_measured, failed=self._on_failure
        )
        self._runner.start(Work("measure", work, listener))

    def take_suggestion(self) -> None:
        """Take over the classes (and the model) that fit the image."""
        facts = self.state.image.facts
        if facts is None or not facts.suggestion:
            return
        self.state.classes.set_text(facts.suggestion)
        if any(c.name == facts.suggested_model for c in self.state.model.choices):
            self.state.model.name = facts.suggested_model

    def paint_with(self, label: int) -> None:
        """Pick the label to paint with in the labels layer."""
        labels = self._link.labels_of(self._follower.layer)
        if labels is not None:
            self._viewer.layers.selection = {labels}
            self._keys.paint_with(labels, label)

    def close(self) -> None:
        """Stop everything and let go of the viewer; may be called twice."""
        if not self._open:
            return
        self._open = False
        self._settings.keep()
        self._live_timer.stop()
        self._viewer.layers.selection.events.active.disconnect(self._on_active_labels)
        self._give_up("")
        if self.session.loaded or self._runner.is_running:
            Task(lambda _: self.session.close(), Listener()).start()
        self._runner.close()
        self._scout.close()
        self._recovering.close()
        self.corrections.close()
        self._preview.close()
        self._progress.close()
        self._follower.close()
        self._link.close()
        self._keys.close()
        self._escape.close()

    # A run

    def _make_request(self, target: str, *, live: bool = False) -> RunRequest | None:
        """Take down what is asked for; say why if that cannot be."""
        state = self.state
        reason = state.why_not()
        if reason:
            state.run.failure = Failure(reason, reason)
            return None
        try:
            read = self._follower.make_request()
        except SclipError as error:
            state.image.problem = str(error)
            return None
        if self._segmenting is not None and not live:  # the newest press wins
            self._give_up("")
            self._runner.stop()
        image = self._follower.layer
        labels = self._labels_for(image, read, target)
        return RunRequest(image, image.data, read, target, labels, state.model.name, live)

    def _labels_for(self, image: Any, read: ImageRequest, target: str) -> Labels | None:  # noqa: ANN401
        if target == "new":
            return None
        return self._link.target(image, read, colored_classes(self.state.classes))

    def _resized(self, request: RunRequest, size: str) -> RunRequest:
        """Return a request for labels of the size that was answered, whatever that is."""
        if size not in ("region", "read"):
            return dataclasses.replace(request, may_be_large=True)
        image = request.image
        self.state.image.labels_size = size
        self._sized = weakref.ref(image)
        read = with_labels_size(request.read, image, size)
        labels = self._labels_for(image, read, request.target)
        return dataclasses.replace(request, read=read, labels=labels, may_be_large=True)

    def _why_void(self, about: object) -> str:
        """Say why what a question is about has no point any more, or nothing."""
        model = self.state.model
        if isinstance(about, RunRequest):
            return about.why_void(self._viewer.layers, model.name)
        return MODEL_CHANGED if about not in (None, model.name) else ""

    def _resume(self, request: RunRequest) -> None:
        """Go on with a request that has waited."""
        void = self._why_void(request)
        if void:
            self.state.run.notice = void
        elif self._open:
            self._go_on(request)

    def _go_on(self, request: RunRequest) -> None:
        """Start a run, unless something has to be decided, or waited for, before."""
        question = self._question_of(request)
        if question is not None or not self._scout.is_ready:
            if request.live:
                return
            self.state.run.question = question
            if question is None:
                self._waiting = request
                self._on_work("segment")
                self.state.run.message = "Getting ready"
            return
        reason = self.state.why_not_settings()  # they may have changed since
        if reason:
            self.state.run.failure = Failure(reason, reason)
        else:
            self._start(request)

    def _question_of(self, request: RunRequest) -> Question | None:
        """Return what has to be asked next."""
        labels = request.labels
        if request.read.labels_too_large and labels is None and not request.may_be_large:
            return ask_labels_size(request)
        if self.state.model.needs_download:
            return ask_download(self.state.model, request)
        if request.target == "replace" and labels is not None and self._scout.is_ready:
            painted = count_hand_edits(labels, request.read)
            if painted > request.may_replace:
                return ask_replace(request, labels.name, painted)
        return None

    def _start(self, request: RunRequest) -> None:
        self._give_up("")
        image, read = request.image, request.read
        self._link.follow(image)
        classes = colored_classes(self.state.classes)
        labels = request.labels
        if labels is not None and (
            labels not in self._viewer.layers  # made by a run that has just been given up
            or why_not_updating(labels, read, classes, self.state.classes.ids()) is not None
        ):
            request = dataclasses.replace(request, labels=None)
        teaching = self.corrections.teaching
        carried = teaching.carried_for(classes)
        strokes = {}
        if request.target != "replace":  # which throws them away
            known = request.labels or self._link.labels_of(image)
            strokes = teaching.strokes_for(known, read, classes)
        self._segmenting = segmenting = Segmenting(
            self._viewer, self.state, self.session, request, classes, strokes, carried
        )
        if teaching.passed_over:
            segmenting.warn(teaching.passed_over)
        segmenting.lost = self._on_lost
        listener = Listener(
            progress=self._on_progress,
            draft=segmenting.draw,
            warned=segmenting.warn,
            done=lambda outcome: self._on_segmented(segmenting, outcome),
            failed=lambda error: self._on_run_failed(segmenting, error),
            stopped=lambda: self._on_stopped(segmenting),
        )
        drafts = self.state.run.partial
        self._runner.start(Work("segment", segmenting.work, listener, drafts=drafts))

    def _on_segmented(self, segmenting: Segmenting, outcome: SegmentOutcome) -> None:
        if segmenting is not self._segmenting:
            return
        self._segmenting = None
        try:
            labels = segmenting.finish(outcome)
        except SclipError as error:
            self._on_failure(error)
            return
        request = segmenting.request
        self._link.remember(request.image, labels)
        self._link.follow(request.image)
        self._keys.bind(labels)
        self.corrections.on_written(labels, outcome.learned)
        if len(outcome.labels) == len(request.read.planes):
            self._seen.note(request.read)
        self._estimates.learn(outcome)
        if not request.live:
            self.state.run.target = "auto"
        self.state.run.notice = segmenting.notice

    def _on_stopped(self, segmenting: Segmenting) -> None:
        if segmenting is self._segmenting:
            self._end_early(segmenting)
            told = segmenting.notice or "Nothing was changed."
            self.state.run.notice = f"Cancelled. {told}"

    def _on_run_failed(self, segmenting: Segmenting, error: Exception) -> None:
        if segmenting is not self._segmenting:
            return
        self._end_early(segmenting)
        if isinstance(error, NeedsDownloadError):
            self._scout.mark_missing(segmenting.request.model)
            self._resume(segmenting.request)
        else:
            self._on_failure(error)

    def _end_early(self, segmenting: Segmenting) -> None:
        """Write the planes that are finished, where there are several, and give up the rest."""
        finished = segmenting.finished_planes
        if finished is None:
            self._give_up("")
        else:
            self._on_segmented(segmenting, finished)

    def _on_lost(self, sentence: str) -> None:
        self._give_up(sentence)
        self._runner.stop()

    def _give_up(self, notice: str) -> None:
        segmenting, self._segmenting = self._segmenting, None
        if segmenting is not None:
            segmenting.give_up()
        if notice:
            self.state.run.notice = notice

    def _segment_live(self) -> None:
        run = self.state.run
        if self._open and run.live and run.embedded and not self.state.why_not():
            run.failure = None
            request = self._make_request("auto", live=True)
            if request is not None:
                self._go_on(request)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting = None
            self._on_work("")

    # What the work tells

    def _on_work(self, name: str) -> None:
        run = self.state.run
        run.task = name
        run.done = run.total = 0
        run.message = ""
        run.status = RUNNING if name else IDLE
        if name != "download":
            self.state.model.download_progress = None
            self.state.model.download_message = ""
        if not name:
            self._progress.close()
            self.state.model.loaded = self.session.loaded
            self._on_image()

    def _on_progress(self, progress: Progress) -> None:
        self._progress.tell(progress)

    def _on_failure(self, error: Exception) -> None:
        self._give_up("")
        if isinstance(error, NeedsDownloadError):
            self._scout.mark_missing(self.state.model.name)
            self._downloading.ask()
            return
        self.state.run.failure = describe_failure(error, self.state)

    def _on_measured(self, cost: Any) -> None:  # noqa: ANN401
        self._estimates.keep(cost)
        self._on_image()

    def _on_ready(self) -> None:
        request = self._waiting
        if request is not None and self._open:
            self._wait_no_more()
            self._resume(request)

    # What changes around it

    def _connect(self) -> None:
        state = self.state
        for name in LOOKS_AT_ONCE:
            state.detail.events[name].connect(self._on_look_changed)
        state.classes.changed.connect(self._on_look_changed)
        state.run.events.live.connect(self._on_look_changed)
        for name in ("painted", "strokes"):
            state.correct.events[name].connect(self._on_painted)
        self._viewer.layers.selection.events.active.connect(self._on_active_labels)
        for name in DETAIL_CHOICES:
            state.detail.events[name].connect(self._on_image)
        for name in MODEL_CHOICES:
            state.model.events[name].connect(self._on_image)

    def _on_look_changed(self) -> None:
        if self._open and self.state.run.live:
            self._live_timer.start()

    def _on_active_labels(self, event: Any = None) -> None:  # noqa: ANN401
        """Go on with the labels that a person turns to, where an image has several."""
        active = self._viewer.layers.selection.active
        if not self._runner.is_running and self._link.prefer(active, self._follower.layer):
            self._on_image()

    def _on_painted(self) -> None:
        if self.state.correct.learn:
            self._on_look_changed()

    def _on_image(self) -> None:
        """Bring all that depends on the image, or on how it is looked at, up to date."""
        if not self._open or not hasattr(self, "corrections"):
            return
        image = self._follower.layer
        if image is not self._told_of() and not self._runner.is_running:
            self.state.run.notice = ""  # it was about another image
        self._told_of = (lambda: None) if image is None else weakref.ref(image)
        if self._sized is not None and self._sized() is not image:
            self._sized, self.state.image.labels_size = None, "image"
        labels = self._link.follow(image)
        if labels is not None:
            self._keys.bind(labels)
        self.corrections.follow(labels)
        self._drop_void(image)
        self._let_embeddings_go()
        request = self._follower.request
        self._preview.show(request)
        self._estimates.update(request)
        self.state.run.embedded = self._seen.knows(request) and bool(self.session.loaded)

    def _drop_void(self, image: Any) -> None:  # noqa: ANN401
        """Take away what is asked, or waits, about layers and models that are not chosen now."""
        run = self.state.run
        about = None if run.question is None else run.question.about
        elsewhere = isinstance(about, RunRequest) and about.image is not image
        if elsewhere or self._why_void(about):
            run.question = None
        void = "" if self._waiting is None else self._why_void(self._waiting)
        if void:
            self._wait_no_more()
            run.notice = void

    def _let_embeddings_go(self) -> None:
        """Forget what was embedded of images that the viewer has no more, and say what is left."""
        images = [layer for layer in self._viewer.layers if isinstance(layer, Image)]
        arrays = {id(array) for i in images for array in (i.data if i.multiscale else (i.data,))}
        if self.session.keep_only(arrays):
            self._seen.forget()
        used, limit = self.session.embeddings_bytes / 1e6, EMBEDDINGS_BYTES / 1e6
        self.state.model.embeddings = f"{used:.0f} MB of at most {limit:.0f} MB"
