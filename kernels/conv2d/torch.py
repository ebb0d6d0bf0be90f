"""conv2d by PyTorch, a peer: `torch.nn.functional.conv2d`, whose library picks an algorithm by the shape."""

from torch.nn.functional import conv2d as convolve


def conv2d(p):
    """Y = X ∗ W in a new tensor, which is what its users get; there is no way to give it one."""
    stride, padding = p.stride, p.padding

    def run(_Y, X, W):
        return convolve(X, W, None, stride, padding)

    return run
