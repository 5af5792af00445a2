"""A positive control at a size of seconds."""

from dataclasses import replace

from neurogaze.pipeline.control_settings import ControlSettings

TEACHER = [
    "--data.corpus.n_subjects=4",
    "--data.corpus.n_clips=6",
    "--data.corpus.seconds=4",
    "--data.split.n_folds=2",
    "--trainer.max_epochs=1",
]
STUDENT = [
    "--data.corpus.n_train=4",
    "--data.corpus.n_valid=2",
    "--data.batch_size=16",
    "--trainer.max_epochs=1",
]


def small_control(settings: ControlSettings) -> ControlSettings:
    """The same with few people, clips and pictures, one epoch and one seed."""
    return replace(
        settings,
        teacher=replace(settings.teacher, args=[*settings.teacher.args, *TEACHER]),
        student=replace(settings.student, args=[*settings.student.args, *STUDENT]),
        seeds=[0],
        permutations=2,
    )
