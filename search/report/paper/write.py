"""Write what a paper quotes into the folder of the report."""

from search.records import Results
from search.report.figures import Figure
from search.report.paper.latex import text
from search.report.paper.procedure import citations, procedure
from search.report.paper.references import bibliography
from search.report.paper.tables import tables
from search.verdict import Verdict
from trainables.storage.atomic import write_text
from trainables.storage.place import Place

_DOCUMENT = r"""% Compile with: pdflatex paper && bibtex paper && pdflatex paper && pdflatex paper
\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[margin=2.5cm]{geometry}
\usepackage{booktabs,longtable,graphicx,textcomp}
\begin{document}
"""


def write_paper(results: Results, verdict: Verdict, printed: list[Figure], report: Place) -> None:
    """Write tables/*.tex, procedure.tex, references.bib, and paper.tex, which shows all of them."""
    drawn, paragraph = tables(results, verdict), procedure(results, verdict)
    for name, table in drawn.items():
        write_text(report / "tables" / f"{name}.tex", table)
    write_text(report / "procedure.tex", paragraph)
    write_text(report / "references.bib", bibliography(citations(paragraph)))
    write_text(report / "paper.tex", _document(results, list(drawn), printed))


def _document(results: Results, tables: list[str], printed: list[Figure]) -> str:
    shown = [figure for figure in printed if figure.section == "tradeoff"][:1]
    figures = [
        "\\begin{figure}[tbp]\n\\centering\n"
        f"\\includegraphics[width=0.8\\linewidth]{{figures/{figure.name}.pdf}}\n"
        f"\\caption{{{text(figure.text)}.}}\n\\end{{figure}}"
        for figure in shown
    ]
    parts = [
        f"\\section*{{{text(results.sweep.name)}}}",
        "\\input{procedure}",
        *(f"\\input{{tables/{name}}}" for name in tables),
        *figures,
        "\\bibliographystyle{plain}",
        "\\bibliography{references}",
        "\\end{document}",
    ]
    return _DOCUMENT + "\n".join(parts) + "\n"
