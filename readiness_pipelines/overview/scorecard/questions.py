"""What the scorecard asks, and how an answer looks."""

from dataclasses import dataclass
from enum import StrEnum

from readiness_pipelines.names import TableId


class Grade(StrEnum):
    """Proved, disproved, or not known: what nothing proves does not pass."""

    PASSES = "passes"
    FAILS = "fails"
    NO_EVIDENCE = "no evidence"


class Area(StrEnum):
    """The parts of the scorecard."""

    OPERATION = "operational readiness"
    LAYERS = "layers"
    STAGES = "stages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that is asked.

    Attributes:
        id: Its name, which never changes: histories go by it.
        part: The part of the scorecard.
        text: The question, as somebody would ask it.
        stage: The stage that it is needed for; 0 for the stages themselves.
        possible: Whether anything can be declared yet that it would be answered by.
    """

    id: str
    part: Area
    text: str
    stage: int
    possible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Something that speaks for or against: a sentence, and where to look it up.

    Attributes:
        text: What there is, for people.
        against: Whether it speaks against.
        table: The table that it is about; ``None`` for more than one, or none.
        incident: The incident that it is about; ``None`` for none.
        command: The command that shows it; "" for none.
    """

    text: str
    against: bool = False
    table: TableId | None = None
    incident: int | None = None
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a question.

    Attributes:
        question: The question.
        verdict: Whether it is proved.
        evidence: What speaks against it first, then what speaks for it.
        missing: How many things are not as they should be; 0 where it passes, or nobody knows.
        next: What to do, for people; "" where it passes.
    """

    question: Question
    verdict: Grade
    evidence: tuple[Proof, ...]
    missing: int
    next: str


CATALOG = Question(
    id="catalog",
    part=Area.OPERATION,
    text="Is there a catalog that is current, and somebody answers for each entry?",
    stage=1,
)
SLAS = Question(id="slas", part=Area.OPERATION, text="Has each KPI a quality SLA, and was it kept?", stage=2)
GATES = Question(
    id="gates", part=Area.OPERATION, text="Does a gate judge every batch on every path to production?", stage=2
)
FEATURES = Question(
    id="features",
    part=Area.OPERATION,
    text="Are features shared, and the same for training and serving?",
    stage=4,
)
MODELS = Question(
    id="models",
    part=Area.OPERATION,
    text="Are models versioned, with the data that they were trained on?",
    stage=4,
)
DRIFT = Question(id="drift", part=Area.OPERATION, text="Is drift watched, and does somebody get the alert?", stage=2)
REVIEWS = Question(id="reviews", part=Area.OPERATION, text="Is what a second person has to look at looked at?", stage=3)
ACCESS = Question(
    id="access", part=Area.OPERATION, text="Are access, privacy and audit written down, and enforced?", stage=3
)
STANDARDS = Question(id="standards", part=Area.OPERATION, text="Can others read it by open standards?", stage=1)
STAFFED = Question(
    id="staffed", part=Area.OPERATION, text="Are there owners and somebody on call, who answer in time?", stage=3
)
PIPELINE = Question(
    id="pipeline",
    part=Area.LAYERS,
    text="Pipeline: is what promises five minutes or less published in time?",
    stage=4,
)
VECTORS = Question(
    id="vectors",
    part=Area.LAYERS,
    text="Vector storage: are embeddings gated, and versioned?",
    stage=4,
    possible=False,
)
RETRIEVAL = Question(
    id="retrieval",
    part=Area.LAYERS,
    text="Context retrieval: is what is retrieved permitted, fresh and measured?",
    stage=4,
    possible=False,
)
SECURITY = Question(
    id="security", part=Area.LAYERS, text="Security and compliance: are access, privacy and audit enforced?", stage=3
)
LLM = Question(
    id="llm",
    part=Area.LAYERS,
    text="LLM operations: are prompts, models and answers versioned and evaluated?",
    stage=4,
    possible=False,
)

ASKED = (
    CATALOG,
    SLAS,
    GATES,
    FEATURES,
    MODELS,
    DRIFT,
    REVIEWS,
    ACCESS,
    STANDARDS,
    STAFFED,
    PIPELINE,
    VECTORS,
    RETRIEVAL,
    SECURITY,
    LLM,
)
"""The ten points of operational readiness, then the five layers."""

STAGES = (
    Question(
        id="stage-1", part=Area.STAGES, text="Stage 1, known: who looks for data finds it, and can read it", stage=0
    ),
    Question(
        id="stage-2",
        part=Area.STAGES,
        text="Stage 2, trusted: what is published is good, in time, and watched",
        stage=0,
    ),
    Question(
        id="stage-3", part=Area.STAGES, text="Stage 3, governed: people answer, review and are held to it", stage=0
    ),
    Question(
        id="stage-4",
        part=Area.STAGES,
        text="Stage 4, ready for models: features, models and retrieval are, too",
        stage=0,
    ),
)
"""The stages: each is made of the questions that name it."""
