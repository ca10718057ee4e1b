"""Domain errors of the whole project start here, because every other room may import `vision`."""


class DeixisError(Exception):
    """A failure that a user can understand: what went wrong, where, and what to do about it.

    Attributes:
        remedy: one sentence that says what to do next; empty when nothing sensible can be advised.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n{self.remedy}" if self.remedy else message


class ModelError(DeixisError):
    """A model cannot be found, loaded or trusted."""


class ModelMissingError(ModelError):
    """The model is not on this machine, and nobody asked for a download."""


class NoHeatMapError(ModelError):
    """The encoder has one embedding per picture and none per patch, so it cannot say where words are."""


class ImageRefusedError(DeixisError):
    """One image cannot be decoded within the limits.

    Attributes:
        code: a stable machine-readable reason, e.g. `too_many_pixels`.
    """

    def __init__(self, message: str, *, code: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.code = code


class GeometryError(DeixisError):
    """A box that is not a box: wrong order, outside the image, not finite."""


class DecoderError(DeixisError):
    """The decoding process cannot be started or was given senseless limits; no picture is to blame."""
