-- Who came to a campaign's goal. Given: `decided` (Onevoice.decisions_table, merges resolved), `goal` (customer,
-- campaign, time) and `campaign` (name, class, owner, within_us: of those with a goal).

-- A contact, or one that would have been made; at placements, what was shown or would have been.
create table exposure as
select row_number() over (order by d.decision, d.campaign, d.key) as id, d.customer, d.campaign, d.time,
       d.reason = 'would_have_won' as held, c.within_us, c.class, c.owner,
       strftime(date_trunc('week', timezone($zone, d.time)), '%Y-%m-%d') as week
from decided as d join campaign as c on c.name = d.campaign
where d.reason in ('won', 'would_have_won') and d.customer >= 0;

-- An event speaks for the latest before it, once.
create table latest as
select customer, campaign, time, max(id) as id, any_value(within_us) as within_us from exposure group by all;

create table converted as
select distinct l.id
from goal as g asof join latest as l on g.customer = l.customer and g.campaign = l.campaign and g.time > l.time
where epoch_us(g.time) - epoch_us(l.time) < l.within_us;

create table outcome as
select e.*, c.id is not null as is_converted,
       time >= min(time) filter (where held) over (partition by campaign) as is_compared
from exposure as e left join converted as c using (id);

-- Each outcome once for each kind of parts that it is in; all of them together are a part as well.
create view parted as
select o.*, p.kind, p.part
from outcome as o, lateral (values ('', ''), ('campaign', campaign), ('class', class), ('owner', owner), ('week', week))
     as p(kind, part)
