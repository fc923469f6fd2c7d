//! Medians and lines of figures.

/// The median of some figures, and their spread as a share of it.
pub(crate) fn median(mut figures: Vec<f64>) -> (f64, f64) {
    figures.sort_by(f64::total_cmp);
    let middle = figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN);
    let spread = match (figures.first(), figures.last()) {
        (Some(least), Some(most)) if middle > 0.0 => (most - least) / middle,
        _ => 0.0,
    };
    (middle, spread)
}

/// `12,345`
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// One line: what, rows a second, spread, and the ratio to the floor.
pub(crate) fn line(what: &str, rows_a_second: f64, spread: f64, beside_floor: Option<f64>) {
    let ratio = beside_floor.map(|ratio| format!("  {ratio:>5.2}x the floor")).unwrap_or_default();
    println!("  {what:<46} {:>10} rows/s  (spread {:>3.0} %){ratio}", grouped(rows_a_second), spread * 100.0);
}
