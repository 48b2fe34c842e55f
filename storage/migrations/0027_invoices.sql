-- Invoices: numbered without a gap and chained, each unit by one writer at a time
-- depends: 0013_phone_changes

-- migrate: apply

-- Where the chain of each unit ends; whoever issues holds this row.
create table invoice_units (
    unit text collate "C" not null,
    counter bigint not null,
    hash text collate "C" not null,
    constraint invoice_units_pkey primary key (unit),
    constraint invoice_units_counter check (counter >= 0)
);

create table invoices (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    unit text collate "C" generated always as (state ->> 'unit') stored not null,
    counter bigint generated always as ((state ->> 'counter')::bigint) stored not null,
    cause text collate "C" generated always as (state -> 'draft' ->> 'cause') stored not null,
    order_id uuid generated always as ((state -> 'draft' ->> 'order_id')::uuid) stored not null,
    kind text collate "C" generated always as (state -> 'draft' ->> 'kind') stored not null,
    original_id uuid generated always as ((state -> 'draft' ->> 'original_id')::uuid) stored,
    payable_halalas bigint
        generated always as ((state ->> 'payable_halalas')::bigint) stored not null,
    constraint invoices_pkey primary key (id),
    constraint invoices_unit foreign key (unit) references invoice_units,
    constraint invoices_order foreign key (order_id) references orders,
    constraint invoices_original foreign key (original_id) references invoices,
    constraint invoices_counter unique (unit, counter),
    constraint invoices_cause unique (cause),
    constraint invoices_kind check (kind in ('invoice', 'credit_note', 'debit_note')),
    constraint invoices_corrects check ((original_id is null) = (kind = 'invoice'))
);

create index invoices_of_order on invoices (order_id, counter);
create index invoices_notes on invoices (original_id) where original_id is not null;

create function check_chain() returns trigger language plpgsql as $$
begin
    if not exists (
        select from invoice_units
        where unit = new.state ->> 'unit'
            and counter + 1 = (new.state ->> 'counter')::bigint
            and hash = new.state ->> 'previous_hash'
    ) then
        raise check_violation using
            message = format('invoice %s does not follow the last one', new.state ->> 'number'),
            constraint = 'invoices_chain', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger chain before insert on invoices for each row execute function check_chain();

create function keep_invoices() returns trigger language plpgsql as $$
begin
    raise check_violation using
        message = 'an issued invoice cannot be changed', constraint = 'invoices_kept',
        table = tg_table_name;
end $$;

create trigger kept before update or delete on invoices
for each statement execute function keep_invoices();

-- The PDF, made when somebody first asks for it.
create table invoice_prints (
    invoice_id uuid not null,
    pdf bytea not null,
    constraint invoice_prints_pkey primary key (invoice_id),
    constraint invoice_prints_invoice foreign key (invoice_id) references invoices
);


-- migrate: rollback

drop table invoice_prints, invoices, invoice_units;
drop function check_chain, keep_invoices;
