-- Orders may be changed on their way
-- depends: 0040_uploads

-- migrate: apply

insert into order_steps (before, event, after) values
    ('scheduled', 'OrderChanged', 'scheduled'),
    ('waiting', 'OrderChanged', 'waiting'),
    ('assigned', 'OrderChanged', 'assigned'),
    ('courier_at_shop', 'OrderChanged', 'courier_at_shop'),
    ('picked_up', 'OrderChanged', 'picked_up'),
    ('waiting', 'OrderScheduled', 'scheduled');

insert into order_transitions (before, after)
with recursive reachable (before, after) as (
    select before, after from order_steps
    union
    select reachable.before, order_steps.after
    from reachable
    join order_steps on order_steps.before = reachable.after
)
select before, after from reachable
on conflict do nothing;

-- migrate: rollback

delete from order_steps
where event = 'OrderChanged' or (before = 'waiting' and event = 'OrderScheduled');

delete from order_transitions;

insert into order_transitions (before, after)
with recursive reachable (before, after) as (
    select before, after from order_steps
    union
    select reachable.before, order_steps.after
    from reachable
    join order_steps on order_steps.before = reachable.after
)
select before, after from reachable;
