"""A small report, a timeline, an explained decision and a rehearsal, with names of one's choice."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from onevoice.history.audit import (
    Audit,
    AuditedCampaign,
    Busiest,
    Finding,
    FindingWeek,
    Hour,
    Instance,
    Pair,
    PeriodLoad,
)
from onevoice.history.decision import Decision, Line
from onevoice.history.rehearsal import (
    Beside,
    CampaignBeside,
    CustomerBeside,
    Difference,
    Differing,
    GroupBeside,
    ReasonBeside,
    Rehearsal,
    Spread,
    WeekBeside,
)
from onevoice.history.report import (
    CampaignFigures,
    Collision,
    Crowded,
    Load,
    Off,
    Paused,
    ReasonFigures,
    Report,
    Stale,
    WeekFigures,
)
from onevoice.history.results import PARTS, Results, _figures
from onevoice.history.timeline import Band, Changed, Happened, Timeline
from onevoice.history.uplift import Counts
from onevoice.history.why import Told, Why

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
HOSTILE = '</script><img src=x onerror="window.hit=1;alert(1)"><script>window.hit=1</script>&quot;\''

NOTHING = Report(
    playbook="shop",
    version="",
    time_zone="Europe/Vilnius",
    first=None,
    last=None,
    lines=0,
    events=0,
    customers=0,
    decisions=0,
    wishes=0,
    sent=0,
    held=0,
    asks=0,
    shown=0,
    campaigns=(),
    weeks=(),
    reasons=(),
    load=(),
    crowded=(),
    collisions=(),
    paused=(),
    stale=(),
    off=(),
    example=None,
)


def report(name="spring_sale", many=0):
    """A report of three campaigns, the first of the name given, and `many` more."""
    campaigns = (
        CampaignFigures(name, "sales", f"owner of {name}", 900, 400, 450, 10, 440, 0, 0, 0, 0),
        CampaignFigures("how_was_it", "service", "care", 1200, 700, 1100, 0, 100, 0, 0, 0, 0),
        CampaignFigures("banner", "sales", "shop", 0, 300, 0, 0, 0, 0, 0, 500, 320),
        *(CampaignFigures(f"small_{n}", "sales", "shop", n, n, 0, 0, n, 0, 0, 0, 0) for n in range(many)),
    )
    weeks = tuple(
        WeekFigures(date(2026, 3, 2) + 7 * week * DAY, campaign, klass, channel, 40 + 10 * week)
        for week in (0, 1, 3)
        for campaign, klass, channel in ((name, "sales", "email"), ("how_was_it", "service", "call"))
    )
    return Report(
        playbook="shop",
        version="0123456789abcdef",
        time_zone="Europe/Vilnius",
        first=START,
        last=START + 25 * DAY,
        lines=123_456,
        events=123_400,
        customers=4_321,
        decisions=2_000,
        wishes=2_100,
        sent=1_550,
        held=600,
        asks=500,
        shown=320,
        campaigns=campaigns,
        weeks=weeks,
        reasons=(
            ReasonFigures("cap", "policies.caps[0]", "", 500, 300, 100, f"at most 1 a day of {name}"),
            ReasonFigures("outranked", "", "home_banner", 180, 120, 0),
        ),
        load=(Load(0, 9_000), Load(1, 900), Load(2, 12)),
        crowded=(Crowded(17, 4, START + DAY, 12, 3, 6),),
        collisions=(
            Collision("how_was_it", name, "", 80, 95, 60, 20, 10, 70),
            Collision("banner", name, "home_banner", 30, 40, 25, 5, 10, 30),
        ),
        stale=(Stale(name, START, START - DAY, None, "news, tips"),),
        off=(Off("campaign", name, "paused", START + DAY, f"ann of {name}", f"the price of {name}", "", 12),),
        paused=(Paused(name, START + DAY, 5_000, 5_000),),
        example=None,
    )


def decision(name="spring_sale", number=7, time=START + DAY):
    lines = (
        Line("how_was_it", "won", "call", score=12.5, contact=3),
        Line(name, "cap", "email", "policies.caps[0]", 1, 1, time + DAY),
        Line("late", "gap", "email", value=time - DAY, until=time + DAY, score=2.0),
    )
    return Decision(number, "round", time, 40, 17, "", lines)


def ask(name="spring_sale", time=START + 2 * DAY):
    lines = (Line("banner", "won", score=4.0), Line(name, "outranked", value="banner", score=2.0))
    return Decision(8, "ask", time, 50, 17, "home_banner", lines)


def timeline(name="spring_sale"):
    """Five days of a customer, who owns three products."""
    events = (
        Happened(START, 1, name, {"email": name}, {"amount": 12.5, "items": [{"product": name}]}, {}, "till", "shop"),
        Happened(START + 2 * DAY, 2, "asked", {"email": name}, {"placement": "home_banner"}, {"tier": name}),
    )
    bands = (
        Band("segment", "premium", "", START, None),
        *(Band("fact", "owns", f"{name} {n}", START + n * DAY, START + (n + 2) * DAY) for n in range(3)),
        Band("fact", "open_case", name, START + DAY, None),
    )
    decisions, changes = (decision(name), ask(name)), (Changed(ask(name).time, ask(name).number),)
    return Timeline(17, "shop", "Europe/Vilnius", START + 5 * DAY, events, bands, decisions, changes)


def why(name="spring_sale"):
    told = (
        Told("how_was_it", "service", "won", "call", 12.5, "goes out by call with a rank of 12.5"),
        Told(name, "sales", "cap", "email", None, f"at most 1 a day of {name}: 1 of 1 are used", "policies.caps[0]"),
        Told("late", "sales", "gap", "email", 2.0, "the last contact was less than 4 hours ago", "policies.gap"),
    )
    return Why(decision(name), 17, "Tue 03 Mar 2026 11:30", "how_was_it goes out by call; 2 others met it", told)


def audit(name="spring_sale", broken=True):
    """An audit in which a campaign of the name given broke two rules, or none."""
    found = 40 if broken else 0
    rules = [("cap", "at most 1 a day"), ("rule", f"no offers while owns('{name}')"), ("quiet", "quiet at night")]
    return Audit(
        playbook=name,
        version="0123456789abcdef",
        time_zone="Europe/Vilnius",
        first=START,
        last=START + 25 * DAY,
        events=900,
        contacts=300,
        customers=50,
        answers=12,
        found=found,
        found_customers=found // 2,
        findings=tuple(Finding(*rule, found, found // 2, 1, name, found) for rule in rules),
        finding_weeks=tuple(FindingWeek(date(2026, 3, 2), *rule, found) for rule in rules if broken),
        instances=tuple(Instance(*rule, f"email {name}", 3, START, name, "email") for rule in rules if broken),
        campaigns=(
            AuditedCampaign(name, "sales", 200, 40, found, found, 0, found, 200 - found),
            AuditedCampaign("bill", "service", 100, 50, 0, 0, 0, 0, 100),
        ),
        weeks=report(name).weeks,
        load=tuple(PeriodLoad(per, n, 20 - n, 5) for per in ("day", "week", "30 days") for n in (1, 2, 12)),
        busiest=(Busiest(f"email {name}", 12, 2, 3, 5, found),),
        hours=(Hour(9, "day", 260), Hour(22, "quiet", 40)) if broken else (),
        pairs=tuple(Pair(name, f"other_{n}", 20 - n, 25, 15, 10, 0.1, 0.2, None, 0.3) for n in range(3) if broken),
        year=report(name),
        rules=tuple(words for _, words in rules),
        rules_text="" if broken else f"playbook: {name}",
        read=(f"{name}.csv: 300 lines",),
        notes=(f"{name} cannot be judged",) if broken else (),
    )


def rehearsal(name="spring_sale"):
    """A rehearsal in which one campaign loses what another gains, with an example of each kind."""
    weeks = tuple(
        WeekBeside(date(2026, 3, 2 + 7 * week), each, klass, "email", 10 * week, 12 * week)
        for week in range(3)
        for each, klass in (("how_was_it", "service"), (name, name))
    )
    explained = why(name)
    return Rehearsal(
        playbook="shop",
        version="0123456789abcdef",
        before="shop",
        before_version="fedcba9876543210",
        time_zone="Europe/Vilnius",
        start=None,
        end=START + 30 * DAY,
        first=START,
        last=START + 20 * DAY,
        lines=1234,
        customers=500,
        decisions=900,
        differing=7,
        too_much=f"at most 1 a day of {name}",
        totals=(
            Beside("wishes", 100, 101),
            Beside("contacts", 60, 72),
            Beside("customers not contacted", 20, 21),
            Beside("customers over the limit", 3, 0),
        ),
        campaigns=(
            CampaignBeside("how_was_it", "service", "care", 50, 50, 30, 36, 20, 20, 0, 0),
            CampaignBeside(name, "sales", name, 50, 51, 30, 36, 20, 21, 4, 5),
        ),
        groups=(GroupBeside("class", "sales", 30, 36), GroupBeside("owner", name, 30, 36)),
        weeks=weeks,
        days=(),
        reasons=(
            ReasonBeside("gap", "", "", f"at least {name} between two contacts", 12, 0, 10, 0),
            ReasonBeside("outranked", "", "home_banner", "", 3, 4, 3, 4),
        ),
        spread=(Spread(-9, 1), Spread(-1, 20), Spread(0, 450), Spread(2, 29)),
        gained=(CustomerBeside(17, 1, 3),),
        lost=(CustomerBeside(18, 12, 3),),
        differences=(Difference("does not go out", 5), Difference("goes out", 2)),
        examples=(
            Differing("does not go out", 17, START, True, True, explained, explained),
            Differing("goes out", 18, START + DAY, False, True, None, explained),
        ),
    )


RESULTS = {  # contacts, how many came, held out, how many of these came; customers compared, where it is somebody
    "more": ([4000, 1200, 500, 60], [Counts(3000, 900, 450, 55)]),
    "fewer": ([3000, 150, 400, 60], [Counts(2500, 120, 380, 58)]),
    "nothing_shown": ([2000, 400, 300, 62], [Counts(1800, 360, 290, 60)]),
    "nobody": ([800, 80, 0, 0], []),
    "few": ([90, 9, 12, 1], [Counts(80, 8, 12, 1)]),
    "all_held_out": ([0, 0, 30, 2], []),
}


def results(name="more", many=0, held_out=True):
    """Results by each kind of parts, the first campaign with a name of one's choice; `many` more beside them."""
    campaigns = {each if each != "more" else name: told for each, told in RESULTS.items()}
    campaigns |= {f"{name}_{number}": ([50 - number % 50, 5, 0, 0], []) for number in range(many)}
    if not held_out:
        campaigns = {each: ([*told[:2], 0, 0], []) for each, (told, _) in campaigns.items() if told[0]}
    figures = [_figures(each, *told) for each, told in campaigns.items()]
    counts = [each for _, compared in campaigns.values() for each in compared]
    whole = _figures(
        "", [sum(column) for column in zip(*(told for told, _ in campaigns.values()), strict=True)], counts
    )
    weeks = [replace(figures[0], part=f"2026-03-{day:02}") for day in (2, 9, 23)]
    parts = {
        "campaign": tuple(figures),
        "class": (replace(whole, part="sales"),),
        "owner": (replace(whole, part=""), replace(figures[0], part=name)),
        "week": tuple(weeks),
    }
    told = whole, 6500, 1100 if held_out else 0, ("thanks", name)
    return {by: Results("shop", "Europe/Vilnius", by, parts[by], *told) for by in PARTS}
