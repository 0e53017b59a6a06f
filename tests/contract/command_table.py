"""Which command leads to which events, what may refuse it, and who may give it: read from the code of the service."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, TypeGuard, TypeVar

from services.goals import api, domain, reactions
from services.goals.api.permissions import ACCESS
from shared.eventsourcing.decider import Command, Decider, Rejected
from shared.runtime.authorization import Needed, needed
from shared.schemas.event import Event
from tests.contract.access_page import WHO

_ROOMS: Final = (api.__name__, domain.__name__, reactions.__name__)
Function = Callable[..., Any]
Kind = TypeVar("Kind")


def modules() -> list[ModuleType]:
    """Every module of the service's domain."""
    return [import_module(f"{domain.__name__}.{module.name}") for module in iter_modules(domain.__path__)]


def commands_of(endpoint: Function) -> list[type[Command]]:
    """The commands that a route's function gives, itself or by what it calls."""
    found = {one for part in reached(endpoint) for one in _named(part) if _is(one, Command)}
    return sorted(found, key=lambda command: command.__name__)


def events_of(command: type[Command], endpoint: Function) -> list[str]:
    """What may have happened after the command."""
    named = {one for part in _decided_by(command, endpoint) for one in _named(part) if _is(one, Event)}
    return sorted(event.__name__ for event in named)


def problems_of(command: type[Command], endpoint: Function) -> list[str]:
    """The slugs of the rules that may refuse the command."""
    return sorted({slug for part in _decided_by(command, endpoint) for slug in _slugs(part)})


def who_may(what: Needed) -> str:
    """Those who may, by the variants of the thing that differ."""
    by_answer: dict[tuple[str, ...], list[str]] = {}
    for variant, table in ACCESS.things[what.thing].items():
        granted = table.grants[what.action]
        who = tuple(name for name, grant in WHO.items() if grant in granted)
        named = variant.removesuffix(", as usual")
        if "," not in named:
            by_answer.setdefault(who, []).append(named)
    told = [(", ".join(who), " and ".join(variants)) for who, variants in by_answer.items()]
    return "; ".join(f"{variants}: {who}" if variants and len(told) > 1 else who for who, variants in told)


def reached(start: Function) -> Iterator[Function]:
    """The function and all of the service's own that it calls, at any depth, but for what only tells the next state."""
    seen, waiting = {one.evolve for one in _deciders()}, [start]
    while waiting:
        if (part := waiting.pop()) in seen:
            continue
        seen.add(part)
        yield part
        waiting += [one for one in _named(part) if inspect.isfunction(one) and one.__module__.startswith(_ROOMS)]


@cache
def _named(function: Function) -> tuple[Any, ...]:
    """What a function's code speaks of by name: in its module, around it, in a module that it names, or as a method."""
    assert isinstance(function, FunctionType)
    names = set(_names(function.__code__))
    around = inspect.getclosurevars(function).nonlocals
    known = {name: found for name in names if (found := around.get(name, function.__globals__.get(name))) is not None}
    inside = [getattr(m, n) for m in known.values() if inspect.ismodule(m) for n in names if hasattr(m, n)]
    methods = [method for name in names - known.keys() for method in _methods().get(name, [])]
    return (*known.values(), *inside, *methods)


def _names(code: CodeType) -> Iterator[str]:
    yield from (*code.co_names, *code.co_freevars)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


@cache
def _methods() -> Mapping[str, list[Function]]:
    """The methods of the domain's states, by name."""
    found: dict[str, list[Function]] = {}
    for module in modules():
        for _, one in inspect.getmembers(module, inspect.isclass):
            if one.__module__ == module.__name__ and not issubclass(one, Command | Event):
                for name, method in inspect.getmembers(one, inspect.isfunction):
                    if method.__module__ == module.__name__:
                        found.setdefault(name, []).append(method)
    return found


def _decided_by(command: type[Command], endpoint: Function) -> Iterator[Function]:
    """The functions in which an aggregate decides about the command: one of the service's, or one the route names."""
    deciders = {*_deciders(), *(one for one in _named(endpoint) if isinstance(one, Decider))}
    for decide in {decider.decide for decider in deciders}:
        for given, function in (*_matched(decide), *_tabled(decide), *_only(decide)):
            if given is command:
                yield from reached(function)


@cache
def _deciders() -> tuple[Decider[Any], ...]:
    return tuple(one for module in modules() for one in vars(module).values() if isinstance(one, Decider))


def _matched(decide: Function) -> Iterator[tuple[type[Command], Function]]:
    for case in (node for node in ast.walk(_tree(decide)) if isinstance(node, ast.match_case)):
        called = {node.id for line in case.body for node in ast.walk(line) if isinstance(node, ast.Name)}
        functions = [one for name in called if inspect.isfunction(one := decide.__globals__.get(name))]
        for name in _patterns(case.pattern):
            if _is(command := decide.__globals__.get(name), Command):
                yield from ((command, function) for function in functions)


def _tabled(decide: Function) -> Iterator[tuple[type[Command], Function]]:
    for table in (one for one in _named(decide) if isinstance(one, Mapping)):
        yield from ((key, function) for key, function in table.items() if _is(key, Command))


def _only(decide: Function) -> Iterator[tuple[type[Command], Function]]:
    if _is(command := list(inspect.signature(decide).parameters.values())[-1].annotation, Command):
        yield command, decide


def _patterns(pattern: ast.pattern) -> Iterator[str]:
    for node in ast.walk(pattern):
        if isinstance(node, ast.MatchClass) and isinstance(node.cls, ast.Name):
            yield node.cls.id


def _slugs(function: Function) -> Iterator[str]:
    return _slugs_in(_tree(function))


def _slugs_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=Rejected.__name__), args=[ast.Constant(value=str(slug)), *_]):
                yield slug
            case _:
                pass


@cache
def _tree(function: Function) -> ast.Module:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


def _is(one: Any, kind: type[Kind]) -> TypeGuard[type[Kind]]:
    return inspect.isclass(one) and issubclass(one, kind) and one is not kind


def needs_of(endpoint: Function) -> Needed:
    """What the route declares."""
    found = needed(endpoint)
    assert found is not None, endpoint
    return found
