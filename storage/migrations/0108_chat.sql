-- Conversations about orders: their messages, and how far each reader has come
-- depends: 0045_privacy

-- migrate: apply

create table conversations (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    constraint conversations_pkey primary key (id),
    constraint conversations_order foreign key (id) references orders,
    constraint conversations_version check (version >= 0)
) with (fillfactor = 70);

create trigger next_version before update on conversations for each row
when ((new.state ->> 'version')::integer not in (old.version, old.version + 1))
execute function refuse();

create table chat_messages (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    order_id uuid generated always as ((state ->> 'order_id')::uuid) stored not null,
    number integer generated always as ((state ->> 'number')::integer) stored not null,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    author_id uuid generated always as ((state ->> 'author_id')::uuid) stored not null,
    courier_id uuid generated always as ((state ->> 'courier_id')::uuid) stored not null,
    at timestamptz generated always as (instant((state ->> 'at')::bigint)) stored not null,
    constraint chat_messages_pkey primary key (id),
    constraint chat_messages_conversation foreign key (order_id) references conversations,
    constraint chat_messages_number unique (order_id, number),
    constraint chat_messages_counted check (number > 0 and version > 0)
);

create index chat_messages_by_version on chat_messages (order_id, version);
create index chat_messages_of_author on chat_messages (author_id, at);
create index chat_messages_by_time on chat_messages using brin (at);

-- What was said stays as it was said, until it is forgotten.
create trigger kept before update on chat_messages for each row
when (not only_redacts(old.state, new.state, array['text', 'attachment']))
execute function refuse();


-- migrate: rollback

drop table chat_messages, conversations;
