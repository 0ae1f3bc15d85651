"""The bundled model, shared with the engine's tests."""

from tests.engine.conftest import bundled_engine

__all__ = ["bundled_engine"]
