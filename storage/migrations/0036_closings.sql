-- Closed periods: up to which entry of the ledger each month counts
-- depends: 0035_payouts

-- migrate: apply

create table ledger_closings (
    period text collate "C" not null,
    number bigint not null,
    hash text collate "C" not null,
    closed_at timestamptz not null,
    closed_by uuid not null,
    constraint ledger_closings_pkey primary key (period),
    constraint ledger_closings_period check (period ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$')
);

create function closings_stay() returns trigger language plpgsql as $$
begin
    raise exception 'a closed period is never opened again'
        using errcode = 'integrity_constraint_violation';
end $$;
create trigger ledger_closings_stay before update or delete or truncate on ledger_closings
    for each statement execute function closings_stay();


-- migrate: rollback

drop table ledger_closings;
drop function closings_stay;
