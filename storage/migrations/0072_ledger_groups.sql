-- A group of transfers is judged as a whole: what foreign keys did for each leg, once for all of them
-- depends: 0064_jobs

-- migrate: apply

-- Each is judged by a trigger below, in the same transaction.
-- squawk-ignore ban-drop-constraint
alter table ledger_legs drop constraint ledger_legs_transfer;
-- squawk-ignore ban-drop-constraint
alter table ledger_legs drop constraint ledger_legs_account;
-- squawk-ignore ban-drop-constraint
alter table ledger_accounts drop constraint ledger_accounts_asset;
-- squawk-ignore ban-drop-constraint
alter table ledger_transfers drop constraint ledger_transfers_closed;

-- Legs rely on accounts that stay what they are.
create trigger ledger_accounts_stay before delete or truncate or update of id, asset
    on ledger_accounts for each statement execute function ledger_refuses_change();


-- A transfer enters with all its legs in one statement, at whose end both are judged. Whatever is
-- looked up stands in a subquery of one value: a join would be planned for as many rows as came
-- first, and would read whole tables for one transfer, or ask for each of many thousands.
create function ledger_judges_transfers() returns trigger language plpgsql as $$
declare
    found bigint;
begin
    select transfer.number into found
    from entered as transfer
    where jsonb_array_length(transfer.state -> 'legs') is distinct from 0
        and (
            select leg.position from ledger_legs as leg
            where leg.number = transfer.number and leg.position = 0
        ) is null
    union all
    select transfer.number
    from entered as transfer
    where transfer.closes is not null
        and (
            select other.id from ledger_transfers as other where other.id = transfer.closes
        ) is null
    limit 1;
    if found is not null then
        raise exception 'transfer % lacks legs, or closes one that there is not', found
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;

-- The legs of one statement are all that their transfers have: their positions are those from the
-- first to the last, and a position is taken once, so none can be added later.
create or replace function ledger_judges() returns trigger language plpgsql as $$
declare
    found bigint;
begin
    select judged.number into found
    from (
        select leg.number, count(*) as legs,
            min(leg.position) as first, max(leg.position) as last, sum(leg.amount) as amount,
            sum(leg.amount) filter (where leg.asset = 'points') as points,
            count((
                select account.id from ledger_accounts as account
                where account.id = leg.account and account.asset = leg.asset
            )) as accounts
        from entered as leg
        group by leg.number
    ) as judged
    where (
        judged.legs = (
            select jsonb_array_length(transfer.state -> 'legs')
            from ledger_transfers as transfer where transfer.number = judged.number
        )
        and judged.legs = judged.accounts
        and judged.first = 0 and judged.last = judged.legs - 1
        and judged.amount = 0 and coalesce(judged.points, 0) = 0
    ) is not true
    limit 1;
    if found is not null then
        raise exception 'transfer % does not sum to zero, or its legs are not those it came with',
            found using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;

drop trigger ledger_transfers_balance on ledger_transfers;
create trigger ledger_transfers_balance after insert on ledger_transfers
    referencing new table as entered
    for each statement execute function ledger_judges_transfers();


-- Locks the head, and then reads what the transfers with these ids and accounts touch: each
-- statement of a function sees what was committed before it began, so one call is enough.
create function ledger_opens(
    wanted uuid[], touched text[], out number bigint, out hash text, out entries jsonb,
    out accounts text[], out posted bigint[], out reserved bigint[]
) language plpgsql as $$
#variable_conflict use_column
begin
    select head.number, head.hash into ledger_opens.number, ledger_opens.hash
    from ledger_head as head for update;
    select jsonb_agg(jsonb_build_object(
        'entry', jsonb_build_object(
            'number', entry.number, 'at', millis(entry.at), 'hash', entry.hash,
            'transfer', entry.state
        ),
        'is_closed', exists (select from ledger_transfers as other where other.closes = entry.id)
    )) into ledger_opens.entries
    from ledger_transfers as entry
    where entry.id = any(wanted);
    select array_agg(account.id), array_agg(account.posted), array_agg(account.reserved)
    into ledger_opens.accounts, ledger_opens.posted, ledger_opens.reserved
    from ledger_accounts as account
    where account.id = any(touched || array(
        select leg ->> 'account'
        from jsonb_array_elements(ledger_opens.entries) as found
        cross join jsonb_array_elements(found -> 'entry' -> 'transfer' -> 'legs') as leg
    ));
end $$;


-- migrate: rollback

drop function ledger_opens;
drop trigger ledger_transfers_balance on ledger_transfers;
drop function ledger_judges_transfers;
drop trigger ledger_accounts_stay on ledger_accounts;
alter table ledger_accounts add constraint ledger_accounts_asset unique (id, asset);
alter table ledger_transfers add constraint ledger_transfers_closed
    foreign key (closes) references ledger_transfers (id);
alter table ledger_legs
    add constraint ledger_legs_transfer foreign key (number) references ledger_transfers,
    add constraint ledger_legs_account foreign key (account, asset)
        references ledger_accounts (id, asset);
create or replace function ledger_judges() returns trigger language plpgsql as $$
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
