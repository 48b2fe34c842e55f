-- By what is found what has grown old, made without stopping anybody who writes
-- depends: 0045_privacy
-- transaction: false

-- migrate: apply

create index concurrently if not exists quotes_by_end on quotes using brin (valid_until);
create index concurrently if not exists outbox_by_time on outbox using brin (made_at);
create index concurrently if not exists gift_links_by_time on gift_links using brin (made_at);
create index concurrently if not exists sessions_expiry on sessions (expires_at);


-- migrate: rollback

drop index concurrently if exists sessions_expiry;
drop index concurrently if exists gift_links_by_time;
drop index concurrently if exists outbox_by_time;
drop index concurrently if exists quotes_by_end;
