-- A transfer is one row with its legs in it; the database itself moves the balances and the head
-- depends: 0099_invoices_without_orders

-- migrate: apply

-- In what an account counts; `engine/money/accounts.py` says the same.
create function ledger_asset(account text) returns text
language sql immutable parallel safe
return case when starts_with(account, 'points') then 'points' else 'halalas' end;

-- Whether legs sum to zero in each asset, none is nothing, and none is for an account named before.
create function ledger_is_balanced(accounts text[], amounts bigint[]) returns boolean
language sql immutable parallel safe
return (
    select array_ndims(accounts) = 1 and array_lower(accounts, 1) = 1
        and array_ndims(amounts) = 1 and array_lower(amounts, 1) = 1
        and coalesce(sum(amount), 0) = 0
        and coalesce(sum(amount) filter (where ledger_asset(account) = 'points'), 0) = 0
        and count(distinct account) = cardinality(accounts)
        and count(nullif(amount, 0)) = cardinality(accounts)
    from unnest(accounts, amounts) as leg (account, amount)
);

-- Whoever writes holds the head: from here on nobody does until this has committed.
-- squawk-ignore changing-column-type
alter table ledger_head alter column hash type bytea using decode(hash, 'hex');

create table ledger_entries (
    number bigint not null,
    at timestamptz not null,
    hash bytea not null,
    id uuid not null,
    reason text collate "C" not null,
    effective_at timestamptz not null,
    about text collate "C",
    form text collate "C" not null,
    closes uuid,
    accounts text[] collate "C" not null,
    amounts bigint[] not null,
    constraint ledger_entries_pkey primary key (number),
    constraint ledger_entries_id unique (id)
);
-- What is pending is settled once, and what was posted is reversed once.
create unique index ledger_entries_closes on ledger_entries (closes) where closes is not null;
create index ledger_entries_about on ledger_entries (about, number) where about is not null;
create index ledger_entries_first_leg on ledger_entries ((accounts[1]), number);
create index ledger_entries_second_leg on ledger_entries ((accounts[2]), number);

-- Where the legs from the third on are found by their account.
create table ledger_further_legs (
    number bigint not null,
    position smallint not null,
    account text collate "C" not null,
    amount bigint not null,
    constraint ledger_further_legs_pkey primary key (account, number),
    constraint ledger_further_legs_place unique (number, position),
    constraint ledger_further_legs_position check (position > 2)
);

-- The transfer's JSON, as it is hashed: without what is at its default.
create function ledger_state(entry ledger_entries) returns jsonb
language sql stable strict parallel safe
return jsonb_strip_nulls(jsonb_build_object(
    'id', entry.id, 'reason', entry.reason,
    'legs', coalesce(
        (
            select jsonb_agg(
                jsonb_build_object('account', leg.account, 'amount', leg.amount)
                order by leg.position
            )
            from unnest(entry.accounts, entry.amounts) with ordinality
                as leg (account, amount, position)
        ),
        '[]'::jsonb
    ),
    'effective_at', millis(entry.effective_at), 'about', entry.about,
    'pending', case when entry.form = 'pending' then true end,
    'settles', case when entry.form = 'settles' then entry.closes end,
    'reverses', case when entry.form = 'reverses' then entry.closes end
));

insert into ledger_entries (
    number, at, hash, id, reason, effective_at, about, form, closes, accounts, amounts
)
select
    number, at, decode(hash, 'hex'), id, state ->> 'reason',
    instant((state ->> 'effective_at')::bigint), nullif(about, ''),
    case
        when state ? 'settles' then 'settles'
        when state ? 'reverses' then 'reverses'
        when state ? 'pending' then 'pending'
        else 'posted'
    end,
    closes,
    array(
        select leg ->> 'account'
        from jsonb_array_elements(state -> 'legs') with ordinality as one (leg, position)
        order by position
    ),
    array(
        select (leg ->> 'amount')::bigint
        from jsonb_array_elements(state -> 'legs') with ordinality as one (leg, position)
        order by position
    )
from ledger_transfers
order by number;
insert into ledger_further_legs (number, position, account, amount)
select number, leg.position, leg.account, leg.amount
from ledger_entries
cross join lateral unnest(accounts, amounts) with ordinality as leg (account, amount, position)
where leg.position > 2;

-- They hold what the new ones do. Workers of before are to be replaced (docs/decisions/0061).
-- squawk-ignore ban-drop-table
drop table ledger_legs;
-- squawk-ignore ban-drop-table
drop table ledger_transfers;
-- squawk-ignore ban-drop-function
drop function ledger_judges, ledger_judges_transfers, ledger_opens;

-- Every leg under its account.
create view ledger_legs as
select number, 1::smallint as position, accounts[1] as account, amounts[1] as amount
from ledger_entries where accounts[1] is not null
union all
select number, 2::smallint, accounts[2], amounts[2] from ledger_entries where accounts[2] is not null
union all
select number, position, account, amount from ledger_further_legs;


