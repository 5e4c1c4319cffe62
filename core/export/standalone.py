"""Make one Python file that does what a module does, without the rest of Digit Lab.

The statements of `core` that the module needs are copied as they are, so the file computes what we
compute, and no second version has to be maintained.
"""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from graphlib import TopologicalSorter
from pathlib import Path

_OURS = "core"


@dataclass
class _Module:
    """A module's statements and imports, by the names that they define."""

    name: str
    lines: list[str]
    statements: list[ast.stmt] = field(default_factory=list)
    ours: dict[str, str] = field(default_factory=dict)  # name → the module of ours it comes from
    foreign: dict[str, tuple[str, str]] = field(default_factory=dict)  # name → module, import text
    docstring: str = ""

    def text(self, statement: ast.stmt) -> str:
        """Return a statement's source, with its decorators and the comments above it."""
        first = min([statement, *getattr(statement, "decorator_list", [])], key=_line).lineno - 1
        while self.lines[first - 1].startswith("#"):
            first -= 1
        return "\n".join(self.lines[first : statement.end_lineno])


def _line(node: ast.stmt | ast.expr) -> int:
    return node.lineno


def standalone(root: str) -> str:
    """Return the source of one file with the module `root` and the parts of `core` that it needs.

    Only the top-level statements of `core` that are needed are copied. Raises ValueError if two of
    them have the same name, or if one imports in a way that is not supported here.
    """
    needed = _needed(root)
    names = [name for wanted in needed.values() for name in wanted]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"several modules define {', '.join(sorted(twice))}")
    foreign: dict[str, set[str]] = {}
    bodies = []
    order = TopologicalSorter({name: set(_read(name).ours.values()) for name in needed})
    for module in map(_read, order.static_order()):
        wanted = needed.get(module.name, set())
        kept = [one for one in module.statements if module.name == root or wanted & _defined(one)]
        for used in {used for one in kept for used in _needs(one)} & module.foreign.keys():
            source, what = module.foreign[used]
            foreign.setdefault(source, set()).add(what)
        bodies += [module.text(one) for one in kept]
    header = f'"""{_read(root).docstring}\n"""'
    return "\n\n".join([header, *_imports(foreign), _spaced(bodies)]) + "\n"


def _needed(root: str) -> dict[str, set[str]]:
    """Return the names that `root` needs, directly or not, by the module that defines them."""
    needed: dict[str, set[str]] = {root: set()}
    waiting = [(root, name) for one in _read(root).statements for name in _needs(one)]
    while waiting:
        module, name = waiting.pop()
        if name in _read(module).ours:
            waiting.append((_read(module).ours[name], name))
            continue
        found = [one for one in _read(module).statements if name in _defined(one)]
        if found and name not in needed.setdefault(module, set()):
            needed[module].add(name)
            waiting += [(module, other) for one in found for other in _needs(one)]
    return needed


@lru_cache(maxsize=64)
def _read(name: str) -> _Module:
    """Parse a module's file."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ValueError(f"there is no module {name}")
    source = Path(spec.origin).read_text(encoding="utf-8")
    tree = ast.parse(source)
    module = _Module(name, source.splitlines(), docstring=ast.get_docstring(tree) or "")
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            for one in statement.names:
                what = f"import {one.name}" + (f" as {one.asname}" if one.asname else "")
                module.foreign[one.asname or one.name.partition(".")[0]] = "", what
        elif isinstance(statement, ast.ImportFrom):
            for one in statement.names:
                _note_import(module, statement.module or "", one)
        elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            module.statements.append(statement)  # all but the docstring
    return module


def _note_import(module: _Module, source: str, what: ast.alias) -> None:
    if source.partition(".")[0] != _OURS:
        original = f"{what.name} as {what.asname}" if what.asname else what.name
        module.foreign[what.asname or what.name] = source, original
    elif what.asname or getattr(
        importlib.util.find_spec(source), "submodule_search_locations", None
    ):
        raise ValueError(f"{module.name} imports {what.name} of {source} in another way than names")
    else:
        module.ours[what.name] = source


def _defined(statement: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a module defines."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    return {
        node.id for one in targets if one for node in ast.walk(one) if isinstance(node, ast.Name)
    }


def _needs(statement: ast.stmt) -> list[str]:
    """Return the names that occur in a statement."""
    for node in ast.walk(statement):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == _OURS:
            raise ValueError(f"line {node.lineno} imports {node.module} inside a function")
    return [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]


def _imports(foreign: dict[str, set[str]]) -> Iterator[str]:
    """Yield the import statements: Python's own, an empty line, then the others'."""
    lines = {f"{what}": what.split()[1] for what in foreign.pop("", set())}
    for source, names in foreign.items():
        lines[f"from {source} import {', '.join(sorted(names))}"] = source
    for own in (True, False):
        group = [
            line
            for line, module in lines.items()
            if (module.partition(".")[0] in sys.stdlib_module_names) == own
        ]
        yield "\n".join(sorted(group))


def _spaced(bodies: list[str]) -> str:
    """Join statements, with two empty lines around functions and classes."""
    text = ""
    for body in bodies:
        is_block = body.startswith(("def ", "class ", "@", "if "))
        gap = "\n\n\n" if is_block or text.rpartition("\n")[2].startswith(" ") else "\n"
        text += gap * bool(text) + body
    return text
