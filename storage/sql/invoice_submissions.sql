-- name: save_submission!
update invoice_submissions set state = :state where id = :id and version = :version - 1;

-- name: find_submissions
select state from invoice_submissions where id = any(:ids::uuid[]);

-- name: list_due_submissions
-- Looked through in the order of the chain: what waits is little unless the authority is away.
select state
from invoice_submissions
where due_at <= instant(:now)
order by unit, counter
limit :limit;

-- name: oldest_not_sent
select (state ->> 'issued_at')::bigint
from invoice_submissions
where due_at is not null
order by issued_at
limit 1;

-- name: list_submissions
select state - 'cleared_xml' as state from invoice_submissions where true;
