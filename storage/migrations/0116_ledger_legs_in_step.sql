-- The legs of a group are taken out of their transfers row by row, without a table for each transfer
-- depends: 0104_ledger_entries

-- migrate: apply

-- What is entered ends where the head says, closes what there is, and moves the balances. A join
-- of accounts is always a look-up for each: a plan is kept, and must suit one and five hundred.
-- Legs are unnested where columns are named, since what is unnested behind `from` is put down in a
-- table of its own for each transfer; the two arrays are as long as each other, which is judged.
create or replace function ledger_takes() returns trigger language plpgsql
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
                from (
                    select unnest(accounts) as account, unnest(amounts) as amount from entered
                ) as leg
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
                        account, 1 as legs,
                        case when form = 'pending' then 0 else amount end as posted,
                        case when form = 'pending' then least(amount, 0) else 0 end as reserved
                    from (
                        select form, unnest(accounts) as account, unnest(amounts) as amount
                        from entered
                    ) as leg
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


-- migrate: rollback

create or replace function ledger_takes() returns trigger language plpgsql
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
