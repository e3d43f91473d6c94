"""Templates in the sandbox: those that would take all time or memory end at once, the others are as ever."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from transformers.utils import chat_template_utils

from tests.fuzzing import FUZZED
from trainables import encode, sandbox
from trainables.prompt import PromptError, template
from trainables.sandbox import FAULTS, Sandbox

ROW = {"text": "Ann: hi\nBen: ho", "n": 3, "turns": ["a", "b", {"c": [1, 2.5, None]}]}
LOOP = "{% for i in range(100000) %}"
DOUBLED = (
    "{% set ns = namespace(x='x') %}{% for i in range(60) %}{% set ns.x = DOUBLE %}{% endfor %}{{ ns.x }}"
)
LARGE, STEPS = "value of more than 10,000,000 characters", "takes more than 5,000 steps"
ATTACKS = {
    "a text many times": ("{{ 'x' * 10**9 }}", LARGE),
    "a list many times": ("{{ ([1] * 10**9) | length }}", LARGE),
    "many times a text": ("{{ 10**9 * text }}", LARGE),
    "a power of a power": ("{{ 9**(9**9) }}", LARGE),
    "a power of constants": ("{% if 9**(9**9) > 1 %}{% endif %}", LARGE),
    "nested loops": (LOOP * 5 + "{{ i }}" + "{% endfor %}" * 5, STEPS),
    "nested loops that write nothing": (LOOP * 5 + "{% endfor %}" * 5, STEPS),
    "a loop that knows its length": (LOOP + "{{ loop.length }}{% endfor %}", STEPS),
    "a filtered loop": ("{% for i in range(100000) if i < 0 %}{% endfor %}", STEPS),
    "more loops than Python nests": ("{% for i in text %}" * 30 + "{% endfor %}" * 30, "nested too deeply"),
    "parentheses": ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "nested too deeply"),
    "a macro of itself": ("{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}", "recursion"),
    "a macro of itself twice": (
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
        STEPS,
    ),
    "a recursive loop": ("{% for i in [1] recursive %}{{ loop(range(9)) }}{% endfor %}", "recursion"),
    "a text joined to itself": (DOUBLED.replace("DOUBLE", "ns.x ~ ns.x"), LARGE),
    "a text added to itself": (DOUBLED.replace("DOUBLE", "ns.x + ns.x"), LARGE),
    "a list of itself": (DOUBLED.replace("DOUBLE", "[ns.x, ns.x]"), LARGE),
    "a tuple of itself": (DOUBLED.replace("DOUBLE", "(ns.x, ns.x)"), LARGE),
    "a dictionary of itself": (DOUBLED.replace("DOUBLE", "{1: ns.x, 2: ns.x}"), LARGE),
    "dict() of itself": (DOUBLED.replace("DOUBLE", "dict(a=ns.x, b=ns.x)"), LARGE),
    "a format of itself": (DOUBLED.replace("DOUBLE", "'%s%s' % (ns.x, ns.x)"), LARGE),
    "a number's square": (DOUBLED.replace("'x'", "9").replace("DOUBLE", "ns.x * ns.x"), LARGE + "|digits"),
    "a namespace in another": ("{% set a = namespace() %}{% set a.b = a %}{{ a }}", "namespace into another"),
    "a namespace made of one": ("{% set a = namespace() %}{{ namespace(b=a) }}", "namespace into another"),
    "a block": (
        "{% set ns = namespace(x='x') %}{% for i in range(60) %}{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}"
        "{% set ns.x = y %}{% endfor %}",
        LARGE,
    ),
    "spaces": ("{{ 'x'.center(1000000000) }}", "number above"),
    "indent": ("{{ ('\\n' * 100000) | indent(100000) }}", LARGE),
    "constants of filters": ("{{ 'x' | center(1000000000) }}", "number above"),
    "many constants of filters": ("{{" + " ~ ".join(["'x'|center(999999)"] * 20) + "}}", LARGE),
    "a width": ("{{ '%1000000000d' % n }}", LARGE),
    "a width given": ("{{ '%*d' % (1000000000, n) }}", LARGE),
    "a width of a filter": ("{{ '%1000000000d' | format(n) }}", LARGE),
    "a width of a method": ("{{ '{:1000000000}'.format(n) }}", LARGE),
    "a width of a map": ("{{ '{n:1000000000}'.format_map({'n': 1}) }}", LARGE),
    "replace": ("{{ ('x' * 100000) | replace('x', 'y' * 100000) }}", LARGE),
    "the method replace": ("{{ ('x' * 100000).replace('x', 'y' * 100000) }}", LARGE),
    "join": ("{{ range(100000) | join('y' * 100000) }}", LARGE),
    "join of what is made": ("{{ range(100000) | map('string') | join('y' * 100000) }}", LARGE + "|" + STEPS),
    "the method join": ("{{ ('y' * 100000).join(('x' * 100000) | list) }}", LARGE),
    "tabs": ("{{ ('\\t' * 100000).expandtabs(100000) }}", LARGE),
    "wordwrap": ("{{ ('x ' * 50000) | wordwrap(1, True, 'y' * 100000) }}", LARGE),
    "a sum of lists": ("{{ ([[1]] * 100000) | sum(start=[]) }}", LARGE),
    "batches": ("{{ [1] | batch(1000000000, 2) | list | length }}", "number above"),
    "lorem ipsum": ("{{ lipsum(1000) }}", "undefined"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MOST_STEPS", 5000)


@pytest.mark.parametrize(("attack", "message"), ATTACKS.values(), ids=ATTACKS)
@pytest.mark.timeout(20)
def test_a_prompt_that_would_not_end_is_refused_in_words(attack: str, message: str) -> None:
    begun = time.thread_time()
    with pytest.raises(ValueError, match=message):
        template(attack).fill(ROW)
    assert time.thread_time() - begun < 2


def test_processor_time_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MOST_SECONDS", 0.02)
    with pytest.raises(PromptError, match=r"takes more than 0\.02 seconds"):
        template("{% for i in range(4000) %}{{ (text * 100000) | length }}{% endfor %}").fill(ROW)


PARTS = (
    "{{ text }}",
    "{{ n * 2 + 1 }}",
    "{{ n ** 2 }}",
    "{{ 7 % n }}",
    "{{ turns | join('; ') }}",
    "{{ turns[0] ~ n }}",
    "{{ text | replace('\\n', ' / ') | indent(2) | upper }}",
    "{{ text.split('\\n') | map('trim') | list }}",
    "{% for turn in turns %}{{ loop.index }}/{{ loop.length }} {{ turn }}{% else %}none{% endfor %}",
    "{% for a, b in [(1, 2), (3, 4)] if a > 1 %}{{ a }}{{ b }}{% endfor %}",
    "{% for k, v in {'a': [n], 'b': []}.items() recursive %}{{ k }}{{ loop(v) if v is string }}{% endfor %}",
    "{% macro f(x, y=2) %}<{{ x }}{{ y }}{{ caller() if caller }}>{% endmacro %}{{ f(n) }}{{ f(1, y=text) }}",
    "{% set ns = namespace(i=0) %}{% for t in turns %}{% set ns.i = ns.i + 1 %}{% endfor %}{{ ns.i }}",
    "{% set a, b = 1, [n] %}{{ a }}{{ b }}{% set c %}[{{ n }}]{% endset %}{{ c }}",
    "{{ dict(a=n) }}{{ {1: n} }}",
    "{{ '%s-%03d' % (text, n) }}{{ '%.2f' | format(1 / 3) }}{{ '{:>5}|{}'.format(n, turns) }}",
    "{{ [1, 2] | sum }}",
    "{{ turns | tojson(indent=2) }}",
    "{{ text | wordwrap(5) | center(30) }}",
    "{{ nothing }}|{{ nothing | d(9) }}",
    "{{ [3, 1, 2] | sort | batch(2, 0) | list }}",
    "{{ range(n) | select('odd') | list }}",
    "{{ (1, n)[1] }}",
    "{% filter upper %}{{ text }}{% endfilter %}{% autoescape true %}{{ '<' ~ text }}{% endautoescape %}",
    "{{ turns | map(attribute='c') | list }}",
    "{{ text | wordcount }}{{ [n] * 3 }}{{ 'ab' * n }}",
    "{{ n.x.y }}",
    "{{ text | pprint }}{{ turns | string | length }}",
    "{% if n > 2 and text %}yes{% endif %}",
    "{{ n / 0 }}",
)


@settings(FUZZED, max_examples=60)
@given(parts=st.lists(st.sampled_from(PARTS), max_size=4), n=st.integers(-3, 9), text=st.text(max_size=9))
def test_any_other_template_is_rendered_as_jinja_does(parts: list[str], n: int, text: str) -> None:
    written = "".join(parts)
    assert rendered(Sandbox, written, n, text) == rendered(ImmutableSandboxedEnvironment, written, n, text)


def rendered(kind: type[ImmutableSandboxedEnvironment], written: str, n: int, text: str) -> tuple[str, str]:
    """What is rendered, or the kind of error."""
    try:
        row: dict[str, Any] = ROW | {"n": n, "text": text}
        return "text", kind(trim_blocks=True, lstrip_blocks=True).from_string(written).render(row)
    except (TemplateError, *FAULTS) as error:
        return type(error).__name__, str(error)


MESSAGES = [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": "Hi\n{{ x }}"}]
CHATS = {
    "ChatML": "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_e"
    "nd|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n"
    "' }}{% endif %}",
    "Llama 2": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set"
    " system = messages[0]['content'] %}{% endif %}{% for m in loop_messages %}{% if (m['"
    "role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alterna"
    "te') }}{% endif %}{{ bos_token + '[INST] ' + system | trim + ' ' + m['content'].stri"
    "p() + ' [/INST]' }}{% endfor %}",
    "tools and days": "{%- set ns = namespace(first=true, days=[]) -%}{{ strftime_now('%Y') }}{%- for m in "
    "messages %}{%- if loop.first %}{% continue %}{% endif %}{%- set ns.first = false %}{"
    "% generation %}{{ m | tojson }}{% endgeneration %}{%- endfor %}{{ ns.first }}{{ {'a'"
    ": 1} | tojson(indent=2) }}{{ tools is none }}",
    "a refusal": "{{ raise_exception('no system') }}",
}


@pytest.mark.parametrize("chat", CHATS.values(), ids=CHATS)
def test_a_chat_is_rendered_as_transformers_does(chat: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = conversation(chat)
    assert encode.Sandbox is chat_template_utils.ImmutableSandboxedEnvironment
    monkeypatch.setattr(chat_template_utils, "ImmutableSandboxedEnvironment", ImmutableSandboxedEnvironment)
    assert conversation(chat) == ours


def conversation(chat: str) -> str:
    """The conversation as rendered, or why it is not."""
    try:
        return chat_of(chat)
    except TemplateError as error:
        return str(error)


def chat_of(template: str) -> str:
    chat_template_utils._compile_jinja_template.cache_clear()
    (text,), _ = chat_template_utils.render_jinja_template(
        [MESSAGES], chat_template=template, add_generation_prompt=True, bos_token="<s>"
    )
    return str(text)


@pytest.mark.parametrize(
    "name", ["a power of a power", "nested loops", "a macro of itself", "a block", "spaces"]
)
@pytest.mark.timeout(20)
def test_a_chat_template_that_would_not_end_is_refused(name: str) -> None:
    begun = time.thread_time()
    with pytest.raises((TemplateError, SyntaxError, *FAULTS)):
        chat_of(ATTACKS[name][0])
    assert time.thread_time() - begun < 2
