//! What spending will be, how a budget stands, and whether a bill agrees: computed over views.
//!
//! Owns the way from a view's rows to the computations of [`crate::forecast`], and the comparison with a bill. Pure: the
//! day is handed in. Costs at list price and costs as stored are told apart everywhere; a day or model without a price
//! has no cost at list price and is not taken for free.

use std::collections::BTreeMap;

use plimsoll_engine::ingest::ColumnType;
use plimsoll_engine::view::{Column, Computed, OwnedCell, Request, Shape, Table};

use crate::forecast::{self, ForecastDay};
use crate::money::Money;

/// Days that a forecast looks ahead unless asked for others.
const AHEAD: u32 = 14;
/// A bill agrees when it is this close, in hundredths (OC-50).
const AGREES: i128 = 5;
/// What is measured: the column of the view, and its name in answers.
const BASES: [(&str, &str); 2] = [("stored_cost", "stored"), ("list_cost", "list")];

/// The computed questions.
pub static COMPUTED: &[Computed] = &[
    crate::authors::COMMIT_AUTHORS,
    Computed {
        name: "forecast",
        title: "Spending of the next days",
        answers: "What will the next days cost, likely, and at best and worst nine times in ten?",
        over: "forecast-input",
        commits: None,
        compute: next_days,
    },
    Computed {
        name: "budget",
        title: "A month's budget",
        answers: "How does this month stand against --budget USD, now and by its end?",
        over: "forecast-input",
        commits: None,
        compute: month_budget,
    },
    Computed {
        name: "bill",
        title: "A provider's bill",
        answers: "Do a bill's amounts (--bill FILE, with columns day, model, amount) agree with what is known here?",
        over: "cost-by-model-and-day",
        commits: None,
        compute: compare_bill,
    },
];

pub(crate) fn table(columns: &[(&str, ColumnType)], rows: Vec<Vec<OwnedCell>>) -> Table {
    let columns =
        columns.iter().map(|(name, kind)| Column { name: (*name).to_owned(), kind: *kind }).collect();
    Table { shape: Shape::Rows, columns, rows, sections: Vec::new() }
}

fn text(value: &str) -> OwnedCell {
    OwnedCell::Text(value.to_owned())
}

fn money(amount: Option<Money>) -> OwnedCell {
    amount.map_or(OwnedCell::Null, |amount| OwnedCell::Decimal(amount.units().into(), 10))
}

/// One amount for each day from the first to today, and the first day. Days after the last with any message are zero.
fn series(rows: &Table, column: &str, today: i64) -> Result<(i64, Vec<Money>), String> {
    let nothing = || "there is no cost in this period".to_owned();
    let first = rows.cell(0, "day").as_integer().ok_or_else(nothing)?;
    let mut amounts = Vec::new();
    for at in 0..rows.rows.len() {
        let units = rows.cell(at, column).as_money().unwrap_or(0);
        amounts.push(Money::from_units(units.into()).ok_or("an amount is too large")?);
    }
    let known = first + i64::try_from(amounts.len()).unwrap_or(0);
    for _ in known..=today {
        amounts.push(Money::ZERO);
    }
    Ok((first, amounts))
}

/// The days after the series.
fn coming(first: i64, amounts: &[Money], days: usize) -> Option<Vec<ForecastDay>> {
    // 1970-01-01 was a Thursday; any numbering will do.
    let weekday = usize::try_from(first.rem_euclid(7)).unwrap_or(0);
    forecast::forecast(amounts, weekday, days)
}

fn next_days(rows: &Table, request: &Request) -> Result<Table, String> {
    let days = usize::try_from(request.days.unwrap_or(AHEAD)).unwrap_or(0);
    let mut out = Vec::new();
    for (column, basis) in BASES {
        let (first, amounts) = series(rows, column, request.today)?;
        let coming = coming(first, &amounts, days)
            .ok_or_else(|| format!("a forecast needs at least {} days", forecast::LEAST_DAYS))?;
        let next = first + i64::try_from(amounts.len()).unwrap_or(0);
        for (day, forecast) in (next..).zip(coming) {
            let amounts = [forecast.likely, forecast.low, forecast.high].map(|amount| money(Some(amount)));
            out.push([OwnedCell::Integer(day), text(basis)].into_iter().chain(amounts).collect());
        }
    }
    let columns = [
        ("day", ColumnType::Date),
        ("basis", ColumnType::Text),
        ("likely", ColumnType::Money),
        ("low", ColumnType::Money),
        ("high", ColumnType::Money),
    ];
    Ok(table(&columns, out))
}

