//! The program's door. (to come)
fn main() {}
