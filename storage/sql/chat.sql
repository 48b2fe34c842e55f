-- name: begin_conversation
-- The conversation, begun if need be, and nobody else's until the transaction ends.
insert into conversations (state) values (:state)
on conflict (id) do update set state = conversations.state
returning state;

-- name: find_conversation
select orders.state as order_state, conversations.state
from orders left join conversations on conversations.id = orders.id
where orders.id = :order_id;

-- name: find_chat_message
select state from chat_messages where id = :message_id;

-- name: count_chat_messages_of
select count(*) from chat_messages
where author_id = :author_id and order_id = :order_id and at > instant(:since);

-- name: save_chat_messages!
insert into chat_messages (state) select unnest(:states::jsonb[]);

-- name: save_conversation!
update conversations set state = :state where id = :order_id;

-- name: chat_messages_since
select state from chat_messages
where order_id = :order_id and version > :since
    and (:courier_id::uuid is null or courier_id = :courier_id)
order by version limit :limit;

-- name: newest_chat_messages
select state from chat_messages
where order_id = :order_id and (:courier_id::uuid is null or courier_id = :courier_id)
order by number desc limit :limit;

-- name: list_chat_messages
select state from chat_messages
where order_id = :order_id and (:courier_id::uuid is null or courier_id = :courier_id);

-- name: is_attached
select exists(
    select from chat_messages
    where order_id = :order_id and state ->> 'attachment' = :upload_id
        and (:courier_id::uuid is null or courier_id = :courier_id)
);
