//! Damage: turning a good item into one that the system's validation or the database refuses.
//!
//! Owns the search. Nothing is known about the system: values that hardly any column allows are put into one
//! column after the other until the item is refused, which is tried in a canary batch that is always rolled
//! back. What worked once is tried first the next time.

use plimsoll_core::change::Change;
use plimsoll_core::item::Item;
use plimsoll_core::value::Value;

use super::scratch::ScratchStore;
use super::variant;
use crate::change::plan::Plan;
use crate::change::{assess, retention};
use crate::error::EngineError;
use crate::system::ChangeKind;

/// Who refuses a damaged item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refuser {
    /// The system, when it looks at a batch before it is written.
    Validation,
    /// The database, while the batch is written.
    Database,
}

impl std::fmt::Display for Refuser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Validation => "validation",
            Self::Database => "database",
        })
    }
}

/// A value in a column of a table that made an item bad.
#[derive(Debug, Clone, PartialEq)]
struct Recipe {
    refuser: Refuser,
    table: String,
    column: usize,
    value: Value,
}

/// After this many items for which nothing was found, only known recipes are tried.
const PATIENCE: u32 = 3;

/// Damages items.
pub(crate) struct Damager {
    untouched: ScratchStore,
    plan: Plan,
    change: &'static dyn ChangeKind,
    recipes: Vec<Recipe>,
    failures: [u32; 2],
}

impl Damager {
    /// Damages items of `plan`, trying them on `untouched`.
    pub(crate) fn new(untouched: ScratchStore, plan: &Plan, change: &'static dyn ChangeKind) -> Self {
        Self { untouched, plan: plan.clone(), change, recipes: Vec::new(), failures: [0; 2] }
    }

    /// The item, made so that `refuser` refuses it; `None` when no way is found.
    ///
    /// # Errors
    /// When the scratch store fails.
    pub(crate) fn damage(&mut self, item: &Item, refuser: Refuser) -> Result<Option<Item>, EngineError> {
        let known: Vec<Recipe> =
            self.recipes.iter().filter(|recipe| recipe.refuser == refuser).cloned().collect();
        let failures = self.failures[refuser as usize];
        let unknown = if failures < PATIENCE { recipes(item, refuser) } else { Vec::new() };
        for recipe in known.iter().chain(&unknown) {
            let Some(damaged) = with(item, recipe)? else { continue };
            if self.refused_by(&damaged)? == Some(refuser) {
                if !known.contains(recipe) {
                    self.recipes.push(recipe.clone());
                }
                return Ok(Some(damaged));
            }
        }
        self.failures[refuser as usize] += 1;
        Ok(None)
    }

    /// Who refuses the item when it is alone; `None` when nobody does.
    fn refused_by(&mut self, item: &Item) -> Result<Option<Refuser>, EngineError> {
        if !self.change.validate(std::slice::from_ref(item)).is_empty() {
            return Ok(Some(Refuser::Validation));
        }
        let session = &mut self.untouched.session;
        let plan = variant::only(&self.plan, session, std::slice::from_ref(item))?;
        let tried = assess::assess(session, &plan, Some(self.change));
        retention::discard(session, &plan.id)?;
        Ok((tried?.canary.quarantined == 1).then_some(Refuser::Database))
    }
}

/// Values that hardly any column allows in every column of every row that the item writes, row keys left out.
fn recipes(item: &Item, refuser: Refuser) -> Vec<Recipe> {
    let mut recipes: Vec<Recipe> = Vec::new();
    for change in item.changes.iter().filter(|change| change.after.is_some()) {
        for column in (0..change.table.columns.len()).filter(|at| !change.table.key.contains(at)) {
            for value in [Value::Null, Value::text("damaged by the trial"), Value::Integer(-1)] {
                let recipe = Recipe { refuser, table: change.table.name.clone(), column, value };
                if !recipes.contains(&recipe) {
                    recipes.push(recipe);
                }
            }
        }
    }
    recipes
}

/// The item with the recipe's value in the first row of the recipe's table; `None` where there is no such row.
fn with(item: &Item, recipe: &Recipe) -> Result<Option<Item>, EngineError> {
    let fits = |change: &Change| {
        change.table.name == recipe.table
            && change.after.as_ref().and_then(|after| after.get(recipe.column)) != Some(&recipe.value)
            && change.after.is_some()
    };
    let Some(place) = item.changes.iter().position(fits) else { return Ok(None) };
    let mut damaged = item.clone();
    let change = &item.changes[place];
    let Some(mut after) = change.after.clone() else { return Ok(None) };
    let Some(value) = after.get_mut(recipe.column) else { return Ok(None) };
    *value = recipe.value.clone();
    damaged.changes[place] =
        Change::new(std::sync::Arc::clone(&change.table), change.before.clone(), Some(after))?;
    Ok(Some(damaged))
}
