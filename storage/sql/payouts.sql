-- name: save_bank_account!
insert into bank_accounts (state) values (:state) on conflict (id) do nothing;

-- name: find_bank_account
select state from bank_accounts where id = :bank_account_id;

-- name: newest_bank_account_of
select state from bank_accounts where courier_id = :courier_id
order by made_at desc, id desc limit 1;

-- name: bank_accounts_under_other_keys
select state from bank_accounts
where key_id < :key_id or key_id > :key_id
limit :limit for update skip locked;

-- name: reseal_bank_account!
update bank_accounts set state = :state where id = :bank_account_id;

-- name: save_payout!
-- Only after the version before; of two at once, one changes nothing.
insert into payouts (state) values (:state)
on conflict (id) do update set state = excluded.state
where payouts.version = excluded.version - 1;

-- name: find_payout
select state from payouts where id = :payout_id;

-- name: list_payouts_of
select state from payouts where courier_id = :courier_id;

-- name: list_due_payouts
select state from payouts where due_at <= instant(:now) order by due_at, id limit :limit;

-- name: save_dispute!
insert into disputes (state) values (:state)
on conflict (id) do update set state = excluded.state
where disputes.version = excluded.version - 1;

-- name: find_dispute
select state from disputes where id = :dispute_id;

-- name: list_disputes
select state from (
    select
        state,
        id,
        status,
        opened_at,
        (state ->> 'courier_id')::uuid as courier_id,
        (state ->> 'halalas')::bigint as halalas
    from disputes
) as listed
where true;

-- name: list_due_disputes
select state from disputes where due_at <= instant(:now) order by due_at, id limit :limit;
