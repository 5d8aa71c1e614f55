"""Muon for the matrices inside the blocks, convolutions among them, AdamW for everything else, and a
wall-clock schedule."""

import torch
import torch.distributed as dist

# bfloat16 where the processor multiplies it in hardware.
LOW = torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32


@torch.no_grad()
def orthogonalise(g, steps=5):
    """Nearest semi-orthogonal matrix by a quintic Newton-Schulz iteration, batched [N,R,C]."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = g.shape[-2] > g.shape[-1]
    x = g.mT if tall else g
    x = (x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)).to(LOW)
    for _ in range(steps):
        s = x @ x.mT
        x = a * x + (b * s + c * s @ s) @ x
    return (x.mT if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Orthogonalised Nesterov momentum (Jordan et al., 2024). q, k and v are separate matrices; a
    convolution is the matrix [O, I*k*k].

    Where several processes train together, each orthogonalises its share of the matrices.
    """

    def __init__(self, params, lr, momentum=0.95, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        shared = dist.is_initialized()
        rank, world = (dist.get_rank(), dist.get_world_size()) if shared else (0, 1)
        for group in self.param_groups:
            params = group["params"]
            owners = split_by_cost([cost(p) for p in params], world)
            flat = torch.zeros(sum(p.numel() for p in params))
            updates = [u.view_as(p) for u, p in zip(flat.split([p.numel() for p in params]), params)]
            for p, update, owner in zip(params, updates, owners):
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                if owner == rank:
                    nesterov = p.grad.lerp(buffer, group["momentum"]).flatten(1)
                    rows, columns = nesterov.shape
                    parts = 3 if rows == 3 * columns else 1
                    square = orthogonalise(nesterov.view(parts, rows // parts, columns))
                    scale = max(1.0, (rows // parts) / columns) ** 0.5
                    update.copy_(scale * square.reshape(p.shape))
            if shared:
                dist.all_reduce(flat)
            for p, update in zip(params, updates):
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"])


def cost(p):
    """Of orthogonalising: the square of the shorter side times the longer."""
    return p.numel() * min(p.shape[0], p.numel() // p.shape[0])


def split_by_cost(costs, shares):
    """For each, the share of about equal total cost that it belongs to."""
    totals, owners = [0] * shares, [0] * len(costs)
    for i in sorted(range(len(costs)), key=lambda i: -costs[i]):
        owners[i] = totals.index(min(totals))
        totals[owners[i]] += costs[i]
    return owners


def optimisers(tower, is_matrix, muon_lr, adam_lr, skip=()):
    """Muon over the parameters of `tower` that `is_matrix` says by their name, AdamW over the rest but
    for `skip`."""
    matrices, others = [], []
    for name, p in tower.named_parameters():
        if name in skip or not p.requires_grad:
            continue
        (matrices if p.ndim >= 2 and is_matrix(name) else others).append(p)
    result = [
        Muon(matrices, muon_lr, weight_decay=0.02),
        torch.optim.AdamW(others, adam_lr, betas=(0.9, 0.98), weight_decay=0.02),
    ]
    for optimiser in result:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return result


def set_rate(optimisers, progress, hold=0.3, warm=0.02, height=1.0):
    """Warm up, hold, then straight to zero; `progress` runs from 0 to 1 by the clock. With `hold` 1 it
    does not fall, with `warm` 0 it starts at its `height`."""
    up = progress / warm + 0.02 if warm else 1.0
    down = (1 - progress) / (1 - hold) if hold < 1 else 1.0
    factor = height * max(0.0, min(1.0, up, down))
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * factor
    return factor
