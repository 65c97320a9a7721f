//! Periods of a schedule: their start and end, and the current one.
//!
//! A Job has a fixed duration, on whatever day it starts. It is the local duration of a period, which is correct for
//! every period without a clock change. If the CronJob starts a period with a clock change, it ends an hour late in
//! spring and an hour early in autumn; its start is always correct. If an apply starts a current period, its end is
//! taken from the calendar, and is always correct.

mod cron;

use std::time::{Duration, SystemTime};

use gitlabspot_runner_config::suggest::did_you_mean;
use jiff::civil::{DateTime, date};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

use self::cron::Cron;

/// A valid schedule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Schedule {
    /// Expressions and zone as configured.
    pub(super) start: String,
    pub(super) end: String,
    pub(super) time_zone: String,
    /// Local duration of every period.
    pub(super) length: Duration,
    starts: Cron,
    zone: TimeZone,
}

/// The current period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

/// A problem with an attribute of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) attribute: &'static str,
    pub(super) summary: &'static str,
    pub(super) detail: String,
}

const INVALID: &str = "Invalid schedule";

impl Schedule {
    /// Parses expressions and zone, and checks that all periods have the same length with a pause between them.
    ///
    /// # Errors
    /// All problems.
    pub(super) fn new(start: &str, end: &str, time_zone: &str) -> Result<Self, Vec<Problem>> {
        let starts = expression("start", start);
        let ends = expression("end", end);
        let zone = zone(time_zone);
        match (starts, ends, zone) {
            (Ok(starts), Ok(ends), Ok(zone)) => {
                let length = length(&starts, &ends).map_err(|problem| vec![problem])?;
                let [start, end, time_zone] = [start, end, time_zone].map(str::to_owned);
                Ok(Self { start, end, time_zone, length, starts, zone })
            }
            (starts, ends, zone) => Err([starts.err(), ends.err(), zone.err()].into_iter().flatten().collect()),
        }
    }

    /// The current period; `None` between periods.
    pub(super) fn current(&self, now: SystemTime) -> Option<Period> {
        let now = Timestamp::try_from(now).ok()?;
        let here = self.zone.to_datetime(now);
        // When an hour is repeated, the local time may be before a start that has passed. The search therefore begins
        // three hours later.
        let mut wall = self.starts.until(here.checked_add(3.hours()).ok()?)?;
        let horizon = here.checked_sub(3.hours()).ok()?;
        let mut latest: Option<(Timestamp, DateTime)> = None;
        loop {
            let begun = self.instants(wall).into_iter().filter(|start| *start <= now).max();
            if let Some(start) = begun
                && latest.is_none_or(|(known, _)| start > known)
            {
                latest = Some((start, wall));
            }
            if wall < horizon && latest.is_some() {
                break;
            }
            let Some(before) = wall.checked_sub(1.minute()).ok().and_then(|before| self.starts.until(before)) else {
                break;
            };
            wall = before;
        }
        let (start, wall) = latest?;
        let length = SignedDuration::try_from(self.length).ok()?;
        let end = self.zone.to_ambiguous_timestamp(wall.checked_add(length).ok()?).compatible().ok()?;
        (now < end).then_some(Period { start, end })
    }

    /// Whether a period began more than this margin ago, and ends more than this margin from now. The Job of a period
    /// with a clock change may end before the period.
    pub(super) fn is_well_within(&self, period: Period, now: SystemTime, margin: Duration) -> bool {
        let (start, end) = (
            SystemTime::from(period.start),
            SystemTime::from(period.end).min(SystemTime::from(period.start) + self.length),
        );
        start + margin < now && now + margin < end
    }

    /// A point in time as text, in the time zone of this schedule.
    pub(super) fn spoken(&self, time: Timestamp) -> String {
        time.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
    }

    /// The points in time with this local time: none if the hour is skipped, two if it is repeated. The CronJob starts
    /// a Job at each of them.
    fn instants(&self, wall: DateTime) -> Vec<Timestamp> {
        let offsets = match self.zone.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => vec![offset],
            AmbiguousOffset::Gap { .. } => Vec::new(),
            AmbiguousOffset::Fold { before, after } => vec![before, after],
        };
        offsets.into_iter().filter_map(|offset| offset.to_timestamp(wall).ok()).collect()
    }
}

fn expression(attribute: &'static str, text: &str) -> Result<Cron, Problem> {
    Cron::parse(text).map_err(|reason| Problem {
        attribute,
        summary: INVALID,
        detail: format!(
            "{text:?} is not a cron expression: {reason}. For example, \"0 8 * * MON-FRI\" means 8:00 from Monday to \
             Friday."
        ),
    })
}

/// Kubernetes distinguishes upper and lower case in the names of time zones, and has no zone `Local`.
fn zone(name: &str) -> Result<TimeZone, Problem> {
    let found = TimeZone::get(name).ok().filter(|zone| zone.iana_name() == Some(name));
    found.ok_or_else(|| {
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let hint = did_you_mean(name, names.iter().map(String::as_str));
        Problem {
            attribute: "time_zone",
            summary: "Invalid time zone",
            detail: format!(
                "The time zone {name:?} does not exist. Use a name of the IANA database, for example \
                \"Africa/Johannesburg\".{hint}"
            ),
        }
    })
}

/// The length of all periods.
///
/// It is determined from the same four calendar years each time, so that a schedule that was accepted once is always
/// accepted.
fn length(starts: &Cron, ends: &Cron) -> Result<Duration, Problem> {
    let problem = |attribute, detail| Problem { attribute, summary: INVALID, detail };
    let never = |attribute| problem(attribute, "The expression does not match any day.".to_owned());
    let (first, last) = (date(2024, 1, 1).at(0, 0, 0, 0), date(2028, 1, 1).at(0, 0, 0, 0));
    let mut start = starts.after(first).ok_or_else(|| never("start"))?;
    let mut known: Option<(DateTime, SignedDuration)> = None;
    while start < last {
        let end = ends.after(start).ok_or_else(|| never("end"))?;
        let next = starts.after(start).ok_or_else(|| never("start"))?;
        if next <= end {
            return Err(problem(
                "end",
                format!(
                    "The period that starts on {} ends on {}, but the next period starts on {}. A period must end \
                     before the next one starts. To keep placeholder pods permanently, omit schedule.",
                    spoken(start),
                    spoken(end),
                    spoken(next)
                ),
            ));
        }
        let length = end.duration_since(start);
        match known {
            Some((other, known)) if known != length => {
                return Err(problem(
                    "end",
                    format!(
                        "The period that starts on {} lasts {}, but the period that starts on {} lasts {}. All periods \
                         of a schedule must have the same length: create one resource for each length.",
                        spoken(other),
                        hours(known),
                        spoken(start),
                        hours(length)
                    ),
                ));
            }
            _ => known = Some((start, length)),
        }
        start = next;
    }
    let (_, length) = known.ok_or_else(|| never("start"))?;
    Ok(length.unsigned_abs())
}

fn spoken(time: DateTime) -> String {
    time.strftime("%A, %-d %B, %H:%M").to_string()
}

fn hours(length: SignedDuration) -> String {
    tfplugin::framework::timeouts::format(length.unsigned_abs())
}

#[cfg(test)]
mod tests;
