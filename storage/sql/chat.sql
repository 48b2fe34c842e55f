-- name: conversation_standing
-- All that is to be known of a conversation at one moment; of an order that there is not nothing.
select
    orders.state as order_state,
    conversations.state,
    (select state from chat_messages where id = :message_id) as same,
    (
        select count(*) from chat_messages
        where author_id = :author_id and order_id = :order_id and at > instant(:since)
    ) as recent,
    (select state from uploads where id = :upload_id) as attachment
from orders left join conversations on conversations.id = orders.id
where orders.id = :order_id;

-- name: save_conversation
-- Whether it was saved: not if somebody else has written in it since it was read, or it is gone.
with begun as (
    insert into conversations (state)
    select :state::jsonb
    where :version::integer = 1 and exists (select from orders where id = :order_id)
    on conflict do nothing
    returning id
),
moved as (
    update conversations set state = :state where id = :order_id and version = :version - 1
    returning id
),
ours as (
    select id from begun union all select id from moved
),
written as (
    insert into chat_messages (state)
    select state from ours, unnest(:messages::jsonb[]) as state
),
promised as (
    insert into outbox (effect_id, type, effect, made_at, due_at)
    select (effect ->> 'id')::uuid, effect ->> 'type', effect, instant(:due_at), instant(:due_at)
    from ours, unnest(:effects::jsonb[]) as effect
)
select exists (select from ours) as is_saved;

-- name: conversation_since
select
    orders.state as order_state,
    conversations.state,
    array(
        select state from chat_messages
        where order_id = :order_id and version > :since
            and (:courier_id::uuid is null or courier_id = :courier_id)
        order by version limit :limit
    ) as messages
from orders left join conversations on conversations.id = orders.id
where orders.id = :order_id;

-- name: conversation_newest
select
    orders.state as order_state,
    conversations.state,
    array(
        select state from chat_messages
        where order_id = :order_id and (:courier_id::uuid is null or courier_id = :courier_id)
        order by number desc limit :limit
    ) as messages
from orders left join conversations on conversations.id = orders.id
where orders.id = :order_id;

-- name: list_chat_messages
select state from chat_messages
where order_id = :order_id and (:courier_id::uuid is null or courier_id = :courier_id);

-- name: is_attached
select exists(
    select from chat_messages
    where order_id = :order_id and state ->> 'attachment' = :upload_id
        and (:courier_id::uuid is null or courier_id = :courier_id)
);
