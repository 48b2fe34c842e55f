-- name: begin_redaction
select set_config('hadiyati.redacts', 'yes', true);

-- name: end_redaction
select set_config('hadiyati.redacts', '', true);

-- name: find_user_by_phone
select id::text from users where phone_index = :phone_index;

-- name: orders_of_person
select id::text as id from orders where customer_id = :user_id and id > :after::uuid
order by id limit :limit;

-- name: orders_about_person
-- Recipients and couriers have no index among all orders, so a part of all is looked through.
with part as materialized (
    select id, state, courier_id, ended_at from orders where id > :after::uuid
    order by id limit :limit
)
select
    (select max(id::text) from part) as last,
    coalesce(array_agg(id::text) filter (
        where state -> 'recipient' ->> 'phone' = any(:phones::text[])
    ), '{}') as received,
    coalesce(array_agg(id::text) filter (where courier_id = :user_id), '{}') as carried,
    coalesce(bool_or(
        ended_at is null and state -> 'recipient' ->> 'phone' = any(:phones::text[])
    ), false) as is_awaited
from part;

-- name: gift_links_of_person
select id::text as id from gift_links where customer_id = :user_id;

-- name: gift_links_about_person
with part as materialized (
    select id, state from gift_links where id > :after::uuid order by id limit :limit
)
select
    (select max(id::text) from part) as last,
    coalesce(array_agg(id::text) filter (
        where state -> 'recipient' ->> 'phone' = any(:phones::text[])
    ), '{}') as received
from part;

-- name: unfinished_business
select
    exists(select from orders where customer_id = :user_id and ended_at is null) as orders,
    exists(select from couriers where id = :user_id and duty <> 'off') as duty,
    exists(
        select from gift_links where customer_id = :user_id and due_at is not null
    ) as gift_links,
    exists(
        select from ledger_accounts
        where id = any(:accounts::text[]) and (posted <> 0 or reserved <> 0)
    )
    or exists(select from payouts where courier_id = :user_id and due_at is not null)
    or exists(select from payments where customer_id = :user_id and due_at is not null)
    as balance;

-- name: tell_sessions
select state - array['refresh_digest', 'digest_before', 'nonce'] as told
from sessions where user_id = :user_id limit :limit;

-- name: tell_orders
select state as told from orders where id = any(:orders::uuid[]);

-- name: tell_received_orders
-- What is his own of it: of a gift he is told neither the price nor more than he has got.
select jsonb_build_object(
    'id', id, 'role', 'recipient', 'placed_at', millis(placed_at), 'ended_at', millis(ended_at),
    'status', status, 'recipient', state -> 'recipient', 'door', state -> 'door'
) as told
from orders where id = any(:orders::uuid[]);

-- name: tell_carried_orders
select jsonb_build_object(
    'id', id, 'role', 'courier', 'status', status, 'assigned_at', state -> 'assigned_at',
    'picked_up_at', state -> 'picked_up_at', 'ended_at', millis(ended_at)
) as told
from orders where id = any(:orders::uuid[]);

-- name: tell_events
select data || jsonb_build_object('thing', thing_kind || ':' || thing_id, 'type', type, 'at', millis(at))
    as told
from events where thing_id = any(:things::uuid[])
order by thing_id, version, position limit :limit;

-- name: tell_quotes
select state as told from quotes where customer_id = :user_id limit :limit;

-- name: tell_gift_links
select state as told from gift_links where customer_id = :user_id
order by made_at desc, id desc limit :limit;

-- name: tell_couriers
select state as told from couriers where id = :user_id;

-- name: tell_trail
select jsonb_build_object('at', millis(at), 'lat', lat, 'lng', lng, 'accuracy_m', accuracy_m)
    as told
from trail where courier_id = :user_id order by at desc limit :limit;

-- name: tell_invoices
select jsonb_build_object(
    'id', id, 'order_id', order_id, 'number', state ->> 'number', 'kind', kind,
    'payable_halalas', payable_halalas, 'draft', state -> 'draft'
) as told
from invoices where order_id = any(:orders::uuid[]);

