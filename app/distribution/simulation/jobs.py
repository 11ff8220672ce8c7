"""Running the simulations that people asked for, in the background."""

from typing import Final

from app.distribution.simulation import services
from app.kernel.jobs import job

TIMEOUT_SECONDS: Final = 6 * 3600


@job("run_simulations", timeout_seconds=TIMEOUT_SECONDS)
def run_simulations() -> int:
    """Run every simulation that waits; return how many were taken up."""
    return services.work()
