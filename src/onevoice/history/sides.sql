-- One side of a rehearsal, from the lines of wishes.sql: each decision with what it said.
--
-- Decisions are told apart by whom they were about, when, and of what kind; those of one instant by what ended, was paused or heard, then in order. What
-- they say, who won, by what channel, with which offer and on what terms, and who would have won, is compared by hashes that need no order: a
-- campaign and key have one line in a decision. Each takes up the one before it.
create table told as
select *, row_number() over (partition by customer, kind, placement, time, about order by decision) as nth
from (
    select decision, any_value(customer) as customer, any_value(kind) as kind, any_value(placement) as placement,
           any_value(time) as time,
           case when any_value(kind) in ('end', 'stop') then any_value(campaign)
                when any_value(kind) in ('source_stale', 'source_fresh') then any_value(rule) else '' end as about,
           min(campaign) as campaign, bit_xor(hash(campaign, key, reason, channel, offer, parameters)) as said,
           min(campaign) filter (where reason = 'won') as first_won,
           min(campaign) filter (where reason = 'would_have_won') as first_held,
           coalesce(bit_xor(hash(campaign, key)) filter (where reason = 'won'), 0) as won,
           coalesce(bit_xor(hash(campaign, key)) filter (where reason = 'would_have_won'), 0) as held,
           coalesce(bit_xor(hash(campaign, key, channel)) filter (where reason = 'won'), 0) as channels,
           coalesce(bit_xor(hash(campaign, key, channel, offer)) filter (where reason = 'won'), 0) as offers,
           coalesce(bit_xor(hash(campaign, key, channel, offer, parameters)) filter (where reason = 'won'), 0) as terms
    from line group by decision)
