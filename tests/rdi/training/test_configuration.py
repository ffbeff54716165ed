"""Presets, files and options: who overrules whom, and what a slip is answered with."""

from dataclasses import fields
from pathlib import Path

import pytest

from rdi.errors import UsageError
from rdi.model_kinds import WhiteBalance
from rdi.training.choices import Camera, Optimiser, Schedule
from rdi.training.configuration import PRESETS, Preset, configure
from rdi.training.conversion import all_fields, convert, default_of, written
from rdi.training.settings import Places, TrainingSettings


def write(folder: Path, text: str) -> Path:
    file = folder / "run.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_options_overrule_the_file_and_the_file_the_preset(tmp_path):
    file = write(tmp_path, 'preset = "paper"\nsteps = 500\n[optimisation]\nbatch = 4\n[source]\nsid = "SID"\n')
    configuration = configure({"batch": 2, "seed": None}, file)
    settings = configuration.settings
    assert (settings.steps, settings.batch, settings.learning_rate) == (500, 2, 1e-4)
    assert configuration.places.sid == Path("SID")
    assert configuration.preset is Preset.PAPER
    assert (configuration.file, configuration.text) == ("run.toml", file.read_text())


def test_a_preset_of_the_command_line_replaces_the_files(tmp_path):
    assert configure(file=write(tmp_path, 'preset = "paper"'), preset="default").settings == TrainingSettings()


def test_the_papers_preset_is_what_was_published():
    settings = configure(preset="paper").settings
    assert (settings.learning_rate, settings.optimiser, settings.batch) == (1e-4, Optimiser.ADAM, 8)
    assert (settings.schedule, settings.reduce_at, settings.reduce_by) == (Schedule.STEP, (500_000,), 0.1)
    assert (settings.steps, settings.crop) == (1_000_000, 512)
    assert (settings.keep_at, settings.keep_every) == ((2, 100_002), 50_000)
    assert (settings.pixel_weight, settings.structure_weight) == (0.8, 0.2)


@pytest.mark.parametrize("preset", list(Preset))
def test_presets_name_fields_with_values_of_their_types(preset):
    for name, value in PRESETS[preset].items():
        assert convert(name, value, name) == value


def test_every_default_survives_being_written_and_read():
    """What a help text shows can be typed."""
    for name, item in all_fields().items():
        value = default_of(item)
        if value is not None and not isinstance(value, bool):
            assert convert(name, written(value) if value else value, name) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("learningrate = 1", r"run.toml: learningrate is no setting; did you mean learning_rate\?"),
        ("atWhichReduce = [5]", "the published configuration's atWhichReduce is reduce_at here"),
        ("zzz = 1", "docs/training.md lists them"),
        ("[data]\nsteps = 3", r"steps stands in \[data\]; it belongs to \[optimisation\]"),
        ("[dta]\nsteps = 3", r"\[dta\] is no table of settings; did you mean data\?"),
        ("[optimization]\nsteps = 3", r"\[optimization\] is no table of settings; did you mean optimisation\?"),
        ("optimisation = 5", r"optimisation = 5 does not fit: \[optimisation\] is a table"),
        ('[data]\npreset = "paper"', "preset is no setting; it stands at the top of the file"),
        ("crop = 192\n[data]\ncrop = 224", "crop is given twice"),
        ("steps = 1.5", "steps = 1.5 is no whole number"),
        ('steps = "many"', "steps = many is no whole number"),
        ("steps = true", "steps = True is no whole number"),
        ('learning_rate = "fast"', "learning_rate = fast is no number"),
        ("compile = 1", "compile = 1 does not fit; give true or false"),
        ("sid = 3", "sid = 3 is no path"),
        ('camera = "nikon"', "camera = nikon is unknown; give sony or fuji"),
        ("reduce_at = 5", "is no list of whole numbers"),
        ("leave_out = 5", "is no list of names; give some, such as"),
        ("leave_out = [5]", "is no list of names; give some, such as"),
        ("iso = [1, 2, 3]", "is no range"),
        ('mix = "sid"', "names no shares"),
        ("mix = { sid = 0.0 }", "not above 0"),
        ('preset = "fast"', "run.toml: preset = fast is unknown; give default or paper"),
        ("steps = ", "is no TOML file"),
    ],
)
def test_a_slip_in_a_file_is_named(tmp_path, text, reason):
    with pytest.raises(UsageError, match=reason):
        configure(file=write(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"--config .*nowhere\.toml cannot be read"):
        configure(file=tmp_path / "nowhere.toml")


def test_values_of_all_kinds_come_from_a_file(tmp_path):
    text = """
    reduce_at = [10, 20]
    schedule = "step"
    iso = [400, 800]
    ratio = "100"
    camera = "fuji"
    white_balance = "baked"
    rendering = "paper"
    leave_out = ["a-*", "b.jpg"]
    mix = { sid = 0.7, photos = 0.3 }
    tensorboard = false
    learning_rate = 1e-4
    weight_decay = 0
    """
    settings = configure(file=write(tmp_path, text)).settings
    assert (settings.reduce_at, settings.iso, settings.ratio) == ((10, 20), (400.0, 800.0), (100.0, 100.0))
    assert (settings.camera, settings.white_balance) == (Camera.FUJI, WhiteBalance.BAKED)
    assert settings.leave_out == ("a-*", "b.jpg")
    assert (settings.mix, settings.tensorboard, settings.weight_decay) == ({"sid": 0.7, "photos": 0.3}, False, 0.0)


def test_debug_mode_has_its_own_number_of_steps_and_validates_at_their_end():
    settings = configure({"debug": True, "debug_steps": 7}).settings
    assert (settings.steps, settings.validate_every, settings.checkpoint_every) == (7, 7, 7)


def test_every_setting_of_the_published_configuration_has_a_name_here():
    old = {item.metadata["old"] for item in all_fields().values()}
    assert old >= {
        *("base_lr", "reduce_lr_by", "atWhichReduce", "batch_size", "atWhichSave", "max_iter"),
        *("debug", "debug_iter", "debug_size", "metric_avg_file", "test_amp_file", "train_amp_file"),
        *("weight_save_path", "img_save_path", "csv_save_path", "sony_img_path"),
    }


def test_no_name_is_used_twice():
    assert not {item.name for item in fields(Places)} & {item.name for item in fields(TrainingSettings)}


def test_the_weights_file_names_no_place(tmp_path):
    described = configure({"sid": tmp_path, "losses_file": tmp_path / "a.csv"}).describe()
    assert str(tmp_path) not in str(described)
