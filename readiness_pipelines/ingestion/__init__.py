"""Raw in: landed files become raw batches."""

from readiness_pipelines.ingestion.landing import FileSet, LandedFile, file_sets, known_batches, landed_files
from readiness_pipelines.ingestion.reading import RawBatch, read_raw

__all__ = ["FileSet", "LandedFile", "RawBatch", "file_sets", "known_batches", "landed_files", "read_raw"]
