"""How far annotators agree beyond chance: Krippendorff's alpha for names.

K. Krippendorff, Content Analysis (2004), chapter 11. Unlike Cohen's kappa (two annotators) and Fleiss' (as many for
each task), it takes any number of labels a task; in their cases it differs by a correction for small samples.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

TWO = 2


def alpha_of(tasks: Iterable[Sequence[str]]) -> float | None:
    """Krippendorff's alpha of labels, by task.

    Args:
        tasks: The labels that each task was given, one for each annotator; tasks with fewer than two do not count.

    Returns:
        1 where all agree, 0 where they do as by chance, less where they disagree more than that; ``None`` where no task
        has two labels.
    """
    pairable = [Counter(labels) for labels in tasks if len(labels) >= TWO]
    totals: Counter[str] = Counter()
    disagreement = 0.0
    for counts in pairable:
        size = counts.total()
        totals.update(counts)
        disagreement += sum(count * (size - count) for count in counts.values()) / (size - 1)
    labels = totals.total()
    if not labels:
        return None
    by_chance = sum(count * (labels - count) for count in totals.values()) / (labels - 1)
    return 1.0 if by_chance == 0 else 1 - disagreement / by_chance
