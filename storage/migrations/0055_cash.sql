-- Couriers may hold more cash: what was taken at a door has happened, and must be enterable
-- depends: 0051_owner

-- migrate: apply

update ledger_accounts set floor = -1000000 where id like 'courier_cash:%';


-- migrate: rollback

update ledger_accounts set floor = -100000
where id like 'courier_cash:%' and posted + reserved >= -100000;
