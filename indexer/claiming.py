"""Whose vectors a job writes: the library's encoder, or the one that is to take its place."""

from __future__ import annotations

from search.db.schema import Model
from search.library import Library
from vision.encoders.base import EncoderFacts


def claim_model(library: Library, facts: EncoderFacts, *, replace: bool) -> tuple[Model, bool]:
    """Give the row of an encoder, and whether it replaces another one; the first of a library becomes its own.

    Args:
        library: with the exclusive lock held by the caller.
        facts: of the encoder.
        replace: accept another encoder than the library's.

    Raises:
        ModelMismatchError: it is not the library's, and `replace` is off.
    """
    with library.write() as session:
        active = library.active_model(session)
        if active is not None and active.identity != facts.identity and not replace:
            library.check_model(session, facts)
        model = library.register_model(session, facts)
        if active is None:
            library.activate_model(session, model)
        session.flush()
        session.expunge(model)
    return model, active is not None and active.identity != facts.identity
