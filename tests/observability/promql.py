"""As much of PromQL's grammar as tests need to see which names an expression uses."""

import re

_WORDS_OF_THE_LANGUAGE = {
    *("and", "or", "unless", "on", "ignoring", "group_left", "group_right", "by", "without"),
    *("offset", "bool"),
    *("sum", "max", "min", "avg", "count", "topk"),
    *(
        "rate",
        "increase",
        "absent",
        "histogram_quantile",
        "label_replace",
        "max_over_time",
        "avg_over_time",
        "sum_over_time",
        "predict_linear",
        "changes",
    ),
    *("time", "vector", "label_replace"),
}


def names_of_series(expr: str) -> set[str]:
    """Return every name that can only be that of a series.

    What is left of the words once the language's own, strings, matchers, ranges and lists of labels are
    taken away; so a misspelt function counts as a series that does not exist.
    """
    bare = re.sub(r'"(\\.|[^"\\])*"', "", expr)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\boffset \w+", "", bare)
    bare = re.sub(r"\b(by|on|ignoring|without)\s*\([^)]*\)", "", bare)
    return set(re.findall(r"\b[A-Za-z_:][\w:]*", bare)) - _WORDS_OF_THE_LANGUAGE


def labels_grouped_by(expr: str) -> set[str]:
    """Return the labels in its lists after ``by`` and ``on``."""
    lists = re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expr)
    return {label.strip() for labels in lists for label in labels.split(",") if label.strip()}
