import sqlalchemy as sa
from app.demo.brand import load_brand
from app.demo.plans import load_plans
from app.demo.membership import load_membership, load_member_levels
from app.demo.trade import load_trade
from app.operations.loyalty_statements import LOYALTY_STATEMENTS


def test_demo(session):
    for load in (load_brand, load_plans, load_membership, load_trade, load_member_levels, load_membership, load_member_levels):
        for line in load():
            print(line)
    for code, _s, q in LOYALTY_STATEMENTS:
        assert not session.execute(sa.text(q)).all(), code
    print(session.execute(sa.text("select level_id, count(*), min(growth), max(growth) from memberships group by 1")).all())
    print(session.execute(sa.text("select job, count(*), max(last_error) from tasks group by 1")).all())
    print(session.execute(sa.text("select source, state, refusal, count(*) from given_rewards group by 1,2,3")).all())
