"""Kinds of batches, their windows and their order."""

from readiness_pipelines.batches.kinds import Batches, DailyBatches, HourlyBatches, StaticBatches

__all__ = ["Batches", "DailyBatches", "HourlyBatches", "StaticBatches"]