fn month_budget(rows: &Table, request: &Request) -> Result<Table, String> {
    let asked = request.budget.as_deref().ok_or("which budget?\nhint: --budget USD")?;
    let limit = Money::parse(asked)
        .filter(|limit| *limit >= Money::ZERO)
        .ok_or_else(|| format!("`{asked}` is no amount\nhint: --budget 250.00"))?;
    let (begin, end) = month_around(request.today);
    let mut out = Vec::new();
    for (column, basis) in BASES {
        let (first, mut amounts) = series(rows, column, request.today)?;
        // What came after today, if anything, is not known today.
        amounts.truncate(usize::try_from(request.today + 1 - first).unwrap_or(0));
        let before = usize::try_from(begin - first).unwrap_or(0).min(amounts.len());
        let left = usize::try_from(end - request.today - 1).unwrap_or(0);
        let coming = coming(first, &amounts, left);
        let found = forecast::budget(limit, &amounts[before..], coming.as_deref())
            .ok_or("the amounts are too large to add up")?;
        out.push(vec![
            OwnedCell::Integer(begin),
            text(basis),
            money(Some(limit)),
            money(Some(found.spent)),
            text(found.state.name()),
            money(found.projected),
            found.projected_state.map_or(OwnedCell::Null, |state| text(state.name())),
            OwnedCell::Integer(i64::try_from(left).unwrap_or(0)),
        ]);
    }
    let columns = [
        ("month", ColumnType::Date),
        ("basis", ColumnType::Text),
        ("budget", ColumnType::Money),
        ("spent", ColumnType::Money),
        ("state", ColumnType::Text),
        ("projected", ColumnType::Money),
        ("projected_state", ColumnType::Text),
        ("days_left", ColumnType::Integer),
    ];
    Ok(table(&columns, out))
}

/// The first day of the month that a day lies in, and that of the next month, in days since 1970.
fn month_around(today: i64) -> (i64, i64) {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut begin) = (1970, 0);
    loop {
        let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for length in lengths {
            if today < begin + length {
                return (begin, begin + length);
            }
            begin += length;
        }
        year += 1;
    }
}

/// One amount of a bill: day as it is written there, model, amount.
type Charge = (String, String, Money);

fn read_bill(bill: &str) -> Result<Vec<Charge>, String> {
    let mut lines = bill.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let cells = |line: &str| -> Vec<String> {
        line.split(',').map(|cell| cell.trim().trim_matches('"').to_owned()).collect()
    };
    let (_, head) = lines.next().ok_or("the bill is empty")?;
    let head = cells(head);
    let at = |name: &str| {
        head.iter().position(|found| found.eq_ignore_ascii_case(name)).ok_or_else(|| {
            format!("the bill has no column `{name}`\nhint: it needs day, model and amount (US dollars)")
        })
    };
    let (day, model, amount) = (at("day")?, at("model")?, at("amount")?);
    lines
        .map(|(number, line)| {
            let cells = cells(line);
            let cell = |at: usize| cells.get(at).cloned().unwrap_or_default();
            let charged = Money::parse(cell(amount).trim_start_matches('$'))
                .ok_or_else(|| format!("line {} of the bill: `{}` is no amount", number + 1, cell(amount)))?;
            if cell(day).len() != 10 {
                return Err(format!(
                    "line {} of the bill: `{}` is no day such as 2026-01-31",
                    number + 1,
                    cell(day)
                ));
            }
            Ok((cell(day), cell(model), charged))
        })
        .collect()
}

