-- What must hold of all that was decided, asked of the record alone: nothing of the engine is used here.
--
-- lines      what was recorded, with the columns of the table of decisions, `customer` by the count of that time; who
-- customers  who, customer, first, last: under the decisions [first, last) that was this customer; an identifier, or the
--            name of a number that somebody had when it was decided about them
-- caps       name, first, last: under which it was in force; most; hours or period; channel, class, campaign, NULL for all;
--            placement: where it counts what is shown, NULL where it counts contacts
-- gaps       first, last, hours
-- zones      who, first, zone: from that decision on; position, by which the later is told
-- cases      who, first: from which decision on it was known; time, position, name, opened
-- receipts   contact, first: from which decision on it was known; time, position; state: its place on the way up
-- answers    who, first, last: under which decisions it was one to what they were shown; time, position, family, answer
-- wishes     campaign, key, wish: its name; who; withdrawals: wish, who, first: from which decision on it was known
-- pending    campaign, key, customer: what waits now, and with whom
-- facts      customer, fact, since: what is open now, a row for each key; present: time: now

CREATE OR REPLACE TABLE classed AS
SELECT *, CASE WHEN campaign IN ('alert', 'news_shown') THEN 'service' ELSE 'sales' END AS class,
    CASE WHEN campaign IN ('offer', 'plan_shown') THEN 'plans' WHEN campaign IN ('hint', 'case_shown') THEN 'cases' END AS family
FROM lines;

CREATE OR REPLACE TABLE zoned AS
SELECT l.*, coalesce(z.zone, 'Europe/Vilnius') AS zone
FROM classed l LEFT JOIN (
    SELECT l.decision, l.customer, arg_max(z.zone, z.position) AS zone
    FROM (SELECT DISTINCT decision, customer FROM lines) l
    JOIN customers c ON c.customer = l.customer AND l.decision >= c.first AND l.decision < c.last
    JOIN zones z ON z.who = c.who AND z.first <= l.decision
    GROUP BY ALL
) z USING (decision, customer);

-- What was told of contacts: 1 cancelled (also what ends on its way), 2 sent, 3 failed, 4 delivered. A contact only goes
-- up; one that `sms` is to report on counts as sent 4 hours later, others at once: cancelled it can be only before.
CREATE OR REPLACE TABLE told AS
SELECT r.contact, r.first, r.state
FROM (
    SELECT contact, first, time, state FROM receipts
    UNION ALL
    SELECT contact, decision + 1, time, 1 FROM lines WHERE reason = 'ended' AND contact IS NOT NULL
) r JOIN lines l ON l.contact = r.contact AND l.reason = 'won'
WHERE r.state > 1 OR (l.channel = 'sms' AND r.time < l.time + INTERVAL 4 HOURS);

-- Each line of a contact with those that its customer had had before and that stood, as it was known then. What was shown
-- is none of them: where an ask spent a cap or began a gap, the counts below would be others than those that were used.
CREATE OR REPLACE TABLE preceded AS
SELECT l.*, b.time AS b_time, b.channel AS b_channel, b.class AS b_class, b.campaign AS b_campaign, b.contact AS b_contact
FROM zoned l
JOIN customers c ON c.customer = l.customer AND l.decision >= c.first AND l.decision < c.last
JOIN classed b ON b.who = c.who AND b.decision < l.decision AND b.reason = 'won' AND b.kind <> 'ask'
WHERE l.kind <> 'ask' AND coalesce((SELECT max(state) FROM told t WHERE t.contact = b.contact AND t.first <= l.decision), 2) NOT IN (1, 3);

CREATE OR REPLACE TABLE counted AS
SELECT l.decision, l.key, l.campaign, l.reason, l.value, l.rule, c.name, c.most, count(b.b_contact) AS before
FROM classed l
JOIN caps c ON c.placement IS NULL AND l.decision >= c.first AND l.decision < c.last
    AND coalesce(c.channel = l.channel, true) AND coalesce(c.class = l.class, true)
    AND coalesce(c.campaign = l.campaign, true)
