-- What customers pay with again: a gateway's token, and what people know its card by
-- depends: 0030_payments

-- migrate: apply

create table saved_methods (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    customer_id uuid generated always as ((state ->> 'customer_id')::uuid) stored not null,
    saved_at timestamptz
        generated always as (instant((state ->> 'saved_at')::bigint)) stored not null,
    constraint saved_methods_pkey primary key (id),
    -- Whoever would store a card's number is stopped here, too.
    constraint saved_methods_no_card check (
        state ->> 'token' !~ '^[0-9 -]{12,}$' and length(state -> 'card' ->> 'last_four') <= 4
    )
);

create index saved_methods_of_customer on saved_methods (customer_id, saved_at desc, id);


-- migrate: rollback

drop table saved_methods;
