-- What was added since the last vacuum is summarised too, so that asking for the last hour reads it alone
-- depends: 0046_ages

-- migrate: apply

alter index events_by_time set (autosummarize = on);
alter index answers_by_time set (autosummarize = on);
alter index trail_by_time set (autosummarize = on);
alter index waits_by_time set (autosummarize = on);
alter index quotes_by_end set (autosummarize = on);
alter index outbox_by_time set (autosummarize = on);
alter index gift_links_by_time set (autosummarize = on);


-- migrate: rollback

alter index gift_links_by_time reset (autosummarize);
alter index outbox_by_time reset (autosummarize);
alter index quotes_by_end reset (autosummarize);
alter index waits_by_time reset (autosummarize);
alter index trail_by_time reset (autosummarize);
alter index answers_by_time reset (autosummarize);
alter index events_by_time reset (autosummarize);
