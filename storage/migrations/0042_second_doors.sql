-- The door of a gift that nobody received may be corrected
-- depends: 0041_changes

-- migrate: apply

-- Where this step leads, others led before: `order_transitions` stays as it is.
insert into order_steps (before, event, after) values
    ('attempt_failed', 'OrderChanged', 'attempt_failed');

-- migrate: rollback

delete from order_steps where before = 'attempt_failed' and event = 'OrderChanged';
