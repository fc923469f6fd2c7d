//! Views and checks of the OpenCode system, on a store in memory.
//!
//! `world` makes a small history by hand and keeps it as plain structures. Views are compared with what loops over
//! these structures say (`totals`, `named`), run with every parameter (`parameters`), and run on empty tables
//! (`every`). Each check is green on the world and red after its fault was planted (`checks`).

mod checks;
mod every;
mod named;
mod parameters;
mod totals;
mod world;
