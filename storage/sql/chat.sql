-- name: begin_conversation
-- An order's conversation, begun if need be, and nobody else's until the transaction ends; of an
-- order that there is not nothing.
insert into conversations (state)
select :state::jsonb where exists (select from orders where id = :order_id)
on conflict (id) do update set state = conversations.state
returning state;

-- name: conversation_standing
-- What else is to be known of a conversation that is ours: a statement of its own, so that it sees
-- what was stored while we waited for it.
select
    (select state from orders where id = :order_id) as order_state,
    (select state from chat_messages where id = :message_id) as same,
    (
        select count(*) from chat_messages
        where author_id = :author_id and order_id = :order_id and at > instant(:since)
    ) as recent,
    (select state from uploads where id = :upload_id) as attachment;

-- name: save_conversation!
with written as (
    insert into chat_messages (state) select unnest(:messages::jsonb[])
),
promised as (
    insert into outbox (effect_id, type, effect, made_at, due_at)
    select (effect ->> 'id')::uuid, effect ->> 'type', effect, instant(:due_at), instant(:due_at)
    from unnest(:effects::jsonb[]) as effect
)
update conversations set state = :state where id = :order_id;

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
