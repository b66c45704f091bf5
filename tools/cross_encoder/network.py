"""The network behind a cross-encoder, to teach one; needs PyTorch and transformers, which Helpgraph does without."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding
from torch import Tensor, nn
from transformers import BertModel

from tools.embedding.weights import Weights


class PairReader:
    """The encoder on both texts; its first token's last state and the mean of all give one logit."""

    def __init__(self, weights: Weights) -> None:
        # Written out: the other way's gradients take three times as long on a processor.
        self.encoder = BertModel.from_pretrained(
            str(weights.folder), add_pooling_layer=False, attn_implementation="eager"
        )
        # Words mean what they meant: only how they are read together is learnt, and shipped.
        self.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
        self.head = nn.Linear(2 * self.encoder.config.hidden_size, 1)

    def __call__(self, some: Sequence[Encoding]) -> Tensor:
        """One logit for each."""
        shape = len(some), max(len(each.ids) for each in some)
        ids, kinds, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
        for row, each in enumerate(some):
            length = len(each.ids)
            ids[row, :length], kinds[row, :length] = torch.tensor(each.ids), torch.tensor(each.type_ids)
            mask[row, :length] = 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = self.encoder(input_ids=ids, token_type_ids=kinds, attention_mask=mask).last_hidden_state
        states, shown = states.float(), mask[..., None].float()
        mean = (states * shown).sum(1) / shown.sum(1)
        return self.head(torch.cat([states[:, 0], mean], 1))[:, 0]

    def learnt(self) -> dict[str, NDArray[np.float32]]:
        """All tensors, by the names of the published ones, and the head's."""
        encoder = {name: value.numpy() for name, value in self.encoder.state_dict().items()}
        return encoder | {f"head.{name}": value.numpy() for name, value in self.head.state_dict().items()}
