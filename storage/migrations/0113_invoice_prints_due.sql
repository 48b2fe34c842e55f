-- Documents whose PDF is still to be made; those of before are printed when they are asked for
-- depends: 0112_drafts

-- migrate: apply

create table invoice_prints_due (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version bigint generated always as ((state ->> 'version')::bigint) stored not null,
    due_at timestamptz
        generated always as (instant((state ->> 'due_at')::bigint)) stored not null,
    constraint invoice_prints_due_pkey primary key (id),
    constraint invoice_prints_due_invoice foreign key (id) references invoices
) with (fillfactor = 50);
create index invoice_prints_due_first on invoice_prints_due (due_at, id);

-- Whatever issues, also a process of before this table, nothing is issued and forgotten.
create function open_print() returns trigger language plpgsql as $$
begin
    insert into invoice_prints_due (state) values (
        jsonb_build_object(
            'id', new.state -> 'id',
            'version', 1,
            'due_at', new.state -> 'draft' -> 'issued_at'
        )
    );
    return null;
end $$;

create trigger opens_print after insert on invoices
for each row execute function open_print();


-- migrate: rollback

drop trigger opens_print on invoices;
drop function open_print;
drop table invoice_prints_due;
