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
           coalesce(h.held, 0) as held_happened, coalesce(r.held, 0) as held_rehearsed,
           h.channels is distinct from r.channels as by_another, h.offers is distinct from r.offers as with_another,
           h.terms is distinct from r.terms as on_others,
           coalesce(r.first_won, h.first_won, r.first_held, h.first_held, r.campaign, h.campaign) as campaign
    from happened.told as h full join rehearsed.told as r using (customer, kind, placement, time, about, nth)
    where h.said is distinct from r.said)
select *,
       case when kind = 'end' and decision_happened is null then 'ends without going out'
            when kind = 'end' and decision_rehearsed is null then 'no longer ends without going out'
            when kind = 'end' then 'ends for another reason'
            when kind = 'stop' and decision_happened is null then 'is paused at its limit'
            when kind = 'stop' then 'is no longer paused at its limit'
            when kind = 'source_stale' and decision_happened is null then 'a source stops'
            when kind = 'source_stale' and decision_rehearsed is null then 'a source no longer stops'
            when kind = 'source_fresh' and decision_happened is null then 'a source is heard again'
            when kind = 'source_fresh' and decision_rehearsed is null then 'a source is not heard again'
            when kind in ('source_stale', 'source_fresh') then 'a source holds other campaigns'
            when won_rehearsed = 0 and held_rehearsed not in (0, held_happened) then 'is held out'
            when won_happened = 0 and held_happened not in (0, held_rehearsed) then 'is no longer held out'
            when won_happened = 0 and won_rehearsed = 0 then if(kind = 'ask', 'not shown for another reason', 'held back for another reason')
            when won_happened = 0 then if(kind = 'ask', 'is shown', 'goes out')
            when won_rehearsed = 0 then if(kind = 'ask', 'is no longer shown', 'does not go out')
            when won_happened <> won_rehearsed then if(kind = 'ask', 'another is shown', 'another goes out')
            when by_another then 'goes out by another channel'
            when with_another then if(kind = 'ask', 'is shown with another offer', 'goes out with another offer')
            when on_others then if(kind = 'ask', 'is shown with other parameters', 'goes out with other parameters')
            when kind = 'ask' then 'not shown for another reason'
            else 'the same goes out, others are held back for other reasons' end as difference
from met
