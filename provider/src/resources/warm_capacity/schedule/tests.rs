//! Periods in zones with and without daylight saving.

use super::*;

fn schedule(start: &str, end: &str, zone: &str) -> Schedule {
    Schedule::new(start, end, zone).unwrap()
}

/// Start and end of the current period at this point in time, all in UTC.
fn current(schedule: &Schedule, now: &str) -> Option<(String, String)> {
    let now: Timestamp = now.parse().unwrap();
    schedule.current(now.into()).map(|period| (period.start.to_string(), period.end.to_string()))
}

fn period(start: &str, end: &str) -> Option<(String, String)> {
    Some((start.to_owned(), end.to_owned()))
}

fn problems(start: &str, end: &str, zone: &str) -> Vec<(&'static str, String)> {
    let problems = Schedule::new(start, end, zone).unwrap_err();
    problems.into_iter().map(|problem| (problem.attribute, problem.detail)).collect()
}

#[test]
fn working_hours_without_daylight_saving() {
    let schedule = schedule("0 8 * * MON-FRI", "0 18 * * MON-FRI", "Africa/Johannesburg");
    assert_eq!(schedule.length, Duration::from_secs(10 * 3600));
    let friday = period("2026-01-02T06:00:00Z", "2026-01-02T16:00:00Z");
    assert_eq!(current(&schedule, "2026-01-02T05:59:59Z"), None);
    assert_eq!(current(&schedule, "2026-01-02T06:00:00Z"), friday);
    assert_eq!(current(&schedule, "2026-01-02T15:59:59Z"), friday);
    assert_eq!(current(&schedule, "2026-01-02T16:00:00Z"), None);
    assert_eq!(current(&schedule, "2026-01-03T12:00:00Z"), None);
    // No hour is skipped when Europe skips one.
    assert_eq!(current(&schedule, "2026-03-30T06:00:00Z"), period("2026-03-30T06:00:00Z", "2026-03-30T16:00:00Z"));
}

#[test]
fn working_hours_follow_the_clock_on_the_wall() {
    let berlin = schedule("0 8 * * *", "0 18 * * *", "Europe/Berlin");
    assert_eq!(current(&berlin, "2026-03-28T12:00:00Z"), period("2026-03-28T07:00:00Z", "2026-03-28T17:00:00Z"));
    assert_eq!(current(&berlin, "2026-03-29T12:00:00Z"), period("2026-03-29T06:00:00Z", "2026-03-29T16:00:00Z"));
    assert_eq!(current(&berlin, "2026-10-25T12:00:00Z"), period("2026-10-25T07:00:00Z", "2026-10-25T17:00:00Z"));
    let new_york = schedule("0 8 * * *", "0 18 * * *", "America/New_York");
    assert_eq!(current(&new_york, "2026-03-07T18:00:00Z"), period("2026-03-07T13:00:00Z", "2026-03-07T23:00:00Z"));
    assert_eq!(current(&new_york, "2026-03-08T18:00:00Z"), period("2026-03-08T12:00:00Z", "2026-03-08T22:00:00Z"));
    assert_eq!(current(&new_york, "2026-11-01T18:00:00Z"), period("2026-11-01T13:00:00Z", "2026-11-01T23:00:00Z"));
}

#[test]
fn a_night_ends_on_time_whatever_clocks_do() {
    let night = schedule("0 22 * * *", "0 6 * * *", "Europe/Berlin");
    assert_eq!(night.length, Duration::from_secs(8 * 3600));
    // By the calendar the period is an hour shorter in spring, and an hour longer in autumn.
    assert_eq!(current(&night, "2026-03-28T23:00:00Z"), period("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z"));
    assert_eq!(current(&night, "2026-03-29T04:00:00Z"), None);
    assert_eq!(current(&night, "2026-10-24T23:00:00Z"), period("2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z"));
    let night = schedule("0 22 * * *", "0 6 * * *", "America/New_York");
    assert_eq!(current(&night, "2026-03-08T05:00:00Z"), period("2026-03-08T03:00:00Z", "2026-03-08T10:00:00Z"));
    assert_eq!(current(&night, "2026-11-01T05:00:00Z"), period("2026-11-01T02:00:00Z", "2026-11-01T11:00:00Z"));
}

#[test]
fn start_in_a_skipped_hour_does_not_occur() {
    let schedule = schedule("30 2 * * *", "0 5 * * *", "Europe/Berlin");
    assert_eq!(current(&schedule, "2026-03-28T02:00:00Z"), period("2026-03-28T01:30:00Z", "2026-03-28T04:00:00Z"));
    assert_eq!(current(&schedule, "2026-03-29T02:00:00Z"), None);
}

