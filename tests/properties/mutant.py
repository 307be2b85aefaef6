"""The evaluator as it would be with one fault in it: its modules loaded again from changed source.

The real modules stay untouched; a mutant is a second copy of the package under the same names, in force only
while it is being loaded. Record types are shared, so that mutants read and write what everybody does.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

_RELOADED = (
    "emon.evaluate",
    "emon.limits",
    "emon.domain.schedule",
    "emon.domain.versions",
    "emon.domain.binding_book",
)


class Vanished(AssertionError):
    """The text that a fault replaces is not in the source (any more), or not just once."""


def changed_source(module: str, old: str, new: str) -> str:
    """The module's source with its one occurrence of `old` replaced. Raises Vanished."""
    source = inspect.getsource(importlib.import_module(module))
    if source.count(old) != 1:
        raise Vanished(f"{module} holds {source.count(old)} times: {old!r}")
    return source.replace(old, new)


@contextmanager
def reloaded(module: str, source: str) -> Iterator[None]:
    """Within, imports of the evaluator give fresh modules, `module` from `source`."""
    kept = {name: loaded for name, loaded in sys.modules.items() if _is_reloaded(name)}
    attributes = {name: (sys.modules[name.rpartition(".")[0]], name.rpartition(".")[2]) for name in kept}
    for name, (parent, attribute) in attributes.items():
        del sys.modules[name]
        delattr(parent, attribute)  # else `from package import module` finds the old one there
    finder = _Finder(module, source)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_reloaded(name)]:
            del sys.modules[name]
        sys.modules.update(kept)
        for name, (parent, attribute) in attributes.items():
            setattr(parent, attribute, kept[name])


def _is_reloaded(name: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in _RELOADED)


class _Finder(MetaPathFinder):
    """Serves one module from given source and leaves all others to the ordinary finders."""

    def __init__(self, module: str, source: str) -> None:
        self._module, self._source = module, source

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._module:
            return None
        spec = PathFinder.find_spec(name, path)
        assert spec is not None and spec.origin is not None
        spec.loader = _Loader(name, spec.origin, self._source)
        return spec


class _Loader(SourceFileLoader):
    """Loads changed source under the original's name."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(self._source, self.path, "exec")
        return code
