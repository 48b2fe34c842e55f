-- Where a leg stands needs no more than that in its index: what reads by number reads the leg
-- depends: 0072_ledger_groups
-- transaction: false

-- migrate: apply

create unique index concurrently ledger_legs_place on ledger_legs (number, position);
drop index concurrently ledger_legs_of_transfer;


-- migrate: rollback

create unique index concurrently ledger_legs_of_transfer on ledger_legs (number, position)
    include (asset, amount);
drop index concurrently ledger_legs_place;
