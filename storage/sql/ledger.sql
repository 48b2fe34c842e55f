-- name: open_ledger
select number, hash, entries, accounts, posted, reserved
from ledger_opens(:ids::uuid[], :accounts::text[]);

-- name: find_ledger_balances
select id, posted, reserved from ledger_accounts where id = any(:accounts::text[]);

-- name: list_ledger_accounts
-- Those whose names begin so; in the order of their bytes ";" is what follows ":".
select id, posted, reserved from ledger_accounts
where id > greatest(:prefix, :after) and (:prefix = '' or id < replace(:prefix, ':', ';'))
order by id
limit :limit;

-- name: find_ledger_entry
select
    number, millis(at) as at, encode(hash, 'hex') as hash, ledger_state(entry) as state
from ledger_entries as entry where id = :id;

-- name: enter_transfers
select ledger_enters(
    :number, :hash, :new_accounts::text[], :assets::text[], :floors::bigint[], :ats::text,
    :hashes, :ids::text, :reasons::text, :effective_ats::text, :abouts::text, :forms::text,
    :closing::text, :accounts::text, :amounts::text
) as is_entered;

-- name: ledger_statement_down
-- What was posted to an account: a page of each place where a leg may stand, and of those a page.
-- Compared and ordered by account, too, each takes its own index: in that of all numbers somebody
-- who has few entries among many would be looked for in all of them.
select
    (entry).number, millis((entry).at) as at, encode((entry).hash, 'hex') as hash,
    ledger_state(entry) as state
from (
    (
        select entry from ledger_entries as entry
        where (accounts[1], number) < (:account, :number) and accounts[1] >= :account
            and form <> 'pending'
        order by accounts[1] desc, number desc limit :limit
    )
    union all
    (
        select entry from ledger_entries as entry
        where (accounts[2], number) < (:account, :number) and accounts[2] >= :account
            and form <> 'pending'
        order by accounts[2] desc, number desc limit :limit
    )
    union all
    (
        select entry from ledger_further_legs as leg
        join ledger_entries as entry on entry.number = leg.number
        where (leg.account, leg.number) < (:account, :number) and leg.account >= :account
            and entry.form <> 'pending'
        order by leg.account desc, leg.number desc limit :limit
    )
) as found
order by (entry).number desc
limit :limit;

-- name: ledger_statement_up
select
    (entry).number, millis((entry).at) as at, encode((entry).hash, 'hex') as hash,
    ledger_state(entry) as state
from (
    (
        select entry from ledger_entries as entry
        where (accounts[1], number) > (:account, :number) and accounts[1] <= :account
            and form <> 'pending'
        order by accounts[1], number limit :limit
    )
    union all
    (
        select entry from ledger_entries as entry
        where (accounts[2], number) > (:account, :number) and accounts[2] <= :account
            and form <> 'pending'
        order by accounts[2], number limit :limit
    )
    union all
    (
        select entry from ledger_further_legs as leg
        join ledger_entries as entry on entry.number = leg.number
        where (leg.account, leg.number) > (:account, :number) and leg.account <= :account
            and entry.form <> 'pending'
        order by leg.account, leg.number limit :limit
    )
) as found
order by (entry).number
limit :limit;

-- name: ledger_history_down
-- What was posted to any of some accounts, or was paid and is about one of some orders: a page of
-- each, and of those a page. Accounts are compared and ordered as in a statement.
with found as (
    select number from (
        select each.number
        from unnest(:accounts::text[]) as mine (account)
        cross join lateral (
            (
                select number from ledger_entries
                where (accounts[1], number) < (mine.account, :number)
                    and accounts[1] >= mine.account
                    and form <> 'pending' and at between instant(:since) and instant(:until)
                order by accounts[1] desc, number desc limit :limit
            )
            union all
            (
                select number from ledger_entries
                where (accounts[2], number) < (mine.account, :number)
                    and accounts[2] >= mine.account
                    and form <> 'pending' and at between instant(:since) and instant(:until)
                order by accounts[2] desc, number desc limit :limit
            )
            union all
            (
                select leg.number from ledger_further_legs as leg
                join ledger_entries as entry on entry.number = leg.number
                where (leg.account, leg.number) < (mine.account, :number)
                    and leg.account >= mine.account
                    and entry.form <> 'pending'
                    and entry.at between instant(:since) and instant(:until)
                order by leg.account desc, leg.number desc limit :limit
            )
        ) as each
        union
        select each.number
        from unnest(:abouts::text[]) as paid (about)
        cross join lateral (
            select number from ledger_entries
            where about = paid.about and number < :number
                and reason = any(:reasons::text[])
                and form <> 'pending' and at between instant(:since) and instant(:until)
            order by number desc limit :limit
        ) as each
    ) as every
    order by number desc
    limit :limit
)
select
    entry.number, millis(entry.at) as at, encode(entry.hash, 'hex') as hash,
    ledger_state(entry) as state
