"""Every rule of the compliance check, in the order in which it speaks."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.engines.compliance.findings import Rule
from app.engines.compliance.goods import GOODS_RULES, MEDICAL_RULE
from app.engines.compliance.pay import PAY_RULES, SETTING_RULE
from app.engines.compliance.promises import PROMISE_RULES

_ALL: Final = (*PAY_RULES, *GOODS_RULES, *PROMISE_RULES, MEDICAL_RULE, SETTING_RULE)

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.code: rule for rule in _ALL})
