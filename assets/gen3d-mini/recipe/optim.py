"""Muon for the matrices inside the blocks, AdamW for everything else, and a wall-clock schedule."""

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
    """Orthogonalised Nesterov momentum (Jordan et al., 2024). q, k and v are separate matrices.

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
            flat = torch.zeros(sum(p.numel() for p in params))
            updates = [u.view_as(p) for u, p in zip(flat.split([p.numel() for p in params]), params)]
            for i, (p, update) in enumerate(zip(params, updates)):
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                if i // 4 % world == rank:
                    nesterov = p.grad.lerp(buffer, group["momentum"])
                    rows, columns = p.shape
                    parts = 3 if rows == 3 * columns else 1
                    square = orthogonalise(nesterov.view(parts, rows // parts, columns))
                    scale = max(1.0, (rows // parts) / columns) ** 0.5
                    update.copy_(scale * square.reshape(rows, columns))
            if shared:
                dist.all_reduce(flat)
            for p, update in zip(params, updates):
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"])


def optimisers(tower, muon_lr, adam_lr, skip=()):
    """Muon over the block matrices of `tower`, AdamW over the rest but for `skip`."""
    matrices, others = [], []
    for name, p in tower.named_parameters():
        if name in skip:
            continue
        (matrices if "resblocks" in name and p.ndim == 2 else others).append(p)
    result = [
        Muon(matrices, muon_lr, weight_decay=0.02),
        torch.optim.AdamW(others, adam_lr, betas=(0.9, 0.98), weight_decay=0.02),
    ]
    for optimiser in result:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return result


def set_rate(optimisers, progress, hold=0.3, warm=0.02):
    """Warm up, hold, then straight to zero; `progress` runs from 0 to 1 by the clock."""
    factor = max(0.0, min(1.0, progress / warm + 0.02, (1 - progress) / (1 - hold)))
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * factor
    return factor
