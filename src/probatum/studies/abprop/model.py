"""AbProp: one encoder, three heads."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import linear

from probatum.studies.abprop.batch import AntibodyBatch, AntibodyOutput
from probatum.studies.abprop.dropout import Dropout
from probatum.studies.abprop.encoder import Encoder, EncoderLayer
from probatum.studies.abprop.parameters import AbPropParameters
from probatum.studies.abprop.tokenizer import VOCABULARY_SIZE

EMBEDDING_STD = 0.02


class ResidueHead(nn.Module):
    """Which residue stands here: logits over the tokens, by the token embedding itself."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(embedding.embedding_dim)
        self.weight = embedding.weight  # tied
        self.bias = nn.Parameter(embedding.weight.new_zeros(VOCABULARY_SIZE))

    def forward(self, hidden: Tensor) -> Tensor:
        """Return logits `(..., 25)` of hidden states `(..., d)`."""
        return linear(self.norm(hidden), self.weight, self.bias)


class AbProp(nn.Module):
    """The encoder with heads for masked residues, CDR positions and liability rates.

    The mean behind the rates is taken over residues; the code behind the study averaged `<bos>` and `<eos>` too.
    """

    def __init__(self, encoder: Encoder, d_model: int, rate_count: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.residue_head = ResidueHead(encoder.token_embedding)
        self.dropout = Dropout(dropout)
        self.cdr_head = nn.Linear(d_model, 2)
        self.rate_head = nn.Linear(d_model, rate_count)
        self.apply(_initialise)

    def forward(self, batch: AntibodyBatch, places: Tensor) -> AntibodyOutput:
        """Return what the heads say of `batch`.

        Args:
            batch: B sequences of T tokens.
            places: flat places in B * T whose residues are asked for, `(selected,)`.
        """
        hidden = self.encoder(batch.tokens, is_padded=batch.is_padded)  # (B, T, d)
        asked = hidden.flatten(0, 1).index_select(0, places)  # (selected, d)
        real = batch.residues[..., None].to(hidden.dtype)  # (B, T, 1)
        mean = (hidden * real).sum(1) / real.sum(1).clamp(min=1)  # (B, d)
        return AntibodyOutput(
            hidden,
            self.residue_head(asked),
            self.cdr_head(self.dropout(hidden)),
            self.rate_head(self.dropout(mean)),
        )


def build_abprop(parameters: AbPropParameters, rate_count: int) -> AbProp:
    """Return a fresh model; weights are drawn from torch's global generator.

    Args:
        parameters: the study's.
        rate_count: liability rates, of the label set.
    """
    p = parameters
    layers = [
        EncoderLayer(
            p.d_model, p.nhead, p.dim_feedforward, p.dropout, p.attention_dropout, norm_first=p.norm_first
        )
        for _ in range(p.num_layers)
    ]
    scale = {"inverse_sqrt": p.d_model**-0.5, "one": 1.0, "sqrt": p.d_model**0.5}[p.token_scale]
    encoder = Encoder(
        layers, p.d_model, p.max_position_embeddings, p.dropout, scale,
        gradient_checkpointing=p.gradient_checkpointing,
    )  # fmt: skip
    return AbProp(encoder, p.d_model, rate_count, p.dropout)


def _initialise(module: nn.Module) -> None:
    """Draw linear weights by Glorot and Bengio 2010, embeddings from N(0, 0.02); biases begin at 0."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=EMBEDDING_STD)
