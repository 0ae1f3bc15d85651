"""Generation: rows decoded together, every step recorded. Above sampling and the engine, below charts and pages."""

from playground.generation.loop import check_requests, generate, samples_here
from playground.generation.types import (
    Alternative,
    DrawnStep,
    FinishReason,
    Generation,
    GenerationRequest,
    GenerationStep,
    RowResult,
    TokenStep,
)

__all__ = [
    "Alternative",
    "DrawnStep",
    "FinishReason",
    "Generation",
    "GenerationRequest",
    "GenerationStep",
    "RowResult",
    "TokenStep",
    "check_requests",
    "generate",
    "samples_here",
]
