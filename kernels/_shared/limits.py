"""Why a CUDA launch cannot be: reasons in words for a declaration's ``applies``, or None."""

MOST_BLOCKS_DOWN = 65535


def tile_threads(tile, machine):
    """A square tile whose elements have a thread each must fit a block."""
    limit = machine.gpu.threads_per_block
    if tile * tile > limit:
        return f"tile {tile}: {tile}×{tile} = {tile * tile} threads a block, the limit is {limit}"
    return None


def block_threads(block, machine):
    """Threads of a block, of which a GPU has a limit."""
    limit = machine.gpu.threads_per_block
    return f"block {block}: the limit is {limit} threads a block" if block > limit else None


def one_of(name, value, served, why):
    """A knob that takes these values alone, for the reason given."""
    return None if value in served else f"{name} {value}: {why} with {' or '.join(map(str, served))} only"


def shared_memory(what, taken, machine):
    """Static shared memory of a block, in bytes."""
    limit = machine.gpu.shared_bytes_per_block
    return f"{what} take {taken} bytes of shared memory, the limit is {limit}" if taken > limit else None


def grid_height(what, extent, rows):
    """Blocks downwards, where each takes so many rows."""
    blocks = -(-extent // rows)
    if blocks > MOST_BLOCKS_DOWN:
        return f"{what} of {extent} in blocks of {rows} is {blocks} blocks, the limit is {MOST_BLOCKS_DOWN} downwards"
    return None


def float32_only(p):
    """128-bit accesses to four elements, and what is built on them."""
    return None if p.dtype == "float32" else f"float32 only; the problem's dtype is {p.dtype}"


def capability(what, least, machine):
    """A compute capability from which on the GPU can do what is named."""
    has = machine.gpu.capability
    if tuple(has) < least:
        return f"{what} need compute capability {least[0]}.{least[1]}; this GPU has {has[0]}.{has[1]}"
    return None


def asynchronous_copies(machine):
    """``cp.async``, from global to shared memory past the registers."""
    return capability("asynchronous copies", (8, 0), machine)


def matrix_units(p, _knobs, machine):
    """Only float32 has such a form; on GPUs without it a library would quietly compute in another precision."""
    return float32_only(p) or capability("TF32 and bfloat16 on matrix units", (8, 0), machine)
