//! Selections for people.

use plimsoll_core::pilot::selection::balance::BALANCED;
use plimsoll_core::pilot::selection::{Balance, Explanation, Size};
use plimsoll_engine::pilot::select::candidates::Listed;
use plimsoll_engine::pilot::select::document::kept_out;
use plimsoll_engine::pilot::select::kept::StoredSelection;

use crate::ui::{grouped, plural, table};

/// A selection for a person.
pub(super) fn selection(made: &StoredSelection) -> String {
    let selected = &made.selected;
    let size = match selected.selection.size {
        Size::Percent(percent) => format!("{percent} % asked"),
        Size::Count(count) => format!("{} asked", grouped(count)),
    };
    let mut lines = vec![format!(
        "selection {} ({}): {} of {}, {size}",
        made.number,
        made.id.short(),
        grouped(selected.members.len() as u64),
        plural(selected.of, "customer"),
    )];
    let stayed = selected.members.len() - selected.enter.len();
    lines.push(format!(
        "  {} stayed, {} entered; {} could be drawn; salt `{}`, rules {}",
        grouped(stayed as u64),
        grouped(selected.enter.len() as u64),
        grouped(selected.eligible),
        selected.selection.salt,
        selected.algorithm,
    ));
    if selected.asked > selected.members.len() as u64 {
        lines.push(format!("  the cap on the whole lowered it from {}", grouped(selected.asked)));
    }
    let out = kept_out(made);
    if !out.is_empty() {
        let each = out.iter().map(|(criterion, count)| format!("{criterion} {}", grouped(*count)));
        lines.push(format!("  kept out by {}", each.collect::<Vec<_>>().join(", ")));
    }
    for (ids, what) in [
        (&selected.gone, "members whom the legacy side does not know any more"),
        (&selected.unknown_exclusions, "exclusions that name nobody"),
    ] {
        if !ids.is_empty() {
            let names: Vec<&str> = ids.iter().map(String::as_str).take(8).collect();
            let more = if ids.len() > names.len() { ", .." } else { "" };
            lines.push(format!("  {what}: {}{more}", names.join(", ")));
        }
    }
    lines.push(String::new());
    lines.push(strata(&selected.balance));
    lines.push(String::new());
    lines.push(balance(&selected.balance));
    let worst = selected.balance.worst();
    lines.push(if worst < BALANCED {
        format!("balanced: no difference reaches {BALANCED}")
    } else {
        format!(
            "not balanced: the largest difference is {worst:.3}, of {BALANCED} that are negligible; --best-of 50 draws \
             with more salts, and more members differ less"
        )
    });
    if !made.is_reproduced() {
        lines.push("NOT REPRODUCED: drawn again from what is kept, others are chosen".into());
    }
    lines.join("\n")
}

fn strata(balance: &Balance) -> String {
    let row = |one: &plimsoll_core::pilot::selection::balance::StratumBalance| {
        vec![
            one.region.clone(),
            one.customer_type.clone(),
            grouped(one.eligible),
            grouped(one.members),
            format!("{:.2}", one.exact),
            grouped(one.earlier),
        ]
    };
    let rows: Vec<Vec<String>> = balance.strata.iter().map(row).collect();
    table(&["region", "type", "could be", "members", "exact share", "before"], &rows)
}

fn balance(balance: &Balance) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    let difference =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:+.3}"));
    let mut rows: Vec<Vec<String>> = balance
        .covariates
        .iter()
        .map(|one| vec![one.name.clone(), number(one.cohort), number(one.rest), difference(one.difference)])
        .collect();
    let shares = balance.regions.iter().map(|one| ("region", one));
    for (what, one) in shares.chain(balance.customer_types.iter().map(|one| ("type", one))) {
        let share = |part: f64| format!("{:.1} %", part * 100.0);
        rows.push(vec![
            format!("{what} {}", one.name),
            share(one.cohort),
            share(one.rest),
            difference(one.difference),
        ]);
    }
    table(&["compared by", "cohort", "rest", "difference"], &rows)
}

/// Customers whom a code names, and why they are in or out.
pub(super) fn customers(about: &[(&Listed, &Explanation)]) -> String {
    let one = |(listed, why): &(&Listed, &Explanation)| {
        let customer = &listed.customer;
        let mut lines = vec![format!("{}: {why}", customer.id)];
        lines.push(format!(
            "  client {}, {}, {}, {}",
            listed.number,
            customer.region,
            customer.customer_type,
            plural(customer.orders, "order"),
        ));
        let figures = customer.covariates.iter().map(|(name, figure)| format!("{name} {figure:.2}"));
        lines.push(format!("  {}", figures.collect::<Vec<_>>().join(", ")));
        lines.extend(listed.problems.iter().map(|problem| format!("  {problem}")));
        lines.retain(|line| !line.trim().is_empty());
        lines.join("\n")
    };
    about.iter().map(one).collect::<Vec<_>>().join("\n")
}
