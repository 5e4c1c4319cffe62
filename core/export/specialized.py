"""The source of our functions, reduced to what they do with one configuration.

A setting becomes a constant with its name in capitals. Branches that the configuration does not
take are left out, and so are type hints and all but the first line of docstrings. The rest stays as
written, so a script made of it computes what we compute.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from core.config import TrainConfig

_HOLDERS = ("config", "self.config")  # how our functions name a configuration
_LEFT_OUT = ("config", "self")  # arguments that a script does not need


def specialized(what: Any, config: TrainConfig, name: str = "") -> str:
    """Return the source of one of our functions or classes, reduced to one configuration.

    It is renamed if `name` is given. Functions lose the arguments `config` and `self`, and names
    lose their leading underscore.
    """
    text = textwrap.dedent(inspect.getsource(what))
    while edit := next(_edits(text, config), None):
        text = edit
    if name:
        text = text.replace(f"def {what.__name__}(", f"def {name}(", 1)
    return re.sub(r"(?<![\w.])_(?=[a-zA-Z])", "", text).strip()


def _edits(text: str, config: TrainConfig) -> Iterator[str]:
    """Yield the text after each possible edit; nothing when all edits are done."""
    tree = ast.parse(text).body[0]
    is_class = isinstance(tree, ast.ClassDef)
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                yield from _shorter(text, node, is_class)
            case ast.Match() if ast.unparse(node.subject).startswith(_HOLDERS):
                yield _replaced(text, node, _case(text, node, config))
            case ast.If() if _is_settled(node.test):
                taken = node.body if _value(node.test, config) else node.orelse
                yield _replaced(text, node, _block(text, taken, node.col_offset))
            case ast.Assign() if ast.unparse(node) == "config = self.config":
                yield _replaced(text, node, "")
            case ast.Assign(targets=[ast.Name(id=target)]) if _is_unused(tree, target):
                yield _replaced(text, node, "")
            case ast.Call():
                yield from _without_config(text, node)
            case ast.Attribute() if ast.unparse(node.value) in _HOLDERS:
                yield _replaced(text, node, node.attr.upper())
            case ast.Attribute(value=ast.Name(id="self")) if not is_class:
                yield _replaced(text, node, node.attr)


def _shorter(text: str, node: ast.FunctionDef | ast.ClassDef, is_class: bool) -> Iterator[str]:
    """Yield the text with a definition's docstring cut to one line, or its arguments reduced."""
    docstring = ast.get_docstring(node)
    if docstring and "\n" in docstring:
        first = docstring.partition("\n\n")[0].replace("\n", " ")
        yield _replaced(text, node.body[0], f'"""{first}"""')
    if isinstance(node, ast.ClassDef):
        return
    begin, body = (_place(text, one, end=False) for one in (node, node.body[0]))
    header = text[begin : text.rindex(":", begin, body) + 1]
    node.args.args = [one for one in node.args.args if is_class or one.arg not in _LEFT_OUT]
    for one in (*node.args.args, *node.args.kwonlyargs):
        one.annotation = None
    shorter = f"def {node.name}({ast.unparse(node.args)}):"
    if header != shorter:
        yield text.replace(header, shorter, 1)


def _without_config(text: str, call: ast.Call) -> Iterator[str]:
    """Yield the text with a call's argument `config` left out."""
    for one in call.args:
        if ast.unparse(one) in _HOLDERS:
            before = text[: _place(text, one, end=False)]
            yield re.sub(r",\s*$", "", before) + text[_place(text, one, end=True) :]


def _case(text: str, node: ast.Match, config: TrainConfig) -> str:
    """Return what a `match` on a setting does with this configuration."""
    value = _value(node.subject, config)
    for case in node.cases:
        pattern = case.pattern
        if isinstance(pattern, ast.MatchAs) or (
            isinstance(pattern, ast.MatchValue) and ast.literal_eval(pattern.value) == value
        ):
            return _block(text, case.body, node.col_offset)
    return "pass"


def _block(text: str, statements: list[ast.stmt], indent: int) -> str:
    """Return statements as written, with this indent on all lines but the first."""
    if not statements:
        return ""
    lines = text.splitlines()[statements[0].lineno - 1 : statements[-1].end_lineno]
    moved = textwrap.indent(textwrap.dedent("\n".join(lines)), " " * indent)
    return moved.lstrip()


def _is_settled(test: ast.expr) -> bool:
    """Return whether the settings alone decide a condition."""
    inside = re.sub(r"\b(self\.)?config\.\w+", "0", ast.unparse(test))
    names = [node for node in ast.walk(ast.parse(inside)) if isinstance(node, ast.Name)]
    return not names and "config." in ast.unparse(test)


def _value(test: ast.expr, config: TrainConfig) -> Any:
    """Return the value of an expression of settings."""
    known = {"config": config, "self": SimpleNamespace(config=config)}
    return eval(ast.unparse(test), {"__builtins__": {}}, known)  # noqa: S307  # our own source


def _is_unused(tree: ast.stmt, name: str) -> bool:
    return not any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        for node in ast.walk(tree)
    )


def _place(text: str, node: ast.AST, *, end: bool) -> int:
    """Return the position in a text at which a node begins or ends."""
    line, column = (
        (getattr(node, "end_lineno"), getattr(node, "end_col_offset"))  # noqa: B009
        if end
        else (getattr(node, "lineno"), getattr(node, "col_offset"))  # noqa: B009
    )
    lines = text.splitlines(keepends=True)
    # Columns count bytes of UTF-8.
    return sum(map(len, lines[: line - 1])) + len(lines[line - 1].encode()[:column].decode())


def _replaced(text: str, node: ast.AST, new: str) -> str:
    """Return a text with a node replaced by `new`; a line that becomes empty is removed."""
    begin, end = _place(text, node, end=False), _place(text, node, end=True)
    before, after = text[:begin], text[end:]
    if not new and after.startswith("\n") and not before.rpartition("\n")[2].strip():
        return before.rpartition("\n")[0] + after
    return before + new + after