fn compare_bill(rows: &Table, request: &Request) -> Result<Table, String> {
    let bill = request.bill.as_deref().ok_or("which bill?\nhint: --bill FILE")?;
    let mut billed: BTreeMap<String, i128> = BTreeMap::new();
    let charges = read_bill(bill)?;
    let (Some(from), Some(to)) =
        (charges.iter().map(|charge| &charge.0).min(), charges.iter().map(|charge| &charge.0).max())
    else {
        return Err("the bill names no amount".to_owned());
    };
    for (_, model, amount) in &charges {
        *billed.entry(model.clone()).or_default() += i128::from(amount.units());
    }
    // Known here: stored cost, list cost, and messages without a price, for the days of the bill.
    let mut known: BTreeMap<String, (i128, i128, bool)> = BTreeMap::new();
    for at in 0..rows.rows.len() {
        let Some(day) = rows.cell(at, "day").as_integer() else { continue };
        let day = iso(day);
        if day < *from || day > *to {
            continue;
        }
        let model = rows.cell(at, "model").as_text().unwrap_or_default().to_owned();
        let entry = known.entry(model).or_default();
        entry.0 += i128::from(rows.cell(at, "stored_cost").as_money().unwrap_or(0));
        entry.2 |= rows.cell(at, "unpriced_messages").as_integer() > Some(0);
        match rows.cell(at, "list_cost").as_money() {
            Some(units) => entry.1 += i128::from(units),
            None => entry.2 = true,
        }
    }
    let mut models: Vec<String> = billed.keys().chain(known.keys()).cloned().collect();
    models.sort();
    models.dedup();
    let mut out = Vec::new();
    let (mut all_billed, mut all_stored, mut all_list, mut any_unknown) = (0, 0, 0, false);
    for model in models {
        let charged = billed.get(&model).copied().unwrap_or(0);
        let (stored, list, unknown) = known.get(&model).copied().unwrap_or_default();
        all_billed += charged;
        all_stored += stored;
        all_list += list;
        any_unknown |= unknown;
        out.push(compared(&model, charged, stored, list, unknown)?);
    }
    out.push(compared("all", all_billed, all_stored, all_list, any_unknown)?);
    let columns = [
        ("model", ColumnType::Text),
        ("billed", ColumnType::Money),
        ("stored_cost", ColumnType::Money),
        ("stored_percent", ColumnType::Double),
        ("list_cost", ColumnType::Money),
        ("list_percent", ColumnType::Double),
        ("verdict", ColumnType::Text),
    ];
    Ok(table(&columns, out))
}

/// A row of the comparison. It agrees when what is stored, or the list price, is within five in a hundred of the bill.
fn compared(
    model: &str,
    billed: i128,
    stored: i128,
    list: i128,
    unknown: bool,
) -> Result<Vec<OwnedCell>, String> {
    let amount =
        |units: i128| Money::from_units(units).map(Some).ok_or("the amounts are too large to add up");
    let percent = |units: i128| {
        if billed == 0 {
            OwnedCell::Null
        } else {
            OwnedCell::Double((units - billed) as f64 * 100.0 / billed as f64)
        }
    };
    let near = |units: i128| (units - billed).abs() * 100 <= billed.abs() * AGREES;
    let verdict = match (billed, near(stored) || (!unknown && near(list))) {
        (_, true) => "agrees",
        (0, false) => "not on the bill",
        (_, false) if stored == 0 && list == 0 => "not known here",
        (_, false) => "differs",
    };
    Ok(vec![
        text(model),
        money(amount(billed)?),
        money(amount(stored)?),
        percent(stored),
        if unknown { OwnedCell::Null } else { money(amount(list)?) },
        if unknown { OwnedCell::Null } else { percent(list) },
        text(verdict),
    ])
}

