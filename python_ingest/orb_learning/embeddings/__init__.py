"""Texts to vectors, and texts that are nearly the same to clusters."""

from orb_learning.embeddings.encoder import DEFAULT_MODEL, Encoder, is_installed
from orb_learning.embeddings.query_encoder import query_encoder

__all__ = [
    "DEFAULT_MODEL",
    "Encoder",
    "is_installed",
    "query_encoder",
]
