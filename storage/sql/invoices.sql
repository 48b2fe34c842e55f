-- name: open_unit!
insert into invoice_units (unit, counter, hash) values (:unit, 0, :hash)
on conflict (unit) do nothing;

-- name: lock_unit
-- Who holds this row is the only one who issues.
select counter, hash from invoice_units where unit = :unit for update;

-- name: find_invoice_of
select state from invoices where cause = :cause;

-- name: find_invoices_caused
select state from invoices where cause = any(:causes::text[]);

-- name: find_invoice
select state from invoices where id = :invoice_id;

-- name: credited_on
select coalesce(sum(payable_halalas), 0)::bigint
from invoices
where original_id = :invoice_id and kind = 'credit_note';

-- name: add_invoice!
insert into invoices (state) values (:state);

-- name: advance_unit!
update invoice_units set counter = :counter, hash = :hash
where unit = :unit and counter = :counter - 1;

-- name: list_invoices_of
select state from invoices where order_id = :order_id order by counter;

-- name: list_chain
select state from invoices
where unit = :unit and counter > :after
order by counter
limit :limit;

-- name: find_print
select pdf from invoice_prints where invoice_id = :invoice_id;

-- name: save_print!
with printed as (delete from invoice_prints_due where id = :invoice_id)
insert into invoice_prints (invoice_id, pdf) values (:invoice_id, :pdf)
on conflict (invoice_id) do nothing;

-- name: list_due_prints
select state
from invoice_prints_due
where due_at <= instant(:now)
order by due_at, id
limit :limit;

-- name: save_due_print!
update invoice_prints_due set state = :state where id = :id and version = :version - 1;

-- name: drop_due_print!
delete from invoice_prints_due where id = :invoice_id;

-- name: save_buyer!
insert into invoice_buyers (state) values (:state)
on conflict (customer_id) do update set state = excluded.state;

-- name: find_buyer
select state from invoice_buyers where customer_id = :customer_id;

-- name: forget_buyer!
delete from invoice_buyers where customer_id = :customer_id;
