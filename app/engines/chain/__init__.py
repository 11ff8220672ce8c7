"""Chain 2+1."""

from app.engines.chain import description, engine, profile, sentences, telling
from app.engines.chain.rules import ChainRules
from app.engines.chain.teams import ChainPlace
from app.engines.contract import Family, Model
from app.engines.events import Joined, Refunded, Settled, Sold
from app.kernel.i18n import N_

MODEL = Model(
    code="CHAIN_2_1",
    family=Family.CHAIN,
    title=N_("Chain 2+1"),
    rules=ChainRules,
    decide=engine.decide,
    reacts_to=frozenset({Sold, Settled, Refunded, Joined}),
    bound=profile.payout_bound,
    practices=profile.practices,
    describe=description.describe,
    explain=sentences.explain,
    kinds=sentences.KINDS,
    original={
        "model": "CHAIN_2_1",
        "conduct": {"entry": "BUY_PACKAGE"},
        "payout_cap_bp": 10_000,
        "entry_price_fen": 49_900,
        "direct": {"agent": {"fixed_fen": 10_000}, "boss": {"fixed_fen": 10_000}},
        "team": {"agent": {"fixed_fen": 20_000}, "boss": {"fixed_fen": 20_000}},
        "max_depth": None,
        "peer_bp": 1_000,
        "promotion_by": "RECRUITS",
        "promotion_effective": "PAID",
        "promote_count": 2,
    },
    place=ChainPlace,
    tell=telling.tell,
)
