-- Which wishes were held back by contacts of other campaigns, from wishes.sql. Given: `caps_told` (words, campaign, channel, offer, same,
-- category, period, length): for each cap, as its words say, the campaigns, channels and offers ('' for none) that it is about, and its
-- window (one of the two is null).
-- Where it goes by each value of something, it counts the contacts with the wish's own: those of the `same`, and of its `category`, which
-- is null where it makes no difference or each contact of the campaign may have another.

create table held_by as
select distinct customer, campaign, key, number, winner as holder from numbered where reason in ('outranked', 'kept_for')
union
select n.customer, n.campaign, n.key, n.number, c.campaign
from numbered as n join contact as c on c.customer = n.customer and c.time = n.last_contact
where n.reason = 'gap' and c.counts
union
select n.customer, n.campaign, n.key, n.number, c.campaign
from numbered as n join caps_told as o on o.words = n.words and o.campaign = n.campaign and o.channel = n.channel and o.offer = n.offer
join caps_told as s on s.words = o.words and s.same = o.same and coalesce(s.category = o.category, true)
join contact as c on c.customer = n.customer and c.campaign = s.campaign and c.channel = s.channel and c.offer = s.offer
 and c.time <= n.time and c.counts
 and case when s.period is null then c.time + s.length > n.time
          else date_trunc(s.period, c.local_time) = date_trunc(s.period, n.local_time) end
where n.reason = 'cap';

create table held_at as
select a.placement, a.campaign, a.winner as holder, count(*) as held
from line as a where a.kind = 'ask' and a.reason = 'outranked' group by all;

-- How many wishes of one campaign contacts of another held back, and how many of them never went out. One that won, and was
-- of a customer who is held out, is not lost to the other.
create table cost as
select '' as placement, h.campaign, h.holder, count(*) as held,
       count(*) filter (where not w.is_sent and w.outcome not in ('waiting', 'would_have_won')) as lost
from held_by as h join wish as w using (customer, campaign, key, number) where h.holder <> h.campaign and h.customer >= 0
group by h.campaign, h.holder
union all
select placement, campaign, holder, held, held from held_at
