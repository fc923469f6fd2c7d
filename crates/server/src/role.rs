//! Roles: what somebody may do, in which system.
//!
//! Owns the four roles, their order, and how a list of them is written. Who has which is `user`'s and `access`'s.
//!
//! Invariant: a role includes those before it, and `*` stands for every system.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody may do. Each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look at everything, evaluate flags, follow events.
    Viewer,
    /// Also change flags and records, plan and apply, repair, start playbooks.
    Operator,
    /// Also approve plans, sign off, decide at gates.
    Approver,
    /// Everything, users included.
    Admin,
}

impl Role {
    /// Every role, the narrowest first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Approver, Self::Admin];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no role\nhint: viewer, operator, approver or admin"))
    }
}

/// What stands for every system.
const EVERY: &str = "*";

/// The roles of one person or program, by system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Roles(BTreeMap<String, Role>);

impl Roles {
    /// One role everywhere.
    pub fn everywhere(role: Role) -> Self {
        Self(BTreeMap::from([(EVERY.to_owned(), role)]))
    }

    /// The role in a system, when there is one.
    pub fn on(&self, system: &str) -> Option<Role> {
        self.0.get(system).copied().max(self.0.get(EVERY).copied())
    }

    /// The widest role in any system.
    pub fn widest(&self) -> Option<Role> {
        self.0.values().copied().max()
    }

    /// The role for what belongs to no single system.
    pub fn on_all(&self) -> Option<Role> {
        self.0.get(EVERY).copied()
    }

    /// Sets the role in a system, or takes it away.
    pub fn set(&mut self, system: &str, role: Option<Role>) {
        match role {
            Some(role) => drop(self.0.insert(system.to_owned(), role)),
            None => drop(self.0.remove(system)),
        }
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each system with its role.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Role)> {
        self.0.iter().map(|(system, role)| (system.as_str(), *role))
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.iter().map(|(system, role)| format!("{system}={role}")).collect();
        f.write_str(&all.join(","))
    }
}

impl FromStr for Roles {
    type Err = String;

    /// Reads `SYSTEM=ROLE,..`; a role alone is meant everywhere.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut roles = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (system, role) = part.split_once('=').unwrap_or((EVERY, part));
            roles.set(system.trim(), Some(role.trim().parse()?));
        }
        if roles.is_empty() {
            return Err("no role is named\nhint: SYSTEM=ROLE, or a role alone for every system".to_owned());
        }
        Ok(roles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_everywhere_and_one_in_a_system_give_the_wider() {
        let roles: Roles = "viewer,pfa=approver".parse().unwrap();
        assert_eq!(roles.on("pfa"), Some(Role::Approver));
        assert_eq!(roles.on("hearings"), Some(Role::Viewer));
        assert_eq!((roles.on_all(), roles.widest()), (Some(Role::Viewer), Some(Role::Approver)));
        assert_eq!(roles.to_string().parse::<Roles>().unwrap(), roles);
        let only: Roles = "pfa=admin".parse().unwrap();
        assert_eq!((only.on("hearings"), only.on_all()), (None, None));
        assert!("root".parse::<Roles>().is_err() && "".parse::<Roles>().is_err());
    }

    #[test]
    fn roles_include_the_ones_before() {
        assert!(Role::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
