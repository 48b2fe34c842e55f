-- Everybody's payments, newest first, for those in charge
-- depends: 0090_invoice_submissions
-- transaction: false

-- migrate: apply

create index concurrently payments_made on payments (made_at desc, id desc);


-- migrate: rollback

drop index payments_made;
