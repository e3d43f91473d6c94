"""A method's space, and the part of it that one sweep searches."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from optuna.distributions import BaseDistribution

from spaces._dimension import Value, narrowed, nearest, pick
from spaces._problem import Problem, ProblemsError, did_you_mean, shown


@dataclass(frozen=True)
class Space:
    """The hyperparameters of one method: those searched, with their ranges, and those that are fixed."""

    name: str
    """The method: the file of this package that the space comes from."""
    distributions: Mapping[str, BaseDistribution]
    """What is searched: hyperparameter to range."""
    default: Mapping[str, Value]
    """The default configuration: a value for each hyperparameter that is searched."""
    fixed: Mapping[str, Value] = field(default_factory=dict)
    """What a sweep took out of the search: hyperparameter to value."""

    def complete(self, searched: Mapping[str, Value]) -> dict[str, Value]:
        """Return all hyperparameters of a trial: the searched values and the fixed ones."""
        return {**self.fixed, **searched}

    def objection(self, hyperparameters: Mapping[str, object]) -> str | None:
        """Say why these are no point of the space; None: they are one."""
        for name, dimension in self.distributions.items():
            if name not in hyperparameters:
                return f"{name} is missing"
            try:
                pick(dimension, hyperparameters[name])
            except ValueError as error:
                return f"{name} {error}"
        return None

    def narrow(self, space: Mapping[str, object], fix: Mapping[str, object]) -> "Space":
        """Return the part of this space that a sweep searches; the default moves to its nearest point.

        `space` maps a hyperparameter to a list of choices or to a range {low, high} inside its own range;
        `fix` maps one to the single value it keeps.

        Raises:
            ProblemsError: every problem found; each path starts with `space` or `fix`.
        """
        distributions, fixed = dict(self.distributions), dict(self.fixed)
        problems = []
        for key, request in space.items():
            try:
                distributions[key] = narrowed(self._dimension(key), request)
            except ValueError as error:
                problems.append(Problem(f"space.{key}", str(error)))
        for key, value in fix.items():
            try:
                fixed[key] = self._fixed_value(key, value, space)
                del distributions[key]
            except ValueError as error:
                problems.append(Problem(f"fix.{key}", str(error)))
        if problems:
            raise ProblemsError(problems)
        return Space(self.name, distributions, self._default_within(distributions), fixed)

    def _dimension(self, key: str) -> BaseDistribution:
        if key not in self.distributions:
            choices = list(self.distributions)
            raise ValueError(
                f"unknown hyperparameter {shown(key)} of {self.name}: must be one of {', '.join(choices)}"
                f"{did_you_mean(key, choices)}"
            )
        return self.distributions[key]

    def _fixed_value(self, key: str, value: object, space: Mapping[str, object]) -> Value:
        if key in space:
            raise ValueError("is also under `space`: a hyperparameter is either searched or fixed")
        return pick(self._dimension(key), value)

    def _default_within(self, distributions: Mapping[str, BaseDistribution]) -> dict[str, Value]:
        return {
            key: nearest(part, self.default[key], log=getattr(self.distributions[key], "log", False))
            for key, part in distributions.items()
        }
