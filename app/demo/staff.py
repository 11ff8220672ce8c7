"""Who can sign in to the demo. These secrets are public: they exist in demo mode only."""

from dataclasses import dataclass
from typing import Final

DEMO_PASSWORD: Final = "tuoke-demo-2026"  # noqa: S105 - printed on the sign-in page of the demo

REGION: Final = "上海"
REGIONAL_MANAGER: Final = "区域经理"
"""A role that the demo brand made for itself."""


@dataclass(frozen=True, slots=True)
class DemoStaff:
    """One person of the demo: role, place (none means all) and the secret of the second factor."""

    email: str
    name: str
    role: str
    stores: tuple[str, ...]
    totp_secret: str
    regions: tuple[str, ...] = ()


DEMO_STAFF: Final = (
    DemoStaff("owner@demo.tuoke", "林老板", "owner", (), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
    DemoStaff("finance@demo.tuoke", "陈会计", "finance", (), "KRSXG5DSNFXGOIDBKRSXG5DSNFXGOIDB"),
    DemoStaff("finance2@demo.tuoke", "赵会计", "finance", (), "MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK"),
    DemoStaff("ops@demo.tuoke", "周运营", "operations", (), "NBSWY3DPO5XXE3DENBSWY3DPO5XXE3DE"),
    DemoStaff(
        "manager@demo.tuoke",
        "王店长",
        "store_manager",
        ("静安店",),
        "ONXW2ZJAMRQXIYJAONXW2ZJAMRQXIYJA",
    ),
    DemoStaff(
        "region@demo.tuoke",
        "许区域",
        REGIONAL_MANAGER,
        (),
        "MZXW6YTBOJRGC6RAMZXW6YTBOJRGC6RA",
        (REGION,),
    ),
    DemoStaff(
        "desk@demo.tuoke", "小美", "front_desk", ("静安店",), "OBQXG43XN5ZGIIDGOBQXG43XN5ZGIIDG"
    ),
    DemoStaff("auditor@demo.tuoke", "审计", "auditor", (), "PFXXKIDBOJSSAYLTPFXXKIDBOJSSAYLT"),
)
