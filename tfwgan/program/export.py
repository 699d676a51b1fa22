"""Exports the SavedModel of a run, finished or not, or of one of its checkpoints."""

from pathlib import Path

from absl import flags

from tfwgan.program import cli
from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan export RUN_OR_CHECKPOINT [--out=FOLDER]

RUN_OR_CHECKPOINT is a folder such as outputs/my_run, or a file such as
outputs/my_run/checkpoints/step_001000.npz.
"""
POSITIONAL = ("RUN_OR_CHECKPOINT",)


def define_flags(values: flags.FlagValues) -> None:
    """The verb's flags."""
    cli.define_path("out", None, "folder to write; default: export/saved_model in the run", values)


def command(source: str, values: flags.FlagValues) -> None:
    """Loads the trainer and writes its SavedModel."""
    with quiet_tensorflow():
        from tfwgan.program.loading import load_trainer
        from tfwgan.saved_model import export_saved_model

    trainer = load_trainer(source)
    run = Path(source).parent.parent if source.endswith(".npz") else Path(source)
    out = values["out"].value or run / "export" / "saved_model"
    with cli.writing_to(out):
        print(f"Step {trainer.steps_done}: {export_saved_model(trainer, out)}")