#[test]
fn start_in_a_repeated_hour_occurs_twice() {
    let schedule = schedule("30 2 * * *", "0 5 * * *", "Europe/Berlin");
    let end = "2026-10-25T04:00:00Z";
    assert_eq!(current(&schedule, "2026-10-25T00:29:00Z"), None);
    // The first 2:40, and the second 2:10, when the local time is before the start.
    assert_eq!(current(&schedule, "2026-10-25T00:40:00Z"), period("2026-10-25T00:30:00Z", end));
    assert_eq!(current(&schedule, "2026-10-25T01:10:00Z"), period("2026-10-25T00:30:00Z", end));
    assert_eq!(current(&schedule, "2026-10-25T01:30:00Z"), period("2026-10-25T01:30:00Z", end));
}

#[test]
fn end_in_a_skipped_hour_occurs_in_the_next() {
    let schedule = schedule("0 20 * * *", "30 2 * * *", "Europe/Berlin");
    assert_eq!(current(&schedule, "2026-03-28T22:00:00Z"), period("2026-03-28T19:00:00Z", "2026-03-29T01:30:00Z"));
    // 2:30 is in an hour that is repeated: the first one is the end.
    assert_eq!(current(&schedule, "2026-10-24T22:00:00Z"), period("2026-10-24T18:00:00Z", "2026-10-25T00:30:00Z"));
}

#[test]
fn periods_may_last_for_days() {
    let week = schedule("0 6 * * MON", "0 20 * * FRI", "UTC");
    assert_eq!(week.length, Duration::from_secs((4 * 24 + 14) * 3600));
    assert_eq!(current(&week, "2026-01-07T03:00:00Z"), period("2026-01-05T06:00:00Z", "2026-01-09T20:00:00Z"));
    // Ends between two periods are ignored.
    assert_eq!(schedule("0 8 * * MON-FRI", "0 18 * * *", "UTC").length, Duration::from_secs(10 * 3600));
    assert_eq!(schedule("0 8,14 * * *", "0 12,18 * * *", "UTC").length, Duration::from_secs(4 * 3600));
}

#[test]
fn periods_of_different_lengths_are_refused() {
    assert_eq!(
        problems("0 8,14 * * *", "0 12,20 * * *", "UTC"),
        [(
            "end",
            "The period that starts on Monday, 1 January, 08:00 lasts 4h, but the period that starts on Monday, 1 \
             January, 14:00 lasts 6h. All periods of a schedule must have the same length: create one resource for \
             each length."
                .to_owned()
        )]
    );
    // Months have different lengths, also if the difference only occurs in February.
    assert_eq!(problems("0 8 25 * *", "0 8 1 * *", "UTC")[0].0, "end");
}

#[test]
fn periods_without_a_pause_are_refused() {
    let detail = "The period that starts on Saturday, 6 January, 08:00 ends on Monday, 8 January, 18:00, but the next \
                  period starts on Sunday, 7 January, 08:00. A period must end before the next one starts. To keep \
                  placeholder pods permanently, omit schedule.";
    assert_eq!(problems("0 8 * * *", "0 18 * * MON-FRI", "UTC"), [("end", detail.to_owned())]);
    assert_eq!(problems("0 8 * * *", "0 8 * * *", "UTC")[0].0, "end");
}

#[test]
fn schedules_that_never_occur_are_refused() {
    let never = "The expression does not match any day.".to_owned();
    assert_eq!(problems("0 8 31 2 *", "0 18 * * *", "UTC"), [("start", never.clone())]);
    assert_eq!(problems("0 8 * * *", "0 18 30 2 *", "UTC"), [("end", never)]);
}

#[test]
fn every_wrong_attribute_is_named() {
    let found = problems("@daily", "0 25 * * *", "Africa/Johanesburg");
    assert_eq!(found.iter().map(|(attribute, _)| *attribute).collect::<Vec<_>>(), ["start", "end", "time_zone"]);
    assert!(found[2].1.ends_with("Did you mean \"Africa/Johannesburg\"?"), "{found:?}");
    // Kubernetes does not accept the name in lower case.
    assert!(problems("0 8 * * *", "0 18 * * *", "europe/berlin")[0].1.ends_with("Did you mean \"Europe/Berlin\"?"));
    assert_eq!(problems("0 8 * * *", "0 18 * * *", "")[0].0, "time_zone");
}