-- name: tell_ledger_entries
select jsonb_build_object(
    'account', leg.account, 'asset', ledger_asset(leg.account), 'amount', leg.amount,
    'at', millis(entry.at), 'about', entry.about
) as told
from ledger_legs as leg join ledger_entries as entry on entry.number = leg.number
where leg.account = any(:accounts::text[])
order by leg.account, leg.number limit :limit;

-- name: tell_consents
select state as told from consents where user_id = :user_id limit :limit;

-- name: tell_privacy_requests
select state -> 'request' as told from privacy_requests where user_id = :user_id limit :limit;

-- name: tell_audit_log
select entry::jsonb as told from audit_log
where actor = :user_id or subject = any(:subjects::text[]) limit :limit;

-- name: erase_users!
delete from users where id = :user_id;

-- name: erase_profiles!
delete from profiles where user_id = :user_id;

-- name: erase_staff!
delete from staff where user_id = :user_id;

-- name: erase_challenges!
delete from challenges where phone = any(:phone_indexes::text[]);

-- name: erase_sessions!
-- Ended, if they were not, so that whoever holds a token is out within a second.
update sessions set state = state || jsonb_build_object(
    'version', version + 1, 'device', '', 'place', '',
    'ended_at', coalesce(millis(ended_at), :now::bigint),
    'end', coalesce(state ->> 'end', 'erased')
)
where user_id = :user_id;

-- name: erase_orders!
update orders set state = state || jsonb_build_object(
    'pin', '',
    'recipient', jsonb_build_object('name', '', 'phone', ''),
    'gift', (state -> 'gift')
        || '{"description": "", "message": "", "sender_name": "", "neighbour": ""}',
    'door', jsonb_build_object('point', coarse(state -> 'door' -> 'point')),
    'handover', case when jsonb_typeof(state -> 'handover') = 'object' then
        (state -> 'handover') || jsonb_build_object(
            'told', (state -> 'handover' -> 'told') || jsonb_build_object(
                'taken_by', '', 'point', coarse(state -> 'handover' -> 'told' -> 'point')
            )
        )
    end
)
where id = any(:orders::uuid[]) and ended_at is not null;

-- name: erase_order_tokens!
delete from order_tokens where order_id = any(:orders::uuid[]) and is_personal;

-- name: erase_offers!
update offers set state = state || '{"stops": [], "decline_reason": ""}'
where id in (select offer_id from assignments where order_id = any(:orders::uuid[]))
    and answered_at is not null;

-- name: erase_events!
-- A cancellation's reason is one of a few words; all others were typed by somebody.
update events set
    device_at = null,
    data = data
        || case when data ? 'reason' and type <> 'OrderCancelled' then '{"reason": ""}'::jsonb
            else '{}'::jsonb end
        || case when data ? 'point' then jsonb_build_object('point', coarse(data -> 'point'))
            else '{}'::jsonb end
where thing_id in (
    select unnest(:things::uuid[])
    union
    select offer_id from assignments where order_id = any(:orders::uuid[])
);

-- name: erase_answers!
delete from answers where command_id in (
    select command_id from events where thing_id = any(:things::uuid[]) and command_id is not null
);

-- name: erase_waits!
delete from waits where order_id = any(:orders::uuid[]);

-- name: erase_quotes!
update quotes set state = state || jsonb_build_object('door', coarse(state -> 'door'))
where customer_id = :user_id;

-- name: erase_gift_links!
update gift_links set state = state || jsonb_build_object(
    'recipient', jsonb_build_object('name', '', 'phone', ''),
    'gift', (state -> 'gift')
        || '{"description": "", "message": "", "sender_name": "", "neighbour": ""}',
    'door', null,
    'quote', case when jsonb_typeof(state -> 'quote') = 'object' then
        (state -> 'quote') || jsonb_build_object('door', coarse(state -> 'quote' -> 'door'))
    end
)
where id = any(:gift_links::uuid[]) and due_at is null;

