-- What lists are sorted by, each with its index
-- depends: 0051_owner
-- transaction: false

-- migrate: apply

create index concurrently if not exists disputes_by_halalas
    on disputes (status, ((state ->> 'halalas')::bigint), id);
create index concurrently if not exists disputes_of_courier
    on disputes (((state ->> 'courier_id')::uuid), opened_at, id);
create index concurrently if not exists links_open_by_sending
    on links (purpose, sent_at, id) where not is_settled;
create index concurrently if not exists audit_log_by_time on audit_log (at, number);
drop index concurrently if exists links_open;


-- migrate: rollback

create index concurrently if not exists links_open
    on links (purpose, sent_at desc) where not is_settled;
drop index concurrently if exists disputes_by_halalas;
drop index concurrently if exists disputes_of_courier;
drop index concurrently if exists links_open_by_sending;
drop index concurrently if exists audit_log_by_time;
