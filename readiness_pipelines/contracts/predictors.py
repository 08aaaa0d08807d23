"""A predictor: what a training function returned, as bytes and back, and what it says of rows."""

import pickle
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa

from readiness_pipelines.contracts.models import Given
from readiness_pipelines.errors import DeclarationError, LakehouseError, first_line, raised_at

_PROTOCOL = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictor:
    """What a training function returned, with what it has to be given.

    Attributes:
        made: The object: with ``predict_proba``, with ``predict``, or itself to be called.
        features: The columns that it learned from, in order.
        given: Whether it takes Arrow rows of these columns, or a matrix of them.
    """

    made: Any
    features: tuple[str, ...]
    given: Given

    def predict(self, rows: pa.Table, *, what: str) -> np.ndarray[Any, Any]:
        """One value for each row: of a classifier, the probability of its last class.

        Of one that saw no class but 0, and so gives the probability of that alone, it is what is left: that of 1.

        Args:
            rows: Rows with the features among their columns.
            what: Who predicts, for errors.

        Raises:
            DeclarationError: A feature is not there, or is not a number where one is needed; the predictor breaks, or
                gives something else than one number for each row.
        """
        if lacking := [name for name in self.features if name not in rows.column_names]:
            raise DeclarationError(
                f"{what} needs the feature {lacking[0]!r}, which the rows do not have",
                way_out=f"they have {', '.join(rows.column_names)}",
            )
        chosen = rows.select(list(self.features))
        given: Any = chosen if self.given == "rows" else feature_matrix(rows, self.features, what=what)
        try:
            found = np.asarray(_called(self.made, given), dtype=np.float64)
        except Exception as error:
            # What it says may quote the rows: nothing here knows what their columns are to persons.
            raise DeclarationError(
                f"{what} cannot predict: {_kind(error)}",
                way_out="the training function returns an object with predict_proba or predict, or a function",
            ) from error
        values = found[:, -1] if found.ndim == 2 else found  # noqa: PLR2004  # a column for each class
        if found.ndim == 2 and _knows_only_zero(self.made, found):  # noqa: PLR2004
            values = 1 - values
        if values.shape != (rows.num_rows,) or not np.isfinite(values).all():
            raise DeclarationError(
                f"{what} gave something else than one number for each of {rows.num_rows:,} rows",
                way_out="return one finite number a row",
            )
        return values

    def to_bytes(self) -> bytes:
        """The predictor as bytes, which only this program's `from_bytes` reads.

        Raises:
            DeclarationError: It cannot be made into bytes.
        """
        try:
            import cloudpickle  # noqa: PLC0415  # of the extra

            dumps = cloudpickle.dumps
        except ImportError:
            dumps = pickle.dumps
        try:
            return bytes(dumps((self.made, self.features, self.given), protocol=_PROTOCOL))
        except Exception as error:
            raise DeclarationError(
                f"what the training function returned cannot be kept: {_said(error)}",
                way_out='return an object that pickle takes; pip install "readiness-pipelines[models]" takes functions',
            ) from error

    @classmethod
    def from_bytes(cls, content: bytes, *, checksum: str, what: str) -> "Predictor":
        """The predictor that bytes are, if they are those that the ledger recorded.

        Raises:
            LakehouseError: Other bytes than those that were recorded, or what reads them is not installed.
        """
        if checksum_of(content) != checksum:
            raise LakehouseError(
                f"the artefact of {what} is not the one that was trained: its checksum differs",
                way_out="train it again; somebody changed a file of the warehouse",
            )
        try:
            made, features, given = pickle.loads(content)  # noqa: S301  # the checksum is the ledger's
        except Exception as error:
            raise LakehouseError(
                f"the artefact of {what} cannot be read: {_said(error)}",
                way_out="install the library that trained it; the model's card names its version",
            ) from error
        return cls(made=made, features=features, given=given)


def checksum_of(content: bytes) -> str:
    """SHA-256 of an artefact, hexadecimal."""
    return sha256(content).hexdigest()


def feature_matrix(rows: pa.Table, features: tuple[str, ...], *, what: str) -> np.ndarray[Any, Any]:
    """Columns as a matrix of floats, a row a row; null is NaN, true is 1.

    Raises:
        DeclarationError: A column that is neither a number nor true or false.
    """
    columns = []
    for name in features:
        column = rows.column(name)
        if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or _counts(column.type)):
            raise DeclarationError(
                f"the feature {name!r} of {what} is {column.type}, not a number",
                way_out="let the training function take rows in place of x and y, or make it a number in the features",
            )
        kind = pa.int8() if pa.types.is_boolean(column.type) else column.type
        # Whole numbers of more than 53 bits are rounded: refusing one would quote it.
        numbers = column.cast(kind).cast(pa.float64(), safe=False)
        columns.append(np.asarray(numbers.to_numpy(zero_copy_only=False)))
    return np.column_stack(columns) if columns else np.empty((rows.num_rows, 0))


def _kind(error: Exception) -> str:
    place = raised_at(error)
    return type(error).__name__ + (f" ({place})" if place else "")


def _said(error: Exception) -> str:
    """What pickle says of types; of an object's own code, where it was raised, for that may quote what it holds."""
    return _kind(error) if raised_at(error) else f"{type(error).__name__}: {first_line(error)}"


def _counts(kind: pa.DataType) -> bool:
    return bool(pa.types.is_boolean(kind) or pa.types.is_decimal(kind))


def _knows_only_zero(made: Any, found: np.ndarray[Any, Any]) -> bool:
    """Whether what predicts learned from labels of 0 alone: scikit-learn's trees then give one column, all 1.0."""
    if found.shape[1] != 1 or not callable(getattr(made, "predict_proba", None)):
        return False
    return bool(np.array_equal(np.asarray(getattr(made, "classes_", ())), [0]))


def _called(made: Any, given: Any) -> Any:
    for name in ("predict_proba", "predict"):
        if callable(method := getattr(made, name, None)):
            return method(given)
    return made(given)