/// A day as it is written, such as `2026-01-31`.
fn iso(day: i64) -> String {
    let (begin, _) = month_around(day);
    let (mut year, mut month, mut at) = (1970, 1, 0);
    while at < begin {
        at = month_around(at).1;
        month += 1;
        if month == 13 {
            (year, month) = (year + 1, 1);
        }
    }
    format!("{year:04}-{month:02}-{:02}", day - begin + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-01, a Sunday.
    const MARCH: i64 = 20_513;

    fn dollars(amount: i64) -> OwnedCell {
        OwnedCell::Decimal(i128::from(amount) * 10_000_000_000, 10)
    }

    fn spent(first: i64, amounts: &[i64]) -> Table {
        let columns =
            [("day", ColumnType::Date), ("stored_cost", ColumnType::Money), ("list_cost", ColumnType::Money)];
        let row = |(day, amount): (i64, &i64)| {
            vec![OwnedCell::Integer(day), dollars(*amount), dollars(*amount * 2)]
        };
        table(&columns, (first..).zip(amounts).map(row).collect())
    }

    fn request(today: i64) -> Request {
        Request { today, ..Request::default() }
    }

    #[test]
    fn days_and_months_are_counted_right() {
        assert_eq!(
            (iso(0), iso(MARCH), iso(MARCH - 1)),
            ("1970-01-01".into(), "2026-03-01".into(), "2026-02-28".into())
        );
        assert_eq!(month_around(MARCH + 30), (MARCH, MARCH + 31));
        assert_eq!(iso(19_782), "2024-02-29");
    }

    #[test]
    fn a_constant_series_is_continued_after_today() {
        let rows = spent(MARCH, &[3; 20]);
        let answer = next_days(&rows, &Request { days: Some(2), ..request(MARCH + 19) }).unwrap();
        assert_eq!(answer.rows.len(), 4);
        assert_eq!(
            answer.rows[0],
            [OwnedCell::Integer(MARCH + 20), text("stored"), dollars(3), dollars(3), dollars(3)]
        );
        assert_eq!(answer.rows[2][2], dollars(6));
        // Ten days without anything count as nothing spent: half of the days still say three, the lower end does not.
        let later = next_days(&rows, &Request { days: Some(1), ..request(MARCH + 29) }).unwrap();
        assert_eq!(later.rows[0][0], OwnedCell::Integer(MARCH + 30));
        assert_eq!((&later.rows[0][2], &later.rows[0][3]), (&dollars(3), &dollars(0)));
        assert!(next_days(&spent(MARCH, &[1]), &request(MARCH)).unwrap_err().contains("at least"));
        assert!(next_days(&spent(MARCH, &[]), &request(MARCH)).unwrap_err().contains("no cost"));
    }

    #[test]
    fn a_budget_counts_this_month_only_and_warns_at_its_threshold() {
        // Five days of February, ten of March, three dollars each.
        let rows = spent(MARCH - 5, &[3; 15]);
        for (budget, state, projected) in [
            ("29.99", "over", "over"),
            ("37.50", "warning", "over"),
            ("37.51", "under", "over"),
            ("200", "under", "under"),
        ] {
            let asked = Request { budget: Some(budget.to_owned()), ..request(MARCH + 9) };
            let answer = month_budget(&rows, &asked).unwrap();
            assert_eq!(answer.cell(0, "spent"), &dollars(30));
            assert_eq!(answer.cell(0, "state"), &text(state), "{budget}");
            assert_eq!(answer.cell(0, "projected"), &dollars(93));
            assert_eq!(answer.cell(0, "projected_state"), &text(projected), "{budget}");
            assert_eq!(answer.cell(0, "days_left"), &OwnedCell::Integer(21));
        }
        assert!(month_budget(&rows, &request(MARCH)).unwrap_err().contains("--budget"));
    }

    #[test]
    fn a_bill_is_compared_model_by_model_within_its_days() {
        let columns = [
            ("day", ColumnType::Date),
            ("model", ColumnType::Text),
            ("stored_cost", ColumnType::Money),
            ("list_cost", ColumnType::Money),
        ];
        let row = |day: i64, model: &str, stored: i64, list: Option<i64>| {
            vec![OwnedCell::Integer(day), text(model), dollars(stored), list.map_or(OwnedCell::Null, dollars)]
        };
        let rows = table(
            &columns,
            vec![
                row(MARCH - 1, "a", 500, Some(500)),
                row(MARCH, "a", 100, Some(100)),
                row(MARCH + 1, "a", 0, Some(0)),
                row(MARCH, "b", 0, Some(80)),
                row(MARCH, "c", 0, None),
                row(MARCH, "d", 7, Some(7)),
            ],
        );
        let bill = "day,model,amount\n2026-03-01,a,$60.00\n2026-03-02,\"a\",45\n2026-03-01,b,100\n2026-03-01,c,5\n2026-03-01,e,1\n";
        let asked = Request { bill: Some(bill.to_owned()), ..request(MARCH) };
        let answer = compare_bill(&rows, &asked).unwrap();
        let verdicts: Vec<(&str, &str)> = (0..answer.rows.len())
            .map(|at| {
                (answer.cell(at, "model").as_text().unwrap(), answer.cell(at, "verdict").as_text().unwrap())
            })
            .collect();
        // 100 is within five in a hundred of 105.
        let expected = [
            ("a", "agrees"),
            ("b", "differs"),
            ("c", "not known here"),
            ("d", "not on the bill"),
            ("e", "not known here"),
            ("all", "differs"),
        ];
        assert_eq!(verdicts, expected);
        assert_eq!(answer.cell(2, "list_cost"), &OwnedCell::Null, "no price is not a price of zero");
        for (broken, said) in [
            ("", "empty"),
            ("day,model\n", "no column `amount`"),
            ("day,model,amount\n2026-03-01,a,x", "line 2"),
        ] {
            let asked = Request { bill: Some(broken.to_owned()), ..request(MARCH) };
            assert!(compare_bill(&rows, &asked).unwrap_err().contains(said), "{broken}");
        }
    }
}
