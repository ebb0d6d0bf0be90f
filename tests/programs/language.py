"""The language that GPU functions are written in: control flow, functions, tuples, closures, generated source.

A program is as in ``reductions``.
"""

import linecache
import math

import numpy as np
from numba import cuda, float32, int32, uint8
from numba.cuda import literal_unroll

BLOCK = 64
SCALE = 3
WEIGHTS = np.array([0.5, -1.0, 2.0, 4.0], np.float32)
OFFSETS = ((0, 1), (1, 0), (0, -1), (-1, 0))


@cuda.jit
def collatz(steps, x):
    """Loops of lengths that differ from lane to lane, with break, continue and an early return."""
    i = cuda.grid(1)
    if i >= x.size:
        return
    value = x[i]
    if value % 7 == 3:
        steps[i] = -1
        return
    count = 0
    while True:
        if value == 1:
            break
        count += 1
        if value % 2 == 0:
            value //= 2
            continue
        value = 3 * value + 1
        if count > 50:
            break
    else:
        count = -2
    steps[i] = count


def control_flow(launch, n, rng):
    x = rng.integers(1, 100, n).astype(np.int64)
    steps = np.empty(n, np.int32)
    launch(collatz, -(-n // BLOCK), BLOCK, steps, x)

    def expected(value):
        if value % 7 == 3:
            return -1
        count = 0
        while value != 1:
            count += 1
            if value % 2 == 0:
                value //= 2
                continue
            value = 3 * value + 1
            if count > 50:
                break
        return count

    yield steps, np.array([expected(int(v)) for v in x], np.int32)


@cuda.jit
def primes(smallest, limit):
    """Nested loops with else, and a loop whose range depends on the outer one's variable."""
    i = cuda.grid(1)
    if i < smallest.size:
        found = 0
        for candidate in range(i, i + limit):
            if candidate < 2:
                continue
            for divisor in range(2, candidate):
                if divisor * divisor > candidate:
                    found = candidate
                    break
                if candidate % divisor == 0:
                    break
            else:
                found = candidate
            if found:
                break
        smallest[i] = found


def nested_loops(launch, n, rng):
    smallest = np.empty(n, np.int64)
    launch(primes, -(-n // 32), 32, smallest, 50)
    sieve = [p for p in range(2, n + 50) if all(p % d for d in range(2, math.isqrt(p) + 1))]
    yield smallest, np.array([next(p for p in sieve if p >= i) for i in range(n)])


@cuda.jit
def short_circuit(out, x, limits):
    """Each right-hand side would read out of bounds if it were evaluated for every lane."""
    i = cuda.grid(1)
    if i < x.size and x[i] > limits[0]:
        out[i] = 1 if x[i] < limits[1] else 2
    elif i >= x.size or x[i] == limits[0]:
        if i < out.size:
            out[i] = 3
    elif not (x[i] < limits[2] or (i > 0 and x[i - 1] < 0)):
        out[i] = 4
    else:
        out[i] = -1 if i + 1 == x.size else x[i + 1]


def conditions(launch, n, rng):
    x, limits = rng.integers(-9, 10, n).astype(np.int64), np.array([2, 5, -4], np.int64)
    out = np.zeros(n, np.int64)
    launch(short_circuit, -(-n // BLOCK), BLOCK, out, x, limits)
    before, after = np.append(0, x[:-1]), np.append(x[1:], -1)
    choices = [(x > 2) & (x < 5), x > 2, x == 2, ~((x < -4) | (before < 0))]
    yield out, np.select(choices, [1, 2, 3, 4], after)


@cuda.jit(device=True)
def polar(x, y):
    return math.sqrt(x * x + y * y), math.atan2(y, x)


@cuda.jit(device=True)
def clipped(value, low, high):
    if value < low:
        return low
    if value > high:
        return high
    return value


@cuda.jit(device=True)
def turned(x, y, quarter):
    """A device function that calls others and returns a tuple of tuples."""
    radius, angle = polar(x, y)
    angle += quarter * (math.pi / 2)
    return (radius * math.cos(angle), radius * math.sin(angle)), (clipped(radius, 0.5, 1.0), angle)


@cuda.jit
def turn(out, points):
    i = cuda.grid(1)
    if i < points.shape[0]:
        (x, y), (radius, _) = turned(points[i, 0], points[i, 1], i % 4)
        out[i, 0], out[i, 1], out[i, 2] = x, y, radius


def device_functions(launch, n, rng):
    points = rng.random((n, 2)) + 0.1
    out = np.empty((n, 3))
    launch(turn, -(-n // BLOCK), BLOCK, out, points)
    z = (points[:, 0] + 1j * points[:, 1]) * 1j ** (np.arange(n) % 4)
    yield out, np.stack([z.real, z.imag, np.clip(abs(z), 0.5, 1.0)], axis=1)


def power_kernel(exponent):
    """A GPU function that closes over a number and over a device function."""

    @cuda.jit(device=True)
    def power(value):
        result = value * 0 + 1
        for _ in range(exponent):
            result *= value
        return result

    @cuda.jit
    def apply(out, x):
        i = cuda.grid(1)
        if i < out.size:
            out[i] = SCALE * power(x[i])

    return apply


CUBES, SQUARES = power_kernel(3), power_kernel(2)


def closures(launch, n, rng):
    x = rng.integers(-9, 10, n).astype(np.int64)
    for function, exponent in ((CUBES, 3), (SQUARES, 2)):
        out = np.empty(n, np.int64)
        launch(function, -(-n // BLOCK), BLOCK, out, x)
        yield out, SCALE * x**exponent


@cuda.jit
def neighbours(out, x):
    """A constant array, a nested tuple of constants, and a tuple that is built and indexed at run time."""
    weights = cuda.const.array_like(WEIGHTS)
    j, i = cuda.grid(2)
    if i >= x.shape[0] or j >= x.shape[1]:
        return
    total = float32(0)
    for k in range(len(OFFSETS)):
        row, column = i + OFFSETS[k][0], j + OFFSETS[k][1]
        if 0 <= row < x.shape[0] and 0 <= column < x.shape[1]:
            total += weights[k] * x[row, column]
    pair = (total, x[i, j])
    out[i, j] = pair[i & 1]


def constants(launch, n, rng):
    x = rng.integers(-9, 10, (n, 5)).astype(np.float32)
    out = np.empty_like(x)
    launch(neighbours, (1, -(-n // 16)), (8, 16), out, x)
    rim = np.pad(x, 1)
    total = WEIGHTS[0] * rim[1:-1, 2:] + WEIGHTS[1] * rim[2:, 1:-1] + WEIGHTS[2] * rim[1:-1, :-2]
    total += WEIGHTS[3] * rim[:-2, 1:-1]
    yield out, np.where(np.arange(n)[:, None] % 2, x, total)


@cuda.jit
def unrolled(out, x):
    """The tuple's elements are of different types, so only an unrolled loop can walk it."""
    i = cuda.grid(1)
    if i < out.size:
        total = 0.0
        for factor in literal_unroll((1, 0.5, np.float32(2.0), True)):
            total += factor * x[i]
        for k in literal_unroll((1, 2, 3)):
            if i >= k:
                total += k * x[i - k]
        out[i] = total


def literal_unrolling(launch, n, rng):
    x, out = rng.integers(-9, 10, n).astype(np.float64), np.empty(n)
    launch(unrolled, -(-n // BLOCK), BLOCK, out, x)
    expected = 4.5 * x
    for k in (1, 2, 3):
        expected[k:] += k * x[: max(0, n - k)]
    yield out, expected


def generated_kernel(terms):
    """A GPU function from text, with its loop unrolled, whose lines tracebacks can find."""
    lines = ["def polynomial(out, x):", "    i = cuda.grid(1)", "    if i < out.size:", "        value = x[i]"]
    lines += ["        total = 0.0", *("        total = total * value + 1.0" for _ in range(terms))]
    text = "\n".join([*lines, "        out[i] = total", ""])
    file = f"<polynomial of {terms} terms>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace = {"cuda": cuda}
    exec(compile(text, file, "exec"), namespace)
    return cuda.jit(namespace["polynomial"])


POLYNOMIAL = generated_kernel(5)


def generated_source(launch, n, rng):
    x, out = rng.integers(-5, 6, n).astype(np.float64), np.empty(n)
    launch(POLYNOMIAL, -(-n // BLOCK), BLOCK, out, x)
    yield out, np.polyval(np.ones(5), x)


@cuda.jit
def narrow(out, x):
    """Casts through every width: what does not fit wraps, what is not whole is cut off."""
    i = cuda.grid(1)
    if i < x.size:
        value = x[i]
        out[i, 0] = np.int8(np.int64(value))
        out[i, 1] = uint8(np.int64(value))
        out[i, 2] = np.int16(np.int64(value * 1000))
        out[i, 3] = np.uint16(np.int64(value)) + np.uint16(65535)
        out[i, 4] = int32(value) // np.int32(7)
        out[i, 5] = int(value) % -7
        out[i, 6] = np.float32(value) * np.float32(0.1) == np.float32(value * 0.1)
        out[i, 7] = bool(int32(value)) + np.bool_(value > 0)
        out[i, 8] = int32(value) << 3 >> 1 ^ ~int32(value) & 0xFF | 1
        out[i, 9] = -(value**2)


def casts(launch, n, rng):
    x = rng.integers(-400, 400, n) + rng.choice([0.0, 0.25, 0.5], n)
    out = np.empty((n, 10))
    launch(narrow, -(-n // BLOCK), BLOCK, out, x)
    whole = np.trunc(x).astype(np.int64)
    columns = [
        *(whole.astype(np.int8), whole.astype(np.uint8), np.trunc(x * 1000).astype(np.int64).astype(np.int16)),
        *(whole.astype(np.uint16).astype(np.int64) + 65535, whole // 7, np.mod(whole, -7)),
        x.astype(np.float32) * np.float32(0.1) == (x * 0.1).astype(np.float32),
        (whole != 0).astype(int) + (x > 0),
        whole << 3 >> 1 ^ ~whole & 0xFF | 1,
        -(x**2),
    ]
    yield out, np.stack(columns, axis=1).astype(np.float64)


@cuda.jit
def sign_of_zero(out):
    """Lanes that keep −0.0 beside lanes that take 0.0: equal numbers, but not the same."""
    i = cuda.grid(1)
    zero = 0.0
    if i % 2:
        zero = -0.0
    if i < out.size:
        out[i] = math.copysign(1.0, zero)


def signed_zeros(launch, n, rng):
    out = np.empty(n)
    launch(sign_of_zero, -(-n // BLOCK), BLOCK, out)
    yield out, np.where(np.arange(n) % 2, -1.0, 1.0)


@cuda.jit(device=True)
def reversed_through_shared(x, i, inside):
    """Called for two dtypes: each has a shared array of its own."""
    tile = cuda.shared.array(BLOCK, x.dtype)
    mirror = BLOCK - 1 - cuda.threadIdx.x
    tile[mirror] = x[i] if inside else x.dtype.type(0)
    cuda.syncthreads()
    value = tile[cuda.threadIdx.x]
    cuda.syncthreads()
    return value


@cuda.jit
def reverse_both(y, z, a, b):
    i = cuda.grid(1)
    inside = i < a.size
    first, second = reversed_through_shared(a, i, inside), reversed_through_shared(b, i, inside)
    y[i] = first
    z[i] = second


def shared_arrays_of_two_dtypes(launch, n, rng):
    blocks = -(-n // BLOCK)
    a, b = rng.random(n).astype(np.float32), rng.random(n)
    y, z = np.empty(blocks * BLOCK, np.float32), np.empty(blocks * BLOCK)
    launch(reverse_both, blocks, BLOCK, y, z, a, b)
    for got, given in ((y, a), (z, b)):
        padded = np.zeros(blocks * BLOCK, given.dtype)
        padded[:n] = given
        yield got, padded.reshape(blocks, BLOCK)[:, ::-1].reshape(-1)


PROGRAMS = (
    *(shared_arrays_of_two_dtypes, control_flow, nested_loops, conditions, device_functions, closures, constants),
    *(literal_unrolling, generated_source, casts, signed_zeros),
)