create trigger ledger_entries_stay before update or delete or truncate on ledger_entries
    for each statement execute function ledger_refuses_change();
create trigger ledger_further_legs_stay before update or delete or truncate
    on ledger_further_legs for each statement execute function ledger_refuses_change();

-- The legs follow from the entries: only their trigger writes them.
create trigger ledger_further_legs_follow before insert on ledger_further_legs
    for each statement when (pg_trigger_depth() < 1) execute function ledger_refuses_change();


-- What is entered ends where the head says, closes what there is, and moves the balances. A join
-- of accounts is always a look-up for each: a plan is kept, and must suit one and five hundred.
create function ledger_takes() returns trigger language plpgsql
set enable_hashjoin to off set enable_mergejoin to off as $$
declare
    told record;
    found bigint;
begin
    select
        count(*) as entries, min(number) as first, max(number) as last,
        (select number from ledger_head) as head,
        sum(cardinality(accounts)) as legs, max(cardinality(accounts)) as most_legs,
        count(*) filter (where form <> 'posted') as special,
        min(number) filter (
            where (
                length(hash) = 32
                and (
                    (form in ('posted', 'pending') and closes is null)
                    or (form in ('settles', 'reverses') and closes is not null)
                )
                and case
                    when cardinality(accounts) <> cardinality(amounts) then false
                    -- The usual two legs need nothing to be called.
                    when cardinality(accounts) = 2
                        then amounts[1] + amounts[2] = 0 and amounts[1] <> 0
                            and accounts[1] <> accounts[2]
                            and starts_with(accounts[1], 'points')
                            = starts_with(accounts[2], 'points')
                    when cardinality(accounts) = 0 then form = 'settles'
                    else ledger_is_balanced(accounts, amounts)
                end
            ) is not true
        ) as faulty
    into told from entered;
    if told.entries = 0 then
        return null;
    end if;
    if told.faulty is not null then
        raise exception 'entry % does not sum to zero, or is of no form that there is', told.faulty
            using errcode = 'integrity_constraint_violation';
    end if;
    if told.first < 1 or told.last <> told.head or told.last - told.first + 1 <> told.entries then
        raise exception 'entries % to % do not end where the head of the ledger is',
            told.first, told.last using errcode = 'integrity_constraint_violation';
    end if;
    if told.special = 0 then
        with kept as (
            update ledger_accounts as account set posted = account.posted + moved.amount
            from (
                select leg.account, sum(leg.amount)::bigint as amount, count(*) as legs
                from entered as entry
                cross join lateral unnest(entry.accounts, entry.amounts) as leg (account, amount)
                group by leg.account
            ) as moved
            where account.id = moved.account
            returning moved.legs
        )
        select sum(legs) into found from kept;
    else
        select entry.number into found from entered as entry
        where entry.closes is not null
            and (
                select other.id from ledger_entries as other
                where other.id = entry.closes
                    and (entry.form = 'settles') = (other.form = 'pending')
                    and other.number < entry.number
            ) is null
        limit 1;
        if found is not null then
            raise exception 'entry % closes what there is not', found
                using errcode = 'integrity_constraint_violation';
        end if;
        -- What is settled gives free what it had reserved, in the same breath.
        with kept as (
            update ledger_accounts as account
            set posted = account.posted + moved.posted,
                reserved = account.reserved + moved.reserved
            from (
                select
                    account, sum(posted)::bigint as posted, sum(reserved)::bigint as reserved,
                    sum(legs) as legs
                from (
                    select
                        leg.account, 1 as legs,
                        case when entry.form = 'pending' then 0 else leg.amount end as posted,
                        case when entry.form = 'pending' then least(leg.amount, 0) else 0 end
                            as reserved
                    from entered as entry
                    cross join lateral unnest(entry.accounts, entry.amounts)
                        as leg (account, amount)
                    union all
                    select leg.account, 0, 0, greatest(-leg.amount, 0)
                    from entered as entry
                    join ledger_entries as reserving on reserving.id = entry.closes
                    cross join lateral unnest(reserving.accounts, reserving.amounts)
                        as leg (account, amount)
                    where entry.form = 'settles'
                ) as leg
                group by account
            ) as moved
            where account.id = moved.account
            returning moved.legs
        )
        select sum(legs) into found from kept;
    end if;
    if coalesce(found, 0) <> told.legs then
        raise exception 'accounts of entries % to % are not there', told.first, told.last
            using errcode = 'integrity_constraint_violation';
    end if;
    if told.most_legs > 2 then
        insert into ledger_further_legs (number, position, account, amount)
        select entry.number, leg.position, leg.account, leg.amount
        from entered as entry
        cross join lateral unnest(entry.accounts, entry.amounts) with ordinality
            as leg (account, amount, position)
        where leg.position > 2;
    end if;
    return null;
