-- Trips may be revised until the pick-up
-- depends: 0007_what_ifs

-- migrate: apply

-- Where these steps lead, others led before: `order_transitions` stays as it is.
insert into order_steps (before, event, after) values
    ('waiting', 'OrderJoined', 'assigned'),
    ('assigned', 'OrderReassigned', 'assigned'),
    ('courier_at_shop', 'OrderReassigned', 'assigned');

-- migrate: rollback

delete from order_steps where event in ('OrderJoined', 'OrderReassigned');
