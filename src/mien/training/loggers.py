"""Where else losses go: the loggers that Lightning has, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mien.errors import InputError, missing

LOGGERS = ("csv", "wandb", "mlflow")


def check_logger(name: str | None) -> None:
    """Raise InputError for a name that is none of theirs."""
    if name is not None and name not in LOGGERS:
        raise InputError(f"--logger {name}: choose one of {', '.join(LOGGERS)}")


def find_logger(name: str, run: Path) -> Callable[[Mapping[str, float], int], None]:
    """Return what sends losses of a step to a service or a file, under the run's name.

    "csv" writes lightning_logs/ in the run's folder; "wandb" and "mlflow" are told where to by their own environment
    (WANDB_PROJECT, MLFLOW_TRACKING_URI …). Raises InputError for another name, or a package that is missing.
    """
    check_logger(name)
    try:
        if name == "csv":
            from lightning.fabric.loggers import CSVLogger

            csv = CSVLogger(run, flush_logs_every_n_steps=1)
            return lambda losses, step: csv.log_metrics(dict(losses), step)
        if name == "wandb":
            from lightning.pytorch.loggers import WandbLogger

            wandb = WandbLogger(name=run.name, save_dir=run, project="mien")
            return lambda losses, step: wandb.log_metrics(dict(losses), step)
        from lightning.pytorch.loggers import MLFlowLogger

        mlflow = MLFlowLogger(experiment_name="mien", run_name=run.name)
        return lambda losses, step: mlflow.log_metrics(dict(losses), step)
    except ModuleNotFoundError as error:
        raise missing(f"--logger {name}", name) from error
