-- Both sides of a rehearsal beside each other: who heard how much, and the decisions that differ.

create table heard as
with happened as (select customer, count(*) as contacts from happened.contact where customer >= 0 group by customer),
rehearsed as (select customer, count(*) as contacts from rehearsed.contact where customer >= 0 group by customer)
select customer, coalesce(h.contacts, 0) as happened, coalesce(r.contacts, 0) as rehearsed
from happened as h full join rehearsed as r using (customer);

create table pair as
with met as (
    select customer, kind, placement, time, h.decision as decision_happened, r.decision as decision_rehearsed,
           coalesce(h.won, 0) as won_happened, coalesce(r.won, 0) as won_rehearsed,
           coalesce(h.channels, 0) as channels_happened, coalesce(r.channels, 0) as channels_rehearsed,
           coalesce(r.first_won, h.first_won, r.campaign, h.campaign) as campaign
    from happened.told as h full join rehearsed.told as r using (customer, kind, placement, time, about, nth)
    where h.said is distinct from r.said)
select *,
       case when kind = 'end' and decision_happened is null then 'ends unsaid'
            when kind = 'end' and decision_rehearsed is null then 'no longer ends unsaid'
            when kind = 'end' then 'ends otherwise'
            when kind = 'stop' and decision_happened is null then 'is paused at its limit'
            when kind = 'stop' then 'is no longer paused at its limit'
            when kind = 'ask' and won_happened = won_rehearsed then 'not shown for another reason'
            when kind = 'ask' and won_happened = 0 then 'is shown'
            when kind = 'ask' and won_rehearsed = 0 then 'is no longer shown'
            when kind = 'ask' then 'another is shown'
            when won_happened = 0 and won_rehearsed = 0 then 'held back otherwise'
            when won_happened = 0 then 'goes out'
            when won_rehearsed = 0 then 'does not go out'
            when won_happened <> won_rehearsed then 'another goes out'
            when channels_happened <> channels_rehearsed then 'goes out by another channel'
            else 'the same goes out, others are held back otherwise' end as difference
from met