end $$;
create trigger ledger_entries_taken after insert on ledger_entries
    referencing new table as entered
    for each statement execute function ledger_takes();


-- Locks the head, and then reads what the transfers with these ids and accounts touch: each
-- statement of a function sees what was committed before it began, so one call is enough.
create function ledger_opens(
    wanted uuid[], touched text[], out number bigint, out hash text, out entries jsonb,
    out accounts text[], out posted bigint[], out reserved bigint[]
) language plpgsql as $$
#variable_conflict use_column
begin
    select head.number, encode(head.hash, 'hex') into ledger_opens.number, ledger_opens.hash
    from ledger_head as head for update;
    select jsonb_agg(jsonb_build_object(
        'entry', jsonb_build_object(
            'number', entry.number, 'at', millis(entry.at), 'hash', encode(entry.hash, 'hex'),
            'transfer', ledger_state(entry)
        ),
        'is_closed', exists (select from ledger_entries as other where other.closes = entry.id)
    )) into ledger_opens.entries
    from ledger_entries as entry
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


-- Enters a group if the ledger still ends where the writer believes, and says whether it did. The
-- texts of a group stand between record separators, the accounts of a transfer between unit
-- separators; a text that holds one would make more of them than there are ids, which is refused.
create function ledger_enters(
    after_number bigint, after_hash text, new_accounts text[], assets text[], floors bigint[],
    ats text, hashes bytea, ids text, reasons text, effective_ats text, abouts text, forms text,
    closing text, accounts text, amounts text
) returns boolean language plpgsql as $$
begin
    update ledger_head
    set number = after_number + length(hashes) / 32, hash = substr(hashes, length(hashes) - 31)
    where number = after_number and hash = decode(after_hash, 'hex');
    if not found then
        return false;
    end if;
    if cardinality(new_accounts) > 0 then
        insert into ledger_accounts (id, asset, floor, posted, reserved)
        select id, asset, floor, 0, 0
        from unnest(new_accounts, assets, floors) as new (id, asset, floor);
    end if;
    insert into ledger_entries (
        number, at, hash, id, reason, effective_at, about, form, closes, accounts, amounts
    )
    select
        after_number + place, instant(at), substr(hashes, 32 * place::integer - 31, 32), id,
        reason, instant(effective_at), about, form, closes::uuid,
        string_to_array(coalesce(legs, ''), e'\x1f'), leg_amounts::bigint[]
    from unnest(
        ats::bigint[], ids::uuid[], string_to_array(reasons, e'\x1e'), effective_ats::bigint[],
        string_to_array(abouts, e'\x1e', ''), string_to_array(forms, e'\x1e'),
        string_to_array(closing, e'\x1e', ''), string_to_array(accounts, e'\x1e'),
        string_to_array(amounts, e'\x1e')
    ) with ordinality as new (
        at, id, reason, effective_at, about, form, closes, legs, leg_amounts, place
    );
    return true;
exception when unique_violation then
    -- Somebody has entered one of them before.
    return false;
end $$;


-- migrate: rollback

drop function ledger_enters, ledger_opens;
drop view ledger_legs;
alter table ledger_head alter column hash type text collate "C" using encode(hash, 'hex');

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
    constraint ledger_transfers_number check (number > 0)
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
    constraint ledger_legs_asset check (asset in ('halalas', 'points')),
    constraint ledger_legs_amount check (amount <> 0)
);
create unique index ledger_legs_place on ledger_legs (number, position);

insert into ledger_transfers (number, at, hash, state)
select number, at, encode(hash, 'hex'), ledger_state(entry)
from ledger_entries as entry order by number;
insert into ledger_legs (number, position, account, asset, amount)
select entry.number, leg.position - 1, leg.account, ledger_asset(leg.account), leg.amount
from ledger_entries as entry
cross join lateral unnest(entry.accounts, entry.amounts) with ordinality
    as leg (account, amount, position);
drop function ledger_state;
drop table ledger_further_legs, ledger_entries;
drop function ledger_takes, ledger_is_balanced, ledger_asset;

create trigger ledger_transfers_stay before update or delete or truncate on ledger_transfers
    for each statement execute function ledger_refuses_change();
create trigger ledger_legs_stay before update or delete or truncate on ledger_legs
    for each statement execute function ledger_refuses_change();


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

create function ledger_judges() returns trigger language plpgsql as $$
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

create trigger ledger_transfers_balance after insert on ledger_transfers
    referencing new table as entered
    for each statement execute function ledger_judges_transfers();
create trigger ledger_legs_balance after insert on ledger_legs
    referencing new table as entered
    for each statement execute function ledger_judges();

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