-- name: erase_outbox!
delete from outbox where effect ->> 'phone' = any(:phones::text[]);

-- name: erase_couriers!
update couriers set state = state || jsonb_build_object(
    'name', '', 'last_point', coarse(state -> 'last_point')
)
where id = :user_id and duty = 'off';

-- name: erase_trail!
delete from trail where courier_id = :user_id;

-- name: erase_exports!
delete from exports where user_id = :user_id;

-- name: erase_audit_log!
update audit_log set salt = null, circumstances = null
where circumstances is not null and (actor = :user_id or subject = any(:subjects::text[]));

-- name: files_of_person
-- What he sent about no order, and what was sent about these.
select state from uploads
where (owner_id = :user_id and order_id is null) or order_id = any(:orders::uuid[]);

-- name: erase_uploads!
delete from uploads
where (owner_id = :user_id and order_id is null) or order_id = any(:orders::uuid[]);

-- name: tell_uploads
select state as told from uploads where owner_id = :user_id
order by made_at limit :limit;

-- name: erase_payments!
-- Of a gift link that nobody has answered there is no order, and of a group none alone.
update payments set state = state || jsonb_build_object(
    'card', null,
    'challenge_url', '',
    'orders', '[]'::jsonb,
    'order', case when jsonb_typeof(state -> 'order') = 'object' then
        (state -> 'order') || jsonb_build_object(
            'pin', '',
            'recipient', jsonb_build_object('name', '', 'phone', ''),
            'gift', (state -> 'order' -> 'gift')
                || '{"description": "", "message": "", "sender_name": "", "neighbour": ""}',
            'door', jsonb_build_object('point', coarse(state -> 'order' -> 'door' -> 'point')),
            'quote', (state -> 'order' -> 'quote')
                || jsonb_build_object('door', coarse(state -> 'order' -> 'quote' -> 'door'))
        )
    end
)
where (
    order_id = any(:orders::uuid[])
    or (customer_id = :user_id and jsonb_typeof(state -> 'order') is distinct from 'object')
) and due_at is null;

-- name: tell_payments
select state as told from payments where customer_id = :user_id
order by made_at desc, id desc limit :limit;

-- name: erase_saved_methods!
delete from saved_methods where customer_id = :user_id;

-- name: tell_saved_methods
-- With the token one could pay.
select state - 'token' as told from saved_methods where customer_id = :user_id
order by saved_at desc, id desc limit :limit;

-- name: erase_sheets!
-- Their files go with them.
delete from sheets where user_id = :user_id;

-- name: erase_drafts!
delete from drafts where customer_id = :user_id;

-- name: tell_drafts
select state as told from drafts where customer_id = :user_id
order by changed_at desc, id desc limit :limit;

-- name: erase_invoice_buyers!
delete from invoice_buyers where customer_id = :user_id;

-- name: tell_invoice_buyers
select state as told from invoice_buyers where customer_id = :user_id limit :limit;

-- name: erase_bank_accounts!
delete from bank_accounts where courier_id = :user_id;

-- name: tell_payouts
select state as told from payouts where courier_id = :user_id
order by made_at desc, id desc limit :limit;

-- name: erase_chat_messages!
update chat_messages set state = state || '{"text": "", "attachment": null}'
where order_id = any(:orders::uuid[]) or author_id = :user_id;

-- name: tell_chat_messages
-- What he wrote, and what was written to him about what he ordered; a recipient has no part in it.
select jsonb_build_object(
    'id', id, 'order_id', order_id, 'side', state -> 'side', 'at', state -> 'at',
    'text', state -> 'text', 'quick_reply', state -> 'quick_reply',
    'attachment', state -> 'attachment'
) as told
from chat_messages
where author_id = :user_id or order_id in (select id from orders where customer_id = :user_id)
order by order_id, number limit :limit;
