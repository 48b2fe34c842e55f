-- The ledger: transfers that are never changed, their legs, and what every account has
-- depends: 0013_phone_changes

-- migrate: apply

-- One row. Who enters something holds it until he has committed, so that numbers have no gap,
-- hashes have one order, and nobody reads a balance that is being changed.
create table ledger_head (
    is_only boolean not null default true,
    number bigint not null,
    hash text collate "C" not null,
    constraint ledger_head_pkey primary key (is_only),
    constraint ledger_head_is_only check (is_only)
) with (fillfactor = 20);
insert into ledger_head (number, hash) values (0, repeat('0', 64));

create table ledger_accounts (
    id text collate "C" not null,
    asset text collate "C" not null,
    floor bigint,
    posted bigint not null,
    reserved bigint not null,
    constraint ledger_accounts_pkey primary key (id),
    constraint ledger_accounts_asset unique (id, asset),
    constraint ledger_accounts_reserved check (reserved <= 0),
    constraint ledger_accounts_floor check (posted + reserved >= floor)
) with (fillfactor = 50);

create table ledger_transfers (
    number bigint not null,
    at timestamptz not null,
    hash text collate "C" not null,
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored not null,
    about text collate "C" generated always as (state ->> 'about') stored,
    closes uuid generated always as
        (coalesce(state ->> 'settles', state ->> 'reverses')::uuid) stored,
    constraint ledger_transfers_pkey primary key (number),
    constraint ledger_transfers_id unique (id),
    constraint ledger_transfers_number check (number > 0),
    constraint ledger_transfers_closed foreign key (closes) references ledger_transfers (id)
);
-- What is pending is settled once, and what was posted is reversed once.
create unique index ledger_transfers_closes on ledger_transfers (closes) where closes is not null;
create index ledger_transfers_about on ledger_transfers (about, number) where about is not null;

create table ledger_legs (
    number bigint not null,
    position smallint not null,
    account text collate "C" not null,
    asset text collate "C" not null,
    amount bigint not null,
    constraint ledger_legs_pkey primary key (account, number),
    constraint ledger_legs_transfer foreign key (number) references ledger_transfers,
    constraint ledger_legs_account foreign key (account, asset)
        references ledger_accounts (id, asset),
    constraint ledger_legs_asset check (asset in ('halalas', 'points')),
    constraint ledger_legs_amount check (amount <> 0)
);
create unique index ledger_legs_of_transfer on ledger_legs (number, position)
    include (asset, amount);


create function ledger_refuses_change() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is never changed: enter a transfer that reverses the other one'
        using errcode = 'integrity_constraint_violation';
end $$;

create trigger ledger_transfers_stay before update or delete or truncate on ledger_transfers
    for each statement execute function ledger_refuses_change();
create trigger ledger_legs_stay before update or delete or truncate on ledger_legs
    for each statement execute function ledger_refuses_change();


-- A transfer enters with all its legs in one statement, at whose end both are judged: there is no
-- moment, not even within a transaction, at which the ledger does not balance. Legs that somebody
-- adds to an old transfer are judged together with those that it has.
create function ledger_judges() returns trigger language plpgsql as $$
declare
    found bigint;
begin
    select transfer.number into found
    from (select distinct number from entered) as judged
    join ledger_transfers as transfer on transfer.number = judged.number
    cross join lateral (
        select count(*) as legs, sum(amount) as amount,
            sum(amount) filter (where asset = 'points') as points
        from ledger_legs as leg where leg.number = transfer.number
    ) as has
    where has.legs <> jsonb_array_length(transfer.state -> 'legs')
        or has.amount <> 0 or has.points <> 0
    limit 1;
    if found is not null then
        raise exception 'transfer % does not sum to zero, or lacks legs', found
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create trigger ledger_transfers_balance after insert on ledger_transfers
    referencing new table as entered
    for each statement execute function ledger_judges();
create trigger ledger_legs_balance after insert on ledger_legs
    referencing new table as entered
    for each statement execute function ledger_judges();


-- migrate: rollback

drop table ledger_legs, ledger_transfers, ledger_accounts, ledger_head;
drop function ledger_judges, ledger_refuses_change;
