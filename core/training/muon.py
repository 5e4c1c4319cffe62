"""Muon: each layer's step has the gradient's directions, all of about the same size.

K. Jordan, "Muon: An optimizer for hidden layers in neural networks" (2024). `torch.optim.Muon`
takes matrices only, and computes in bfloat16, which is slow on processors without it.
"""

import torch
from torch import Tensor

from core.config import TrainConfig

_COEFFICIENTS = 3.4445, -4.7750, 2.0315  # Jordan's, and those of torch.optim.Muon
_ROUNDS = 5


def update(
    weights: Tensor, gradient: Tensor, momentum: Tensor, rate: float, config: TrainConfig
) -> None:
    """Change a layer's weights and its momentum, in place, with the learning rate `rate`.

    All three have the shape `(outputs, …)`. The step's mean square is about AdamW's, so that both
    need about the same learning rates (Liu et al., "Muon is Scalable for LLM Training", 2025).
    """
    momentum.lerp_(gradient, 1 - config.momentum)
    direction = orthogonalized(gradient.lerp(momentum, config.momentum).flatten(1))
    weights.mul_(1 - rate * config.weight_decay)
    size = 0.2 * max(direction.shape) ** 0.5
    weights.sub_(direction.view(weights.shape), alpha=rate * size)


def orthogonalized(matrix: Tensor) -> Tensor:
    """Return `(M, N)` with the matrix's singular vectors, and singular values of 0.7 to 1.2.

    Newton-Schulz iteration of the fifth order, after dividing by the Frobenius norm. Each round
    multiplies the matrix by a polynomial of its Gram matrix `(M, M)`. Here the rounds compute with
    the Gram matrix alone, and their product multiplies the matrix once, at the end.
    """
    a, b, c = _COEFFICIENTS
    matrix = matrix / matrix.norm().clamp(min=1e-7)
    gram = matrix @ matrix.T
    product = one = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    for _ in range(_ROUNDS):
        factor = torch.addmm(a * one + b * gram, gram, gram, alpha=c)
        product, gram = factor @ product, factor @ gram @ factor
    return product @ matrix
