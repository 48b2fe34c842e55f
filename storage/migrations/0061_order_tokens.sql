-- By what one order is found among all: tokens of its recipient's name and phone, its code, its courier
-- depends: 0051_owner

-- migrate: apply

-- A token is 8 bytes of a hash of what engine/orders/finding.py names, once among all orders and once
-- among those of a zone. It is written with the first version of an order, the courier's with its
-- last; what is personal goes when the recipient's name does.
create table order_tokens (
    token bigint not null,
    placed_at timestamptz not null,
    order_id uuid not null,
    is_personal boolean not null,
    constraint order_tokens_pkey primary key (token, placed_at, order_id)
);
create index order_tokens_personal on order_tokens (order_id) where is_personal;

-- How far a walk through old rows has come, so that it goes on where it was stopped.
create table walks (
    name text collate "C" not null,
    after uuid not null,
    constraint walks_pkey primary key (name)
);


-- migrate: rollback

drop table walks, order_tokens;
