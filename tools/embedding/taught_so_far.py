"""What a network has learnt so far, in a file: whoever is stopped while teaching goes on from there. Needs PyTorch."""

import os
from pathlib import Path

import torch
from torch import nn


def keep(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, digest: str, steps: int) -> None:
    """Write down how things stand after so many steps; `digest` is another for one that is taught with other texts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".tmp")
    states = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "chance": torch.get_rng_state()}
    torch.save({"digest": digest, "steps": steps, **states}, scratch)
    os.replace(scratch, path)


def resume(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, digest: str) -> int:
    """How many steps were done already with the same texts, everything being as it was after them."""
    kept = torch.load(path) if path.exists() else {}
    if kept.get("digest") != digest:
        return 0
    model.load_state_dict(kept["model"])
    optimizer.load_state_dict(kept["optimizer"])
    torch.set_rng_state(kept["chance"])
    return int(kept["steps"])
