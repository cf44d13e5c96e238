// The page of a report, or of one customer: its sections in their order, from the data that lies in it.
"use strict";

function sections({ report, timeline, why, took_s }) {
  const classHues = classHuesOf(report, why);
  const classOf = new Map(
    [...(report?.campaigns ?? []), ...(why?.told ?? [])].map((each) => [each.campaign, each.klass]),
  );
  const hueOf = (campaign) => classHues.get(classOf.get(campaign)) ?? "hue-1";
  const found = [];
  if (report) {
    const off = offSection(report);
    if (off) found.push(off);
    found.push(weeksSection(report, classHues), campaignsSection(report, classHues), reasonsSection(report));
    found.push(el("div", { class: "beside" }, loadSection(report), crowdedSection(report)), collisionsSection(report));
  }
  if (timeline) found.push(timelineSection(timeline, hueOf, why));
  if (why) found.push(whySection(why));
  return [report ? [el("p", { class: "standfirst" }, standfirst(report)), figures(report, took_s)] : null, found];
}

function startReport() {
  const data = given();
  const version = data.report?.version ? `, playbook version ${shortVersion(data.report.version)}` : "";
  start(data, {
    zone: (data.report ?? data.timeline).time_zone,
    parts: sections,
    source: `the lines of all decisions${version}`,
  });
}

startReport();
