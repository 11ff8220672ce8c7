"""Three-three, FISSION."""

from app.engines.contract import Family, Model
from app.engines.events import Refunded, Sold
from app.engines.fission import engine, profile, sentences, telling
from app.engines.fission.rules import FissionRules
from app.kernel.i18n import N_

MODEL = Model(
    code="THREE_FISSION",
    family=Family.THREE_THREE,
    title=N_("Three-three fission"),
    rules=FissionRules,
    decide=engine.decide,
    reacts_to=frozenset({Sold, Refunded}),
    bound=profile.payout_bound,
    practices=profile.practices,
    describe=sentences.describe,
    explain=sentences.explain,
    kinds=sentences.KINDS,
    original={
        "model": "THREE_FISSION",
        "effective_at": "PAID",
        "max_rounds_per_year": 99,
        "strict": False,
        "round_bonus": {"form": "SERVICE", "item": "招牌护理一次", "amount": 1},
    },
    place=engine.FissionPlace,
    tell=telling.tell,
)