LEFT JOIN preceded b ON b.decision = l.decision AND b.key = l.key AND b.campaign = l.campaign
    AND coalesce(c.channel = b.b_channel, true) AND coalesce(c.class = b.b_class, true)
    AND coalesce(c.campaign = b.b_campaign, true)
    AND CASE WHEN c.period IS NULL THEN b.b_time + to_hours(c.hours) > b.time
             ELSE b.b_time >= date_trunc(c.period, b.time AT TIME ZONE b.zone) AT TIME ZONE b.zone END
WHERE l.kind <> 'ask' AND l.reason IN ('won', 'cap')
GROUP BY ALL;

-- Each line of an ask, and how much of what a cap counts its customer had been shown there, this time included.
CREATE OR REPLACE TABLE seen AS
SELECT l.decision, l.campaign, l.reason, l.value, l.rule, c.name, c.most, count(s.decision) AS shown
FROM zoned l
JOIN caps c ON c.placement IN (l.placement, 'each') AND l.decision >= c.first AND l.decision < c.last
LEFT JOIN (
    SELECT k.customer, k.first, k.last, b.decision, b.time, b.placement, b.campaign
    FROM lines b JOIN customers k ON k.who = b.who
    WHERE b.kind = 'ask' AND b.reason = 'won'
) s ON s.customer = l.customer AND l.decision >= s.first AND l.decision < s.last AND s.decision <= l.decision
    AND s.placement = l.placement AND (c.campaign IS NULL OR s.campaign = l.campaign)
    AND CASE WHEN c.period IS NULL THEN s.time + to_hours(c.hours) > l.time
             ELSE s.time >= date_trunc(c.period, l.time AT TIME ZONE l.zone) AT TIME ZONE l.zone END
WHERE l.kind = 'ask' AND l.reason IN ('won', 'cap')
GROUP BY ALL;

-- Each wish that was withdrawn, and the decisions under which who withdrew it was the customer who had made it.
CREATE OR REPLACE TABLE withdrawn AS
SELECT w.campaign, w.key, greatest(x.first, made.first, given.first) AS first, least(made.last, given.last) AS last
FROM wishes w JOIN withdrawals x USING (wish)
JOIN customers made ON made.who = w.who
JOIN customers given ON given.who = x.who AND given.customer = made.customer
WHERE made.first < given.last AND given.first < made.last;

-- Whether a family was refused, or put off, by the customer of a decision at its instant, as it was known then.
CREATE OR REPLACE TABLE refusing AS
SELECT decision, customer, family, coalesce(bool_or(is_open), false) AS is_refused
FROM (
    SELECT l.decision, l.customer, a.family, f.answer,
        max((a.time, a.position)) FILTER (a.answer = f.answer) > coalesce(max((a.time, a.position)) FILTER (a.answer = 'accepted'), (TIMESTAMPTZ '1900-01-01', 0))
            AND max(a.time + to_hours(f.hours)) FILTER (a.answer = f.answer) > max(l.time) AS is_open
    FROM (SELECT DISTINCT decision, customer, time FROM lines) l
    JOIN customers c ON c.customer = l.customer AND l.decision >= c.first AND l.decision < c.last
    JOIN answers a ON a.who = c.who AND l.decision >= a.first AND l.decision < a.last
    CROSS JOIN (VALUES ('refused', 48), ('not_now', 8)) f(answer, hours)
    GROUP BY ALL
)
GROUP BY decision, customer, family;

CREATE OR REPLACE TABLE in_case AS
SELECT decision, customer, bool_or(is_open) AS is_open
FROM (
    SELECT l.decision, l.customer, k.name,
        max((k.time, k.position)) FILTER (k.opened) > coalesce(max((k.time, k.position)) FILTER (NOT k.opened), (TIMESTAMPTZ '1900-01-01', 0)) AS is_open
    FROM (SELECT DISTINCT decision, customer, time FROM lines) l
    JOIN customers c ON c.customer = l.customer AND l.decision >= c.first AND l.decision < c.last
    JOIN cases k ON k.who = c.who AND k.first <= l.decision
    GROUP BY ALL
)
GROUP BY ALL;

