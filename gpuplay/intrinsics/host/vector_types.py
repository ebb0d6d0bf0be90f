"""The Numba types behind `simd`: vectors, masks, tiles of vectors, and the shape of a tile as a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.datamodel import models
from numba.core.imputils import lower_cast, lower_constant
from numba.extending import register_model, typeof_impl

from gpuplay.intrinsics.host import width


class Vector(types.Type):
    """``lanes`` numbers of one dtype in a vector register."""

    def __init__(self, dtype: Any, lanes: int) -> None:
        self.dtype, self.lanes = dtype, lanes
        super().__init__(f"Vector({dtype}, {lanes})")


class Mask(types.Type):
    """A truth value for each of ``lanes`` lanes."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(f"Mask({lanes})")


class Tile(types.Type):
    """``rows`` × ``vectors`` vectors, all in registers: the part of a product that is summed up at a time."""

    def __init__(self, vector: Vector, rows: int, vectors: int) -> None:
        self.vector, self.rows, self.vectors = vector, rows, vectors
        super().__init__(f"Tile({vector}, {rows}x{vectors})")


class ShapeType(types.Type):
    """The type of a `Shape`: functions are compiled anew for each."""

    def __init__(self, rows: int, vectors: int) -> None:
        self.rows, self.vectors = rows, vectors
        super().__init__(f"Shape({rows}x{vectors})")


@dataclass(frozen=True)
class Shape:
    """Rows of a tile, and vectors of each row. A compile-time constant: compiled functions close over it.

    It is all type and no value, so that it can be handed on through any number of compiled functions.
    """

    rows: int
    vectors: int


def vector_of(dtype: Any) -> Vector:
    """The vector type of this host for a dtype."""
    return Vector(dtype, width.lanes(dtype.bitwidth // 8))


@typeof_impl.register(Shape)
def _typeof_shape(shape: Shape, _context: Any) -> ShapeType:
    return ShapeType(shape.rows, shape.vectors)


@lower_constant(ShapeType)
def _shape_constant(context: Any, builder: Any, shape_type: Any, value: Any) -> Any:
    return context.get_dummy_value()


@lower_cast(ShapeType, ShapeType)
def _same_shape(context: Any, builder: Any, source: Any, target: Any, value: Any) -> Any:
    return value


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Vector) -> None:
        element = manager.lookup(kind.dtype).get_value_type()
        super().__init__(manager, kind, ir.VectorType(element, kind.lanes))


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Mask) -> None:
        super().__init__(manager, kind, ir.VectorType(ir.IntType(1), kind.lanes))


@register_model(Tile)
class _TileModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Tile) -> None:
        vector = manager.lookup(kind.vector).get_value_type()
        super().__init__(manager, kind, ir.ArrayType(vector, kind.rows * kind.vectors))


register_model(ShapeType)(models.OpaqueModel)