from found join ledger_entries as entry on entry.number = found.number
order by entry.number desc;

-- name: ledger_history_up
with found as (
    select number from (
        select each.number
        from unnest(:accounts::text[]) as mine (account)
        cross join lateral (
            (
                select number from ledger_entries
                where (accounts[1], number) > (mine.account, :number)
                    and accounts[1] <= mine.account
                    and form <> 'pending' and at between instant(:since) and instant(:until)
                order by accounts[1], number limit :limit
            )
            union all
            (
                select number from ledger_entries
                where (accounts[2], number) > (mine.account, :number)
                    and accounts[2] <= mine.account
                    and form <> 'pending' and at between instant(:since) and instant(:until)
                order by accounts[2], number limit :limit
            )
            union all
            (
                select leg.number from ledger_further_legs as leg
                join ledger_entries as entry on entry.number = leg.number
                where (leg.account, leg.number) > (mine.account, :number)
                    and leg.account <= mine.account
                    and entry.form <> 'pending'
                    and entry.at between instant(:since) and instant(:until)
                order by leg.account, leg.number limit :limit
            )
        ) as each
        union
        select each.number
        from unnest(:abouts::text[]) as paid (about)
        cross join lateral (
            select number from ledger_entries
            where about = paid.about and number > :number
                and reason = any(:reasons::text[])
                and form <> 'pending' and at between instant(:since) and instant(:until)
            order by number limit :limit
        ) as each
    ) as every
    order by number
    limit :limit
)
select
    entry.number, millis(entry.at) as at, encode(entry.hash, 'hex') as hash,
    ledger_state(entry) as state
from found join ledger_entries as entry on entry.number = found.number
order by entry.number;

-- name: ledger_posted_at
-- What accounts have, less what was posted to them later; compared as in a statement.
select account.id, (account.posted - coalesce(later.amount, 0))::bigint as posted
from ledger_accounts as account
cross join lateral (
    select sum(leg.amount) as amount
    from (
        select amounts[1] as amount from ledger_entries
        where (accounts[1], number) > (account.id, :number) and accounts[1] <= account.id
            and form <> 'pending'
        union all
        select amounts[2] from ledger_entries
        where (accounts[2], number) > (account.id, :number) and accounts[2] <= account.id
            and form <> 'pending'
        union all
        select further.amount from ledger_further_legs as further
        join ledger_entries as entry on entry.number = further.number
        where (further.account, further.number) > (account.id, :number)
            and further.account <= account.id
            and entry.form <> 'pending'
    ) as leg
) as later
where account.id = any(:accounts::text[]);

-- name: ledger_entries_about
select
    number, millis(at) as at, encode(hash, 'hex') as hash, ledger_state(entry) as state
from ledger_entries as entry
where about = :about order by number limit :limit;

-- name: ledger_page
-- Entries in their order, with their legs as they are found by their accounts.
select
    entry.number, millis(entry.at) as at, encode(entry.hash, 'hex') as hash,
    ledger_state(entry) as state,
    coalesce(
        (
            select jsonb_agg(jsonb_build_array(legs.account, legs.amount) order by legs.position)
            from ledger_legs as legs where legs.number = entry.number
        ),
        '[]'::jsonb
    ) as legs
from ledger_entries as entry
where entry.number > :after
order by entry.number
limit :limit;

-- name: ledger_head
select number, encode(hash, 'hex') as hash from ledger_head;

-- name: ledger_accounts
select id, posted, reserved from ledger_accounts order by id;
