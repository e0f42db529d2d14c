pub fn emit(_ops: &[crate::table::Op]) -> Vec<(String, String)> { Vec::new() }
