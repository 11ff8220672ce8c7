"""What a caller of a simulation must be ready to hear."""

from dataclasses import dataclass
from typing import Any, ClassVar

from app.engines.faults import FieldFault
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class SimulationInvalid(DomainError):
    """Parameters that cannot be simulated; `faults` names every field that is wrong."""

    code: ClassVar[str] = "simulation_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This cannot be simulated. Please correct: %(fields)s")

    faults: tuple[FieldFault, ...]

    def parameters(self) -> dict[str, Any]:
        """Return the names of the wrong fields, for the sentence."""
        return {"fields": ", ".join(fault.path or "-" for fault in self.faults)}


@dataclass(eq=False)
class NothingToSimulate(DomainError):
    """There are no orders in the months asked for that the plan would apply to."""

    code: ClassVar[str] = "nothing_to_simulate"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_(
        "There is nothing to simulate: in the last %(months)s months no order was paid that this"
        " plan would apply to. Try invented growth instead."
    )

    months: int


@dataclass(eq=False)
class SimulationNotFound(DomainError):
    """No simulation of that number exists."""

    code: ClassVar[str] = "simulation_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such simulation.")


@dataclass(eq=False)
class SimulationInterrupted(DomainError):
    """The worker was lost, and its successor as well."""

    code: ClassVar[str] = "simulation_interrupted"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The worker stopped twice in the middle. Try fewer members or orders.")


@dataclass(eq=False)
class SimulationCancelled(DomainError):
    """Somebody called it off, or another worker has taken it over."""

    code: ClassVar[str] = "simulation_cancelled"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The simulation was called off.")
