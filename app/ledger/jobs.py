"""Work on the ledger in the background."""

from app.kernel.db import atomic, database_now
from app.kernel.jobs import job
from app.ledger import seals


@job("seal_ledger")
def seal_ledger() -> int:
    """Seal what was written since the last time; return how many entries."""
    now = database_now()
    with atomic() as session:
        return seals.seal(session, now=now)