-- What `desk` is used for, with the day whose bucket it is of; and who waits for it, as was last recorded before each
-- receipt by which something came back to the bucket of that day.
CREATE OR REPLACE TABLE used AS
SELECT decision, time, contact, date_trunc('day', time AT TIME ZONE 'Europe/Vilnius') AS day
FROM lines WHERE reason = 'won' AND kind <> 'ask';

CREATE OR REPLACE TABLE given_back AS
SELECT r.first, r.time, u.day
FROM receipts r JOIN used u USING (contact) JOIN told t ON t.contact = r.contact AND t.first = r.first
WHERE r.state IN (1, 3) AND u.day = date_trunc('day', r.time AT TIME ZONE 'Europe/Vilnius')
    AND NOT EXISTS (FROM told b WHERE b.contact = r.contact AND b.first <= r.first AND b.state >= r.state
                    AND (b.first < r.first OR b.state > r.state));

CREATE OR REPLACE TABLE waiting AS
SELECT g.first, g.time, g.day, l.campaign, l.key
FROM given_back g JOIN lines l ON l.decision < g.first AND l.kind <> 'stop'
GROUP BY ALL HAVING arg_max(l.reason, l.decision) = 'no_capacity';

-- name: a cap was exceeded
FROM counted WHERE reason = 'won' AND before >= most;

-- name: a full cap was not full, or its count is another
FROM counted WHERE reason = 'cap' AND rule = name AND (before < most OR before <> value);

-- name: more was shown than a cap of the placement allows
FROM seen WHERE reason = 'won' AND shown > most;

-- name: a full cap of a placement was not full, or its count is another
FROM seen WHERE reason = 'cap' AND rule = name AND (shown < most OR shown <> value);

-- name: more was shown than there are slots, or less though there was more
SELECT decision, placement
FROM (
    SELECT decision, placement, count(*) FILTER (reason = 'won') AS won, count(*) FILTER (reason = 'outranked') AS lost
    FROM lines WHERE kind = 'ask' GROUP BY ALL
)
WHERE won > CASE placement WHEN 'banner' THEN 2 ELSE 1 END OR (lost > 0 AND won < CASE placement WHEN 'banner' THEN 2 ELSE 1 END);

-- name: an ask made a contact
SELECT decision, campaign FROM lines WHERE kind = 'ask' AND contact IS NOT NULL;

-- name: something that was refused was said or shown
SELECT l.decision, l.campaign FROM classed l JOIN refusing USING (decision, customer, family)
WHERE l.reason = 'won' AND is_refused;

-- name: suppressed though nothing was refused
SELECT l.decision, l.campaign FROM classed l LEFT JOIN refusing USING (decision, customer, family)
WHERE l.reason = 'suppressed' AND l.rule = 'policies.suppress[1]' AND is_refused IS DISTINCT FROM true;

-- name: more went out in a day than the desk can do
SELECT u.decision, count(*) AS before
FROM used u JOIN used b ON b.decision < u.decision AND b.day = u.day
WHERE coalesce((SELECT max(state) FROM told t WHERE t.contact = b.contact AND t.first <= u.decision), 2) NOT IN (1, 3)
GROUP BY ALL HAVING before >= 3;

-- name: something was given back, and neither taken nor did anybody who waited look at it
SELECT DISTINCT w.first
FROM waiting w
WHERE NOT EXISTS (FROM waiting o JOIN lines l USING (campaign, key)
                  WHERE o.first = w.first AND l.decision >= w.first AND l.time = w.time)
    AND (SELECT count(*) FROM used u WHERE u.day = w.day AND u.time <= w.time
         AND coalesce((SELECT max(state) FROM told t WHERE t.contact = u.contact AND t.first <= w.first), 2) NOT IN (1, 3)) < 3;

-- name: a gap was not kept
SELECT p.decision, p.campaign, p.time::VARCHAR, p.b_time::VARCHAR
FROM preceded p JOIN gaps g ON p.decision >= g.first AND p.decision < g.last
WHERE p.reason = 'won' AND p.b_time + to_hours(g.hours) > p.time;

