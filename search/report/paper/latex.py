"""LaTeX from values. Text of models and data sets is shown as it is and never read as commands."""

from collections.abc import Sequence

_COMMANDS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
MOST_ROWS = 45
"""What fits on a page; a longer table is broken over pages."""


def text(value: object) -> str:
    """Put text on one line; a character that pdfTeX's own fonts lack is named by its number."""
    signs = "".join(_COMMANDS.get(sign) or _sign(sign) for sign in " ".join(str(value).split()))
    return signs.replace("--", "-{}-{}")  # which would be one dash


def code(value: object) -> str:
    """Put text on one line as a name of a program."""
    return f"\\texttt{{{text(value)}}}"


def _sign(sign: str) -> str:
    """Keep ASCII and the letters of Latin-1, which every engine has without further packages."""
    is_known = sign.isascii() or ("À" <= sign <= "ÿ" and sign.isalpha())
    return sign if is_known and sign.isprintable() else f"[U+{ord(sign):04X}]"


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, columns: str, caption: str, label: str
) -> str:
    """Write a table with the rules of booktabs; its cells are LaTeX. `columns` as `tabular` has them.

    A row that is empty becomes a thin rule.
    """
    body = [f"{' & '.join(row)} \\\\" if row else "\\midrule" for row in rows]
    head = ["\\toprule", f"{' & '.join(header)} \\\\", "\\midrule"]
    named = f"\\caption{{{caption}}}\\label{{{label}}}"
    if len(rows) > MOST_ROWS:
        begin = [f"\\begin{{longtable}}{{{columns}}}", f"{named} \\\\", *head, "\\endhead"]
        lines = [*begin, "\\bottomrule", "\\endlastfoot", *body, "\\end{longtable}"]
    else:
        begin = ["\\begin{table}[tbp]", "\\centering", "\\small", "\\setlength{\\tabcolsep}{4pt}", named]
        lines = [*begin, f"\\begin{{tabular}}{{{columns}}}", *head, *body, "\\bottomrule"]
        lines += ["\\end{tabular}", "\\end{table}"]
    return "\n".join(lines) + "\n"
