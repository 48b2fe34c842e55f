-- The companies that customers order for, to which their invoices are made out
-- depends: 0099_invoices_without_orders

-- migrate: apply

create table invoice_buyers (
    state jsonb not null,
    customer_id uuid generated always as ((state ->> 'customer_id')::uuid) stored,
    constraint invoice_buyers_pkey primary key (customer_id),
    -- What the authority would refuse a standard invoice for.
    constraint invoice_buyers_vat_number check (state -> 'party' ->> 'vat_number' ~ '^3[0-9]{13}3$')
);


-- migrate: rollback

drop table invoice_buyers;
