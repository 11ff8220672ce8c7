"""Three-three, MATRIX."""

from app.engines.contract import Family, Model
from app.engines.events import Refunded, Sold
from app.engines.matrix import engine, profile, sentences, telling
from app.engines.matrix.ground import MatrixPlace
from app.engines.matrix.rules import MatrixRules
from app.kernel.i18n import N_

MODEL = Model(
    code="THREE_MATRIX",
    family=Family.THREE_THREE,
    title=N_("Three-three matrix"),
    rules=MatrixRules,
    decide=engine.decide,
    reacts_to=frozenset({Sold, Refunded}),
    bound=profile.payout_bound,
    practices=profile.practices,
    describe=sentences.describe,
    explain=sentences.explain,
    kinds=sentences.KINDS,
    original={
        "model": "THREE_MATRIX",
        "payout_cap_bp": 12_000,
        "entry_price_fen": 39_900,
        "width": 3,
        "placement": "SPONSOR_SUBTREE",
        "sponsor_bp": 1_000,
        "layers_bp": [500, 300],
        "completion_layers": 2,
        "completion_fen": 39_900,
        "conduct": {"entry": "BUY_PACKAGE"},
    },
    place=MatrixPlace,
    tell=telling.tell,
)
