"""Templates in a sandbox with limits: a prompt, or a chat template that came with a model.

jinja's own sandbox keeps a template from the machine, not from its time and memory: it may loop, call itself
and make texts without end. Here each rendering has so many steps (rounds of loops and calls), so much
processor time and values of such a size.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextvars import ContextVar
from typing import Any

from jinja2 import Template, nodes, pass_context, pass_eval_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import LoopContext, markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from trainables.amounts import number
from trainables.template_size import TemplateLimit, check_call, check_size, operation_size, size

MOST_STEPS = 1_000_000
"""Rounds of loops and calls of one rendering."""
MOST_SECONDS = 5.0
"""Processor time of one rendering: milliseconds are usual."""
FAULTS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
"""What a template raises, beside jinja's own errors, when what it does with its values cannot be done."""


class _Meter:
    """What one rendering has used."""

    def __init__(self) -> None:
        self.steps = 0
        self.end = time.thread_time() + MOST_SECONDS

    def step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TemplateLimit(f"takes more than {number(MOST_STEPS)} steps")
        if time.thread_time() > self.end:
            raise TemplateLimit(f"takes more than {MOST_SECONDS:g} seconds")


_METER: ContextVar[_Meter | None] = ContextVar("meter", default=None)


def _step() -> None:
    meter = _METER.get()
    if meter is not None:
        meter.step()


class _Counted:
    """What a loop goes over; each round is a step."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            _step()
            yield item

    def __len__(self) -> int:
        if not isinstance(self._items, Sized):
            raise TypeError("has no length")
        return len(self._items)


class _Limits(NodeTransformer):
    """Writes the limits into a template: around what it loops over, and around what it puts together."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        if not node.recursive:  # the calls of a recursive loop are counted, and what they are given
            node.iter = _call("counted", node.iter)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _call("concatenated", *node.nodes)

    def visit_List(self, node: nodes.List | nodes.Dict) -> nodes.Node:
        self.generic_visit(node)
        return _call("held", node)

    visit_Dict = visit_List

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        return _call("held", node) if node.ctx == "load" else node

    def visit_Assign(self, node: nodes.Assign) -> nodes.Node:
        self.generic_visit(node)
        if isinstance(node.target, nodes.NSRef):
            node.node = _call("held", node.node)
        return node


def _call(method: str, *arguments: Any) -> nodes.Call:
    line = arguments[0].lineno
    function = nodes.EnvironmentAttribute(method, lineno=line)
    return nodes.Call(function, [*arguments], [], None, None, lineno=line)


class _Generator(CodeGenerator):
    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        super().visit_Template(_Limits().visit(node), frame)


class _Template(Template):
    def render(self, *values: Any, **named: Any) -> str:
        token = _METER.set(_Meter())
        try:
            return super().render(*values, **named)
        finally:
            _METER.reset(token)


class _Filters(dict[str, Callable[..., Any]]):
    """The filters of a sandbox, each within the limits."""

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return _limited(name, super().__getitem__(name))

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


def _limited(name: str, filtered: Callable[..., Any]) -> Callable[..., Any]:
    asks = getattr(filtered, "jinja_pass_arg", None)

    @pass_context  # which no constant has: jinja computes none while it compiles
    def limited(context: Any, subject: Any, *given: Any, **named: Any) -> Any:
        _step()
        first = {"context": context, "eval_context": context.eval_ctx, "environment": context.environment}
        own = [first[asks.name]] if asks is not None else []
        subject = _held([*subject]) if isinstance(subject, Iterator) else subject
        if name not in ("default", "d"):
            check_call(name, (subject, *given), named)
        return _held(filtered(*own, subject, *given, **named))

    return limited


def _held(value: Any) -> Any:
    check_size(size(value))
    return value


def _joined(chunks: Iterable[str]) -> str:
    """Join what a template writes, as far as it may."""
    kept, characters = [], 0
    for chunk in chunks:
        kept.append(chunk)
        characters += len(chunk)
        check_size(characters)
    return "".join(kept)


class Sandbox(ImmutableSandboxedEnvironment):
    """jinja's sandbox with limits on steps, on processor time and on the size of every value.

    Rendering raises `TemplateLimit` where one is passed.
    """

    intercepted_binops = frozenset("+*%") | {"**"}
    code_generator_class = _Generator
    template_class = _Template
    concat = staticmethod(_joined)
    held = staticmethod(_held)
    counted = _Counted

    def __init__(self, *options: Any, **named: Any) -> None:
        super().__init__(*options, **named)
        self.filters = _Filters(self.filters)
        del self.globals["lipsum"]  # texts of any length

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        _step()
        check_size(operation_size(operator, left, right))
        return super().call_binop(context, operator, left, right)

    @staticmethod
    @pass_eval_context
    def concatenated(context: Any, *parts: Any) -> str:
        check_size(sum(map(size, parts)))
        return markup_join(parts) if context.autoescape else str_join(parts)

    def call(self, context: Any, function: Any, /, *given: Any, **named: Any) -> Any:
        _step()
        if function in (_held, _Counted):
            return function(*given)
        method = getattr(function, "__wrapped__", function)  # a text's format, in jinja's own wrapper
        owner = getattr(method, "__self__", None)
        if isinstance(owner, str | bytes):
            check_call(f".{method.__name__}", (owner, *given), named)
        if isinstance(function, LoopContext):
            given = (_Counted(given[0]), *given[1:])
        made = super().call(context, function, *given, **named)
        if not isinstance(made, Namespace):
            return _held(made)
        _held([*given, *named.values()])
        return made
