-- How each invoice stands with the tax authority
-- depends: 0027_invoices
-- transaction: false

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
create index concurrently invoice_submissions_newest on invoice_submissions (issued_at, id);
create index concurrently invoice_submissions_standing on invoice_submissions (status, issued_at, id);
create index concurrently invoice_submissions_waiting on invoice_submissions (unit, counter)
    where due_at is not null;
create index concurrently invoice_submissions_oldest on invoice_submissions (issued_at)
    where due_at is not null;

create function submission_of(invoice jsonb) returns jsonb
language sql immutable parallel safe
return jsonb_build_object(
    'id', invoice -> 'id',
    'unit', invoice -> 'unit',
    'counter', invoice -> 'counter',
    'number', invoice -> 'number',
    'is_standard', coalesce(invoice -> 'draft' -> 'buyer', 'null') <> 'null',
    'issued_at', invoice -> 'draft' -> 'issued_at',
    'due_at', invoice -> 'draft' -> 'issued_at',
    'version', 1,
    'status', 'not_sent'
);

-- Whatever issues, also a process of before this table, nothing is issued and forgotten.
create function open_submission() returns trigger language plpgsql as $$
begin
    insert into invoice_submissions (state) values (submission_of(new.state));
    return null;
end $$;

create trigger opens after insert on invoices
for each row execute function open_submission();

-- What was issued before is to be sent as well; meanwhile others issue.
insert into invoice_submissions (state)
select submission_of(state) from invoices
on conflict (id) do nothing;


-- migrate: rollback

drop trigger opens on invoices;
drop function open_submission;
drop table invoice_submissions;
drop function submission_of;
