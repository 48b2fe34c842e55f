-- How each invoice stands with the tax authority
-- depends: 0027_invoices

-- migrate: apply

create table invoice_submissions (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version bigint generated always as ((state ->> 'version')::bigint) stored not null,
    unit text collate "C" generated always as (state ->> 'unit') stored not null,
    counter bigint generated always as ((state ->> 'counter')::bigint) stored not null,
    status text collate "C" generated always as (state ->> 'status') stored not null,
    issued_at timestamptz
        generated always as (instant((state ->> 'issued_at')::bigint)) stored not null,
    due_at timestamptz generated always as (instant((state ->> 'due_at')::bigint)) stored,
    constraint invoice_submissions_pkey primary key (id),
    constraint invoice_submissions_invoice foreign key (id) references invoices,
    constraint invoice_submissions_status
        check (status in ('not_sent', 'reported', 'cleared', 'refused')),
    constraint invoice_submissions_due check ((due_at is not null) = (status = 'not_sent'))
);
create index invoice_submissions_newest on invoice_submissions (issued_at, id);
create index invoice_submissions_waiting on invoice_submissions (unit, counter)
    where due_at is not null;
create index invoice_submissions_oldest on invoice_submissions (issued_at)
    where due_at is not null;

-- What was issued before is to be sent as well.
insert into invoice_submissions (state)
select
    jsonb_build_object(
        'id', state -> 'id',
        'unit', state -> 'unit',
        'counter', state -> 'counter',
        'number', state -> 'number',
        'is_standard', coalesce(state -> 'draft' -> 'buyer', 'null') <> 'null',
        'issued_at', state -> 'draft' -> 'issued_at',
        'due_at', state -> 'draft' -> 'issued_at',
        'version', 1,
        'status', 'not_sent'
    )
from invoices;


-- migrate: rollback

drop table invoice_submissions;
