"""Turns in the third person, by rule: Laura's ``I want your car`` is ``Laura wants #Person2#'s car``."""

from __future__ import annotations

import re
from collections.abc import Mapping

_THIRD = {"am": "is", "are": "is", "have": "has", "haven't": "hasn't", "do": "does", "don't": "doesn't"}
_THIRD |= {"wash": "washes", "wish": "wishes", "go": "goes"}
_REGULAR = (
    "agree ask believe bring buy charge come drive feel get give hope keep know like live look lose make "
    "mean need owe pay see sell sleep start stay suppose take think understand walk want work"
)
_SAID = (
    {verb: f"{verb}s" for verb in _REGULAR.split()}
    | {"wash": "washes", "wish": "wishes", "go": "goes"}
    | _THIRD
)
_CONTRACTIONS = {"'m": " is", "'re": " is", "'ve": " has", "'ll": " will", "'d": " would"}
_ASKED = re.compile(r"\b(am|are|do|have|haven't|don't) (I|you)\b", re.IGNORECASE)
_SUBJECT = re.compile(
    r"(\b(?i:can|could|should|would|may|did|will|must|shouldn't|has|is|does) )?"
    r"\b(I|[Yy]ou)\b('m|'re|'ve|'ll|'d)?((?: (?:also|really|only|still|just))?)(?: ([a-z']+))?"
)
_OTHERS = re.compile(r"\b(my|your|me|myself|yourself|yours|mine|we|us|our)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?:(?:Mr|Mrs|Dr)\. |[^.?!])+[.?!]")


def reported(turns: list[str], names: Mapping[str, str]) -> str:
    """What was said, in the third person, turn by turn; `names` are the speakers'."""
    return " ".join(_turn(*turn.split(": ", 1), names) for turn in turns)


def _turn(speaker: str, said: str, names: Mapping[str, str]) -> str:
    me, you = names[speaker], names["#Person2#" if speaker == "#Person1#" else "#Person1#"]
    sentences = [_in_third_person(sentence.strip(), me, you) for sentence in _SENTENCE.findall(said)]
    return f"{me} {'asks' if said.endswith('?') else 'says'}: {' '.join(sentences)}"


def _in_third_person(sentence: str, me: str, you: str) -> str:
    """A sentence about ``I`` and ``you`` as one about `me` and `you`."""

    def asked(match: re.Match[str]) -> str:
        return f"{_SAID[match[1].lower()]} {me if match[2] == 'I' else you}"

    def subject(match: re.Match[str]) -> str:
        helper, pronoun, contraction, adverb, verb = match.groups(default="")
        is_bare = helper or contraction
        words = (me if pronoun == "I" else you) + _CONTRACTIONS.get(contraction, "") + adverb
        return helper + words + (f" {verb if is_bare else _SAID.get(verb, verb)}" if verb else "")

    others = {
        "my": f"{me}'s",
        "mine": f"{me}'s",
        "me": me,
        "myself": me,
        "your": f"{you}'s",
        "yours": f"{you}'s",
    }
    others |= {"yourself": you, "we": "they", "us": "them", "our": "their"}
    text = _SUBJECT.sub(subject, _ASKED.sub(asked, sentence))
    return _OTHERS.sub(lambda match: others[match[1].lower()], text)
