//! Cron expressions as Kubernetes interprets them, in local time without a time zone.
//!
//! Five fields with lists, ranges, steps and names. If both the day of month and the day of week are restricted, a date
//! only has to match one of them, as in cron and in Kubernetes.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

/// One expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Cron {
    /// Minutes since midnight, sorted.
    times: Vec<i32>,
    /// Bit sets of the days of the month, the months and the days of the week.
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether the day of month or the day of week is `*`: a date then has to match both, otherwise one of them.
    both: bool,
}

struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    names: &'static [&'static str],
}

const MINUTE: Field = Field { name: "minute", first: 0, last: 59, names: &[] };
const HOUR: Field = Field { name: "hour", first: 0, last: 23, names: &[] };
const DAY: Field = Field { name: "day of month", first: 1, last: 31, names: &[] };
const MONTH: Field = Field {
    name: "month",
    first: 1,
    last: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
const WEEKDAY: Field =
    Field { name: "day of week", first: 0, last: 6, names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] };

/// Limit of a search: February 29 on a given weekday recurs every 28 years, or after 40 years around 2100.
const HORIZON_IN_DAYS: i32 = 366 * 41;

impl Cron {
    /// Parses an expression.
    ///
    /// # Errors
    /// The problem with it, as the end of a sentence.
    pub(in super::super) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!(
                "it has {} fields instead of five: minute, hour, day of month, month and day of week",
                fields.len()
            ));
        };
        let (minutes, _) = MINUTE.read(minute)?;
        let (hours, _) = HOUR.read(hour)?;
        let (days, any_day) = DAY.read(day)?;
        let (months, _) = MONTH.read(month)?;
        let (weekdays, any_weekday) = WEEKDAY.read(weekday)?;
        let times = (0..24 * 60).filter(|time| hours >> (time / 60) & 1 == 1 && minutes >> (time % 60) & 1 == 1);
        Ok(Self { times: times.collect(), days, months, weekdays, both: any_day || any_weekday })
    }

    fn has(&self, date: Date) -> bool {
        let bit = |bits: u64, number: i8| bits >> number & 1 == 1;
        let day = bit(self.days, date.day());
        let weekday = bit(self.weekdays, date.weekday().to_sunday_zero_offset());
        bit(self.months, date.month()) && if self.both { day && weekday } else { day || weekday }
    }

    /// The first time after this one; `None` if there is none.
    pub(in super::super) fn after(&self, time: DateTime) -> Option<DateTime> {
        let rest = self.times.partition_point(|minutes| *minutes <= minute_of_day(time));
        if let Some(minutes) = self.times.get(rest)
            && self.has(time.date())
        {
            return at(time.date(), *minutes);
        }
        let first = *self.times.first()?;
        let date = self.day(time.date(), 1)?;
        at(date, first)
    }

    /// The last time that is not after this one; `None` if there is none.
    pub(in super::super) fn until(&self, time: DateTime) -> Option<DateTime> {
        let rest = self.times.partition_point(|minutes| *minutes <= minute_of_day(time));
        if let Some(minutes) = rest.checked_sub(1).and_then(|index| self.times.get(index))
            && self.has(time.date())
        {
            return at(time.date(), *minutes);
        }
        let last = *self.times.last()?;
        let date = self.day(time.date(), -1)?;
        at(date, last)
    }

    /// The first matching day after a date, or with the step -1 the last one before it.
    fn day(&self, mut date: Date, step: i32) -> Option<Date> {
        for _ in 0..HORIZON_IN_DAYS {
            date = date.checked_add(step.days()).ok()?;
            if self.has(date) {
                return Some(date);
            }
        }
        None
    }
}

fn minute_of_day(time: DateTime) -> i32 {
    i32::from(time.hour()) * 60 + i32::from(time.minute())
}

fn at(date: Date, minutes: i32) -> Option<DateTime> {
    date.at(0, 0, 0, 0).checked_add(minutes.minutes()).ok()
}

