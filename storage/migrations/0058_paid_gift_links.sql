-- A gift link may wait for its payment, and its recipient may say no
-- depends: 0051_owner
-- transaction: false

-- migrate: apply

-- Two checks allow more than before, so what was written under the old ones still passes.
-- squawk-ignore ban-drop-constraint
alter table gift_links drop constraint if exists gift_links_status;
alter table gift_links add constraint gift_links_status check (
    status in ('unpaid', 'open', 'answered', 'placed', 'expired', 'withdrawn', 'declined')
) not valid;
alter table gift_links validate constraint gift_links_status;
-- squawk-ignore ban-drop-constraint
alter table gift_links drop constraint if exists gift_links_due_while_open;
alter table gift_links add constraint gift_links_due_while_open check (
    due_at is not null or status not in ('unpaid', 'open', 'answered')
) not valid;
alter table gift_links validate constraint gift_links_due_while_open;


-- migrate: rollback

alter table gift_links drop constraint if exists gift_links_due_while_open;
alter table gift_links add constraint gift_links_due_while_open check (
    due_at is not null or status not in ('open', 'answered')
);
alter table gift_links drop constraint if exists gift_links_status;
alter table gift_links add constraint gift_links_status check (
    status in ('open', 'answered', 'placed', 'expired', 'withdrawn')
);
