"""The register-tile GEMM in float32 that CUDA variants share: C = A·B in blocks, warps and threads, copies under way.

A kernel brings the outline, this package the parts. All but `tiling` import numba.

- `tiling`: `Tiling` says which tile a block, a warp and a thread compute, and how many stages lie in shared memory;
  `fitting` takes a smaller one where the large would leave multiprocessors idle.
- `staging`: how an operand reaches shared memory. ``along_depth(span, tiling)`` for a matrix span×k with rows along
  k (A in A·B; both in A·Bᵀ), ``along_span(span, tiling, wide)`` for a matrix k×span (B in A·B). A loader of another
  kind, such as one that gathers patches, is any device function with the same arguments.
- `product`: ``product(tiling, stage_a, stage_b)`` multiplies two strips; ``zeros(tiling)`` is the tile to begin with;
  ``origin(tiling)`` says where the block's tile begins.
- `epilogue`: ``epilogue(tiling, sink)`` gives a thread's results to ``sink``, four adjacent elements of a row each
  time; ``store_wide`` and ``store_apart`` are sinks that write them to C.

Arrays are flat (``C.ravel()``), extents and positions uint32. A kernel looks like this, everything that it closes
over being made by the functions above::

    @cuda.jit(cache=True, launch_bounds=tiling.launch_bounds)
    def multiply(C, A, B, m, n, k):
        strips = cuda.shared.array(words, float32, alignment=16)     # words: tiling.shared_words
        row, column = origin(m, n)
        tile = product(zeros, strips, A, (m, k), B, (k, n), row, column, k)
        finish(tile, row, column, (C, m, n))

    gpu.launch(multiply, tiling.grid(m, n), tiling.threads, C.ravel(), A.ravel(), B.ravel(), m, n, k)

A second ``tile = product(tile, strips, …)`` adds another product to the first. An epilogue of one's own is a sink:
``sink(quad, i, j, operands)`` with a tuple of C[i, j:j + 4], whose columns may lie beyond the edge.
"""
