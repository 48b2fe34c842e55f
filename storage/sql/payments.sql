-- name: save_payment!
-- Only after the version before; of two at once, one changes nothing.
insert into payments (state, due_at) values (:state, instant(:due_at))
on conflict (id) do update set state = excluded.state, due_at = excluded.due_at
where payments.version = excluded.version - 1;

-- name: add_payment_events!
insert into payment_events (payment_id, version, position, event)
select :payment_id::uuid, :version::integer, place - 1, event
from unnest(:events::jsonb[]) with ordinality as new (event, place);

-- name: add_payment_notice!
insert into payment_notices (id, payment_id, heard_at)
values (:notice_id, :payment_id, instant(:at))
on conflict (id) do nothing;

-- name: find_payment
select state from payments where id = :payment_id;

-- name: find_payment_by_reference
select state from payments where gateway = :gateway and reference = :reference;

-- name: list_payments_of_order
select state from payments where order_id = :order_id order by made_at, id limit :limit;

-- name: list_paid_orders_of
-- A supplement has a name of its own; it stands with the order that it is for.
select order_id from (
    select
        coalesce(state #>> '{supplement,order_id}', state ->> 'order_id') as order_id,
        max(made_at) as made_at
    from payments
    where customer_id = :customer_id and captured_halalas > 0
    group by 1
) as paid
order by made_at desc, order_id
limit :limit;

-- name: list_payments_for
select state from payments
where customer_id = :customer_id
    and coalesce(state #>> '{supplement,order_id}', state ->> 'order_id') = any(:order_ids::text[])
order by made_at, id;

-- name: list_payments_of
select state
from (
    select
        id, state, customer_id, gateway, status, reference, amount_halalas, made_at,
        coalesce((state #>> '{supplement,order_id}')::uuid, order_id) as order_id
    from payments
) as shown
where customer_id = :customer_id;

-- name: list_payments
select state
from (
    select
        id, state, customer_id, gateway, status, reference, amount_halalas, made_at,
        coalesce((state #>> '{supplement,order_id}')::uuid, order_id) as order_id
    from payments
) as shown
where true;

-- name: list_due_payments
select state from payments where due_at <= instant(:now) order by due_at, id limit :limit;

-- name: list_payment_events
select version, position, event from payment_events
where payment_id = :payment_id
order by version, position;
