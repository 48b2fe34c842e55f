-- name: close_period!
-- Where the ledger ends now: whatever has a higher number is entered later.
insert into ledger_closings (period, number, hash, closed_at, closed_by)
select :period, number, encode(hash, 'hex'), instant(:closed_at), :closed_by from ledger_head
on conflict (period) do nothing;

-- name: find_closing
select period, number, hash, millis(closed_at) as closed_at, closed_by
from ledger_closings where period = :period;

-- name: last_closing
select period, number, hash, millis(closed_at) as closed_at, closed_by
from ledger_closings order by period desc limit 1;

-- name: turnovers
-- What is pending has moved nothing, and what settles it has legs of its own.
select
    split_part(legs.account, ':', 1) as kind,
    ledger_asset(legs.account) as asset,
    coalesce(-sum(legs.amount) filter (where legs.amount < 0), 0)::bigint as debits,
    coalesce(sum(legs.amount) filter (where legs.amount > 0), 0)::bigint as credits
from ledger_entries as entry
cross join lateral unnest(entry.accounts, entry.amounts) as legs (account, amount)
where entry.form <> 'pending'
    and millis(entry.effective_at) < :until
    and (:last::bigint is null or entry.number <= :last)
    and (millis(entry.effective_at) >= :since or entry.number > :first::bigint)
group by 1, 2
order by 1, 2;

-- name: vat_sums
select
    kind,
    count(*) as documents,
    coalesce(sum((state ->> 'net_halalas')::bigint), 0)::bigint as net_halalas,
    coalesce(sum((state ->> 'vat_halalas')::bigint), 0)::bigint as vat_halalas
from invoices
where (state -> 'draft' ->> 'issued_at')::bigint >= :since
    and (state -> 'draft' ->> 'issued_at')::bigint < :until
group by kind
order by kind;
