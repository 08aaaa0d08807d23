"""Raw in: landed files become raw batches."""

from readiness_pipelines.ingestion.landing import LandedFile, known_batches, landed_files
from readiness_pipelines.ingestion.reading import RawBatch, read_raw

__all__ = ["LandedFile", "RawBatch", "known_batches", "landed_files", "read_raw"]
