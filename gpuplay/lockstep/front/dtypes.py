"""Numba's types as NumPy dtypes. Types are told apart by name, since numba-cuda may bring its own classes."""

from __future__ import annotations

from typing import Any

import numpy as np

_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_FLOATS = ("float16", "float32", "float64", "complex64", "complex128")
_NUMBERS = {name: np.dtype(name) for name in (*_INTEGERS, *_FLOATS)}
_NUMBERS |= dict.fromkeys(("bool", "boolean"), np.dtype(np.bool_))


def plain(kind: Any) -> Any:
    """The type without its literal value."""
    return getattr(kind, "literal_type", kind)


def dtype_of(kind: Any) -> np.dtype[Any] | None:
    """The dtype of a number's type; None for anything else."""
    if class_name(kind) in ("Boolean", "BooleanLiteral"):
        return np.dtype(np.bool_)
    return _NUMBERS.get(str(plain(kind)))


def element_of(kind: Any) -> np.dtype[Any]:
    """The dtype of an array type's elements, records included."""
    return stored(kind.dtype)


def stored(kind: Any) -> np.dtype[Any]:
    """The dtype that a type has in memory."""
    found = dtype_of(kind)
    if found is None:
        from numba.np.numpy_support import as_dtype

        found = np.dtype(as_dtype(kind))
    return found


def class_name(kind: Any) -> str:
    """What kind of type it is: Array, UniTuple, Tuple, Function …."""
    return type(kind).__name__


def is_array(kind: Any) -> bool:
    """Is it an array type."""
    return class_name(kind) in ("Array", "SmartArrayType")


def is_tuple(kind: Any) -> bool:
    """Is it a tuple type, named ones included."""
    return class_name(kind) in ("Tuple", "UniTuple", "NamedTuple", "NamedUniTuple")


def class_dtype(kind: Any) -> np.dtype[Any] | None:
    """The dtype that a type such as ``class(float32)`` or ``dtype(float32)`` stands for."""
    if class_name(kind) in ("NumberClass", "DType"):
        return dtype_of(getattr(kind, "instance_type", None) or kind.dtype)
    return None
