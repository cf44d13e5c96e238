-- The queries of an audit, each under its name. Given: `told` (the contacts of a log: number, customer, time, zone, who,
-- campaign, class, channel, exempt), `broken` (number, kind, words), `member` (number, segment), `answer` (customer,
-- time, campaign).

-- name: contacts
create table contact as
select *, timezone(zone, time) as local from told;

-- What was found: a contact, and the rule that it broke. Caps and quiet hours are added below.
-- name: findings
create table finding as select distinct number, kind, words from broken;

-- A contact is over a cap where it is not among the first of its window. Exempt ones count, and are never over.
-- name: over_period
insert into finding
with placed as (
    select *, row_number() over (
        partition by customer, date_trunc($period, local) order by time, number) as place
    from contact
    where ($channel = '' or channel = $channel) and ($class = '' or class = $class)
      and ($campaign = '' or campaign = $campaign))
select number, 'cap', $words from placed
where place > $max and not exempt
  and ($segment = '' or exists (from member as m where m.number = placed.number and m.segment = $segment))
  and not exists (from member as m where m.number = placed.number and list_contains($others, m.segment));

-- name: over_rolling
insert into finding
with placed as (
    select *, row_number() over (partition by customer order by time, number) as place
    from contact
    where ($channel = '' or channel = $channel) and ($class = '' or class = $class)
      and ($campaign = '' or campaign = $campaign)),
left_window as (select customer, time, max(place) as gone from placed group by customer, time),
counted as (
    select p.number, p.exempt, p.place - coalesce(l.gone, 0) as place
    from placed as p asof left join left_window as l
      on p.customer = l.customer and p.time - to_microseconds($rolling) >= l.time)
select number, 'cap', $words from counted
where place > $max and not exempt
  and ($segment = '' or exists (from member as m where m.number = counted.number and m.segment = $segment))
  and not exists (from member as m where m.number = counted.number and list_contains($others, m.segment));

-- Where a log knows only days its times are midnight; nothing can be said about the hour of those.
-- name: quiet
insert into finding
select number, 'quiet', $words from contact
where (hour(local) >= $from or hour(local) < $to)
  and timezone($zone, time) <> date_trunc('day', timezone($zone, time));

-- name: totals
select count(*), count(distinct customer), count(distinct campaign), min(time), max(time),
       (select count(distinct number) from finding),
       (select count(distinct c.customer) from finding join contact as c using (number)),
       (select count(*) from answer)
from contact;

-- name: found
with by_campaign as (
    select f.kind, f.words, c.campaign, count(*) as contacts
    from finding as f join contact as c using (number) group by all),
worst as (
    select kind, words, arg_max(campaign, (contacts, campaign)) as campaign, max(contacts) as contacts
    from by_campaign group by kind, words),
told_of as (
    select f.kind, f.words, count(*) as contacts, count(distinct c.customer) as customers,
           count(distinct c.campaign) as campaigns
    from finding as f join contact as c using (number) group by f.kind, f.words)
select r.kind, r.words, coalesce(t.contacts, 0), coalesce(t.customers, 0), coalesce(t.campaigns, 0),
       coalesce(w.campaign, ''), coalesce(w.contacts, 0)
from rule as r left join told_of as t using (kind, words) left join worst as w using (kind, words)
order by r.place;

-- name: found_weeks
select date_trunc('week', c.local)::date, f.kind, f.words, count(*)
from finding as f join contact as c using (number) group by all order by all;

-- The example of each finding: of five customers with the most such contacts, the last of these.
-- name: instances
with per_customer as (
    select f.kind, f.words, c.customer, count(*) as contacts, max((c.time, c.number)) as last
    from finding as f join contact as c using (number) group by f.kind, f.words, c.customer),
ranked as (
    select *, row_number() over (partition by kind, words order by contacts desc, last desc) as place from per_customer)
select r.kind, r.words, c.who, r.contacts, c.time, c.campaign, c.channel
from ranked as r join contact as c on c.customer = r.customer and (c.time, c.number) = r.last
join rule using (kind, words)
where r.place <= 5 order by rule.place, r.place;