-- name: held back by a gap that had passed
SELECT l.decision, l.campaign
FROM lines l JOIN gaps g ON l.decision >= g.first AND l.decision < g.last
LEFT JOIN preceded p ON p.decision = l.decision AND p.key = l.key AND p.campaign = l.campaign AND p.b_time + to_hours(g.hours) > p.time
WHERE l.reason = 'gap' AND p.b_time IS NULL;

-- name: a sale during an open case
SELECT l.decision, l.campaign FROM classed l JOIN in_case USING (decision, customer)
WHERE l.reason = 'won' AND l.class = 'sales' AND is_open;

-- name: suppressed without an open case
SELECT l.decision, l.campaign FROM classed l LEFT JOIN in_case USING (decision, customer)
WHERE l.reason = 'suppressed' AND l.rule = 'policies.suppress[0]' AND is_open IS DISTINCT FROM true;

-- name: a fact is open that is not by the lines that are its customer's now, or one that is by them is not
WITH said AS (
    SELECT who, 'open_case' AS fact, name AS key, time, position, opened, NULL AS hours FROM cases
    UNION ALL
    SELECT who, f.fact, family, time, position, answer = f.fact, f.hours
    FROM answers JOIN (VALUES ('refused', 48), ('not_now', 8)) f(fact, hours) ON answer IN (f.fact, 'accepted')
    WHERE last = (SELECT max(last) FROM customers)
), expected AS (
    SELECT customer, fact, max(time) FILTER (opened) AS since
    FROM said JOIN customers USING (who)
    WHERE last = (SELECT max(last) FROM customers)
    GROUP BY customer, fact, key
    HAVING max((time, position)) FILTER (opened) > coalesce(max((time, position)) FILTER (NOT opened), (TIMESTAMPTZ '1900-01-01', 0))
        AND (any_value(hours) IS NULL OR since + to_hours(any_value(hours)) > (SELECT time FROM present))
)
SELECT customer, fact, since::VARCHAR FROM (
    (FROM expected EXCEPT ALL FROM facts) UNION ALL (FROM facts EXCEPT ALL FROM expected)
);

-- name: one decision with two winners
SELECT decision, count(*) AS won FROM lines WHERE reason = 'won' AND kind <> 'ask' GROUP BY decision HAVING won > 1;

-- name: a wish that won twice, though its contact neither failed nor was cancelled
SELECT a.contact, b.contact FROM lines a JOIN lines b USING (campaign, key)
WHERE a.reason = 'won' AND b.reason = 'won' AND a.contact < b.contact
    AND NOT EXISTS (FROM told t WHERE t.contact = a.contact AND t.state IN (1, 3) AND t.first <= b.decision);

-- name: a wish that neither ended nor waits, or is nobody's
WITH known AS (
    SELECT campaign, key FROM lines WHERE kind = 'end' OR (kind = 'round' AND reason IN ('won', 'not_eligible'))
    UNION
    SELECT campaign, key FROM pending
)
SELECT w.wish, k.campaign, k.key FROM wishes w FULL JOIN known k USING (campaign, key) WHERE k.key IS NULL OR w.key IS NULL;

-- name: a wish that waits though it came to an end
SELECT p.campaign, p.key FROM pending p JOIN lines l USING (campaign, key) WHERE l.kind = 'end' OR l.reason = 'not_eligible';

-- name: a wish that waits, or about which was decided, with somebody else than who made it
SELECT w.wish, m.decision, m.customer
FROM (
    SELECT campaign, key, decision, customer FROM lines
    UNION ALL
    SELECT campaign, key, (SELECT max(first) FROM customers), customer FROM pending
) m
JOIN wishes w USING (campaign, key)
JOIN customers c ON c.who = w.who AND m.decision >= c.first AND m.decision < c.last
WHERE c.customer <> m.customer;

-- name: a wish that ended though its customer withdrew nothing
SELECT l.campaign, l.key, l.decision
FROM lines l LEFT JOIN withdrawn w ON w.campaign = l.campaign AND w.key = l.key AND l.decision >= w.first AND l.decision < w.last
WHERE l.reason = 'ended' AND w.key IS NULL;

-- name: a wish that waits though its customer withdrew it
FROM pending JOIN withdrawn USING (campaign, key) WHERE last = (SELECT max(last) FROM customers);
