"""Lets Lhotse and NeMo's readers be imported without torch, which is 5 GB and has no part in reading manifests."""

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any

_ABSENT = ("torch", "torchaudio", "torchcodec")


class _Anything(types.ModuleType):
    """A module in which a name with a capital is a class, and any other one a module that can be called."""

    __version__ = "2.9.0"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = _a_class(name) if name[0].isupper() else _Anything(f"{self.__name__}.{name}")
        setattr(self, name, made)
        return made

    def __call__(self, *arguments: Any, **_: Any) -> Any:
        """Return what is decorated, or a decorator."""
        return arguments[0] if arguments and callable(arguments[0]) else lambda decorated: decorated


def _a_class(name: str) -> type:
    members = {"__class_getitem__": classmethod(lambda cls, _: cls), "__getattr__": lambda self, name: _no_number(name)}
    return type(name, (), members)


def _no_number(name: str) -> int:
    if name.startswith("__"):
        raise AttributeError(name)
    return -100


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:
        if name.partition(".")[0] in _ABSENT:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        return _Anything(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def install() -> None:
    """Put the stand-ins in place of what is not installed."""
    sys.meta_path.append(_Finder())