-- name: campaigns
with flags as (
    select number, bool_or(kind = 'cap') as cap, bool_or(kind = 'rule') as rule,
           bool_or(kind = 'opted_out') as opted_out, bool_or(kind = 'quiet') as quiet
    from finding group by number)
select c.campaign, c.class, count(*), count(distinct c.customer), count(*) filter (where f.cap),
       count(*) filter (where f.rule), count(*) filter (where f.opted_out), count(*) filter (where f.quiet),
       count(*) filter (where f.number is null)
from contact as c left join flags as f using (number)
group by c.campaign, c.class order by 3 desc, 1, 2;

-- name: weeks
select date_trunc('week', local)::date, campaign, class, channel, count(*) from contact group by all order by all;

-- How often a customer had so many contacts in a day, in a week, in 30 days counted from the first day of the log.
-- name: load
with period as (
    select 'day' as per, customer, local::date as start from contact
    union all select 'week', customer, date_trunc('week', local)::date from contact
    union all
    select '30 days', customer,
           (min(local::date) over ())::date
           + 30 * (date_diff('day', min(local::date) over (), local::date) // 30)::int
    from contact),
counted as (select per, customer, start, count(*) as contacts from period group by all)
select per, contacts, count(*), count(distinct customer) from counted group by per, contacts
order by case per when 'day' then 1 when 'week' then 2 else 3 end, contacts;

-- name: busiest
with days as (select customer, max(contacts) as most from (
        select customer, count(*) as contacts from contact group by customer, local::date) group by customer),
weeks as (select customer, max(contacts) as most from (
        select customer, count(*) as contacts from contact group by customer, date_trunc('week', local)) group by customer),
found as (select c.customer, count(distinct f.number) as contacts
          from finding as f join contact as c using (number) group by c.customer)
select arg_min(c.who, (c.time, c.number)), count(*), count(distinct c.campaign), any_value(d.most), any_value(w.most),
       coalesce(any_value(f.contacts), 0)
from contact as c join days as d using (customer) join weeks as w using (customer) left join found as f using (customer)
group by c.customer order by 2 desc, 6 desc, 1 limit $most;

-- name: hours
select hour(local), case when hour(local) >= $from or hour(local) < $to then 'quiet' else 'day' end, count(*) from contact
where timezone($zone, time) <> date_trunc('day', timezone($zone, time)) group by all order by all;

-- Campaigns that reach one customer within a week of each other. `after`: the share of contacts of that campaign which
-- were answered within two weeks where the other came before, `alone` where no other campaign did.
-- name: pairs
with near as (
    select distinct a.campaign as earlier, b.campaign as later, b.number, b.customer
    from contact as a join contact as b on a.customer = b.customer and a.campaign <> b.campaign
     and (a.time < b.time or (a.time = b.time and a.number < b.number)) and b.time < a.time + interval 7 days),
answered as (
    select c.number, c.campaign,
           exists (from answer as a where a.customer = c.customer and a.time >= c.time
                   and a.time < c.time + interval 14 days and a.campaign in ('', c.campaign)) as is_answered,
           exists (from near as n where n.number = c.number) as is_second
    from contact as c),
alone as (select campaign, avg(is_answered::int) as share from answered where not is_second group by campaign),
paired as (
    select least(earlier, later) as one, greatest(earlier, later) as other, n.customer, n.later, a.is_answered
    from near as n join answered as a using (number)),
counted as (
    select one, other, count(distinct customer) as customers, count(*) as times,
           count(*) filter (where later = other) as one_first, count(*) filter (where later = one) as other_first,
           avg(is_answered::int) filter (where later = one) as one_after,
           avg(is_answered::int) filter (where later = other) as other_after
    from paired group by one, other)
select c.one, c.other, c.customers, c.times, c.one_first, c.other_first,
       case when $answers then c.one_after end, case when $answers then x.share end,
       case when $answers then c.other_after end, case when $answers then y.share end
from counted as c left join alone as x on x.campaign = c.one left join alone as y on y.campaign = c.other
order by c.customers desc, c.times desc, c.one, c.other limit $most;
