"""Raw in: landed files become raw batches."""

from readiness_pipelines.sources.landing import FileSet, LandedFile, file_sets, known_batches, landed_files
from readiness_pipelines.sources.reading import RawBatch, read_raw

__all__ = ["FileSet", "LandedFile", "RawBatch", "file_sets", "known_batches", "landed_files", "read_raw"]
