-- Payments by the order that they are for: what a dearer change or a debt was paid with, too
-- depends: 0098_payment_search
-- transaction: false

-- migrate: apply

create index concurrently payments_for_order on payments (
    coalesce((state #>> '{supplement,order_id}')::uuid, order_id), made_at desc, id desc
);


-- migrate: rollback

drop index payments_for_order;
