"""The curves of a training, for TensorBoard: a luxury, without which it goes on."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Curves:
    """Writes losses to an events file in a folder; where the disk refuses it, says so once, and is `lost` from then on.

    Not by TensorBoard's own writer: that one has a thread, in which a full disk ends in a traceback. What an earlier,
    killed run wrote from step `begin` on counts no more.
    """

    def __init__(self, folder: Path, begin: int = 0):
        from tensorboard.compat.proto.event_pb2 import SessionLog

        self._path = folder / f"events.out.tfevents.{time.time():010.0f}.{socket.gethostname()}.{os.getpid()}.0"
        self._file: Any = None
        self.lost = False
        try:
            self._file = self._path.open("wb", buffering=0)  # what is refused shows at once, and nothing waits
        except OSError as error:
            self._end(error)
        self._write(file_version="brain.Event:2")
        if begin:
            self._write(step=begin, session_log=SessionLog(status=SessionLog.START))

    def add(self, losses: Mapping[str, float], step: int) -> None:
        """Write a point of every curve."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        points = [Summary.Value(tag=name, simple_value=value) for name, value in losses.items()]
        self._write(step=step, summary=Summary(value=points))

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, **event: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        if self._file is None:
            return
        try:
            RecordWriter(self._file).write(Event(wall_time=time.time(), **event).SerializeToString())
        except OSError as error:
            self._end(error)

    def _end(self, error: OSError) -> None:
        self.lost = True
        logging.getLogger("mien").warning(
            "%s: no more curves (%s); training goes on", self._path, error.strerror or error
        )
        self.close()
