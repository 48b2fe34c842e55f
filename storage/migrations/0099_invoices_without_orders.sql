-- An invoice may be for something that is no order: the fee of a payout
-- depends: 0098_payment_search

-- migrate: apply

-- Whoever reads it must take null; workers of before are to be replaced (docs/decisions/0067).
-- squawk-ignore ban-drop-not-null
alter table invoices alter column order_id drop not null;


-- migrate: rollback

alter table invoices alter column order_id set not null;
