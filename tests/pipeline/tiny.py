"""A pipeline over every room that runs in seconds: few people, few faces, a small student."""

from dataclasses import replace
from pathlib import Path

from neurogaze.pipeline.run import Pipeline
from neurogaze.pipeline.settings import PipelineSettings, load_pipeline

EXPERIMENTS = Path(__file__).parents[2] / "experiments"

TEACHER = [
    "--data.corpus.n_subjects=4",
    "--data.corpus.n_clips=4",
    "--data.corpus.seconds=8",
    "--data.corpus.baseline_seconds=4",
    "--data.split.n_folds=2",
    "--model.teacher.map_size=8",
    "--trainer.max_epochs=2",
    "--trainer.enable_progress_bar=false",
]
FACES = ["--data.corpus.n_train=64", "--data.corpus.n_valid=40", "--data.batch_size=16"]
STUDENT = [
    *FACES,
    "--trainer.max_epochs=2",
    "--trainer.enable_progress_bar=false",
    "--trainer.precision=32-true",
    "--model.student.backbone=test_resnet",
    "--model.student.stem=imagenet",
]


def tiny_settings(**changes) -> PipelineSettings:
    """The demo, cut to a few seconds a stage."""
    demo = load_pipeline(EXPERIMENTS / "pipelines" / "demo.yaml")
    return replace(
        demo,
        teacher=replace(demo.teacher, args=TEACHER),
        student=replace(demo.student, args=STUDENT),
        support=[],
        evaluate={"valid": replace(demo.evaluate["valid"], args=FACES)},
        permutations=20,
        **({"show": 0} | changes),
    )


def run_tiny(folder: Path, settings: PipelineSettings | None = None) -> Pipeline:
    """Run it under a folder and return the pipeline, whose records say what was skipped."""
    pipeline = Pipeline(settings or tiny_settings(), folder / "run", folder / "store")
    pipeline.run()
    return pipeline


def contents(pipeline: Pipeline) -> dict[str, str]:
    """Content hash of every stage."""
    return {name: record.content for name, record in pipeline.stages.records.items()}
