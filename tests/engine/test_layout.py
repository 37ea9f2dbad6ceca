"""Windows are counted as the engine computes them, and without torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from napari_sclip import SegmentationConfig, Segmenter
from napari_sclip.engine import embedding, layout
from napari_sclip.engine.layout import count_windows, plan_windows
from napari_sclip.errors import ConfigError, ImageError
from napari_sclip.models.registry import MODELS, ModelEntry, find_model

COUNT = """
import sys
from napari_sclip.config import SegmentationConfig
from napari_sclip.engine.layout import count_windows
from napari_sclip.models.registry import MODELS
for entry in MODELS:
    count_windows((480, 640), SegmentationConfig(), patch=entry.patch, input_size=entry.input_size)
print(sorted({"torch", "open_clip", "huggingface_hub", "napari", "qtpy"} & set(sys.modules)))
"""


def test_counting_loads_no_torch() -> None:
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_old_place_of_the_names_holds() -> None:
    assert embedding.plan_windows is layout.plan_windows
    assert embedding.Layout is layout.Layout


@pytest.mark.parametrize("average_on", ["pixels", "patches"])
@pytest.mark.parametrize("shape", [(96, 96), (150, 170), (336, 448), (50, 1000)])
def test_the_count_of_a_model_that_is_not_loaded_is_that_of_the_loaded_one(
    demo: Segmenter, shape: tuple[int, int], average_on: str
) -> None:
    entry = find_model("shapes-demo")
    for short_side in (None, 200):
        config = SegmentationConfig(short_side=short_side, average_on=average_on)
        found = count_windows(shape, config, patch=entry.patch, input_size=entry.input_size)
        assert found == demo.count_windows(shape, config) >= 1


def test_the_paper_s_image_has_six_windows() -> None:
    config = SegmentationConfig().for_input_size(224)
    assert plan_windows((336, 448), config, 16).count == 6
    assert count_windows((336, 448), patch=16, input_size=224) == 6


@pytest.mark.parametrize("entry", MODELS, ids=lambda e: e.name)
def test_every_model_of_the_registry_can_be_counted(entry: ModelEntry) -> None:
    assert count_windows((300, 451), patch=entry.patch, input_size=entry.input_size) > 1


def test_settings_that_do_not_fit_are_refused(demo: Segmenter) -> None:
    with pytest.raises(ConfigError, match=r"multiple of the model's patch of 16.*224 and 240"):
        count_windows((300, 300), SegmentationConfig(window=230), patch=16, input_size=224)
    with pytest.raises(ConfigError, match="multiple of the model's patch of 8"):
        demo.resolve(SegmentationConfig(window=100))
    with pytest.raises(ImageError, match="smaller than one patch"):
        count_windows((9, 9), SegmentationConfig(short_side=None), patch=16, input_size=224)
