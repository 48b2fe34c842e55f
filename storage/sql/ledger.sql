-- name: open_ledger
select number, hash, entries, accounts, posted, reserved
from ledger_opens(:ids::uuid[], :accounts::text[]);

-- name: find_ledger_balance
select id, posted, reserved from ledger_accounts where id = :account;

-- name: list_ledger_accounts
-- Those whose names begin so; in the order of their bytes ";" is what follows ":".
select id, posted, reserved from ledger_accounts
where id > greatest(:prefix, :after) and (:prefix = '' or id < replace(:prefix, ':', ';'))
order by id
limit :limit;

-- name: find_ledger_entry
select number, millis(at) as at, hash, state from ledger_transfers where id = :id;

-- name: enter_transfers!
-- Numbers come as the texts of their arrays, which the driver sends without looking at each of them.
with settled as (
    insert into ledger_accounts (id, asset, floor, posted, reserved)
    select * from unnest(
        :accounts::text[], :assets::text::text[], :floors::text::bigint[],
        :posted::text::bigint[], :reserved::text::bigint[]
    )
    on conflict (id) do update set posted = excluded.posted, reserved = excluded.reserved
),
head as (
    update ledger_head set number = :number, hash = :hash
),
entered as (
    insert into ledger_transfers (number, at, hash, state)
    select number, instant(at), hash, state from unnest(
        :numbers::text::bigint[], :ats::text::bigint[], :hashes::text::text[], :states::jsonb[]
    ) as new (number, at, hash, state)
)
insert into ledger_legs (number, position, account, asset, amount)
select * from unnest(
    :leg_numbers::text::bigint[], :leg_positions::text::smallint[], :leg_accounts::text[],
    :leg_assets::text::text[], :leg_amounts::text::bigint[]
);

-- name: ledger_statement_down
-- What was posted to an account; only what is pending says so in its state.
select entry.number, millis(entry.at) as at, entry.hash, entry.state
from ledger_legs as legs
join ledger_transfers as entry on entry.number = legs.number
where legs.account = :account and legs.number < :number and not entry.state ? 'pending'
order by legs.number desc
limit :limit;

-- name: ledger_statement_up
select entry.number, millis(entry.at) as at, entry.hash, entry.state
from ledger_legs as legs
join ledger_transfers as entry on entry.number = legs.number
where legs.account = :account and legs.number > :number and not entry.state ? 'pending'
order by legs.number
limit :limit;

-- name: ledger_entries_about
select number, millis(at) as at, hash, state from ledger_transfers
where about = :about order by number limit :limit;

-- name: ledger_page
-- Entries in their order, with their legs as they are stored beside them.
select
    entry.number, millis(entry.at) as at, entry.hash, entry.state,
    coalesce(
        (
            select jsonb_agg(jsonb_build_array(legs.account, legs.amount) order by legs.position)
            from ledger_legs as legs where legs.number = entry.number
        ),
        '[]'::jsonb
    ) as legs
from ledger_transfers as entry
where entry.number > :after
order by entry.number
limit :limit;

-- name: ledger_head
select number, hash from ledger_head;

-- name: ledger_accounts
select id, posted, reserved from ledger_accounts order by id;
