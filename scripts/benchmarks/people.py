"""Members, distributors, their devices and share codes for measurements, written in bulk."""

from collections.abc import Sequence
from typing import Final

from app.kernel.ids import digest, random_text
from scripts.benchmarks.lab import Bench
from scripts.benchmarks.trees import tier_counts

TOKEN_LENGTH: Final = 43
CODE_LENGTH: Final = 22
NULL: Final = "\\N"


def add_distributors(bench: Bench, recommenders: Sequence[int | None]) -> None:
    """Write one member and distributor each, numbered from 1, under the given recommenders.

    Counters and second recommenders are computed here, so nothing is updated afterwards and the
    tables are as dense as tended ones. Foreign keys are not checked row by row, which would take
    longer than all the rest: the numbers come from one list.
    """
    above = [0, *(up or 0 for up in recommenders)]
    direct, second = tier_counts(recommenders)
    numbers = range(1, len(above))
    with bench.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        with cursor.copy(
            "COPY members (id, wechat_openid, nickname, registered_at) FROM STDIN"
        ) as to:
            for n in numbers:
                to.write(f"{n}\tbench-{n}\t会员{n}\t2026-01-01Z\n")
        with cursor.copy(
            "COPY distributors (member_id, team_order, recommender_id, recommender_team_order,"
            " second_recommender_id, direct_count, second_count, standing, agreement_version,"
            " applied_at, approved_at) FROM STDIN"
        ) as to:
            for n in numbers:
                up, further = above[n] or NULL, above[above[n]] or NULL
                to.write(
                    f"{n}\t{n}\t{up}\t{up}\t{further}\t{direct[n]}\t{second[n]}"
                    "\tactive\tbench\t2026-01-01Z\t2026-01-02Z\n"
                )
        for name in ("members_id_seq", "distributor_team_order_seq"):
            cursor.execute("SELECT setval(%s, %s)", [name, len(recommenders)])
        cursor.execute("VACUUM ANALYZE members, distributors")


def sign_in(bench: Bench, member_ids: Sequence[int]) -> list[str]:
    """Give each member a signed-in device, and their consent; return the tokens."""
    tokens = [random_text(TOKEN_LENGTH) for _ in member_ids]
    with bench.connect() as connection:
        connection.execute(
            "INSERT INTO member_sessions (member_id, token_hash, signed_in_at, expires_at)"
            " SELECT *, now(), now() + interval '1 day' FROM unnest(%s::bigint[], %s::text[])",
            [list(member_ids), [digest(token) for token in tokens]],
        )
        connection.execute(
            "INSERT INTO consents (member_id, purpose, version, granted_at)"
            " SELECT DISTINCT unnest(%s::bigint[]), 'service', 'bench', now()",
            [list(member_ids)],
        )
        connection.execute("VACUUM ANALYZE member_sessions, consents")
    return tokens


def issue_codes(bench: Bench, member_ids: Sequence[int]) -> list[str]:
    """Give each distributor a channel and a share code; return the codes."""
    codes = [random_text(CODE_LENGTH) for _ in member_ids]
    with bench.connect() as connection:
        connection.execute(
            "WITH wanted AS (SELECT * FROM unnest(%s::bigint[], %s::text[]) AS one (owner, code)),"
            " made AS (INSERT INTO channels (name, kind, owner_id, created_at)"
            " SELECT 'bench', 'personal', owner, now() FROM wanted RETURNING id, owner_id)"
            " INSERT INTO share_codes (code, distributor_id, channel_id, page, created_at)"
            " SELECT code, owner, made.id, 'pages/index/index', now()"
            " FROM wanted JOIN made ON made.owner_id = wanted.owner",
            [list(member_ids), codes],
        )
    return codes