impl Field {
    /// The bits of a field, and whether it is `*`.
    fn read(&self, text: &str) -> Result<(u64, bool), String> {
        let mut bits = 0;
        let mut any = false;
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(self.step(step)?)),
                None => (part, None),
            };
            let (first, last) = match range {
                "*" | "?" => {
                    any |= step.unwrap_or(1) == 1;
                    (self.first, self.last)
                }
                _ => match range.split_once('-') {
                    Some((first, last)) => (self.number(first)?, self.number(last)?),
                    // `5/15` for minutes is short for `5-59/15`.
                    None => {
                        let number = self.number(range)?;
                        (number, if step.is_some() { self.last } else { number })
                    }
                },
            };
            if first > last {
                return Err(format!(
                    "the range {range} of its {} ends before it starts; use a list instead",
                    self.name
                ));
            }
            let step = usize::try_from(step.unwrap_or(1)).unwrap_or(1);
            bits |= (first..=last).step_by(step).fold(0, |bits, number| bits | 1 << number);
        }
        Ok((bits, any))
    }

    fn step(&self, text: &str) -> Result<u32, String> {
        text.parse()
            .ok()
            .filter(|step| *step > 0)
            .ok_or_else(|| format!("{text:?} is not a valid step for its {}", self.name))
    }

    fn number(&self, text: &str) -> Result<u32, String> {
        let by_name = || {
            let index = self.names.iter().position(|name| name.eq_ignore_ascii_case(text))?;
            Some(u32::try_from(index).ok()? + self.first)
        };
        let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { by_name() };
        number.filter(|number| (self.first..=self.last).contains(number)).ok_or_else(|| {
            let names = match self.names {
                [first, .., last] => format!(", or {first} to {last}"),
                _ => String::new(),
            };
            format!("its {} {text:?} is not one of {} to {}{names}", self.name, self.first, self.last)
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    fn cron(text: &str) -> Cron {
        Cron::parse(text).unwrap()
    }

    fn time(text: &str) -> DateTime {
        text.parse().unwrap()
    }

    #[test]
    fn working_days() {
        let morning = cron("0 8 * * MON-FRI");
        let friday = datetime(2026, 1, 2, 8, 0, 0, 0);
        assert_eq!(morning.until(friday), Some(friday));
        assert_eq!(morning.after(friday), Some(time("2026-01-05T08:00")));
        assert_eq!(morning.until(time("2026-01-05T07:59:59")), Some(friday));
        assert_eq!(morning, cron("0 8 * * 1-5"));
        assert_eq!(morning, cron("0 8 ? 1-12 mon,TUE,3,4,5"));
    }

    #[test]
    fn lists_and_steps() {
        let quarters = cron("*/15 9-10 * * *");
        let mut times = vec![time("2026-01-01T00:00")];
        while times.len() < 9 {
            times.push(quarters.after(times[times.len() - 1]).unwrap());
        }
        assert_eq!(times[4], time("2026-01-01T09:45"));
        assert_eq!(times[8], time("2026-01-01T10:45"));
        assert_eq!(cron("20/20 * * * *"), cron("20,40 * * * *"));
    }

    #[test]
    fn day_of_month_or_day_of_week_matches() {
        let either = cron("0 0 13 * FRI");
        assert_eq!(either.after(time("2026-01-10T00:00")), Some(time("2026-01-13T00:00")));
        assert_eq!(either.after(time("2026-01-13T00:00")), Some(time("2026-01-16T00:00")));
        assert_eq!(cron("0 0 13 * *").after(time("2026-01-13T00:00")), Some(time("2026-02-13T00:00")));
        // A star with a step is a restriction like any other.
        assert_eq!(cron("0 0 13 * */6").after(time("2026-01-10T00:00")), Some(time("2026-01-11T00:00")));
    }

    #[test]
    fn schedules_that_never_occur() {
        assert_eq!(cron("0 0 31 2 *").after(time("2026-01-01T00:00")), None);
        assert_eq!(cron("0 0 31 2 *").until(time("2026-01-01T00:00")), None);
        assert_eq!(cron("0 0 29 2 *").after(time("2026-01-01T00:00")), Some(time("2028-02-29T00:00")));
    }

    #[test]
    fn invalid_values_are_named() {
        let wrong = |text: &str| Cron::parse(text).unwrap_err();
        assert_eq!(
            wrong("@daily"),
            "it has 1 fields instead of five: minute, hour, day of month, month and day of week"
        );
        assert_eq!(wrong("0 24 * * *"), "its hour \"24\" is not one of 0 to 23");
        assert_eq!(wrong("0 8 * * 7"), "its day of week \"7\" is not one of 0 to 6, or SUN to SAT");
        assert_eq!(wrong("0 8 * * MO"), "its day of week \"MO\" is not one of 0 to 6, or SUN to SAT");
        assert_eq!(
            wrong("0 8 * * FRI-MON"),
            "the range FRI-MON of its day of week ends before it starts; use a list instead"
        );
        assert_eq!(wrong("*/0 8 * * *"), "\"0\" is not a valid step for its minute");
        assert_eq!(wrong("0 8, * * *"), "its hour \"\" is not one of 0 to 23");
    }
}
